"""The command palette of a lesson: all that keys do, and what the step has."""

from collections.abc import Iterator, Sequence
from typing import Any

from textual.screen import Screen

from tutor.course.model import Answer
from tutor.ui.blocks import shown
from tutor.ui.commands import Command, ScreenCommands, bound
from tutor.ui.keys import KEYS, keymap_of, spelled
from tutor.ui.runner import abridged
from tutor.ui.scene import Scene, StepRow
from tutor.ui.screens.drawn import DrawnScreen
from tutor.ui.widgets.steps import SIGNS, StepList

_LEAVES_OUT = frozenset({"palette", "prefix"})
_OF_KEYS = frozenset(key.id for key in KEYS) | _LEAVES_OUT

IN_SHELL = {
    "pageup": "Look back a page in the shell",
    "pagedown": "Look on a page in the shell",
    "home": "Look at the first that the shell has shown",
    "end": "Look at the last that the shell has shown",
    "v": "Select in the shell with the arrow keys",
    "y": "Copy what is selected in the shell",
}
"""What keys do after the prefix in the shell alone."""


class LessonCommands(ScreenCommands):
    """Of a lesson."""

    def beside_screen(self) -> Iterator[Command]:
        """What the learner can do at any time, whichever keys that has."""
        keymap = keymap_of(self.screen)
        prefix = spelled(keymap["prefix"])
        for key in KEYS:
            if key.id not in _LEAVES_OUT:
                ways = f"{spelled(keymap[key.id])} or " if keymap[key.id] else ""
                yield Command(
                    text=key.says, action=key.id, help=f"{ways}{prefix} {key.after_prefix}"
                )
        yield from beside_keys(self.screen)
        for key, says in IN_SHELL.items():
            yield Command(
                text=says,
                action=f"in_shell({key!r})",
                help=f"{prefix} {spelled(key)}",
                is_listed=False,
            )
        if isinstance(self.screen, DrawnScreen):
            yield from in_step(self.screen.scene, self.screen.query_one(StepList).rows)


def beside_keys(screen: Screen[Any]) -> tuple[Command, ...]:
    """What keys do in a lesson besides those that every lesson has."""
    return tuple(each for each in bound(screen) if each.action not in _OF_KEYS)


def in_step(scene: Scene, steps: Sequence[StepRow]) -> Iterator[Command]:
    """The steps, and the commands, facts and answers of the current one."""
    for row in steps:
        yield Command(
            text=f"Step {row.number}: {row.title}",
            action=f"go_to({row.id!r})",
            help=f"{SIGNS[row.mark]} {row.mark}",
            is_listed=False,
        )
    for key, block in scene.blocks().items():
        text = shown(block, scene.lesson)
        words = text.title or abridged(" ".join(text.commands))
        does = "Write the file" if text.title else "Type"
        yield _quiet(f"{does}: {words}", f"do({key!r})", "The commands of this step")
        yield _quiet(f"Copy: {words}", f"copy({key!r})", "The commands of this step")
    for fact in scene.facts():
        yield _quiet(f"See for yourself: {fact.label}", f"see({fact.id!r})", abridged(fact.show))
    for question in scene.questions():
        for option in () if isinstance(question, Answer) else question.options:
            action = f"answer({question.id!r}, {option.answer!r})"
            yield _quiet(f"Answer: {option.answer}", action, question.question)


def _quiet(text: str, action: str, about: str) -> Command:
    return Command(text=text, action=action, help=about, is_listed=False)
