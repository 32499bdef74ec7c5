"""How a command ends when whoever reads its output has gone."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence

_BROKEN_PIPE = 141  # 128 + SIGPIPE, which ends a Go program silently


def finish(main: Callable[[Sequence[str]], int]) -> None:
    """Run a command on this process's arguments and exit with its code."""
    try:
        code = main(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = _BROKEN_PIPE
    sys.exit(code)
