"""The `tutor` command: which room a subcommand belongs to, and how a failure ends."""

import gc
import os
import sys
from collections.abc import Sequence

from tutor import __version__

ESCAPE_MS = "20"
"""How long to wait for what may follow an Escape; the interface library waits 100 ms."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; returns the exit code.

    0 done, 1 a step or check failed, 2 the user can fix it, 70 our bug.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    # Answered before anything is imported: it is asked more often than anything else.
    if words in (["--version"], ["-V"]):
        print(f"tutor {__version__}")
        return 0
    begun = _opens_the_app(words) and sys.stderr.isatty()
    if begun:
        # What comes next takes a moment to load. The app's screen, or a message, replaces it.
        sys.stderr.write("Opening …\r")
        sys.stderr.flush()
        # Before the interface library is imported: it reads this then.
        os.environ.setdefault("ESCDELAY", ESCAPE_MS)
        # Of what is loaded now nothing is garbage. Looking for it takes 80 of 560 ms of processor
        # time up to the first picture and 170 of 770 ms up to the shell's prompt; the app begins
        # to look a second after it is there.
        gc.disable()
    from tutor.cli.commands import run

    try:
        return run(words)
    finally:
        if begun:
            gc.enable()
            sys.stderr.write("\x1b[K")


def _opens_the_app(words: Sequence[str]) -> bool:
    asks = {"-h", "--help", "--headless"}
    return words[:1] in ([], ["learn"], ["demo"]) and asks.isdisjoint(words)
