"""Has schemathesis ask everything that the server's OpenAPI v3 documents describe.

One run a document, each with its share of the time. The documents leave out what bodies are, to
stay small, so each operation that takes one gets the schema of its kind.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.contract.fuzz.catalogue import Read

ROOT = Path(__file__).resolve().parents[3]
_MEDIA = {
    "post": ("application/json",),
    "put": ("application/json",),
    "patch": ("application/merge-patch+json", "application/strategic-merge-patch+json"),
}
_OPTIONS = (
    "--checks=answers_as_it_should",
    "--phases=coverage,fuzzing",
    "--max-examples=5",
    "--request-timeout=30",
    "--no-shrink",
    "--continue-on-failure",
    "--suppress-health-check=all",
    "--generation-database=none",
    "--warnings=off",
    "--no-color",
    "--workers=1",
)
_STARTS_S = 60.0
"""What a run may take past its share, to start and to end."""


@dataclass(slots=True)
class Asked:
    """What came of it."""

    documents: int = 0
    requests: int = 0
    faults: list[str] = field(default_factory=list[str])
    skipped: str = ""

    def lines(self) -> list[str]:
        """For people."""
        if self.skipped:
            return [f"schemathesis: skipped, {self.skipped}"]
        counted = f"{self.requests} requests by {self.documents} documents of OpenAPI"
        return [f"schemathesis: {counted}, faults: {len(self.faults)}", *self.faults]


async def read_documents(read: Read) -> dict[str, Any]:
    """The documents that describe more than which versions there are, by their paths."""
    found: dict[str, Any] = {}
    for path, place in (await read("/openapi/v3"))["paths"].items():
        document = await read(place["serverRelativeURL"])
        if re.fullmatch(r"api/\w+|apis/[^/]+/\w+", path):
            found[path] = with_bodies(document)
    return found


def with_bodies(document: Any) -> Any:
    """The document, with the body of each operation that takes one."""
    kinds = {
        tuple(kind.values()): name
        for name, schema in document["components"]["schemas"].items()
        for kind in schema.get("x-kubernetes-group-version-kind", ())
    }
    for verb, operation in _operations(document):
        kind = operation.get("x-kubernetes-group-version-kind", {})
        name = kinds.get(tuple(kind.values()))
        if name and verb in _MEDIA and "requestBody" not in operation:
            schema = {"$ref": f"#/components/schemas/{name}"}
            operation["requestBody"] = {
                "content": {media: {"schema": schema} for media in _MEDIA[verb]}
            }
    return document


def _operations(document: Any) -> Iterator[tuple[str, Any]]:
    for path in document["paths"].values():
        yield from ((verb, each) for verb, each in path.items() if verb != "parameters")


def ask_by_schema(
    documents: Mapping[str, Any], url: str, certificate: Path, *, total_s: int, seed: int
) -> Asked:
    """Run schemathesis on each document; `certificate` is the client's, with its key."""
    asked = Asked()
    if find_spec("schemathesis") is None:
        asked.skipped = "it is not installed: `.ci/setup fuzz` says why"
        return asked
    share_s = max(total_s // max(len(documents), 1), 2)
    for path, document in documents.items():
        file = certificate.parent / f"{path.replace('/', '-')}.json"
        file.write_text(json.dumps(document))
        place = (f"--url={url}", "--tls-verify=false", f"--request-cert={certificate}")
        limits = (f"--max-time={share_s}", f"--seed={seed}")
        command = [sys.executable, "-m", "schemathesis.cli", "run", str(file)]
        code, said = _run([*command, *place, *_OPTIONS, *limits], share_s)
        asked.documents += 1
        counted = re.search(r"(\d+) generated", said)
        asked.requests += int(counted[1]) if counted else 0
        if code != 0 or not counted:
            asked.faults.append(f"{path}: {_gist(said)}")
    return asked


def _run(command: list[str], share_s: int) -> tuple[int, str]:
    hooks = "tests.contract.fuzz.by_schema_check"
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": hooks, "PYTHONPATH": str(ROOT)}
    try:
        done = subprocess.run(
            command,
            env=environment,
            cwd=command[4].rpartition("/")[0],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=share_s + _STARTS_S,
        )
    except subprocess.TimeoutExpired:
        return 1, f"it did not end within {share_s + _STARTS_S:.0f} s"
    return done.returncode, done.stdout


def _gist(said: str) -> str:
    """The part that tells of failures, without its frame."""
    lines = [line.strip() for line in said.splitlines() if line.strip().strip("=_-")]
    begins = [n for n, line in enumerate(lines) if re.search(r"=+ (FAILURES|ERRORS) =+", line)]
    return "\n  ".join(lines[begins[0] if begins else -20 :][:40])
