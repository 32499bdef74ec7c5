"""Measures the program and holds the figures to their bars.

    python .ci/bench.py [--only GROUP ...] [--output build/bench.json]

Prints one table and writes the figures as JSON; ends with 1 when a bar is missed or a group could
not be measured. Ratios have both sides in one run.
"""

import argparse
import compileall
import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bench import groups  # noqa: E402 - found beside this script
from bench.figure import Figure, save, table  # noqa: E402


def main() -> int:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(description="measure the program")
    parser.add_argument("--only", action="append", choices=sorted(groups.GROUPS), metavar="GROUP")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "bench.json")
    chosen = parser.parse_args()
    compileall.compile_dir(ROOT / "tutor", quiet=1)
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)
    figures: list[Figure] = []
    broken: list[str] = []
    for name in chosen.only or groups.GROUPS:
        began = time.monotonic()
        try:
            figures.extend(groups.GROUPS[name]())
        except groups.FAILURES as error:
            broken.append(f"{name} could not be measured: {error}")
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    print(table(figures))
    save(figures, chosen.output)
    missed = [figure.name for figure in figures if figure.ok is False]
    print(f"load average {os.getloadavg()[0]:.1f}; figures in {chosen.output}")
    for text in broken:
        print(text)
    print(f"bars missed: {', '.join(missed) or 'none'}")
    return 1 if missed or broken else 0


if __name__ == "__main__":
    sys.exit(main())
