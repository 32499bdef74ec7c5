"""The keys of a lesson, once: bindings, key bar, help, palette and what comes after the prefix."""

from dataclasses import dataclass

from textual.binding import Binding

PREFIX = "ctrl+g"
"""Reaches everything on terminals without function keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """Something that a learner can do at any time."""

    id: str
    """Also the name of its action."""
    key: str = ""
    """Empty when it is only reached through the prefix and the palette."""
    after_prefix: str
    label: str
    """For the key bar."""
    says: str
    """For the help and the palette: a sentence without a full stop."""
    rank: int = 9
    """The higher ranks leave a narrow key bar first; 9 is never in it."""


KEYS: tuple[Key, ...] = (
    Key(id="help", key="f1", after_prefix="1", label="help", says="Show the keys", rank=2),
    Key(
        id="hint",
        key="f2",
        after_prefix="2",
        label="hint",
        says="Show a hint; after the last one the solution; after that, leave the step out",
        rank=0,
    ),
    Key(
        id="steps",
        key="f3",
        after_prefix="3",
        label="steps",
        says="Go to the list of steps, and back",
        rank=4,
    ),
    Key(
        id="run",
        key="f5",
        after_prefix="5",
        label="run",
        says="Type the next commands of the step into the shell",
        rank=0,
    ),
    Key(
        id="switch",
        key="f6",
        after_prefix="6",
        label="lesson",
        says="Go from the shell to the lesson, and back",
        rank=0,
    ),
    Key(
        id="zoom",
        key="f7",
        after_prefix="7",
        label="zoom",
        says="Give the whole window to where you are, and take it back",
        rank=3,
    ),
    Key(
        id="look",
        key="f8",
        after_prefix="8",
        label="look now",
        says="Look at the facts again, and show them",
        rank=1,
    ),
    Key(
        id="next",
        key="f9",
        after_prefix="9",
        label="next",
        says="Go to the next step, when all facts hold",
        rank=0,
    ),
    Key(
        id="quit",
        key="f10",
        after_prefix="0",
        label="quit",
        says="Leave; everything is saved",
        rank=5,
    ),
    Key(
        id="palette",
        after_prefix="p",
        label="palette",
        says="Search everything there is to do (ctrl+p outside of the shell)",
    ),
    Key(
        id="facts",
        after_prefix="f",
        label="facts",
        says="Go to the facts",
    ),
    Key(
        id="skip",
        after_prefix="s",
        label="leave out",
        says="Leave this step out",
    ),
    Key(
        id="find",
        after_prefix="/",
        label="search",
        says="Search all that the shell has shown",
    ),
    Key(
        id="shell_larger",
        after_prefix="up",
        label="larger",
        says="Make the shell larger; the edge can also be dragged",
    ),
    Key(
        id="shell_smaller",
        after_prefix="down",
        label="smaller",
        says="Make the shell smaller",
    ),
    Key(
        id="settings",
        after_prefix="e",
        label="settings",
        says="Change colours, pace, kubectl and editor",
    ),
    Key(
        id="keys",
        after_prefix="k",
        label="keys",
        says="Give actions other keys",
    ),
    Key(
        id="course",
        after_prefix="m",
        label="all lessons",
        says="Go to the map of all lessons",
    ),
)


def bindings() -> list[Binding]:
    """The keys as the interface library wants them."""
    return [
        Binding(key.key, key.id, key.label, id=f"lesson.{key.id}", tooltip=key.says, show=False)
        for key in KEYS
        if key.key
    ]


_NAMES = {"slash": "/"}
"""Of the interface library, for keys that people call otherwise."""


def after_prefix(pressed: str) -> Key | None:
    """What a key means after the prefix."""
    pressed = _NAMES.get(pressed, pressed)
    return next((key for key in KEYS if pressed in {key.after_prefix, key.key}), None)


def spelled(key: str) -> str:
    """A key as people write it."""
    return key.upper() if key.startswith("f") and key[1:].isdigit() else key
