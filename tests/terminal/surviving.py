"""What must not harm a terminal: streams that are cut anywhere, and bytes without any sense."""

import random
from collections.abc import Iterable, Iterator

from tutor.terminal.engine import Choice, engine
from tutor.terminal.screen import Geometry

RESET = b"\x18\x1b\\\x1bc"
"""Out of any sequence, and everything as at the start."""

WORDS = (
    *(
        b"\x1b[",
        b"\x1b]",
        b"\x1bP",
        b"\x1b_",
        b"\x1b\\",
        b"\x07",
        b"\x18",
        b"\r\n",
        b"\x1b7",
        b"\x1b8",
    ),
    *(
        b"\x1b[?1049h",
        b"\x1b[?1049l",
        b"\x1b[2J",
        b"\x1b[H",
        b"\x1b[31m",
        b"\x1b[3;4r",
        b"\x1b[?2026h",
    ),
    *("日本".encode(), b"e\xcc\x81", b"\xf0\x9f", b"999999999", b";", b"\x1b]133;C\x07", b"text"),
)


def cut_streams(
    choice: Choice,
    streams: Iterable[tuple[str, bytes]],
    size: Geometry,
    *,
    step: int = 1,
    window: int = 1000,
) -> Iterator[tuple[str, str]]:
    """Cut each stream after every `step` bytes, reset, and look; gives name and what is wrong.

    `window` is how much of what was before the cut is fed each time.
    """
    terminal = engine(size, choice)
    for name, data in streams:
        wrong = ""
        for end in range(0, len(data), step):
            terminal.feed(data[max(0, end - window) : end] + RESET + b"well")
            if (shown := terminal.text().rstrip()) != "well" and not wrong:
                wrong = f"cut at {end}: {shown[:60]!r}"
        yield name, wrong


def nonsense(total: int, *, seed: int = 1, chunk: int = 4095) -> Iterator[bytes]:
    """Random bytes, every other piece of them with control sequences among them."""
    source = random.Random(seed)
    for number in range(total // chunk):
        data = source.randbytes(chunk)
        if number % 2:
            pieces = (data[at : at + 7] + source.choice(WORDS) for at in range(0, chunk, 21))
            data = b"".join(pieces)
        yield data


def survives(choice: Choice, total: int, size: Geometry) -> str:
    """Feed nonsense to an engine, look and resize between; what is wrong, or empty."""
    terminal = engine(size, choice)
    source = random.Random(2)
    for number, data in enumerate(nonsense(total)):
        terminal.feed(data)
        terminal.replies()
        terminal.signals()
        if number % 16 == 0:
            terminal.frame(through_hold=True)
        if number % 64 == 0:
            terminal.resize(source.randrange(2, 160), source.randrange(1, 50))
    terminal.feed(RESET + b"well")
    shown = terminal.text().rstrip()
    return "" if shown == "well" else f"after the reset: {shown[:60]!r}"
