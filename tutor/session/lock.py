"""One app for each lesson at a time, and who it is.

Source: flock(2): the kernel takes the lock away with its process, however that ends.
"""

import fcntl
import json
import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from tutor.errors import ProgressError


@contextmanager
def only_here(folder: Path, lesson: str, *, now: datetime) -> Generator[None]:
    """Hold a lesson for this process. Raises `ProgressError` with the one who holds it."""
    file = folder / f"{lesson}.lock"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ProgressError(
            f"The lesson cannot be opened: {file} cannot be written ({error.strerror}).",
            next_action=f"Make the folder {folder} writable, or set TUTOR_HOME to one that is.",
        ) from error
    try:
        _hold(descriptor, lesson)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, _holder(now).encode(), 0)
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _hold(descriptor: int, lesson: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder: dict[str, str] = {}
        with suppress(ValueError):
            holder = json.loads(os.pread(descriptor, 4096, 0))
        terminal = f" on {holder['terminal']}" if holder.get("terminal") else ""
        since = f", since {holder['since']}" if holder.get("since") else ""
        pid = holder.get("pid", "unknown")
        raise ProgressError(
            f"The lesson {lesson} is open in another tutor (process {pid}{terminal}{since}).",
            next_action=f"Go on there, or end it with: kill {pid}",
        ) from error


def _holder(now: datetime) -> str:
    terminal = ""
    with suppress(OSError):
        terminal = os.ttyname(0)
    since = now.astimezone().strftime("%H:%M")
    return json.dumps({"pid": str(os.getpid()), "terminal": terminal, "since": since})
