"""A small drawing of a lesson: its three panes, and what each is for."""

from collections.abc import Sequence

from textual.content import Content

from tutor.ui.keys import way_to
from tutor.ui.widgets.sheet import Sheet

_FRAME_COLUMNS = 38
_LINE = "$border-blurred"


class Sketch(Sheet):
    """Nothing in it can be clicked."""

    def lines(self, width: int) -> Sequence[Content]:
        del width
        run = way_to("run", self)
        panes = (
            ("Lesson", "$ echo hello > greeting.txt", "", f"type it, or {run} does"),
            ("Facts", "✗ greeting.txt says hello", "$error", "✗ turns into ✓ by itself"),
            ("Shell", "$ ▏", "", "a real one, with vim in it"),
        )
        drawn: list[Content] = []
        for number, (name, text, style, says) in enumerate(panes):
            left, right = "├┤" if number else "╭╮"
            rule = "─" * (_FRAME_COLUMNS - len(name) - 5)
            title = Content.styled(name, "bold")
            drawn += [
                Content.assemble((f"{left}─ ", _LINE), title, (f" {rule}{right}", _LINE)),
                Content.assemble(
                    ("│ ", _LINE),
                    (text[0], style),
                    f"{text[1:]:{_FRAME_COLUMNS - 5}}",
                    (" │  ", _LINE),
                    (says, "$quiet"),
                ),
            ]
        return [*drawn, Content.styled(f"╰{'─' * (_FRAME_COLUMNS - 2)}╯", _LINE)]
