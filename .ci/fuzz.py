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

from bench.home import Home, home

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.contract.fuzz.run import Fuzz, Plan, Summary  # noqa: E402 - the path comes first
from tests.fakes.sandbox_process import order  # noqa: E402

_GROWTH_MB = 5.0


def main() -> int:
    """Fuzz, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
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
        logged = _tracebacks(place)
    grown = summary.final_mb - summary.settled_mb
    print("\n".join(summary.lines()))
    print(f"tracebacks in the log: {sum(logged.values())}")
    for text, count in logged.most_common():
        print(f"{count} times: {text}")
    print(f"took {time.monotonic() - began:.0f} s")
    good = not summary.faults and not logged and summary.told == plan.idle
    return 0 if good and grown <= _GROWTH_MB else 1


async def _run(place: Home, plan: Plan) -> Summary:
    made = await order(place.root, "up")
    fuzz = Fuzz(made["kubeconfig"], place.pid, plan, place.root)
    return await fuzz.run(lambda line: print(line, flush=True))


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
