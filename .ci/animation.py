"""A recording of a terminal (asciinema v2) as an animated picture (SVG).

    python .ci/animation.py RECORDING.cast PICTURE.svg

Each row of the screen is a strip of all that it ever shows, and moves behind a slit as high as one
row. Rows that look the same are drawn once. Viewers who want no motion see the last screen.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

from tutor.terminal.engine import engine
from tutor.terminal.screen import DEFAULT_COLOUR, TRUE_COLOUR, Attribute, Geometry, Row, Style

FRAME_S = 0.1
"""What happens within this time is seen at once."""

LONGEST_S = 2.5
"""How long nothing may happen; more is cut."""

LAST_S = 4.0
"""How long the last screen stays."""

COLUMN, LINE, FONT, BASE = 8.4, 17, 14, 13
"""Pixels: width and height of a cell, size of the letters, where they stand."""

PITCH = 3 * LINE
"""From one state of a strip to the next, so that none looks into the slit of another."""

BAR = 30
MARGIN = 10
GROUND, LETTERS = "#12161c", "#d4dbe4"
COLOURS = (
    *("#1d232b", "#ef8a80", "#86c994", "#e9b872", "#7db4f0", "#c79bea", "#6fc7c7", "#d4dbe4"),
    *("#5c6773", "#f5a79f", "#a5dab0", "#f2cf98", "#a3caf5", "#d9b8f2", "#97dada", "#ffffff"),
)
"""What programs in the shell mean by the numbers 0 to 15."""

STYLE = (
    f"text{{font:{FONT}px ui-monospace,SFMono-Regular,Menlo,Consolas,DejaVu Sans Mono,monospace}}",
    f"text{{white-space:pre;transform:translateY({BASE}px)}}",
    "rect{shape-rendering:crispEdges}",
)


@dataclass(slots=True)
class Strip:
    """What one row shows, and from when on."""

    states: list[int] = field(default_factory=list[int])
    moments: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])
    """Seconds, and which of the states."""

    def show(self, at: float, row: int) -> None:
        """From now on this one."""
        if row not in self.states:
            self.states.append(row)
        place = self.states.index(row)
        if not self.moments or self.moments[-1][1] != place:
            self.moments.append((at, place))


class Drawing:
    """Collects rows and styles, each once."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self.classes: dict[str, str] = {}

    def row(self, row: Row) -> int:
        """The number of a row that looks so."""
        grounds: list[str] = []
        texts: list[str] = []
        x = 0
        for run in row:
            letters, ground = _colours(run.style)
            place, width = round(x * COLUMN, 1), round(run.columns * COLUMN, 1)
            if ground != GROUND:
                style = self._class(f"fill:{ground}")
                grounds.append(
                    f'<rect class="{style}" x="{place}" width="{width}" height="{LINE}"/>'
                )
            if run.text.strip():
                style = self._class(f"fill:{letters}{_marks(run.style)}")
                where = f'class="{style}" x="{place}" textLength="{width}"'
                texts.append(f"<text {where}>{escape(run.text)}</text>")
            x += run.columns
        return self.rows.setdefault("".join(grounds + texts), len(self.rows))

    def _class(self, rule: str) -> str:
        return self.classes.setdefault(rule, f"s{len(self.classes)}")


def _colours(style: Style) -> tuple[str, str]:
    letters = _colour(style.foreground, LETTERS)
    ground = _colour(style.background, GROUND)
    return (ground, letters) if style.attributes & Attribute.INVERSE else (letters, ground)


def _colour(number: int, default: str) -> str:
    if number == DEFAULT_COLOUR:
        return default
    if number & TRUE_COLOUR:
        return f"#{number & 0xFFFFFF:06x}"
    if number < len(COLOURS):
        return COLOURS[number]
    if number >= 232:
        return "#" + f"{8 + 10 * (number - 232):02x}" * 3
    steps = [0, 95, 135, 175, 215, 255]
    cube = number - 16
    return "#" + "".join(f"{steps[cube // each % 6]:02x}" for each in (36, 6, 1))


def _marks(style: Style) -> str:
    marks = {Attribute.BOLD: ";font-weight:bold", Attribute.ITALIC: ";font-style:italic"}
    marks[Attribute.FAINT] = ";opacity:.6"
    found = "".join(rule for mark, rule in marks.items() if style.attributes & mark)
    return found + (";text-decoration:underline" if style.underline else "")


def frames(lines: Sequence[str]) -> Iterator[tuple[float, bytes]]:
    """When, in seconds, what was written: long silences cut, what is close together joined."""
    at, before, gathered = 0.0, 0.0, b""
    for line in lines:
        moment, kind, data = json.loads(line)
        if kind != "o":
            continue
        if moment - before > FRAME_S and gathered:
            yield at, gathered
            gathered = b""
        at += min(moment - before, LONGEST_S)
        before = moment
        gathered += data.encode()
    yield at, gathered


def animated(recording: str) -> str:
    """The picture of a recording."""
    first, *lines = recording.splitlines()
    header = json.loads(first)
    columns, height = header["width"], header["height"]
    screen = engine(Geometry(columns=columns, lines=height, scrollback=0))
    drawing, strips, end = Drawing(), [Strip() for _ in range(height)], 0.0
    for at, data in frames(lines):
        screen.feed(data)
        end = at
        for y, row in screen.frame().rows.items():
            strips[y].show(at, drawing.row(row))
    return _picture(drawing, strips, columns, end + LAST_S, header["title"])


def _picture(
    drawing: Drawing, strips: Sequence[Strip], columns: int, seconds: float, title: str
) -> str:
    width = round(columns * COLUMN + 2 * MARGIN)
    height = len(strips) * LINE + BAR + MARGIN
    rules = [f".{name}{{{rule}}}" for rule, name in drawing.classes.items()]
    moving: list[str] = []
    for y, strip in enumerate(strips):
        shown = "".join(
            f'<use href="#r{row}" y="{place * PITCH}"/>' for place, row in enumerate(strip.states)
        )
        last = strip.moments[-1][1] if strip.moments else 0
        if len(strip.moments) > 1:
            steps = "".join(
                f"{100 * (0 if number == 0 else at) / seconds:.3f}%"
                f"{{transform:translateY({-place * PITCH}px)}}"
                for number, (at, place) in enumerate(strip.moments)
            )
            rules.append(f"@keyframes k{y}{{{steps}}}")
            rules.append(f"#m{y}{{animation-name:k{y};transform:translateY({-last * PITCH}px)}}")
        moving.append(
            f'<svg y="{y * LINE}" width="{round(columns * COLUMN)}" height="{LINE}">'
            f'<g class="m" id="m{y}">{shown}</g></svg>'
        )
    rows = [f'<g id="r{number}">{row}</g>' for row, number in drawing.rows.items()]
    lights = "".join(
        f'<circle cx="{20 + 20 * number}" cy="15" r="5" fill="{colour}"/>'
        for number, colour in enumerate(("#ef8a80", "#e9b872", "#86c994"))
    )
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">',
            f"<title>{escape(title)}</title>",
            "<style>",
            *STYLE,
            f".m{{animation:{seconds:.2f}s step-end infinite}}",
            "@media (prefers-reduced-motion:reduce){.m{animation:none!important}}",
            *rules,
            "</style>",
            f'<rect width="{width}" height="{height}" rx="8" fill="{GROUND}"/>',
            lights,
            "<defs>",
            *rows,
            "</defs>",
            f'<g transform="translate({MARGIN} {BAR})">',
            *moving,
            "</g>",
            "</svg>",
            "",
        )
    )


def main() -> None:
    """Make the picture."""
    source, target = (Path(word) for word in sys.argv[1:3])
    target.write_text(animated(source.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
