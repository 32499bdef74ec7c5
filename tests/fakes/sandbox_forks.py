"""Runs sandbox processes that start at once: forks of a process that has imported everything.

usage: python -m tests.fakes.sandbox_forks HOME. Each line of standard input starts a sandbox of the
home folder: `pid N` is printed, and `dead STATUS` when it has gone. A line with a number limits the
size of the files that the sandbox writes, in bytes: to it the disk is full then.
"""

import os
import resource
import sys
from pathlib import Path

from tutor.sandbox import catalogue
from tutor.sandbox.process import daemon
from tutor.sandbox.process.__main__ import serve

PRELOADED = (catalogue, daemon)
"""What the sandbox imports when it runs, and each fork has already."""


def main() -> None:
    """Run sandboxes as they are asked for."""
    root = Path(sys.argv[1])
    for line in iter(sys.stdin.readline, ""):
        child = os.fork()
        if not child:
            if limit := line.strip():
                resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), resource.RLIM_INFINITY))
            os._exit(serve(root, "instant"))
        _say(f"pid {child}")
        _, status = os.waitpid(child, 0)
        _say(f"dead {os.waitstatus_to_exitcode(status)}")


def _say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


if __name__ == "__main__":
    main()
