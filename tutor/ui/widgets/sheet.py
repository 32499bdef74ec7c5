"""A widget of lines that it lays out itself, with words in them that act when they are clicked.

A part of a lesson that is one widget costs a tenth of one that is made of ten.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import cast

from rich.style import Style as RichStyle
from textual import events, getters
from textual.app import App
from textual.content import Content
from textual.css.styles import RulesMap
from textual.selection import Selection
from textual.strip import Strip
from textual.style import Style
from textual.visual import RenderOptions, Visual
from textual.widget import Widget

from tutor.ui.keys import way_to
from tutor.ui.passage import Passages, Words

_LEAST_COLUMNS = 8
"""What text has at least, beside what stands before and behind it."""


class Laid(Visual):
    """Lines that depend on the width."""

    def __init__(self, lines: Callable[[int], Sequence[Content]]) -> None:
        self._lines = lines
        self._width = -1
        self._content = Content("")
        self._height = 0

    def at(self, width: int) -> Content:
        """The lines, for a width."""
        if width != self._width:
            lines = self._lines(width)
            self._width, self._height = width, len(lines)
            self._content = Content("\n").join(lines)
        return self._content

    def render_strips(
        self, width: int, height: int | None, style: Style, options: RenderOptions
    ) -> list[Strip]:
        return self.at(width).render_strips(width, height, style, options) if width else []

    def get_optimal_width(self, rules: RulesMap, container_width: int) -> int:
        del rules
        return container_width

    def get_minimal_width(self, rules: RulesMap) -> int:
        del rules
        return 1

    def get_height(self, rules: RulesMap, width: int) -> int:
        del rules
        self.at(width)
        return self._height


class Sheet(Widget):
    """Something to read. Subclasses say its lines."""

    DEFAULT_CSS = """
    Sheet {
        height: auto;
        text-wrap: nowrap;
        link-color: $primary;
    }
    """

    # As the library declares it, it is an app of who knows what.
    app = getters.app(cast("type[App[object]]", App))

    pointed = ""
    """The tag that the pointer is on."""

    def lines(self, width: int) -> Sequence[Content]:
        """Its lines, for a width in columns."""
        raise NotImplementedError

    def redraw(self) -> None:
        """Lay it out again."""
        self.refresh(layout=True)

    def render(self) -> Laid:
        return Laid(self.lines)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        return selection.extract(Laid(self.lines).at(self.size.width).plain), "\n"

    def watch_hover_style(self, previous_hover_style: RichStyle, hover_style: RichStyle) -> None:
        super().watch_hover_style(previous_hover_style, hover_style)
        pointed = str(hover_style.meta.get("tag", ""))
        if pointed != self.pointed:
            self.pointed = pointed
            self._layout_cache.clear()
            self.refresh()

    def on_click(self, event: events.Click) -> None:
        meta = event.style.meta
        if url := meta.get("url"):
            event.stop()
            self.app.open_url(str(url))
        elif action := meta.get("key"):
            event.stop()
            self.call_later(self.run_action, f"screen.{action}")

    def set_out(self, passages: Passages, width: int) -> list[Content]:
        """Passages as lines, with the keys that hold now."""
        return set_out(passages, width, lambda action: way_to(action, self))

    def tag(self, word: str, does: str, style: str = "bold $primary") -> Content:
        """A word to click; `does` is what `event.style.meta` then has as its `tag`."""
        shown = "bold $background on $primary" if self.pointed == does else style
        return Content.styled(word, shown).stylize(Style.from_meta({"tag": does}))


def hung(lead: Content, body: Content, width: int, tail: Content | None = None) -> list[Content]:
    """Text behind something, its further lines below its first; `tail` ends the first line."""
    room = max(width - lead.cell_length, _LEAST_COLUMNS)
    behind = tail.cell_length + 1 if tail else 0
    beside = max(room - behind, _LEAST_COLUMNS)
    first, *more = _wrapped(body, beside, room)
    blank = Content(" " * lead.cell_length)
    begun = Content.assemble(lead, first)
    if tail:
        begun = Content.assemble(begun, " " * (beside - first.cell_length + 1), tail)
    return [begun, *(Content.assemble(blank, line) for line in more)]


def _wrapped(body: Content, beside: int, room: int) -> list[Content]:
    """Lines of which the first has another room than the others."""
    lines = body.wrap(beside) or [Content("")]
    if beside == room or len(lines) == 1:
        return lines
    text = body.plain
    rest = text[len(lines[0].plain) :].lstrip()
    return [lines[0], *body[len(text) - len(rest) :].wrap(room)]


def set_out(passages: Passages, width: int, key: Callable[[str], str]) -> list[Content]:
    """Passages as lines. `key` says which key an action has."""
    lines: list[Content] = []
    for passage in passages:
        first, rest = _content(passage.first, key), _content(passage.rest, key)
        if passage.above is not None and lines:
            lines.append(_content(passage.above, key))
        body = _content(passage.words, key)
        room = max(width - first.cell_length, _LEAST_COLUMNS)
        pieces = body.wrap(room) if passage.wraps else [body.truncate(room, ellipsis=True)]
        for number, piece in enumerate(pieces or [Content("")]):
            line = Content.assemble(rest if number else first, piece)
            if passage.ground:
                blank = max(width - line.cell_length, 0)
                line = line.pad_right(blank).stylize_before(passage.ground)
            lines.append(line)
    return lines


def _content(words: Iterable[Words], key: Callable[[str], str]) -> Content:
    parts: list[Content] = []
    for each in words:
        text = key(each.key) if each.key else each.text
        part = Content.styled(text, each.style) if each.style else Content(text)
        meta = {"url": each.url} if each.url else {"key": each.key} if each.key else {}
        parts.append(part.stylize(Style.from_meta(meta)) if meta else part)
    return Content.assemble(*parts)
