"""Keys from the terminal, without the tenth of a second that a bare Escape waits for otherwise.

The library's driver looks only ten times a second whether what may follow an Escape has come. Its
parser takes Alt with some characters for other keys, and loses the Alt of most symbols. And with a
terminal that has gone away it waits for ever: not everybody is told so by SIGHUP (below `make`,
nobody is). Here they are.
"""

import codecs
import os
import selectors
import signal
from collections.abc import Iterable
from contextlib import suppress
from typing import IO, Any

from textual import constants, events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._parser import ParseEOF
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

_REST_S = 0.1
"""How long the end of the program is not noticed at most."""
_MARGIN_S = 0.002
_LOOKS = 2
"""After something was read: whether an Escape in it was alone."""
_CHUNK_BYTES = 4096


_HELD = (None, "shift", "alt", "alt+shift", "ctrl", "ctrl+shift", "alt+ctrl", "alt+ctrl+shift")
"""By the number with which terminals tell of them, less one."""
_ESCAPE = "\x1b"
_INTRODUCERS = "[O"
"""After an Escape these begin a key's sequence; all else is a key with Alt."""


class _Parser(XTermParser):
    """The library's parser, for which Escape and a character are Alt and that character."""

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        match [*sequence]:
            case ["\x1b", character] if character not in _INTRODUCERS:
                yield from self._with_alt(character)
            case ["\x1b", "O", character] if sequence not in ANSI_SEQUENCES_KEYS:
                yield from self._with_alt("O")
                yield from super()._sequence_to_key_events(character)
            case [character] if alt and character != _ESCAPE:
                yield from self._with_alt(character)
            case _:
                yield from super()._sequence_to_key_events(sequence, alt)

    def _with_alt(self, character: str) -> Iterable[events.Key]:
        for key in super()._sequence_to_key_events(character, alt=True):
            name = key.key if key.key.startswith("alt+") else f"alt+{key.key}"
            yield events.Key(name, None)


class _Output:
    """Where the library's thread writes: it must go on when the terminal has gone away.

    The program waits for that thread whenever its queue is full.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._file.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._file.flush()

    def fileno(self) -> int:
        return self._file.fileno()


class Keyboard(LinuxDriver):
    """The library's driver with an input loop of its own."""

    def __init__(self, app: App[Any], **more: Any) -> None:
        super().__init__(app, **more)  # pyright: ignore[reportUnknownMemberType] -- its `App` is bare
        self._file = _Output(self._file)  # pyright: ignore[reportArgumentType] -- `IO` is no protocol

    def process_message(self, message: Message) -> None:
        """Take for F3 with Shift, Alt or Ctrl what else would be a place that nobody asks for."""
        match message:
            case events.CursorPosition(x=held, y=0) if 0 < held < len(_HELD):
                super().process_message(events.Key(f"{_HELD[held]}+f3", None))
            case _:
                super().process_message(message)

    def run_input_thread(self) -> None:
        """Read until the program ends, or the terminal is gone."""
        parser = _Parser(self._debug)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        looks = 0
        with selectors.DefaultSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                pause = constants.ESCAPE_DELAY + _MARGIN_S if looks else _REST_S
                looks = max(looks - 1, 0)
                if selector.select(pause):
                    data = self._read()
                    if not data:
                        # To whoever handles it: what is not saved may have to be.
                        os.kill(os.getpid(), signal.SIGHUP)
                        break
                    looks = _LOOKS
                    for message in parser.feed(decoder.decode(data)):
                        self.process_message(message)
                for message in parser.tick():
                    self.process_message(message)
        with suppress(ParseEOF):
            for message in parser.feed(""):
                self.process_message(message)

    def _read(self) -> bytes:
        """What was typed; nothing when the terminal is gone."""
        with suppress(OSError):
            return os.read(self.fileno, _CHUNK_BYTES)
        return b""
