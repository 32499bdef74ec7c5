"""The `tutor` command: which room a subcommand belongs to, and how a failure ends."""

import sys
from collections.abc import Sequence

from tutor import __version__


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; returns the exit code.

    0 done, 1 a step or check failed, 2 the user can fix it, 70 our bug.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    # Answered before anything is imported: it is asked more often than anything else.
    if words in (["--version"], ["-V"]):
        print(f"tutor {__version__}")
        return 0
    from tutor.cli.commands import run

    return run(words)
