"""What every engine sends for mouse, pastes and focus: the same tests for each."""

import pytest

from tutor.terminal.keys import Stroke
from tutor.terminal.screen import Engine, Mouse, MouseAction, MouseButton


@pytest.mark.parametrize(
    ("setup", "action", "button", "sent"),
    [
        (b"", "press", "left", b""),
        (b"\x1b[?1000h\x1b[?1006h", "press", "left", b"\x1b[<0;4;3M"),
        (b"\x1b[?1000h\x1b[?1006h", "release", "left", b"\x1b[<0;4;3m"),
        (b"\x1b[?1000h\x1b[?1006h", "press", "right", b"\x1b[<2;4;3M"),
        (b"\x1b[?1000h\x1b[?1006h", "press", "middle", b"\x1b[<1;4;3M"),
        (b"\x1b[?1000h\x1b[?1006h", "press", "up", b"\x1b[<64;4;3M"),
        (b"\x1b[?1000h\x1b[?1006h", "press", "down", b"\x1b[<65;4;3M"),
        (b"\x1b[?1000h\x1b[?1006h", "motion", "none", b""),
        (b"\x1b[?1003h\x1b[?1006h", "motion", "none", b"\x1b[<35;4;3M"),
        (b"\x1b[?1000h", "press", "left", b"\x1b[M $#"),
    ],
)
def test_mouse_is_reported_as_the_program_asked(
    terminal: Engine, setup: bytes, action: MouseAction, button: MouseButton, sent: bytes
) -> None:
    terminal.feed(setup)
    assert terminal.modes().mouse == bool(setup)
    assert terminal.encode_mouse(Mouse(action=action, button=button, x=3, y=2)) == sent


def test_mouse_drag_is_reported_with_its_button(terminal: Engine) -> None:
    terminal.feed(b"\x1b[?1002h\x1b[?1006h")
    terminal.encode_mouse(Mouse(action="press", button="left", x=3, y=2))
    drag = Mouse(action="motion", button="left", x=5, y=2)
    assert terminal.encode_mouse(drag) == b"\x1b[<32;6;3M"


def test_mouse_with_modifiers_tells_them(terminal: Engine) -> None:
    terminal.feed(b"\x1b[?1000h\x1b[?1006h")
    press = Mouse(action="press", button="left", x=0, y=0, ctrl=True, alt=True)
    assert terminal.encode_mouse(press) == b"\x1b[<24;1;1M"


def test_paste_is_bracketed_when_the_program_asked(terminal: Engine) -> None:
    assert terminal.encode_paste("a\nb") == b"a\rb"
    terminal.feed(b"\x1b[?2004h")
    assert terminal.modes().bracketed_paste
    sent = terminal.encode_paste("a\nb")
    assert sent.startswith(b"\x1b[200~a")
    assert sent.endswith(b"b\x1b[201~")


def test_paste_cannot_get_out_of_its_brackets(terminal: Engine) -> None:
    terminal.feed(b"\x1b[?2004h")
    sent = terminal.encode_paste("x\x1b[201~rm -rf /\r")
    assert sent.count(b"\x1b[201~") == 1
    assert sent.count(b"\x1b") == 2


def test_focus_is_told_to_programs_that_ask(terminal: Engine) -> None:
    assert terminal.encode_focus(gained=True) == b""
    terminal.feed(b"\x1b[?1004h")
    assert terminal.encode_focus(gained=False) == b"\x1b[O"
    assert terminal.encode_focus(gained=True) == b"\x1b[I"


def test_encoding_a_key_keeps_replies_apart(terminal: Engine) -> None:
    terminal.feed(b"\x1b[6n")
    assert terminal.encode_key(Stroke("up")) == b"\x1b[A"
    assert terminal.replies() == b"\x1b[1;1R"
