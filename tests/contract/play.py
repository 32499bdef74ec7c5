"""Plays recorded command scenarios against a bare cluster and compares what comes back.

usage: python -m tests.contract.play [FOLDER] [--only TEXT] [--verbose] [--workers N]

FOLDER holds AREA/NAME.yaml (see the README beside the recordings). Prints `same/total` for each
area and a last line `same: N of M (P %)`; with --verbose, what differs.
"""

import argparse
import difflib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from queue import Queue
from typing import Any

import yaml

from tests.contract.bare import BareClusters, kubeconfig
from tests.contract.normalise import normalise

SCENARIOS = Path(__file__).resolve().parents[3] / "shared" / "scenarios"
STEP_LIMIT_S = int(os.environ.get("STEP_LIMIT_S", "120"))
_TOOLS = ("curl", "openssl", "sed", "awk", "diff", "base64", "python3")
_SHOWN_LINES = 14


@dataclass
class Outcome:
    """What a play of one scenario showed."""

    area: str
    name: str
    differences: list[str] = field(default_factory=list[str])
    server_errors: int = 0

    @property
    def same(self) -> bool:
        """Whether every step came out as recorded."""
        return not self.differences


def scenarios(folder: Path, only: str = "") -> list[Path]:
    """The scenario files below a folder whose path contains a text."""
    return [path for path in sorted(folder.glob("*/*.yaml")) if only in str(path)]


def play(path: Path, clusters: BareClusters) -> Outcome:
    """Play one scenario on a fresh cluster."""
    scenario: dict[str, Any] = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)
    outcome = Outcome(scenario["area"], scenario["name"])
    top = Path(tempfile.mkdtemp(prefix="scenario-", dir="/tmp"))
    try:
        environment = _prepare(top, scenario, clusters.next(top / "cluster"))
        for index, step in enumerate(scenario["steps"]):
            ran = _run(step["run"], top / "work", environment)
            difference = _compare(step, ran)
            if difference:
                outcome.differences.append(f"step {index + 1}: {step['run']}\n{difference}")
            recorded = step["stdout"] + step["stderr"]
            if "InternalError" in ran[1] + ran[2] and "InternalError" not in recorded:
                outcome.server_errors += 1
    finally:
        shutil.rmtree(top, ignore_errors=True)
    return outcome


def _prepare(top: Path, scenario: dict[str, Any], facts: dict[str, str]) -> dict[str, str]:
    work, home, tools = top / "work", top / "home", top / "bin"
    for folder in (work, home, tools):
        folder.mkdir()
    files: dict[str, str] = scenario.get("files") or {}
    for name, text in files.items():
        target = work / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    for name, key in (("ca.crt", "ca"), ("admin.crt", "certificate"), ("admin.key", "key")):
        (work / name).write_text(facts[key])
    (top / "kubeconfig").write_text(json.dumps(kubeconfig(facts)))
    (tools / "kubectl").symlink_to(Path(sys.executable).parent / "kubectl")
    for tool in _TOOLS:
        found = shutil.which(tool, path="/usr/bin:/bin") or shutil.which(tool)
        if found:
            (tools / tool).symlink_to(found)
    return {
        "HOME": str(home),
        "KUBECONFIG": str(top / "kubeconfig"),
        "SERVER": facts["server"],
        "PATH": f"{tools}:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
    }


def _run(command: str, work: Path, environment: dict[str, str]) -> tuple[int, str, str]:
    process = subprocess.Popen(
        ["bash", "-c", command],
        cwd=work,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=STEP_LIMIT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        err += b"\n(the step did not end in time)"
    return process.returncode, out.decode(errors="replace"), err.decode(errors="replace")


def _compare(step: dict[str, Any], ran: tuple[int, str, str]) -> str:
    explain = "kubectl explain" in step["run"]
    parts: list[str] = []
    if step["exit"] != ran[0]:
        parts.append(f"  exit {ran[0]}, recorded {step['exit']}")
    for name, recorded, got in (
        ("stdout", step["stdout"], ran[1]),
        ("stderr", step["stderr"], ran[2]),
    ):
        wanted = normalise(recorded, explain=explain)
        found = normalise(got, explain=explain)
        if wanted.rstrip("\n") != found.rstrip("\n"):
            parts.extend(_diff(name, wanted, found))
    return "\n".join(parts)


def _diff(name: str, wanted: str, found: str) -> Iterator[str]:
    lines = difflib.unified_diff(
        wanted.splitlines(), found.splitlines(), "recorded", "ours", lineterm="", n=0
    )
    shown = [line[:300] for line in list(lines)[2:] if not line.startswith("@@")]
    yield f"  {name}:"
    yield from (f"    {line}" for line in shown[:_SHOWN_LINES])
    if len(shown) > _SHOWN_LINES:
        yield f"    … {len(shown) - _SHOWN_LINES} more"


def play_all(paths: list[Path], workers: int) -> Iterator[Outcome]:
    """Play scenarios side by side, each worker with its own process; outcomes as they come."""
    pool: Queue[BareClusters] = Queue()
    owned = [BareClusters() for _ in range(min(workers, len(paths)) or 1)]
    for clusters in owned:
        pool.put(clusters)

    def one(path: Path) -> Outcome:
        clusters = pool.get()
        try:
            return play(path, clusters)
        finally:
            pool.put(clusters)

    try:
        with ThreadPoolExecutor(len(owned)) as executor:
            for played in as_completed([executor.submit(one, path) for path in paths]):
                yield played.result()
    finally:
        for clusters in owned:
            clusters.close()


def main() -> int:
    """Play what the command line names."""
    parser = argparse.ArgumentParser(description="Play recorded scenarios.")
    parser.add_argument("folder", type=Path, nargs="?", default=SCENARIOS)
    parser.add_argument("--only", default="")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args()
    paths = scenarios(chosen.folder, chosen.only)
    if not paths:
        print(f"There are no scenarios below {chosen.folder}.")
        return 2
    areas: dict[str, list[Outcome]] = {}
    for outcome in play_all(paths, chosen.workers):
        areas.setdefault(outcome.area, []).append(outcome)
        if chosen.verbose and not outcome.same:
            print(f"✗ {outcome.area}/{outcome.name}")
            text = (f"  {line}" for d in outcome.differences for line in d.split("\n"))
            print("\n".join(text), flush=True)
    for area, outcomes in sorted(areas.items()):
        print(f"{area:24} {sum(o.same for o in outcomes)}/{len(outcomes)}")
    everything = [o for outcomes in areas.values() for o in outcomes]
    same = sum(o.same for o in everything)
    errors = sum(o.server_errors for o in everything)
    print(f"internal errors that the recordings do not have: {errors}")
    print(f"same: {same} of {len(everything)} ({100 * same / len(everything):.0f} %)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
