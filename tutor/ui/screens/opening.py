"""What opens over a lesson, and its palette. Loaded when it is wanted: most visits need little."""

from typing import Any, Literal

from textual.command import Provider
from textual.screen import Screen

from tutor.ui.ports import Desk
from tutor.ui.scene import Scene
from tutor.ui.widgets.keybar import Shown

Onward = Literal["stay", "next", "course", "quit"]
"""Where to go from the end of a lesson."""


def palette() -> type[Provider]:
    """All there is to do in a lesson."""
    from tutor.ui.palette import LessonCommands  # noqa: PLC0415 - as above

    return LessonCommands


def help_over(screen: Screen[Any]) -> Screen[None]:
    """What the keys of a lesson's screen do."""
    from tutor.ui.palette import beside_keys  # noqa: PLC0415 - as above
    from tutor.ui.screens.help import HelpScreen  # noqa: PLC0415 - as above

    return HelpScreen(beside_keys(screen), in_lesson=True)


def settings_of(desk: Desk) -> Screen[None]:
    """What can be set."""
    from tutor.ui.screens.settings import SettingsScreen  # noqa: PLC0415 - as above

    return SettingsScreen(desk)


def keys_of(desk: Desk) -> Screen[None]:
    """The keys that can be others."""
    from tutor.ui.screens.keys import KeysScreen  # noqa: PLC0415 - as above

    return KeysScreen(desk)


def question(title: str, text: str, *, yes: str, no: str) -> Screen[bool]:
    """What has to be answered before anything goes on."""
    from tutor.ui.screens.question import QuestionScreen  # noqa: PLC0415 - as above

    return QuestionScreen(title, text, yes=yes, no=no)


def prefix_over(keys: tuple[Shown, ...]) -> Screen[str]:
    """What the keys after the prefix do."""
    from tutor.ui.screens.prefix import PrefixScreen  # noqa: PLC0415 - as above

    return PrefixScreen(keys)


def end_of(scene: Scene, following: str) -> Screen[Onward]:
    """The end of a lesson; `following` is the title of the next one, if there is one."""
    from tutor.ui.screens.finished import FinishedScreen, ending  # noqa: PLC0415 - as above

    return FinishedScreen(ending(scene.lesson, scene.progress, scene.outline), following)
