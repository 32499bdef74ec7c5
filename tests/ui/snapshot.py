"""Snapshots of the app's screen, and the comparison with the ones that are kept.

A snapshot is text: the rows of the screen, a list of the styles on it, and which style each column
of each row has. `make snapshots` takes them anew.
"""

import asyncio
import difflib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from string import ascii_letters

from rich.style import Style
from textual._compositor import LayoutUpdate
from textual.widgets import Input

from tests.ui.lesson_world import Play

FOLDER = Path(__file__).resolve().parent / "snapshots"

VARIABLE = "SNAPSHOTS"
"""`anew` in this variable writes them."""

LIMIT_S = 40.0
"""How long a screen may take to look as its snapshot."""

STILL = 8
"""A screen is settled when it is the same so many times."""

_AT = re.compile(r"\d\d:\d\d:\d\d")
_ATTRIBUTES = ("bold", "dim", "italic", "underline", "strike", "reverse", "blink")

Cells = tuple[str, int]
"""A style and for how many columns."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A screen as it was."""

    rows: Sequence[str]
    styles: Sequence[Sequence[Cells]]
    """For each row."""

    def __str__(self) -> str:
        letters: dict[str, str] = {}
        for style, _ in (cells for row in self.styles for cells in row):
            letters.setdefault(style, ascii_letters[len(letters)])
        legend = [f"{letter} {style}" for style, letter in letters.items()]
        coded = ["".join(f"{letters[style]}{count}" for style, count in row) for row in self.styles]
        text = [f"|{row}|" for row in self.rows]
        return "\n".join([*text, "", *legend, "", *_numbered(coded), ""])


def _numbered(coded: Iterable[str]) -> Iterator[str]:
    """Rows that follow each other and look the same share a line."""
    for code, rows in groupby(enumerate(coded, 1), key=lambda row: row[1]):
        numbers = [number for number, _ in rows]
        span = f"{numbers[0]}-{numbers[-1]}" if len(numbers) > 1 else f"{numbers[0]}"
        yield f"{span} {code}"


def snapshot(play: Play) -> Snapshot:
    """What is on the screen now, but for clock times."""
    app = play.app
    update = app.screen._compositor.render_update(full=True, screen_stack=app._background_screens)
    assert isinstance(update, LayoutUpdate)
    rows: list[str] = []
    styles: list[list[Cells]] = []
    for strips in update.strips:
        segments = [segment for strip in strips for segment in strip]
        text = "".join(segment.text for segment in segments)
        rows.append(_AT.sub("hh:mm:ss", text))
        named = [(_described(segment.style), segment.cell_length) for segment in segments]
        styles.append(
            [(style, sum(each[1] for each in run)) for style, run in groupby(named, lambda n: n[0])]
        )
    return Snapshot(rows, styles)


def _described(style: Style | None) -> str:
    """A style without links and what clicks do."""
    if style is None:
        return "plain"
    words = [each for each in _ATTRIBUTES if getattr(style, each)]
    words += [style.color.name] if style.color else []
    words += ["on", style.bgcolor.name] if style.bgcolor else []
    return " ".join(words) or "plain"


def compared(kept: str, seen: str) -> str:
    """Where a screen differs from its snapshot, for people."""
    lines = difflib.unified_diff(
        kept.splitlines(), seen.splitlines(), "the snapshot", "the screen", lineterm="", n=1
    )
    return "\n".join(lines)


async def holds(play: Play, name: str) -> None:
    """Wait until the screen looks as the snapshot of that name; or write it."""
    play.app.clear_notifications()
    for field in play.app.screen.query(Input):
        field.cursor_blink = False
    path = FOLDER / f"{name}.txt"
    if os.environ.get(VARIABLE) == "anew":
        path.write_text(await _settled(play), encoding="utf-8")
        return
    kept = path.read_text(encoding="utf-8") if path.exists() else ""
    try:
        async with asyncio.timeout(LIMIT_S):
            while str(snapshot(play)) != kept:
                await play.pilot.pause(0.05)
    except TimeoutError:
        seen = str(snapshot(play))
        advice = "`make snapshots` takes them anew, if that is how it should look."
        raise AssertionError(f"{path.name}: {advice}\n{compared(kept, seen)}") from None


async def _settled(play: Play) -> str:
    before, same = "", 0
    async with asyncio.timeout(LIMIT_S):
        while same < STILL:
            await play.pilot.pause(0.15)
            now = str(snapshot(play))
            same, before = (same + 1 if now == before else 0), now
    return before
