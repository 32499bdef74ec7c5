"""What a person would read from paper."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.terminal.plain import plain_text


@pytest.mark.parametrize(
    ("output", "text"),
    [
        (b"a\r\nb\r\n", "a\nb\n"),
        (b"a\nb", "a\nb"),
        (b"NAME   READY  \r\n", "NAME   READY  \n"),
        (b"\x1b[1;31mred\x1b[0m \x1b]8;;https://x.y/\x1b\\link\x1b]8;;\x07", "red link"),
        (b"10%\r20%\r100%\r\n", "100%\n"),
        (b"long line\rshort\x1b[K\r\n", "short\n"),
        (b"long line\rshort\r\n", "shortline\n"),
        (b"abc\x1b[2K\rd\r\n", "d\n"),
        (b"ab\bX\r\n", "aX\n"),
        (b"a\r\r\nb", "a\nb"),
        (b"tab\there\x07\x00", "tab\there"),
        ("日本 é ✓\r\n".encode(), "日本 é ✓\n"),
        (b"bad \xff byte", "bad \ufffd byte"),
        (b"before\r\n\x1b[?1049h\x1b[2J\x1b[Hvim\x1b[?1049lafter\r\n", "before\nafter\n"),
        (b"\x1b[?1049hcut off", ""),
        (b"\x1bP+q544e\x1b\\x\x1b_apc\x1b\\y\x1b(B\x1b=z", "xyz"),
        (b"cut in a sequence \x1b[38;5", "cut in a sequence "),
        (b"foo\x1b[1m\x1b[7m%\x1b[27m\x1b[1m\x1b[0m" + b" " * 79 + b"\r \r", "foo"),
        (b"foo\r\n\x1b[1m\x1b[7m%\x1b[27m\x1b[1m\x1b[0m" + b" " * 79 + b"\r \r", "foo\n"),
    ],
)
def test_plain_text_of_output_is_what_stands_there(output: bytes, text: str) -> None:
    assert plain_text(output) == text


@given(st.binary())
def test_plain_text_of_anything_has_no_control_characters(output: bytes) -> None:
    text = plain_text(output)
    assert not {character for character in text if character < " "} - {"\n", "\t"}


@given(st.text(st.characters(exclude_categories=("C",))))
def test_plain_text_of_plain_text_is_itself(text: str) -> None:
    assert plain_text(text.encode()) == text


@pytest.mark.parametrize(
    "output", [b" ", b"\r", b"\b", b"\x1b[K", b"\x1b[2Kx", b"\x1b]", b"\x1b[?1049h", b"\r \r"]
)
def test_plain_text_of_hostile_output_is_no_slower_than_of_any(output: bytes) -> None:
    """A quadratic step in this would take minutes."""
    plain_text(output * (256 * 1024 // len(output)))
