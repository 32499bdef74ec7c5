"""The working folder: probes read there, `file` blocks write there, and nothing leads outside."""

import os
import stat
from collections.abc import Hashable
from contextlib import suppress
from pathlib import Path

from tutor.errors import TutorError
from tutor.probes.base import Absent, Blind

SIZE_LIMIT = 1_000_000
"""Bytes of a file that a probe reads."""


class Outside(TutorError):
    """A path that leads out of the working folder."""


class WorkingFolder:
    """A folder that nothing leads out of: no `..`, no absolute path, no link."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def resolve(self, path: str) -> Path:
        """The file of that path. Raises `Outside`."""
        target = (self.root / path).resolve()
        if not target.is_relative_to(self.root) or target == self.root:
            raise Outside(
                f"{path} leads out of the working folder {self.root}",
                next_action="Use a path below the working folder, and no link that leads out.",
            )
        return target

    def read(self, path: str) -> bytes | Absent | Blind:
        """The content of a file."""
        try:
            return _content(self.resolve(path), path)
        except Outside as error:
            return Blind(error.message)
        except FileNotFoundError:
            return Absent(f"there is no file {path} in the working folder yet")
        except NotADirectoryError:
            return Absent(f"there is no file {path} in the working folder yet")
        except OSError as error:
            return Blind(f"the file {path} cannot be read: {error.strerror}")

    def stamp(self, path: str) -> Hashable:
        """Another value whenever the file may have changed; None when there is no file."""
        with suppress(OSError, Outside):
            found = self.resolve(path).stat()
            return found.st_mtime_ns, found.st_size, found.st_ino
        return None

    def write(self, path: str, content: str) -> Path:
        """Replace a file, and make the folders on the way. Raises `Outside`, `OSError`."""
        target = self.resolve(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f".{target.name}.new")
        beside.write_text(content, encoding="utf-8")
        beside.replace(target)
        return target


def _content(target: Path, path: str) -> bytes | Absent | Blind:
    # Not blocking: a named pipe without a writer would hold the reader for ever.
    descriptor = os.open(target, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            return Absent(f"{path} is not a file")
        if found.st_size > SIZE_LIMIT:
            return Blind(f"the file {path} has more than {SIZE_LIMIT:,} bytes")
        return os.read(descriptor, SIZE_LIMIT)
    finally:
        os.close(descriptor)
