"""Real programs, recorded, replayed into the widget, and compared with xterm.js at checkpoints."""

import importlib
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from rich.color import Color
from textual.app import App, ComposeResult

from tests.terminal.picture import Cell, Picture, Rgb, painted, palette, picture
from tests.ui.terminal_world import FakeShell
from tutor.terminal.engine import Choice, engine
from tutor.terminal.screen import Geometry
from tutor.ui.widgets.terminal import Terminal

SIZE = Geometry(columns=120, lines=40, scrollback=1000)
CHECKPOINTS = 40
PROGRAMS = ("bash", "fzf", "htop", "less", "mc", "nano", "tmux", "vim", "vim_yaml")


class Reference(Protocol):
    """Another terminal."""

    name: str

    def feed(self, data: bytes) -> None:
        """Take what a program wrote."""
        ...

    def picture(self) -> Picture:
        """What it shows."""
        ...

    def close(self) -> None:
        """End it."""
        ...


class XtermJs:
    """xterm.js in a process of its own."""

    name = "xterm.js"

    def __init__(self, scripts: Path) -> None:
        sys.path.insert(0, str(scripts))
        try:
            engines: Any = importlib.import_module("engines")
        finally:
            sys.path.remove(str(scripts))
        self._other: Any = engines.XtermJs(SIZE.columns, SIZE.lines, SIZE.scrollback)

    def feed(self, data: bytes) -> None:
        self._other.feed(data)

    def picture(self) -> Picture:
        rows, cursor = self._other.frame()
        return Picture([[_cell(*each) for each in row] for row in rows], cursor)

    def close(self) -> None:
        self._other.close()


class OtherEngine:
    """The engine that is not replayed into."""

    def __init__(self, choice: Choice) -> None:
        self.name = choice
        self._engine = engine(SIZE, choice)

    def feed(self, data: bytes) -> None:
        self._engine.feed(data)

    def picture(self) -> Picture:
        return picture(self._engine)

    def close(self) -> None:
        pass


def _cell(text: str, look: tuple[Any, Any, frozenset[str]]) -> Cell:
    return Cell(text, _rgb(look[0]), _rgb(look[1]), look[2])


def _rgb(colour: tuple[Any, ...] | None) -> Rgb:
    if colour is None:
        return None
    if colour[0] == "p":
        return palette(colour[1])
    _, red, green, blue = colour
    return red, green, blue


class Host(App[None]):
    """Nothing but a terminal."""

    CSS = "Terminal { width: 120; height: 40; }"

    def compose(self) -> ComposeResult:
        yield Terminal()


@dataclass(frozen=True, slots=True)
class Replayed:
    """How a program's recording was shown."""

    checkpoints: int
    differing: Sequence[str]
    """The checkpoints at which text or cursor differ."""
    cells: float
    """The share of cells that look the same."""


def record(scripts: Path, folder: Path) -> None:
    """Run the programs that there are, and keep what they write as `rec_NAME.bin`."""
    command = [sys.executable, str(scripts / "record.py"), str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def reference(scripts: Path, choice: Choice) -> Reference:
    """What to compare an engine with: xterm.js, or the other engine where it is not installed."""
    try:
        return XtermJs(scripts)
    except (OSError, ValueError):
        fast, slow = "libghostty-vt", "compatibility terminal"
        return OtherEngine(slow if choice == fast else fast)


async def replay(data: bytes, choice: Choice, other: Reference) -> Replayed:
    """Show a recording in the widget and in another terminal."""
    app = Host()
    is_slow = "compatibility terminal" in (choice, other.name)
    failures: list[str] = []
    same = total = checkpoints = 0
    step = max(1, len(data) // CHECKPOINTS)
    async with app.run_test(size=(SIZE.columns, SIZE.lines)) as pilot:
        terminal = app.query_one(Terminal)
        shell = FakeShell(SIZE, choice)
        terminal.show(shell)
        await pilot.pause()
        for at in range(0, len(data), step):
            shell.say(data[at : at + step])
            other.feed(data[at : at + step])
            terminal.paint(through_hold=True)
            look = terminal._canvas._look
            ours = _shown(terminal, (look.text, look.ground))
            theirs = other.picture()
            if is_slow and not terminal.cursor.visible:
                # That engine does not say where a hidden cursor is: nobody sees it.
                ours = ours._replace(cursor=theirs.cursor)
            checkpoints += 1
            if ours.texts() != theirs.texts() or ours.cursor != theirs.cursor:
                failures.append(f"after {at + step} bytes: {ours.differs(theirs)}")
            alike = [not a.differs(b) for a, b in _cells(ours, theirs)]
            same, total = same + sum(alike), total + len(alike)
    return Replayed(checkpoints, failures, same / total)


def _cells(ours: Picture, theirs: Picture) -> Iterator[tuple[Cell, Cell]]:
    for a, b in zip(ours.rows, theirs.rows, strict=True):
        yield from zip(a, b, strict=True)


def _shown(terminal: Terminal, own: tuple[Color, Color]) -> Picture:
    canvas = terminal._canvas
    cursor = min(canvas.cursor.x, SIZE.columns - 1), canvas.cursor.y
    # Without the cursor, which a person sees drawn over them.
    return painted(canvas._strips, cursor, own=own)
