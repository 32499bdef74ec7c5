"""Where commands begin and end, in output that arrives in any pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.terminal.marks import (
    MARK_LIMIT,
    OUTPUT_LIMIT,
    CommandFinished,
    CommandStarted,
    Mark,
    Tap,
)
from tutor.terminal.news import PromptShown

KEY = "0123abcd"


def mark(body: str, end: str = "\x07") -> bytes:
    return f"\x1b]133;{body};k={KEY}{end}".encode()


SESSION = b"".join(
    (
        b"Welcome\r\n",
        mark("D;0"),
        mark("A"),
        b"$ " + mark("B") + b"ls\r\n",
        mark("C;cmdline_url=ls%20-l%3b%20echo%20%C3%A9"),
        b"one\r\ntwo \x1b[31mred\x1b[m\r\n",
        mark("D;3"),
        mark("A") + b"$ " + mark("B", "\x1b\\") + b"\r\n",
        mark("D;3") + b"$ " + mark("B"),
    )
)
SEEN: list[Mark] = [
    PromptShown(),
    CommandStarted("ls -l; echo é"),
    CommandFinished(3, "one\ntwo red\n", truncated=False),
    PromptShown(),
    PromptShown(),
]


def read(*pieces: bytes) -> tuple[bytes, list[Mark]]:
    tap, passed, seen = Tap(KEY), bytearray(), list[Mark]()
    for piece in pieces:
        for part, marks in tap.feed(piece):
            passed += part
            seen += marks
    return bytes(passed), seen


def test_tap_when_all_comes_at_once_sees_each_mark() -> None:
    assert read(SESSION) == (SESSION, SEEN)


@pytest.mark.parametrize("at", range(1, len(SESSION)))
def test_tap_when_output_is_cut_anywhere_sees_the_same(at: int) -> None:
    assert read(SESSION[:at], SESSION[at:]) == (SESSION, SEEN)


def test_tap_when_bytes_come_one_by_one_sees_the_same() -> None:
    assert read(*(bytes([byte]) for byte in SESSION)) == (SESSION, SEEN)


@given(
    st.lists(
        st.sampled_from([b"\x1b", b"]133;", b"C;k=", KEY.encode(), b"\x07", b"\\", b"x", b"\x18"])
    )
)
def test_tap_whatever_comes_passes_every_byte_on(pieces: list[bytes]) -> None:
    tap, passed = Tap(KEY), b""
    for piece in pieces:
        passed += b"".join(part for part, _ in tap.feed(piece))
    assert passed + tap.end()[0] == b"".join(pieces)


@pytest.mark.parametrize(
    "forged",
    [
        b"\x1b]133;D;0\x07",
        b"\x1b]133;D;0;k=wrong\x07",
        b"\x1b]133;D;0;k=\x07",
        b"\x1b]133;D;0;k=" + KEY.encode() + b"\x18\x07",
        b"\x1b]133;D;0;k=" + KEY.encode() + b"\x1b[m",
    ],
)
def test_tap_when_a_program_prints_a_mark_without_the_key_ignores_it(forged: bytes) -> None:
    data = mark("C;cmdline_url=x") + b"a" + forged + b"b" + mark("D;1")
    assert read(data)[1] == [CommandStarted("x"), CommandFinished(1, "ab", truncated=False)]


def test_tap_when_the_shell_does_not_know_the_command_says_none() -> None:
    assert read(mark("C"))[1] == [CommandStarted(None)]


def test_tap_when_a_command_prints_much_keeps_its_beginning() -> None:
    _, seen = read(mark("C"), *([b"0123456789" * 100] * 300), mark("D;0"))
    finished = seen[1]
    assert isinstance(finished, CommandFinished)
    assert (len(finished.output), finished.truncated) == (OUTPUT_LIMIT, True)


def test_tap_when_a_command_printed_too_much_counts_the_next_anew() -> None:
    _, seen = read(mark("C"), b"x" * (OUTPUT_LIMIT + 1), mark("D;0"), mark("C"), b"y", mark("D;0"))
    assert seen[3] == CommandFinished(0, "y", truncated=False)


def test_tap_when_a_mark_never_ends_gives_it_up() -> None:
    unfinished = b"\x1b]133;C;" + b"x" * MARK_LIMIT
    passed, seen = read(unfinished, b"more")
    assert (passed, seen) == (unfinished + b"more", [])


def test_tap_when_the_prompt_is_drawn_again_says_so() -> None:
    assert read(mark("B"), mark("B"))[1] == [PromptShown(), PromptShown(again=True)]


def test_tap_when_the_end_of_a_command_is_lost_ends_it_at_the_prompt() -> None:
    assert read(mark("C"), b"x\r\n", mark("B"))[1] == [
        CommandStarted(None),
        CommandFinished(None, "x\n", truncated=False),
        PromptShown(),
    ]


def test_tap_when_the_shell_dies_ends_the_running_command() -> None:
    tap = Tap(KEY)
    list(tap.feed(mark("C") + b"out\x1b]133;"))
    assert tap.end() == (b"\x1b]133;", (CommandFinished(None, "out", truncated=False),))
