"""The text in the editor."""

import re
from collections.abc import Callable, Iterator

from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import BindingsMap
from textual.widgets import TextArea
from textual.widgets.text_area import Selection

from tutor.ui.editor.colours import Part, Span

# Colours of the terminal's own palette: they can be read on its background.
_STYLES: dict[Part, Style] = {
    "comment": Style(dim=True, italic=True),
    "key": Style(color="blue", bold=True),
    "word": Style(color="magenta"),
    "text": Style(color="green"),
}
_VISIBLE = {code: 0x2400 + code for code in range(32) if code != ord("\t")} | {127: 0x2421}
"""Control characters, which would command the terminal."""

_ACTIONS = {
    key: bindings[0].action
    for key, bindings in BindingsMap(TextArea.BINDINGS).key_to_bindings.items()
}


class Area(TextArea):
    """A text area that keeps the indentation, and shows comments and keys as such."""

    HELP = "The text. Ctrl+S saves it, Escape leaves."

    def __init__(self, text: str, spans: Callable[[str], Iterator[Span]]) -> None:
        super().__init__(text, soft_wrap=True, tab_behavior="indent", compact=True)
        self.indent_width = 2
        self.cursor_blink = False
        self.highlight_cursor_line = False
        self._spans = spans

    def get_line(self, line_index: int) -> Text:
        line = self.document.get_line(line_index)
        text = Text(line.translate(_VISIBLE), end="", no_wrap=True)
        for start, end, part in self._spans(line):
            text.stylize(_STYLES[part], start, end)
        return text

    async def on_key(self, event: events.Key) -> None:
        # Here, and not when the key has gone up to the app and what was typed next is in already.
        action = _ACTIONS.get(event.key)
        if event.key == "enter":
            self._break_line()
        elif action is not None:
            await self.run_action(action)
        else:
            return
        event.stop()
        event.prevent_default()

    def _break_line(self) -> None:
        row, column = min(self.selection)
        before = re.match(r"\s*", self.document.get_line(row)[:column])
        self.put(f"\n{before.group() if before else ''}")

    def put(self, text: str) -> None:
        """Insert a text in place of what is selected."""
        self.replace(text, *self.selection, maintain_selection_offset=False)

    def find(self, needle: str) -> bool:
        """Select the next place where a text stands, in whatever case; False for none."""
        wanted = needle.lower()
        row, column = self.selection.end
        count = self.document.line_count
        for ahead in range(count + 1):
            at = (row + ahead) % count
            begin = column if ahead == 0 else 0
            place = self.document.get_line(at).lower().find(wanted, begin)
            if wanted and place >= 0:
                self.selection = Selection((at, place), (at, place + len(needle)))
                self.scroll_cursor_visible(center=True)
                return True
        return False
