"""The keys of a lesson, once: bindings, key bar, help, palette and what comes after the prefix.

Which key an action has is the learner's choice: `tutor.keymap`.
"""

from collections.abc import Mapping
from typing import NamedTuple, Protocol, cast, runtime_checkable

from textual.binding import Binding
from textual.dom import DOMNode
from textual.message import Message

from tutor.keymap import ACTIONS, Keymap

_OTHERS = ("map", "welcome")
"""Screens before a lesson, where its keys for help and leaving do the same."""
_NOTHING = "no_key"
"""In a binding, for an action without a key: the library has none without."""


class Key(NamedTuple):
    """Something that a learner can do at any time."""

    id: str
    """Also the name of its action."""
    after_prefix: str
    label: str
    """For the key bar."""
    says: str
    """For the help and the palette: a sentence without a full stop."""
    rank: int = 9
    """The higher ranks leave a narrow key bar first; 9 is never in it.

    Without a key of its own it is there after the prefix alone.
    """


KEYS: tuple[Key, ...] = (
    Key(id="help", after_prefix="1", label="help", says="Show the keys", rank=2),
    Key(
        id="hint",
        after_prefix="2",
        label="hint",
        says="Show a hint; after the last one the solution; after that, leave the step out",
        rank=0,
    ),
    Key(
        id="steps",
        after_prefix="3",
        label="steps",
        says="Go to the list of steps, and back",
        rank=4,
    ),
    Key(
        id="run",
        after_prefix="5",
        label="run",
        says="Type the next commands of the step into the shell",
        rank=0,
    ),
    Key(
        id="switch",
        after_prefix="6",
        label="lesson",
        says="Go from the shell to the lesson, and back",
        rank=0,
    ),
    Key(
        id="zoom",
        after_prefix="7",
        label="zoom",
        says="Give the whole window to where you are, and take it back",
        rank=5,
    ),
    Key(
        id="look",
        after_prefix="8",
        label="look now",
        says="Look at the facts again, and show them",
        rank=1,
    ),
    Key(
        id="next",
        after_prefix="9",
        label="next",
        says="Go to the next step, when all facts hold",
        rank=0,
    ),
    Key(
        id="quit",
        after_prefix="0",
        label="quit",
        says="Leave; everything is saved",
        rank=3,
    ),
    Key(
        id="palette",
        after_prefix="p",
        label="palette",
        says="Search everything there is to do (ctrl+p outside of the shell)",
        rank=6,
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
        rank=7,
    ),
    Key(
        id="shell_new",
        after_prefix="c",
        label="new shell",
        says="Open another shell beside this one; what both run counts for the lesson",
        rank=8,
    ),
    Key(
        id="shell_next",
        after_prefix="n",
        label="next shell",
        says="Go to the next shell",
    ),
    Key(
        id="shell_close",
        after_prefix="x",
        label="close shell",
        says="End the shell that is shown, when there are several",
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
        says="Change colours, layout, motion, pace, kubectl and editor",
        rank=7,
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
        rank=6,
    ),
)


@runtime_checkable
class Keyed(Protocol):
    """An app whose keys can be chosen."""

    @property
    def chosen_keys(self) -> Keymap:
        """Those that hold now."""
        ...


class KeysChanged(Message):
    """Other keys hold now."""


@runtime_checkable
class AsksForKey(Protocol):
    """Something that the next key may be for, whatever that does otherwise."""

    @property
    def is_asking(self) -> bool:
        """Whether it is."""
        ...


@runtime_checkable
class ShowsKeys(Protocol):
    """A screen that names keys."""

    def follow_keymap(self) -> None:
        """Show those that hold now."""
        ...


@runtime_checkable
class HasOwnKeys(Protocol):
    """A screen on which other keys than the chosen ones are offered for some actions."""

    @property
    def own_keys(self) -> Mapping[str, str]:
        """By action, as people write them."""
        ...


def keymap_of(node: DOMNode) -> Keymap:
    """The keys of a widget's app; those that come with the program where none can be chosen."""
    app = cast("object", node.app)  # pyright: ignore[reportUnknownMemberType] - of who knows what
    return app.chosen_keys if isinstance(app, Keyed) else Keymap()


def bind(name: str, keys: str, action: str, says: str, *, priority: bool = False) -> Binding:
    """Keys of a screen or a widget; `says` is for its help, its palette and its tooltip."""
    return Binding(keys, action, says, id=name, tooltip=says, show=False, priority=priority)


def bindings() -> list[Binding]:
    """The keys that come with the program, as the interface library wants them."""
    return [
        *(
            Binding(
                ACTIONS[key.id] or _NOTHING,
                key.id,
                key.label,
                id=_binding(key.id),
                tooltip=key.says,
                show=False,
            )
            for key in KEYS
        ),
        bind(_binding("prefix"), ACTIONS["prefix"], "prefix", "Wait for a second key"),
    ]


def closing(keys: str, action: str) -> list[Binding]:
    """What closes a window that the key of an action opened: some keys, and that one."""
    return [
        bind("window.close", keys, "dismiss", "Close this window"),
        bind(_binding(action), ACTIONS[action], "dismiss", "Close this window"),
    ]


def overrides(keymap: Keymap) -> dict[str, str]:
    """The learner's keys, as the interface library wants them."""
    return {
        **{_binding(action): keymap[action] or _NOTHING for action in ACTIONS},
        **{f"{screen}.help": keymap["help"] or _NOTHING for screen in _OTHERS},
        **{f"{screen}.quit": f"{keymap['quit'] or _NOTHING},q" for screen in _OTHERS},
    }


def _binding(action: str) -> str:
    return f"lesson.{action}"


_NAMES = {"slash": "/"}
"""Of the interface library, for keys that people call otherwise."""


def after_prefix(pressed: str, keymap: Keymap) -> Key | None:
    """What a key means after the prefix."""
    pressed = _NAMES.get(pressed, pressed)
    return next((key for key in KEYS if pressed in {key.after_prefix, keymap[key.id]}), None)


_SPELLED = {"pageup": "PgUp", "pagedown": "PgDn"}


def spelled(key: str) -> str:
    """A key as people write it."""
    *held, last = key.split("+")
    is_function_key = last[:1] == "f" and last[1:].isdigit()
    return "+".join([*held, last.upper() if is_function_key else _SPELLED.get(last, last)])


def way_to(action: str, node: DOMNode) -> str:
    """The key of an action as people write it, or the two that reach it."""
    screen = cast("object", node.screen)
    if isinstance(screen, HasOwnKeys) and (own := screen.own_keys.get(action)):
        return own
    keymap = keymap_of(node)
    if key := keymap[action]:
        return spelled(key)
    then = next(key.after_prefix for key in KEYS if key.id == action)
    return f"{spelled(keymap['prefix'])} {then}"
