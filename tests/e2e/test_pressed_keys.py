"""What programs in the pane get for keys is what xterm sends for them."""

import re
import string
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.e2e.outside import Outside, outside
from tutor.keymap import ACTIONS

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

READER = Path(__file__).with_name("reading.py")
LESSON = ("learn", "pinniped-external-certificate")
READY = ("✗ You have seen which kind you run", "no cluster yet")
PATIENCE_S = 3.0

RESERVED = b"\x07"
"""Ctrl+G, the prefix. The function keys that do something are the app's own, too."""
F1_TO_F12 = [
    *(b"\x1bO" + final for final in (b"P", b"Q", b"R", b"S")),
    *(b"\x1b[%d~" % number for number in (15, 17, 18, 19, 20, 21, 23, 24)),
]
UNBOUND = [key for number, key in enumerate(F1_TO_F12, 1) if f"f{number}" not in ACTIONS.values()]
"""Those that do nothing in the app."""
MODIFIED_FUNCTION = [
    *(b"\x1b[1;%d%c" % (held, final) for final in b"PQRS" for held in (2, 5)),
    *(b"\x1b[%d;%d~" % (key, held) for key in (15, 17, 18, 19, 20, 21, 23, 24) for held in (2, 5)),
]

CONTROLS = [bytes((code,)) for code in range(32) if bytes((code,)) not in {RESERVED, b"\x1b"}]
ALT_LETTERS = [b"\x1b" + letter.encode() for letter in string.ascii_lowercase + "ABNZ059.,/-_<>"]
ARROWS = [b"\x1b[" + final for final in (b"A", b"B", b"C", b"D", b"H", b"F")]
MODIFIED = [b"\x1b[1;%d%c" % (modifier, final) for final in b"ABCDHF" for modifier in (2, 3, 5, 6)]
EDITING = [b"\x1b[%d~" % number for number in (2, 3, 5, 6)]
MODIFIED_EDITING = [b"\x1b[%d;%d~" % (number, held) for number in (3, 5, 6) for held in (3, 5)]
OTHERS = [b"\x1b", b"\x7f", b"\x1b\x7f", b"\x1b[Z", b"\x1b\r"]
TYPED = ["a", "Z", "~", " ", "ä", "ß", "€", "日", "🙂", "é"]

NORMAL = [
    *CONTROLS,
    *ALT_LETTERS,
    *ARROWS,
    *MODIFIED,
    *EDITING,
    *MODIFIED_EDITING,
    *UNBOUND,
    *MODIFIED_FUNCTION,
    *OTHERS,
    *(text.encode() for text in TYPED),
]


@contextmanager
def opened_lesson(home: Path) -> Generator[Outside]:
    with outside(home, *LESSON) as opened:
        opened.sees(*READY)
        yield opened


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Generator[Outside]:
    """The lesson, for the tests that leave nothing behind in it."""
    with opened_lesson(tmp_path_factory.mktemp("home")) as opened:
        yield opened


class Reader:
    """The program in the pane that shows its bytes."""

    def __init__(self, terminal: Outside, prepare: str = "") -> None:
        self.terminal = terminal
        terminal.press(f"clear; {sys.executable} {READER} '{prepare}'\r".encode())
        terminal.sees("reads <0:>")

    def shown(self) -> tuple[int, bytes]:
        """How many bytes it has got, and the last of them."""
        found = re.search(r"reads <(\d+):([0-9a-f]*)>", self.terminal.screen.text())
        return (int(found[1]), bytes.fromhex(found[2])) if found else (0, b"")

    def gets(self, sent: bytes, wanted: bytes) -> bytes:
        """What it gets for something sent; waits for as much as is wanted."""
        before = self.shown()[0]
        self.terminal.press(sent)
        with suppress(AssertionError):  # Fewer bytes are an answer, too: the caller compares.
            self.terminal.until(lambda: self.shown()[0] >= before + len(wanted), wanted, PATIENCE_S)
        count, last = self.shown()
        return last[-(count - before) :] if count > before else b""

    def wrong(self, table: dict[bytes, bytes]) -> dict[bytes, bytes]:
        """Of keys and what they should give, those that give something else, and what."""
        gotten = {sent: self.gets(sent, wanted) for sent, wanted in table.items()}
        return {sent: got for sent, got in gotten.items() if got != table[sent]}

    def quit(self) -> None:
        self.terminal.press(b"quit")
        self.terminal.until(lambda: self.shown()[1].endswith(b"quit"), "the reader's end")


@contextmanager
def reading(terminal: Outside, prepare: str = "") -> Generator[Reader]:
    reader = Reader(terminal, prepare)
    try:
        yield reader
    finally:
        reader.quit()


def test_keys_give_the_bytes_that_xterm_gives(terminal: Outside) -> None:
    assert len(NORMAL) >= 120
    with reading(terminal) as reader:
        assert reader.wrong({key: key for key in NORMAL}) == {}


def test_keys_in_application_mode_give_the_bytes_that_xterm_gives(terminal: Outside) -> None:
    changed = {key: key.replace(b"[", b"O") for key in ARROWS}
    with reading(terminal, r"\x1b[?1h") as reader:
        assert reader.wrong(changed | {key: key for key in MODIFIED}) == {}


def test_keys_of_the_app_reach_the_program_after_the_prefix(terminal: Outside) -> None:
    own = [RESERVED, *(key for key in F1_TO_F12 if key not in UNBOUND)]
    with reading(terminal) as reader:
        assert reader.wrong({RESERVED + key: key for key in own}) == {}


def test_escape_o_and_what_is_typed_after_it_arrive_in_order(terminal: Outside) -> None:
    typed = [b"\x1bO ", b"\x1bO1", b"\x1bO:", b"\x1bOz", b"\x1bO", b"\x1bO x\x1bO y"]
    with reading(terminal) as reader:
        assert reader.wrong({keys: keys for keys in typed}) == {}


def test_command_turns_its_fact_true_and_f10_leaves_a_sane_terminal(tmp_path: Path) -> None:
    with opened_lesson(tmp_path) as terminal:
        terminal.press(b"kind version\r")
        terminal.sees("✓ You have seen which kind you run")
        terminal.press(b"\x1b[21~")
        assert terminal.ended() == 0
        modes = terminal.screen.modes()
        assert not any((modes.alternate_screen, modes.mouse, modes.bracketed_paste))
        assert terminal.screen.frame().cursor.visible
