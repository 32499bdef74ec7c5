"""What each key sends, by xterm's control sequences and kitty's keyboard protocol."""

import pytest

from tutor.terminal.engine import Choice, engine
from tutor.terminal.keys import Mods, Stroke, stroke
from tutor.terminal.screen import Engine, Geometry


@pytest.fixture
def terminal(choice: Choice) -> Engine:
    """Each engine."""
    return engine(Geometry(), choice)


# name: in an ordinary program, after kitty's "disambiguate" (CSI > 1 u)
CHARACTERS = {
    "a": ("a", "a"),
    "A": ("A", "A"),
    "7": ("7", "7"),
    "é": ("é", "é"),
    "日": ("日", "日"),
    "space": (" ", " "),
    "exclamation_mark": ("!", "!"),
    "minus": ("-", "-"),
    "slash": ("/", "/"),
    "backslash": ("\\", "\\"),
    "left_square_bracket": ("[", "["),
    "less_than_sign": ("<", "<"),
    "quotation_mark": ('"', '"'),
    "apostrophe": ("'", "'"),
    "tilde": ("~", "~"),
    "vertical_line": ("|", "|"),
    "euro_sign": ("€", "€"),
}
NAMED = {
    "enter": ("\r", "\r"),
    "tab": ("\t", "\t"),
    "backspace": ("\x7f", "\x7f"),
    "escape": ("\x1b", "\x1b[27u"),
    "insert": ("\x1b[2~", "\x1b[2~"),
    "delete": ("\x1b[3~", "\x1b[3~"),
    "pageup": ("\x1b[5~", "\x1b[5~"),
    "pagedown": ("\x1b[6~", "\x1b[6~"),
    "up": ("\x1b[A", "\x1b[A"),
    "down": ("\x1b[B", "\x1b[B"),
    "right": ("\x1b[C", "\x1b[C"),
    "left": ("\x1b[D", "\x1b[D"),
    "home": ("\x1b[H", "\x1b[H"),
    "end": ("\x1b[F", "\x1b[F"),
    "f1": ("\x1bOP", "\x1b[P"),
    "f2": ("\x1bOQ", "\x1b[Q"),
    "f3": ("\x1bOR", "\x1b[13~"),
    "f4": ("\x1bOS", "\x1b[S"),
    "f5": ("\x1b[15~", "\x1b[15~"),
    "f6": ("\x1b[17~", "\x1b[17~"),
    "f7": ("\x1b[18~", "\x1b[18~"),
    "f8": ("\x1b[19~", "\x1b[19~"),
    "f9": ("\x1b[20~", "\x1b[20~"),
    "f10": ("\x1b[21~", "\x1b[21~"),
    "f11": ("\x1b[23~", "\x1b[23~"),
    "f12": ("\x1b[24~", "\x1b[24~"),
    "f13": ("\x1b[25~", "\x1b[57376u"),
    "f20": ("\x1b[34~", "\x1b[57383u"),
}
# Modifiers add 1 (Shift), 2 (Alt), 4 (Ctrl) to 1.
HELD = {
    "shift+up": ("\x1b[1;2A", "\x1b[1;2A"),
    "shift+down": ("\x1b[1;2B", "\x1b[1;2B"),
    "shift+right": ("\x1b[1;2C", "\x1b[1;2C"),
    "shift+left": ("\x1b[1;2D", "\x1b[1;2D"),
    "alt+up": ("\x1b[1;3A", "\x1b[1;3A"),
    "alt+left": ("\x1b[1;3D", "\x1b[1;3D"),
    "alt+shift+right": ("\x1b[1;4C", "\x1b[1;4C"),
    "ctrl+up": ("\x1b[1;5A", "\x1b[1;5A"),
    "ctrl+down": ("\x1b[1;5B", "\x1b[1;5B"),
    "ctrl+right": ("\x1b[1;5C", "\x1b[1;5C"),
    "ctrl+left": ("\x1b[1;5D", "\x1b[1;5D"),
    "ctrl+shift+left": ("\x1b[1;6D", "\x1b[1;6D"),
    "alt+ctrl+left": ("\x1b[1;7D", "\x1b[1;7D"),
    "shift+home": ("\x1b[1;2H", "\x1b[1;2H"),
    "ctrl+home": ("\x1b[1;5H", "\x1b[1;5H"),
    "ctrl+end": ("\x1b[1;5F", "\x1b[1;5F"),
    "shift+insert": ("\x1b[2;2~", "\x1b[2;2~"),
    "ctrl+delete": ("\x1b[3;5~", "\x1b[3;5~"),
    "shift+delete": ("\x1b[3;2~", "\x1b[3;2~"),
    "shift+pageup": ("\x1b[5;2~", "\x1b[5;2~"),
    "ctrl+pagedown": ("\x1b[6;5~", "\x1b[6;5~"),
    "shift+f1": ("\x1b[1;2P", "\x1b[1;2P"),
    "ctrl+f1": ("\x1b[1;5P", "\x1b[1;5P"),
    "ctrl+f4": ("\x1b[1;5S", "\x1b[1;5S"),
    "shift+f3": ("\x1b[1;2R", "\x1b[13;2~"),
    "shift+f5": ("\x1b[15;2~", "\x1b[15;2~"),
    "ctrl+f12": ("\x1b[24;5~", "\x1b[24;5~"),
    "shift+tab": ("\x1b[Z", "\x1b[9;2u"),
    "shift+enter": ("\r", "\x1b[13;2u"),
    "ctrl+enter": ("\r", "\x1b[13;5u"),
    "alt+enter": ("\x1b\r", "\x1b[13;3u"),
    "ctrl+tab": ("\t", "\x1b[9;5u"),
    "ctrl+backspace": ("\x08", "\x1b[127;5u"),
    "alt+backspace": ("\x1b\x7f", "\x1b[127;3u"),
    "alt+escape": ("\x1b\x1b", "\x1b[27;3u"),
}
CONTROLS = {
    **{
        f"ctrl+{letter}": (chr(ord(letter) - 96), f"\x1b[{ord(letter)};5u")
        for letter in "abcdefghijklmnopqrstuvwxyz"
    },
    "ctrl+@": ("\x00", "\x1b[64;5u"),
    "ctrl+at": ("\x00", "\x1b[64;5u"),
    "ctrl+space": ("\x00", "\x1b[32;5u"),
    "ctrl+left_square_bracket": ("\x1b", "\x1b[91;5u"),
    "ctrl+backslash": ("\x1c", "\x1b[92;5u"),
    "ctrl+right_square_bracket": ("\x1d", "\x1b[93;5u"),
    "ctrl+circumflex_accent": ("\x1e", "\x1b[94;5u"),
    "ctrl+underscore": ("\x1f", "\x1b[95;5u"),
    "ctrl+slash": ("\x1f", "\x1b[47;5u"),
    "ctrl+2": ("\x00", "\x1b[50;5u"),
    "ctrl+6": ("\x1e", "\x1b[54;5u"),
    "ctrl+8": ("\x7f", "\x1b[56;5u"),
    "ctrl+9": ("9", "\x1b[57;5u"),
    "ctrl+minus": ("-", "\x1b[45;5u"),
    "ctrl+full_stop": (".", "\x1b[46;5u"),
    "ctrl+shift+a": ("\x01", "\x1b[97;6u"),
    "alt+a": ("\x1ba", "\x1b[97;3u"),
    "alt+shift+a": ("\x1bA", "\x1b[97;4u"),
    "alt+full_stop": ("\x1b.", "\x1b[46;3u"),
    "alt+space": ("\x1b ", "\x1b[32;3u"),
    "alt+ctrl+a": ("\x1b\x01", "\x1b[97;7u"),
    "super+a": ("a", "\x1b[97;9u"),
}
TABLE = CHARACTERS | NAMED | HELD | CONTROLS


def test_table_is_as_long_as_it_should_be() -> None:
    assert len(TABLE) >= 120


def sent(terminal: Engine, name: str) -> str:
    pressed = stroke(name)
    assert pressed is not None
    return terminal.encode_key(pressed).decode()


@pytest.mark.parametrize("name", TABLE)
def test_key_sends_what_xterm_sends(terminal: Engine, name: str) -> None:
    assert sent(terminal, name) == TABLE[name][0]


@pytest.mark.parametrize("name", TABLE)
def test_key_when_told_apart_sends_what_kitty_says(terminal: Engine, name: str) -> None:
    terminal.feed(b"\x1b[>1u")
    assert sent(terminal, name) == TABLE[name][1]


@pytest.mark.parametrize(
    ("name", "bytes_"),
    [("a", "\x1b[97u"), ("A", "\x1b[97;2u"), ("enter", "\x1b[13u"), ("é", "\x1b[233u")],
)
def test_key_when_all_are_to_be_told_is_a_sequence(
    terminal: Engine, name: str, bytes_: str
) -> None:
    terminal.feed(b"\x1b[>8u")
    assert sent(terminal, name) == bytes_


@pytest.mark.parametrize(
    ("name", "final"),
    [("up", "A"), ("down", "B"), ("right", "C"), ("left", "D"), ("home", "H"), ("end", "F")],
)
def test_cursor_key_in_application_mode_is_another_sequence(
    terminal: Engine, name: str, final: str
) -> None:
    terminal.feed(b"\x1b[?1h")
    assert sent(terminal, name) == f"\x1bO{final}"
    assert sent(terminal, f"ctrl+{name}") == f"\x1b[1;5{final}"
    terminal.feed(b"\x1b[?1l")
    assert sent(terminal, name) == f"\x1b[{final}"


def test_key_in_a_program_that_modifies_other_keys_is_told_apart(terminal: Engine) -> None:
    terminal.feed(b"\x1b[>4;2m")
    assert sent(terminal, "shift+enter") == "\x1b[27;2;13~"
    assert sent(terminal, "ctrl+i") == "\x1b[27;5;105~"


def test_key_after_the_program_took_its_wish_back_is_plain(terminal: Engine) -> None:
    terminal.feed(b"\x1b[>1u\x1b[<u")
    assert sent(terminal, "escape") == "\x1b"


@pytest.mark.parametrize("name", ["left_shift", "media_play", "caps_lock", "no_such_key"])
def test_key_that_no_terminal_sends_is_none(name: str) -> None:
    assert stroke(name) is None


@pytest.mark.parametrize(
    ("name", "character", "pressed"),
    [
        ("a", "a", Stroke("a", Mods.NONE, "a")),
        ("A", "A", Stroke("a", Mods.SHIFT, "A")),
        ("ß", "ß", Stroke("ß", Mods.NONE, "ß")),
        ("plus", "+", Stroke("+", Mods.NONE, "+")),
        ("ctrl++", None, Stroke("+", Mods.CTRL)),
        ("+", "+", Stroke("+", Mods.NONE, "+")),
        ("alt+x", None, Stroke("x", Mods.ALT, "x")),
        ("alt+shift+x", "X", Stroke("x", Mods.ALT | Mods.SHIFT, "X")),
        ("ctrl+underscore", "\x1f", Stroke("_", Mods.CTRL)),
        ("return", "\r", Stroke("enter")),
        ("hyper+a", None, Stroke("a", Mods.NONE, "a")),
    ],
)
def test_stroke_of_a_name_is_key_modifiers_and_text(
    name: str, character: str | None, pressed: Stroke
) -> None:
    assert stroke(name, character) == pressed
