"""Short streams, and what two other terminals show for them: xterm.js and tmux.

Recorded by `.ci/record_probes.py`. Where the two differ, either is right; where both are wrong by
xterm and DEC STD 070, the first line that is right was written beside.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from tests.terminal.picture import Cell, Picture, Rgb, palette, picture
from tutor.terminal.engine import Choice, engine
from tutor.terminal.screen import Geometry

DATA = Path(__file__).with_name("data") / "probes.json"
_BETWEEN = "\x1f"

Outcome = dict[str, str]
"""By the name of a probe: what is wrong; empty when nothing is."""


@cache
def recorded() -> dict[str, Any]:
    """All probes."""
    return json.loads(DATA.read_text(encoding="utf-8"))


def screens(choice: Choice) -> Outcome:
    """Show each screen probe to an engine."""
    return {probe["name"]: _wrong_screen(choice, probe) for probe in recorded()["screens"]}


def reports(choice: Choice) -> Outcome:
    """Ask an engine what terminals are asked."""
    return {probe["name"]: _wrong_reply(choice, probe) for probe in recorded()["reports"]}


def stream(probe: dict[str, Any]) -> bytes:
    """What a program would write."""
    return probe["input"].encode("utf-8", "surrogateescape")


def geometry() -> Geometry:
    """Of all probes."""
    columns, lines = recorded()["size"]
    return Geometry(columns=columns, lines=lines, scrollback=100)


def _wrong_screen(choice: Choice, probe: dict[str, Any]) -> str:
    terminal = engine(geometry(), choice)
    terminal.feed(stream(probe))
    ours = picture(terminal)
    differences = [ours.differs(_decoded(shown)) for shown in probe["shown"]]
    if "" in differences or ours.texts()[0] == probe.get("also"):
        return ""
    return differences[0]


def _wrong_reply(choice: Choice, probe: dict[str, Any]) -> str:
    terminal = engine(geometry(), choice)
    terminal.feed(stream(probe))
    reply = terminal.replies()
    pattern = probe["reply"].encode("latin-1")
    return "" if re.search(pattern, reply, re.DOTALL) else f"the reply was {reply!r}"


def _decoded(shown: dict[str, Any]) -> Picture:
    columns, lines = recorded()["size"]
    rows = [[Cell() for _ in range(columns)] for _ in range(lines)]
    for y, row in enumerate(shown["rows"]):
        texts = row.split(_BETWEEN) if _BETWEEN in row else row
        for x, text in enumerate(texts):
            rows[y][x] = Cell(text)
    for y, start, length, foreground, background, words in shown["styles"]:
        look = _rgb(foreground), _rgb(background), frozenset(words.split())
        for x in range(start, start + length):
            rows[y][x] = Cell(rows[y][x].text, *look)
    x, y = shown["cursor"]
    return Picture(rows, (x, y))


def _rgb(colour: int | list[int] | None) -> Rgb:
    match colour:
        case None:
            return None
        case int():
            return palette(colour)
        case [red, green, blue]:
            return red, green, blue
        case _:
            raise ValueError(colour)
