"""Which key does what: the actions that can have another key, and the keys that can be given. Pure.

Keys have the names of the interface library, "ctrl+n" or "f4".
"""

from collections.abc import Mapping
from string import ascii_lowercase, digits
from typing import NamedTuple

from tutor.nearest import did_you_mean
from tutor.value import value

ACTIONS: Mapping[str, str] = {
    "help": "f1",
    "hint": "f2",
    "steps": "f3",
    "run": "f5",
    "switch": "f6",
    "zoom": "f7",
    "look": "f8",
    "next": "f9",
    "quit": "f10",
    "palette": "",
    "facts": "",
    "skip": "",
    "find": "",
    "shell_new": "",
    "shell_next": "",
    "shell_close": "",
    "shell_larger": "",
    "shell_smaller": "",
    "settings": "",
    "keys": "",
    "course": "",
    "prefix": "ctrl+g",
}
"""Each action with its key, before anybody chose another; empty is none of its own."""

NONE = "none"
"""Chosen for an action that is to have no key; the prefix and the palette still reach it."""

_MOVING = ("up", "down", "left", "right", "home", "end", "pageup", "pagedown", "insert", "delete")
_FUNCTION = tuple(f"f{number}" for number in range(1, 13))
_TAKEN: Mapping[str, str] = {
    "ctrl+c": "it ends what runs in the shell",
    "ctrl+d": "it ends what is typed in the shell",
    "ctrl+z": "it halts what runs in the shell",
    "ctrl+h": "many terminals send it for Backspace",
    "ctrl+i": "terminals send it for Tab",
    "ctrl+j": "terminals send it for Enter",
    "ctrl+m": "terminals send it for Enter",
    "ctrl+p": "outside of the shell it opens the palette",
    "ctrl+q": "outside of the shell it leaves the program",
}
KEYS: frozenset[str] = frozenset(
    {
        *_FUNCTION,
        *(f"{held}+{key}" for held in ("shift", "ctrl", "alt") for key in (*_MOVING, *_FUNCTION)),
        *(f"ctrl+{letter}" for letter in ascii_lowercase),
        *(f"alt+{character}" for character in ascii_lowercase + digits),
    }
).difference(_TAKEN)
"""All that can be given: what no program needs in order to be typed into."""


class Fault(NamedTuple):
    """Why keys cannot be chosen so."""

    action: str
    """What was written for the action."""
    message: str
    next_action: str


_AS_IT_COMES: Mapping[str, str] = {}


@value
class Keymap:
    """The key of each action."""

    own: Mapping[str, str] = _AS_IT_COMES
    """What the learner has chosen: action to key, or to `NONE`. Without fault."""

    def __getitem__(self, action: str) -> str:
        """Its key; empty when it has none."""
        key = canonical(self.own.get(action, ACTIONS[action]))
        return "" if key == NONE else key

    @property
    def taken(self) -> frozenset[str]:
        """All that do something."""
        return frozenset(key for action in ACTIONS if (key := self[action]))

    def with_key(self, action: str, key: str) -> "Keymap":
        """The same, with another key for one action; empty is the one it comes with."""
        others = {name: each for name, each in self.own.items() if name != action}
        wanted = canonical(key)
        return Keymap(others if wanted in {"", ACTIONS[action]} else {**others, action: wanted})


def canonical(key: str) -> str:
    """A key as the interface library names it: "Ctrl + N" is "ctrl+n"."""
    *held, last = key.lower().replace(" ", "").replace("control+", "ctrl+").split("+")
    return "+".join([*sorted(held), last])


def fault_of(own: Mapping[str, str]) -> Fault | None:
    """The first thing that is wrong with what somebody has chosen."""
    for action, key in own.items():
        if fault := _name_fault(action) or _key_fault(action, canonical(key)):
            return fault
    keymap = Keymap(own)
    for action in own:
        if not (key := keymap[action]):
            continue
        if other := next((each for each in ACTIONS if each != action and keymap[each] == key), ""):
            return Fault(
                action,
                f"`{action}` cannot have `{key}`: it is the key of `{other}`.",
                f"Give `{other}` another key too, or `{NONE}`; or take another for `{action}`.",
            )
    return None


def _name_fault(action: str) -> Fault | None:
    if action in ACTIONS:
        return None
    return Fault(
        action,
        f"nothing is called `{action}`{did_you_mean(action, ACTIONS) or '.'}",
        f"Keys can be given to: {', '.join(ACTIONS)}.",
    )


def _key_fault(action: str, key: str) -> Fault | None:
    if key == NONE and action == "prefix":
        return Fault(
            action,
            "`prefix` has to have a key: it reaches all that has none.",
            f"Give it one such as `{ACTIONS['prefix']}`.",
        )
    if key == NONE or key in KEYS:
        return None
    form = f"Take f1 to f12, or Ctrl or Alt with a letter (`ctrl+n`), or `{NONE}`."
    if key in _TAKEN:
        return Fault(action, f"`{action}` cannot have `{key}`: {_TAKEN[key]}.", form)
    if len(key) == 1 or key in _MOVING:
        return Fault(action, f"`{action}` cannot have `{key}`: the shell needs it.", form)
    near = did_you_mean(key, sorted(KEYS)) or "."
    return Fault(action, f"`{action}` cannot have `{key}`, which is no key{near}", form)
