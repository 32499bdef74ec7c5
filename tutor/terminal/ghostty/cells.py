"""Rows of packed cells to runs of text, with arithmetic on whole rows.

A row is read as one big number; shifting and masking it yields every cell's code point, style
number or width at once. That is several times faster than asking cell by cell. Where the bits lie,
the library says (`binding.cell_shifts`).
"""

import functools
import re
from collections.abc import Iterator
from typing import Any

from tutor.terminal.ghostty.binding import cell_shifts, ffi, lib, new, sized
from tutor.terminal.screen import DEFAULT_COLOUR, PLAIN, TRUE_COLOUR, Attribute, Row, Run, Style

_RUNS = re.compile(r"(.)\1*", re.DOTALL)

_FLAGS = (
    ("bold", Attribute.BOLD),
    ("faint", Attribute.FAINT),
    ("italic", Attribute.ITALIC),
    ("blink", Attribute.BLINK),
    ("inverse", Attribute.INVERSE),
    ("invisible", Attribute.HIDDEN),
    ("strikethrough", Attribute.STRIKE),
    ("overline", Attribute.OVERLINE),
)

_WIDE, _TAIL = 1, 2
_CLUSTER, _PALETTE_BLANK, _RGB_BLANK = 1, 2, 3

_STYLES_KEPT = 20_000


class CellReader:
    """Reads the rows of a render state. One per engine: it keeps the styles it has met."""

    def __init__(self) -> None:
        shifts = cell_shifts()
        self._text, self._style, self._wide = (
            shifts["content"],
            shifts["style_id"],
            shifts["wide"],
        )
        self._link = shifts["hyperlink"]
        self._cells = new(
            "GhosttyRenderStateRowCells",
            lib.ghostty_render_state_row_cells_new,
            free=lib.ghostty_render_state_row_cells_free,
        )
        self._found = sized("GhosttyStyle")
        self._found_bytes = ffi.buffer(self._found)
        self._count = ffi.new("uint32_t*")
        self._styles: dict[bytes, Style] = {}

    def row(self, iterator: Any, packed: bytes) -> Row:
        """The row that the iterator stands on, whose cells are `packed` (8 bytes each)."""
        count = len(packed) // 8
        masks = _masks(count, self._wide, self._style, self._link)
        cells = int.from_bytes(packed, "little")
        if cells & masks.tags:
            return list(self._mixed(iterator, packed))
        text = _column(cells >> self._text & masks.points, count).replace("\0", " ")
        if not cells & masks.special:
            return [Run(text, PLAIN, count)]
        keys = _column(
            (cells >> self._style & masks.styles)
            | ((cells >> self._link & masks.ones) << 16)
            | ((cells >> self._wide & masks.pairs) << 17),
            count,
        )
        lib.ghostty_render_state_row_get(
            iterator, lib.GHOSTTY_RENDER_STATE_ROW_DATA_CELLS, self._cells
        )
        return list(self._uniform(text, keys))

    def _uniform(self, text: str, keys: str) -> Iterator[Run]:
        """Runs of a row whose cells are single code points.

        A key is a cell's style number, whether it is a link, and its width, as one code point.
        """
        wide_until = 0
        for found in _RUNS.finditer(keys):
            start, end = found.span()
            key = ord(keys[start])
            width = key >> 17
            if width == _TAIL:
                continue
            style = self._style_at(start, key & 0xFFFF, linked=bool(key >> 16 & 1))
            if start < wide_until:
                continue
            if width == _WIDE and end < len(keys) and ord(keys[end]) >> 17 == _TAIL:
                # Wide cells alternate with their tails, so each is a match of its own: join them.
                pair, end = keys[start : start + 2], start
                while keys[end : end + 2] == pair:
                    end += 2
                wide_until = end
                yield Run(text[start:end:2], style, end - start)
            else:
                yield Run(text[start:end], style, end - start)

    def _mixed(self, iterator: Any, packed: bytes) -> Iterator[Run]:
        """Runs of a row that has clusters, or blanks with a colour instead of a style."""
        lib.ghostty_render_state_row_get(
            iterator, lib.GHOSTTY_RENDER_STATE_ROW_DATA_CELLS, self._cells
        )
        pending: list[str] = []
        current: tuple[Style, int] = (PLAIN, 1)
        known: dict[tuple[int, int], Style] = {}
        cells = memoryview(packed).cast("Q")
        tails = [cell >> self._wide & 3 == _TAIL for cell in cells] + [False]
        for x, cell in enumerate(cells):
            if tails[x]:
                continue
            tag, columns = cell & 3, 2 if tails[x + 1] else 1
            look = cell >> self._style & 0xFFFF, cell >> self._link & 1
            style = known.get(look)
            if style is None:
                style = known[look] = self._style_at(x, look[0], linked=bool(look[1]))
            content = cell >> self._text & 0xFFFFFF
            if tag == _PALETTE_BLANK:
                style = style._replace(background=content & 0xFF)
            elif tag == _RGB_BLANK:
                style = style._replace(background=_bgr(content))
            if pending and (tag == _CLUSTER or (style, columns) != current):
                yield _run(pending, *current)
                pending = []
            if tag == _CLUSTER:
                yield Run(self._cluster(x), style, columns, cluster=True)
                continue
            current = style, columns
            pending.append(chr(content & 0x1FFFFF) if tag == 0 and content else " ")
        if pending:
            yield _run(pending, *current)

    def _style_at(self, x: int, number: int, *, linked: bool) -> Style:
        if not number:
            return _PLAIN_LINK if linked else PLAIN
        lib.ghostty_render_state_row_cells_select(self._cells[0], x)
        lib.ghostty_render_state_row_cells_get(
            self._cells[0], lib.GHOSTTY_RENDER_STATE_ROW_CELLS_DATA_STYLE, self._found
        )
        raw = bytes(self._found_bytes)
        style = self._styles.get(raw)
        if style is None:
            if len(self._styles) > _STYLES_KEPT:
                self._styles.clear()
            style = self._styles[raw] = _style(self._found)
        if linked:
            return style._replace(attributes=style.attributes | int(Attribute.LINK))
        return style

    def _cluster(self, x: int) -> str:
        cells = self._cells[0]
        lib.ghostty_render_state_row_cells_select(cells, x)
        lib.ghostty_render_state_row_cells_get(
            cells, lib.GHOSTTY_RENDER_STATE_ROW_CELLS_DATA_GRAPHEMES_LEN, self._count
        )
        points = ffi.new("uint32_t[]", max(self._count[0], 1))
        lib.ghostty_render_state_row_cells_get(
            cells, lib.GHOSTTY_RENDER_STATE_ROW_CELLS_DATA_GRAPHEMES_BUF, points
        )
        return "".join(map(chr, ffi.unpack(points, self._count[0])))


_PLAIN_LINK = Style(attributes=int(Attribute.LINK))


def _run(characters: list[str], style: Style, columns: int) -> Run:
    return Run("".join(characters), style, columns * len(characters))


def _column(lanes: int, count: int) -> str:
    """The low half of each 8 bytes, as a code point (style numbers may look like surrogates)."""
    halves = memoryview(lanes.to_bytes(count * 8, "little")).cast("I")[::2]
    return halves.tobytes().decode("utf-32-le", "surrogatepass")


class _Masks:
    """A row's worth of each bit pattern."""

    def __init__(self, count: int, wide: int, style: int, link: int) -> None:
        self.ones = sum(1 << 64 * lane for lane in range(count))
        self.tags = self.pairs = 3 * self.ones
        self.points = 0x1FFFFF * self.ones
        self.styles = 0xFFFF * self.ones
        self.special = (0xFFFF << style | 3 << wide | 1 << link) * self.ones


@functools.lru_cache(16)
def _masks(count: int, wide: int, style: int, link: int) -> _Masks:
    return _Masks(count, wide, style, link)


def _style(found: Any) -> Style:
    attributes = sum(int(flag) for name, flag in _FLAGS if getattr(found, name))
    return Style(
        foreground=_colour(found.fg_color),
        background=_colour(found.bg_color),
        attributes=attributes,
        underline=found.underline,
        underline_colour=_colour(found.underline_color),
    )


def _colour(colour: Any) -> int:
    match colour.tag:
        case lib.GHOSTTY_STYLE_COLOR_PALETTE:
            return colour.value.palette
        case lib.GHOSTTY_STYLE_COLOR_RGB:
            rgb = colour.value.rgb
            return TRUE_COLOUR | rgb.r << 16 | rgb.g << 8 | rgb.b
        case _:
            return DEFAULT_COLOUR


def _bgr(content: int) -> int:
    red, green, blue = content & 0xFF, content >> 8 & 0xFF, content >> 16 & 0xFF
    return TRUE_COLOUR | red << 16 | green << 8 | blue
