"""The terminal pane, as `bench_terminal.py` measures it in processes of its own."""

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.figure import Figure
from bench.home import clean_environment, run

_SCRIPT = Path(__file__).resolve().parents[1] / "bench_terminal.py"


def measure() -> Iterator[Figure]:
    """The figures of this group."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "found.json"
        run([sys.executable, _SCRIPT, "--rounds", "5", "--json", file], clean_environment())
        found: dict[str, dict[str, float]] = json.loads(file.read_text())
    pane, ratio = found["cat pane"], found["ratio"]
    yield Figure(name="20 MB cat, to a bare read loop", value=ratio["to bare"], unit="x", bar=2.0)
    if ratio["to tmux"]:
        yield Figure(name="20 MB cat, to tmux", value=ratio["to tmux"], unit="x", bar=1.1)
    yield Figure(name="20 MB cat, CPU of the app", value=pane["cpu_s"], unit="s", bar=1.2)
    yield Figure(name="20 MB cat, loop lag p50", value=pane["lag_p50_ms"], unit="ms", bar=2)
    yield Figure(name="20 MB cat, loop lag p99", value=pane["lag_p99_ms"], unit="ms", bar=20)
    yield from _echo("key to echo", found["echo pane"], (5, 25))
    yield from _echo("key to echo beside 1 MB/s", found["echo beside a stream"], (20, 60))
    interrupted, escape = found["interrupt"], found["escape"]
    yield Figure(
        name="Ctrl+C in a flood to its effect", value=interrupted["p50_ms"], unit="ms", bar=100
    )
    yield Figure(name="Escape to the child, p50", value=escape["p50_ms"], unit="ms", bar=30)
    full = found["memory"]
    yield Figure(name="scrollback full, 100 MB more", value=full["more_mb"], unit="MB", bar=2)


def _echo(name: str, found: dict[str, float], bars: tuple[float, float]) -> Iterator[Figure]:
    yield Figure(name=f"{name}, p50", value=found["p50_ms"], unit="ms", bar=bars[0])
    yield Figure(name=f"{name}, p99", value=found["p99_ms"], unit="ms", bar=bars[1])
