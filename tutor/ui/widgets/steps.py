"""The list of steps: what is done, where one is, what is not open yet."""

from dataclasses import dataclass

from textual import events
from textual.binding import Binding
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tutor.ui.keys import bind
from tutor.ui.scene import StepMark, StepRow

SIGNS: dict[StepMark, str] = {"passed": "✓", "skipped": "»", "open": "○", "closed": "·"}
"""Of a step that is done, was left out, may be opened, may not yet."""

STYLES: dict[StepMark, str] = {
    "passed": "$success",
    "skipped": "$quiet",
    "open": "$foreground",
    "closed": "$faint",
}
CURRENT = "bold $primary"


class StepList(OptionList):
    """Click or Enter asks for a step, open or not: the answer says which comes first."""

    HELP = "The steps of the lesson. ✓ done, » left out, ○ open, · not open yet."

    BINDINGS = [  # noqa: RUF012 - as the library has it
        bind("steps.open", "space", "select", "Open this step"),
        Binding("j", "cursor_down", "Down", show=False),
        Binding("k", "cursor_up", "Up", show=False),
    ]

    DEFAULT_CSS = """
    StepList {
        background: $surface;
        border: none;
        padding: 0 0 0 1;
        scrollbar-size-vertical: 1;
        text-wrap: nowrap;
        text-overflow: ellipsis;
        &:focus { border: none; background-tint: $foreground 0%; }
        & > .option-list--option { padding: 0; }
        & > .option-list--option-highlighted { background: transparent; color: $foreground; }
        &:focus > .option-list--option-highlighted {
            background: $block-cursor-background;
            color: $block-cursor-foreground;
        }
    }
    """

    rows: reactive[tuple[StepRow, ...]] = reactive(())

    @dataclass
    class Chosen(Message):
        """The learner wants that step."""

        step_list: "StepList"
        step_id: str

        @property
        def control(self) -> "StepList":
            return self.step_list

    @dataclass
    class Left(Message):
        """The learner is done with the list."""

        step_list: "StepList"

        @property
        def control(self) -> "StepList":
            return self.step_list

    def watch_rows(self, before: tuple[StepRow, ...], rows: tuple[StepRow, ...]) -> None:
        prompts = [self._prompt(row) for row in rows]
        if len(self.options) == len(rows):
            for index, (old, new) in enumerate(zip(before, rows, strict=False)):
                if old != new:
                    self.replace_option_prompt_at_index(index, prompts[index])
        else:
            self.clear_options()
            self.add_options(
                [Option(prompt, id=row.id) for prompt, row in zip(prompts, rows, strict=True)]
            )
        was = next((row.id for row in before if row.is_current), None)
        here = next((index for index, row in enumerate(rows) if row.is_current), None)
        if here is not None and rows[here].id != was:
            self.highlighted = here

    def _prompt(self, row: StepRow) -> Content:
        pointer = "▸" if row.is_current else " "
        style = CURRENT if row.is_current else STYLES[row.mark]
        return Content.assemble(
            Content.styled(pointer, style),
            Content.styled(f"{SIGNS[row.mark]} ", STYLES[row.mark]),
            Content.styled(f"{row.number:2} {row.title}", style),
        )

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if event.option_id is not None:
            self.post_message(self.Chosen(self, event.option_id))

    def on_key(self, event: events.Key) -> None:
        if event.key == "escape":
            event.stop()
            self.post_message(self.Left(self))
