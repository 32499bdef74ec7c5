"""Keys from the terminal, without the tenth of a second that a bare Escape waits for otherwise.

The library's driver looks only ten times a second whether what may follow an Escape has come.
"""

import codecs
import os
import selectors
from contextlib import suppress

from textual import constants
from textual._parser import ParseEOF
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

_REST_S = 0.1
"""How long the end of the program is not noticed at most."""
_MARGIN_S = 0.002
_LOOKS = 2
"""After something was read: whether an Escape in it was alone."""
_CHUNK_BYTES = 4096


class Keyboard(LinuxDriver):
    """The library's driver with an input loop of its own."""

    def run_input_thread(self) -> None:
        """Read until the program ends, or the terminal is gone."""
        parser = XTermParser(self._debug)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        looks = 0
        with selectors.DefaultSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                pause = constants.ESCAPE_DELAY + _MARGIN_S if looks else _REST_S
                looks = max(looks - 1, 0)
                if selector.select(pause):
                    data = os.read(self.fileno, _CHUNK_BYTES)
                    if not data:
                        break
                    looks = _LOOKS
                    for message in parser.feed(decoder.decode(data)):
                        self.process_message(message)
                for message in parser.tick():
                    self.process_message(message)
        with suppress(ParseEOF):
            for message in parser.feed(""):
                self.process_message(message)
