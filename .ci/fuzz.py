"""Fuzz the API server of a sandbox of its own: `fuzz.py [--requests N] [--seed N]`.

Ends with 1 when an answer, the log, the memory or what comes afterwards is not as it should be.
"""

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from bench.home import Home, home

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.contract.fuzz.by_schema import Asked, ask_by_schema, read_documents  # noqa: E402
from tests.contract.fuzz.commands import run_commands, shell_environment  # noqa: E402
from tests.contract.fuzz.run import Fuzz, Plan, Summary  # noqa: E402 - the path comes first
from tests.fakes.sandbox_process import client_of, order  # noqa: E402

_GROWTH_MB = 5.0


def main() -> int:
    """Fuzz, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--by-schema-s", type=int, default=240, help="for schemathesis; 0: none")
    parser.add_argument("--commands", type=int, default=200, help="how many command lines")
    chosen = parser.parse_args()
    plan = Plan(
        requests=chosen.requests,
        settled=chosen.requests // 10,
        idle=500,
        half_open=60,
        slow=5,
        full=3,
        rough=0.01,
        scale=1_000,
        seed=chosen.seed,
    )
    began = time.monotonic()
    with home() as place:
        place.up()
        summary = asyncio.run(_run(place, plan))
        print("\n".join(summary.lines()), flush=True)
        by_schema = asyncio.run(_run_by_schema(place, chosen.by_schema_s, chosen.seed))
        print("\n".join(by_schema.lines()), flush=True)
        kubeconfig = (place.root / "kubeconfig").read_text()
        shell = shell_environment(place.root)
        where = place.root / "user" / "commands"
        ran = run_commands(chosen.commands, shell, kubeconfig, where, chosen.seed)
        print("\n".join(ran.lines()))
        logged = _tracebacks(place)
    grown = summary.final_mb - summary.settled_mb
    print(f"tracebacks in the log: {sum(logged.values())}")
    for text, count in logged.most_common():
        print(f"{count} times: {text}")
    print(f"took {time.monotonic() - began:.0f} s")
    faults = [*summary.faults, *by_schema.faults, *ran.faults, *logged]
    return 0 if not faults and summary.told == plan.idle and grown <= _GROWTH_MB else 1


async def _run(place: Home, plan: Plan) -> Summary:
    made = await order(place.root, "up")
    fuzz = Fuzz(made["kubeconfig"], place.pid, plan, place.root)
    return await fuzz.run(lambda line: print(line, flush=True))


async def _run_by_schema(place: Home, total_s: int, seed: int) -> Asked:
    if not total_s:
        return Asked(skipped="it was not asked for")
    made = await order(place.root, "up")
    async with client_of(made["kubeconfig"], place.root) as client:

        async def read(path: str) -> Any:
            headers = {"Accept": "application/json"}
            async with client.session.get(client.url + path, headers=headers) as answer:
                return await answer.json(content_type=None)

        documents = await read_documents(read)
        certificate = place.root / "client.pem"
        given = (documents, made["kubeconfig"]["server"], certificate)
        asked = await asyncio.to_thread(ask_by_schema, *given, total_s=total_s, seed=seed)
        status, _ = await client.ask("GET", "/readyz")
        if status != 200:
            asked.faults.append(f"afterwards: {status} to GET /readyz")
    return asked


def _tracebacks(place: Home) -> Counter[str]:
    """How often what went wrong where: the last place in our own code, and the error."""
    found: Counter[str] = Counter()
    for file in sorted((place.root / "logs").glob("sandbox.log*")):
        entries = (json.loads(line) for line in file.read_text().splitlines())
        found.update(_gist(e["traceback"]) for e in entries if "traceback" in e)
    errors = (place.root / "logs" / "sandbox.err").read_text().strip()
    return found + Counter([errors] if errors else [])


def _gist(traceback: str) -> str:
    lines = traceback.strip().splitlines()
    ours = [line.strip() for line in lines if f"{ROOT}/tutor/" in line]
    return f"{lines[-1]}, {ours[-1] if ours else 'not in our code'}"


if __name__ == "__main__":
    sys.exit(main())
