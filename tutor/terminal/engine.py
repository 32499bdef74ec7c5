"""Which terminal engine is used: libghostty-vt where it is installed and works, else pure Python.

Engines are imported when they are first asked for: each takes a sixth of a second.
"""

import functools
import importlib
import logging
from typing import Literal, NamedTuple, cast

from tutor.terminal.keys import Stroke
from tutor.terminal.screen import Attribute, Engine, EngineError, Geometry, Mouse, Run, Style

log = logging.getLogger(__name__)

Choice = Literal["libghostty-vt", "compatibility terminal"]

_MODULES: dict[Choice, tuple[str, str]] = {
    "libghostty-vt": ("tutor.terminal.ghostty.engine", "GhosttyEngine"),
    "compatibility terminal": ("tutor.terminal.compatible.engine", "CompatibleEngine"),
}


def engine(geometry: Geometry, choice: Choice | None = None) -> Engine:
    """A new engine: the chosen one, or the fast one if it passes its self-test."""
    return _make(choice or usual(), geometry)


class Fallback(NamedTuple):
    """Why the fast engine is not used."""

    why: str
    """A sentence."""
    next_action: str


def usual() -> Choice:
    """The engine that this machine gets."""
    return "compatibility terminal" if fallback() else "libghostty-vt"


@functools.cache
def fallback() -> Fallback | None:
    """Why this machine gets the other engine; None where it does not. The reason is logged."""
    try:
        self_test("libghostty-vt")
    except (ImportError, OSError, AttributeError, EngineError) as error:
        log.warning("terminal engine not usable", extra={"reason": str(error)})
        return _explained(error)
    return None


def _explained(error: Exception) -> Fallback:
    again = "`make clean`, then `make run`, installs it anew"
    match error:
        case ModuleNotFoundError():
            builds = "Linux (x86-64, arm64; glibc 2.28) and macOS 13 (arm64)"
            return Fallback(
                "libghostty-vt is not installed.",
                f"There are builds for {builds}: on one of these {again}.",
            )
        case ImportError() | OSError():
            return Fallback(
                f"libghostty-vt does not load: {error}.",
                f"It needs glibc 2.28 or macOS 13; where there is that, {again}.",
            )
        case _:
            return Fallback("libghostty-vt is not the version that is known here.", f"{again}.")


def _make(choice: Choice, geometry: Geometry) -> Engine:
    module, name = _MODULES[choice]
    return cast("Engine", getattr(importlib.import_module(module), name)(geometry))


def self_test(choice: Choice) -> None:
    """Have an engine draw, answer, encode and resize, and look at what it did.

    Raises:
        ImportError, OSError: its library is not there.
        AttributeError, EngineError: it is, and is not the one we know.
    """
    terminal = _make(choice, Geometry(columns=20, lines=3, scrollback=10))
    terminal.feed(b"\x1b[1;38;2;1;2;3mab\x1b[m\xe6\x97\xa5\r\n\x1b[?2004h\x1b[?1000;1006h\x1b[6n")
    frame = terminal.frame()
    bold = Style(0x1010203, attributes=int(Attribute.BOLD))
    _expect(tuple(frame.rows[0][:2]), (Run("ab", bold, 2), Run("日", Style(), 2)))
    _expect((frame.cursor.x, frame.cursor.y), (0, 1))
    _expect(terminal.replies(), b"\x1b[2;1R")
    _expect(terminal.encode_key(Stroke("up")), b"\x1b[A")
    _expect(terminal.encode_paste("a"), b"\x1b[200~a\x1b[201~")
    press = Mouse(action="press", button="left", x=4, y=2)
    _expect(terminal.encode_mouse(press), b"\x1b[<0;5;3M")
    terminal.resize(10, 2)
    _expect(terminal.text().rstrip(), "ab日")


def _expect(found: object, wanted: object) -> None:
    if found != wanted:
        raise EngineError(f"the self-test gave {found!r} where {wanted!r} is right")
