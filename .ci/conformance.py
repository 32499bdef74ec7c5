"""Prints what the terminal pane does right, area by area, and each thing that it does not.

    python .ci/conformance.py [--only WORD ...] [--scripts FOLDER] [--recordings FOLDER]

`--scripts` has the programs to record (`record.py`) and the bridge to xterm.js (`engines.py`, which
needs node and, in NODE_PATH, @xterm/headless and @xterm/addon-unicode11). Without xterm.js one
engine is compared with the other. Ends with 1 when a bar is missed.
"""

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / ".ci")]

from conforming.area import Area, Skipped, of, table  # noqa: E402 - found beside this script

from tests.terminal import marked, probing, replaying, surviving, test_keys  # noqa: E402
from tutor.terminal.engine import Choice, engine  # noqa: E402
from tutor.terminal.keys import stroke  # noqa: E402
from tutor.terminal.launch import Program  # noqa: E402
from tutor.terminal.screen import Geometry  # noqa: E402

ENGINES: tuple[Choice, ...] = ("libghostty-vt", "compatibility terminal")
SCREENS = {"libghostty-vt": 267, "compatibility terminal": 0.92}
NONSENSE = {"libghostty-vt": 100_000_000, "compatibility terminal": 2_000_000}
CUT = {"libghostty-vt": 10_000, "compatibility terminal": 1_000}
CUT_WINDOW = 300
COMPLAINT = 1000
"""Bytes that a shell needs at most to say that a program is not there."""
COMMANDS = 1000
CELLS = 0.999
GROWTH_MB = 8.0
SHORT = 600

Rows = Iterator[Area | Skipped]


def screens(_: argparse.Namespace) -> Rows:
    for choice in ENGINES:
        note = "references: xterm.js 6, tmux"
        yield of(f"screens ({choice})", probing.screens(choice), SCREENS[choice], note)
        yield of(f"reports ({choice})", probing.reports(choice), 21)


def keys(_: argparse.Namespace) -> Rows:
    for choice in ENGINES:
        for column, mode, setup in ((0, "legacy", b""), (1, "kitty", b"\x1b[>1u")):
            terminal = engine(Geometry(), choice)
            terminal.feed(setup)
            outcome: dict[str, str] = {}
            for name, wanted in test_keys.TABLE.items():
                pressed = stroke(name)
                sent = terminal.encode_key(pressed).decode() if pressed else None
                right = sent == wanted[column]
                outcome[name] = "" if right else f"{sent!r}, not {wanted[column]!r}"
            yield of(f"keys, {mode} ({choice})", outcome, 1.0)


def replays(chosen: argparse.Namespace) -> Rows:
    found = _recorded(chosen)
    if not found:
        yield Skipped("replays", f"no record.py in {chosen.scripts}")
        return
    for choice in ENGINES:
        for program in replaying.PROGRAMS:
            name = f"replay of {program} ({choice})"
            if program in found:
                yield _replay(name, chosen.scripts, found[program], choice)
            else:
                yield Skipped(name, f"{program.partition('_')[0]} is not installed")


def _recorded(chosen: argparse.Namespace) -> dict[str, bytes]:
    """By name what programs wrote; recorded when it is first asked for."""
    folder: Path = chosen.recordings
    if not list(folder.glob("rec_*.bin")) and (chosen.scripts / "record.py").exists():
        replaying.record(chosen.scripts, folder)
    files = {program: folder / f"rec_{program}.bin" for program in replaying.PROGRAMS}
    found = {program: file.read_bytes() for program, file in files.items() if file.exists()}
    return {program: data for program, data in found.items() if len(data) > COMPLAINT}


def _replay(name: str, scripts: Path, data: bytes, choice: Choice) -> Area:
    other = replaying.reference(scripts, choice)
    try:
        shown = asyncio.run(replaying.replay(data, choice, other))
    finally:
        other.close()
    failures = list(shown.differing)
    if shown.cells < CELLS:
        failures.append(f"{shown.cells:.2%} of the cells are the same, not {CELLS:.1%}")
    note = f"{shown.cells:.2%} of the cells as in {other.name}"
    return Area(name, shown.checkpoints, failures, 1.0, note)


def marks(_: argparse.Namespace) -> Rows:
    for kind in ("bash", "zsh"):
        name = f"marks of {COMMANDS:,} commands ({kind})"
        path = shutil.which(kind)
        if path is None:
            yield Skipped(name, f"{kind} is not installed")
            continue
        with tempfile.TemporaryDirectory() as folder:
            ran = marked.run_marked(Program(path, kind), Path(folder), os.environ["PATH"], COMMANDS)
            yield of(name, asyncio.run(ran), 1.0, "byte by byte")


def bad_input(chosen: argparse.Namespace) -> Rows:
    streams = [(each["name"], probing.stream(each)) for each in probing.recorded()["screens"]]
    short = [(name, data) for name, data in streams if len(data) < SHORT]
    size = Geometry(columns=120, lines=40)
    for choice in ENGINES:
        cut = dict(surviving.cut_streams(choice, short, probing.geometry()))
        yield of(f"probes cut at every byte, reset ({choice})", cut, 1.0)
        begun = [(name, data[: CUT[choice]]) for name, data in _recorded(chosen).items()]
        cut = dict(surviving.cut_streams(choice, begun, size, window=CUT_WINDOW))
        note = f"the first {CUT[choice]:,} bytes of each"
        if cut:
            yield of(f"recordings cut at every byte, reset ({choice})", cut, 1.0, note)
        total = NONSENSE[choice]
        # Twice: the first time fills the history and what the interpreter keeps.
        surviving.survives(choice, total // 10, size)
        before = _memory_mb()
        wrong = surviving.survives(choice, total, size)
        grown = _memory_mb() - before
        outcome = {
            "the screen after a reset": wrong,
            "memory": f"grew by {grown:.1f} MB" if grown > GROWTH_MB else "",
        }
        note = f"{total // 1_000_000} MB; memory {grown:+.1f} MB"
        yield of(f"nonsense ({choice})", outcome, 1.0, note)


def _memory_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


AREAS: dict[str, Callable[[argparse.Namespace], Rows]] = {
    "screens": screens,
    "keys": keys,
    "replays": replays,
    "marks": marks,
    "bad": bad_input,
}


def main() -> int:
    """Parse the command line and try all areas, or those that were named."""
    parser = argparse.ArgumentParser(description="hold the terminal pane against specifications")
    parser.add_argument("--only", action="append", choices=AREAS, metavar="AREA")
    shared = ROOT.parent / "shared" / "research" / "terminal-bench"
    parser.add_argument("--scripts", type=Path, default=shared)
    parser.add_argument("--recordings", type=Path, help="made now where there are none")
    chosen = parser.parse_args()
    rows: list[Area | Skipped] = []
    with tempfile.TemporaryDirectory() as temporary:
        chosen.recordings = chosen.recordings or Path(temporary)
        for name in chosen.only or AREAS:
            rows += AREAS[name](chosen)
    print(table(rows))
    missed = [row.name for row in rows if isinstance(row, Area) and not row.ok]
    print(f"bars missed: {', '.join(missed) or 'none'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
