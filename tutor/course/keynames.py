"""Keys in the texts of a lesson: `[F5](key:run)` shows the key that `run` has now. Pure.

Learners can give actions other keys (`tutor.keymap`), so a text that spells one out may be wrong.
"""

import re
from collections.abc import Iterator

from tutor.course.model import Lesson, Step
from tutor.course.texts import texts_of_step
from tutor.errors import CourseError
from tutor.keymap import ACTIONS
from tutor.nearest import did_you_mean

_NAMED = re.compile(r"\]\(key:([^)]*)\)")


def named_action(address: str) -> str:
    """The action whose key a link of Markdown stands for; empty for any other link."""
    action = address.removeprefix("key:")
    return action if action != address and action in ACTIONS else ""


def keys_have_actions(step: Step, _lesson: Lesson) -> Iterator[CourseError]:
    """Keys of actions that there are not."""
    for where, text in texts_of_step(step):
        for match in _NAMED.finditer(text):
            if match[1] not in ACTIONS:
                yield where.error(
                    f"no action is called `{match[1]}`{did_you_mean(match[1], ACTIONS)}",
                    next_action=f"Those that have keys: {', '.join(ACTIONS)}.",
                    offset=match.start(1),
                )
