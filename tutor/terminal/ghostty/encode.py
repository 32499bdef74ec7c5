"""Keys, mouse, pastes and focus to the bytes that a program expects, by the library's encoders."""

import re
from typing import Any

from tutor.terminal.ghostty.binding import (
    CELL_HEIGHT_PX,
    CELL_WIDTH_PX,
    check,
    ffi,
    fill,
    lib,
    new,
    sized,
)
from tutor.terminal.keys import Mods, Stroke, legacy
from tutor.terminal.screen import Mouse

_NAMED = {
    "enter": "ENTER",
    "tab": "TAB",
    "backspace": "BACKSPACE",
    "escape": "ESCAPE",
    "insert": "INSERT",
    "delete": "DELETE",
    "home": "HOME",
    "end": "END",
    "up": "ARROW_UP",
    "down": "ARROW_DOWN",
    "left": "ARROW_LEFT",
    "right": "ARROW_RIGHT",
    "pageup": "PAGE_UP",
    "pagedown": "PAGE_DOWN",
    " ": "SPACE",
    **{f"f{number}": f"F{number}" for number in range(1, 25)},
    **{chr(code): chr(code).upper() for code in range(ord("a"), ord("z") + 1)},
    **{str(digit): f"DIGIT_{digit}" for digit in range(10)},
    "-": "MINUS",
    "=": "EQUAL",
    "[": "BRACKET_LEFT",
    "]": "BRACKET_RIGHT",
    "\\": "BACKSLASH",
    ";": "SEMICOLON",
    "'": "QUOTE",
    "`": "BACKQUOTE",
    ",": "COMMA",
    ".": "PERIOD",
    "/": "SLASH",
}
_KEYS: dict[str, int] = {key: getattr(lib, f"GHOSTTY_KEY_{name}") for key, name in _NAMED.items()}

_ACTIONS: dict[str, int] = {
    "press": lib.GHOSTTY_MOUSE_ACTION_PRESS,
    "release": lib.GHOSTTY_MOUSE_ACTION_RELEASE,
    "motion": lib.GHOSTTY_MOUSE_ACTION_MOTION,
}
_BUTTONS: dict[str, int] = {
    "left": lib.GHOSTTY_MOUSE_BUTTON_LEFT,
    "middle": lib.GHOSTTY_MOUSE_BUTTON_MIDDLE,
    "right": lib.GHOSTTY_MOUSE_BUTTON_RIGHT,
    "up": lib.GHOSTTY_MOUSE_BUTTON_FOUR,
    "down": lib.GHOSTTY_MOUSE_BUTTON_FIVE,
}
_SHIFT, _CTRL, _ALT = 1, 2, 4

_EXTENDED = re.compile(rb"\x1b\[(?:27;\d+;\d+~|\d+;\d+u)")
_MODIFIED_F3 = re.compile(rb"\x1b\[13;(\d+)~")
"""As the kitty protocol has it. What xterm sends looks like a report of the cursor's place."""

_SEQUENCE_SIZE = 128


class Encoders:
    """The encoders of one engine, which asks them under its lock."""

    def __init__(self) -> None:
        self._key = new(
            "GhosttyKeyEncoder", lib.ghostty_key_encoder_new, free=lib.ghostty_key_encoder_free
        )
        self._key_event = new(
            "GhosttyKeyEvent", lib.ghostty_key_event_new, free=lib.ghostty_key_event_free
        )
        self._mouse = new(
            "GhosttyMouseEncoder",
            lib.ghostty_mouse_encoder_new,
            free=lib.ghostty_mouse_encoder_free,
        )
        self._mouse_event = new(
            "GhosttyMouseEvent", lib.ghostty_mouse_event_new, free=lib.ghostty_mouse_event_free
        )
        self._sequence = ffi.new("char[]", _SEQUENCE_SIZE)
        self._length = ffi.new("size_t*")
        self._held: set[str] = set()

    def key(self, terminal: Any, stroke: Stroke) -> bytes:
        """One key press, in the terminal's modes."""
        sent = self._pressed(terminal, stroke)
        if (f3 := _MODIFIED_F3.fullmatch(sent)) and not self._asked_for_more(terminal):
            return b"\x1b[1;%sR" % f3[1]
        if not _EXTENDED.fullmatch(sent) or self._asked_for_more(terminal):
            return sent
        # The library sends these whether asked or not; readline would type half of them.
        return legacy(stroke)

    def _asked_for_more(self, terminal: Any) -> bool:
        """Whether the program understands keys that xterm does not usually tell apart."""
        flags = ffi.new("GhosttyKittyKeyFlags*")
        lib.ghostty_terminal_get(terminal, lib.GHOSTTY_TERMINAL_DATA_KITTY_KEYBOARD_FLAGS, flags)
        # modifyOtherKeys cannot be asked for, but shows in what is sent for a key like this.
        probe = Stroke("a", Mods.CTRL | Mods.SHIFT)
        return flags[0] != 0 or len(self._pressed(terminal, probe)) > 1

    def _pressed(self, terminal: Any, stroke: Stroke) -> bytes:
        encoder, event = self._key[0], self._key_event[0]
        lib.ghostty_key_encoder_setopt_from_terminal(encoder, terminal)
        # Else the library takes the Alt of a Mac for accents; here it is known to be an Alt.
        lib.ghostty_key_encoder_setopt(
            encoder,
            lib.GHOSTTY_KEY_ENCODER_OPT_MACOS_OPTION_AS_ALT,
            ffi.new("GhosttyOptionAsAlt*", lib.GHOSTTY_OPTION_AS_ALT_TRUE),
        )
        text = (stroke.text or (stroke.key if len(stroke.key) == 1 else "")).encode()
        kept = ffi.new("char[]", text)  # borrowed by the event until the call below
        lib.ghostty_key_event_set_action(event, lib.GHOSTTY_KEY_ACTION_PRESS)
        lib.ghostty_key_event_set_key(event, _KEYS.get(stroke.key, 0))
        lib.ghostty_key_event_set_mods(event, int(stroke.mods))
        lib.ghostty_key_event_set_consumed_mods(
            event, _SHIFT & int(stroke.mods) if stroke.text else 0
        )
        lib.ghostty_key_event_set_utf8(event, kept, len(text))
        point = ord(stroke.key) if len(stroke.key) == 1 else 0
        lib.ghostty_key_event_set_unshifted_codepoint(event, point)
        result = lib.ghostty_key_encoder_encode(
            encoder, event, self._sequence, _SEQUENCE_SIZE, self._length
        )
        check(result, "key")
        return self._taken()

    def mouse(self, terminal: Any, mouse: Mouse, size: tuple[int, int]) -> bytes:
        """One mouse event, in the terminal's modes."""
        encoder, event = self._mouse[0], self._mouse_event[0]
        lib.ghostty_mouse_encoder_setopt_from_terminal(encoder, terminal)
        self._note_held(mouse)
        lib.ghostty_mouse_encoder_setopt(
            encoder, lib.GHOSTTY_MOUSE_ENCODER_OPT_SIZE, _geometry(*size)
        )
        lib.ghostty_mouse_encoder_setopt(
            encoder,
            lib.GHOSTTY_MOUSE_ENCODER_OPT_ANY_BUTTON_PRESSED,
            ffi.new("bool*", bool(self._held)),
        )
        lib.ghostty_mouse_event_set_action(event, _ACTIONS[mouse.action])
        if mouse.button == "none":
            lib.ghostty_mouse_event_clear_button(event)
        else:
            lib.ghostty_mouse_event_set_button(event, _BUTTONS[mouse.button])
        held = (_SHIFT if mouse.shift else 0) | (_CTRL if mouse.ctrl else 0)
        lib.ghostty_mouse_event_set_mods(event, held | (_ALT if mouse.alt else 0))
        middle = {
            "x": (mouse.x + 0.5) * CELL_WIDTH_PX,
            "y": (mouse.y + 0.5) * CELL_HEIGHT_PX,
        }
        lib.ghostty_mouse_event_set_position(event, ffi.new("GhosttyMousePosition*", middle)[0])
        result = lib.ghostty_mouse_encoder_encode(
            encoder, event, self._sequence, _SEQUENCE_SIZE, self._length
        )
        check(result, "mouse")
        return self._taken()

    def _note_held(self, mouse: Mouse) -> None:
        if mouse.button not in ("left", "middle", "right"):
            return
        if mouse.action == "press":
            self._held.add(mouse.button)
        elif mouse.action == "release":
            self._held.discard(mouse.button)

    def _taken(self) -> bytes:
        return bytes(ffi.buffer(self._sequence, self._length[0]))


def _geometry(columns: int, lines: int) -> Any:
    geometry = sized("GhosttyMouseEncoderSize")
    geometry.screen_width, geometry.screen_height = columns * CELL_WIDTH_PX, lines * CELL_HEIGHT_PX
    geometry.cell_width, geometry.cell_height = CELL_WIDTH_PX, CELL_HEIGHT_PX
    return geometry


def paste(text: str, *, bracketed: bool) -> bytes:
    """A paste; the library replaces control characters and strips the end bracket."""
    data = text.encode()
    # The call changes its input in place, and is made twice: it gets a fresh copy each time.
    return fill(
        lambda out, size, length: lib.ghostty_paste_encode(
            ffi.new("char[]", data), len(data), bracketed, out, size, length
        ),
        "paste",
    )


def focus(*, gained: bool) -> bytes:
    """A focus report."""
    event = lib.GHOSTTY_FOCUS_GAINED if gained else lib.GHOSTTY_FOCUS_LOST
    return fill(
        lambda out, size, length: lib.ghostty_focus_encode(event, out, size, length), "focus"
    )
