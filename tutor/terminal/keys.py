"""Key names in, key strokes out: what was pressed, free of any keyboard layout or wire encoding.

Names are those of the interface library: modifiers in front ("ctrl+shift+left"), symbols by their
Unicode name ("left_square_bracket"). How a stroke is sent depends on the modes of the program in
the terminal, so the engines encode it.
"""

import unicodedata
from enum import IntFlag
from typing import NamedTuple


class Mods(IntFlag):
    """Keys held while another is pressed."""

    NONE = 0
    SHIFT = 1
    CTRL = 2
    ALT = 4
    SUPER = 8


class Stroke(NamedTuple):
    """One key press.

    `key` is one of `NAMED` or the character on the key without Shift; `text` is what the press
    would type, empty when it types nothing.
    """

    key: str
    mods: Mods = Mods.NONE
    text: str = ""


NAMED = frozenset(
    {
        *("enter", "tab", "backspace", "escape", "insert", "delete", "home", "end"),
        *("up", "down", "left", "right", "pageup", "pagedown"),
        *(f"f{number}" for number in range(1, 25)),
    }
)
"""Keys that are not characters. Space is a character."""

_MODS = {
    "shift": Mods.SHIFT,
    "ctrl": Mods.CTRL,
    "alt": Mods.ALT,
    "meta": Mods.ALT,
    "super": Mods.SUPER,
}

_OTHER_NAMES = {"return": "enter", "space": " ", "newline": "j"}

# Unicode has other names for these, or none that a reader would look for.
_SYMBOLS = {
    "at": "@",
    "backslash": "\\",
    "circumflex_accent": "^",
    "hyphen_minus": "-",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "minus": "-",
    "plus": "+",
    "slash": "/",
    "underscore": "_",
    "grave_accent": "`",
    "vertical_line": "|",
}


def stroke(name: str, character: str | None = None) -> Stroke | None:
    """What was pressed; None for keys that no terminal sends (a Shift alone, media keys).

    `character` is what the press types, where the caller knows.
    """
    if (name, character) == ("backspace", "\b"):
        name = "ctrl+h"  # What the Backspace key sends is DEL.
    *held, base = name.split("+") if len(name) > 1 else [name]
    if not base:  # "ctrl++": the key itself is a plus
        held, base = [part for part in held if part], "+"
    mods = Mods.NONE
    for modifier in held:
        mods |= _MODS.get(modifier, Mods.NONE)
    base = _OTHER_NAMES.get(base, base)
    if base in NAMED:
        return Stroke(base, mods)
    symbol = base if len(base) == 1 else _symbol(base)
    if symbol is None:
        return None
    if symbol.isupper() and len(symbol.lower()) == 1:
        mods |= Mods.SHIFT
    key = symbol.lower() if len(symbol.lower()) == 1 else symbol
    if mods & (Mods.CTRL | Mods.SUPER):
        return Stroke(key, mods)
    typed = character if character is not None and character.isprintable() else ""
    return Stroke(key, mods, typed or (symbol.upper() if mods & Mods.SHIFT else symbol))


def _symbol(name: str) -> str | None:
    if name in _SYMBOLS:
        return _SYMBOLS[name]
    try:
        return unicodedata.lookup(name.replace("_", " "))
    except KeyError:
        return None


def legacy(stroke: Stroke) -> bytes:
    """What xterm sends for Ctrl with a character, Enter or Tab, when no program asked for more.

    Many combinations are then the same as others: Ctrl+I is Tab, Shift+Enter is Enter.
    """
    prefix = b"\x1b" if stroke.mods & Mods.ALT else b""
    match stroke.key:
        case "enter":
            return prefix + b"\r"
        case "tab":
            return prefix + b"\t"
        case key if stroke.mods & Mods.CTRL and "@" <= key <= "~":
            return prefix + bytes((ord(key) & 0x1F,))
        case key:
            return prefix + key.encode()
