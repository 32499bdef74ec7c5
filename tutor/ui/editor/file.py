"""The file that is edited: read whole, and written so that a failure loses nothing."""

import errno
import os
import stat
from pathlib import Path

from tutor.errors import TutorError

LARGEST_BYTES = 4_000_000
"""Beyond that, every key press would be felt."""

_ELSEWHERE = "save a copy elsewhere with Ctrl+O"
_REMEDIES = {
    errno.ENOSPC: f"Free space and save again, or {_ELSEWHERE}.",
    errno.EDQUOT: f"Free space and save again, or {_ELSEWHERE}.",
    errno.EFBIG: f"Save less, or {_ELSEWHERE}.",
}
_OTHER_REMEDY = (
    f"Mend its permissions or its folder in another shell and save again, or {_ELSEWHERE}."
)

Fingerprint = tuple[int, int, int] | None
"""Modification time, size and inode; None for no file."""


class NotEditable(TutorError):
    """A file that this editor cannot show, or would change where nobody typed."""


class NotSaved(TutorError):
    """The text could not be written; the file is as it was."""


class ChangedMeanwhile(TutorError):
    """Somebody else has written the file since it was read."""


class TextFile:
    """One file on the disk, and what it was when it was last read or written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # What a symbolic link leads to is written, and the link stays one.
        self._target = Path(os.path.realpath(path))
        self._seen: Fingerprint = None

    @property
    def is_read_only(self) -> bool:
        """Whether it is there and may not be written."""
        return self._target.exists() and not os.access(self._target, os.W_OK)

    def read(self) -> str:
        """The text; an empty one when there is no such file yet. Raises `NotEditable`."""
        try:
            found = self._target.stat()
            self._check_kind(found)
            text = self._target.read_bytes().decode()
        except FileNotFoundError:
            self._seen = None
            return ""
        except OSError as error:
            raise NotEditable(
                f"{self.path} cannot be read: {error.strerror or error}.",
                next_action="Mend its name or its permissions, and open it again.",
            ) from error
        except UnicodeDecodeError as error:
            raise NotEditable(
                f"{self.path} is not UTF-8 text (at byte {error.start}).",
                next_action="Edit it with a program that knows what it is.",
            ) from error
        self._seen = _fingerprint(self._target)
        return text

    def _check_kind(self, found: os.stat_result) -> None:
        if not stat.S_ISREG(found.st_mode):
            what = "a folder" if stat.S_ISDIR(found.st_mode) else "not an ordinary file"
            raise NotEditable(f"{self.path} is {what}.", next_action="Name a file with text in it.")
        if found.st_size > LARGEST_BYTES:
            raise NotEditable(
                f"{self.path} has {found.st_size:,} bytes; this editor takes {LARGEST_BYTES:,}.",
                next_action="Edit it with another program.",
            )

    def write(self, text: str, *, over_changes: bool = False) -> None:
        """Save the text, with the mode that the file has.

        Raises:
            ChangedMeanwhile: Not with `over_changes`.
            NotSaved: The file is as it was.
        """
        if not over_changes and _fingerprint(self._target) != self._seen:
            raise ChangedMeanwhile(
                f"{self.path.name} was changed by another program since it was opened.",
                next_action=f"Ctrl+S again writes over that; or {_ELSEWHERE}.",
            )
        try:
            _put(self._target, text.encode())
        except OSError as error:
            raise NotSaved(
                f"{self.path.name} cannot be written: {error.strerror or error}.",
                next_action=_REMEDIES.get(error.errno or 0, _OTHER_REMEDY),
            ) from error
        self._seen = _fingerprint(self._target)


def _fingerprint(path: Path) -> Fingerprint:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def _put(path: Path, data: bytes) -> None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return _replace(path, data, mode=None)
    if not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    if _has_to_stay(path, found):
        return _overwrite(path, data)
    return _replace(path, data, mode=stat.S_IMODE(found.st_mode))


def _has_to_stay(path: Path, found: os.stat_result) -> bool:
    """Whether another file in its place would not be the same to others."""
    is_ours = (found.st_uid, found.st_gid) == (os.geteuid(), os.getegid())
    return found.st_nlink > 1 or not is_ours or not os.access(path.parent, os.W_OK | os.X_OK)


def _replace(path: Path, data: bytes, *, mode: int | None) -> None:
    """Put a new file in the place of the old one, in one step."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    descriptor = os.open(draft, flags, 0o666 if mode is None else 0o600)
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(data)
            out.flush()
            if mode is not None:
                os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _overwrite(path: Path, data: bytes) -> None:
    """Change the file itself, and change it back when that fails half way."""
    with path.open("r+b", buffering=0) as file:
        before = file.read()
        try:
            _fill(file.fileno(), data)
        except OSError:
            _fill(file.fileno(), before)
            raise


def _fill(descriptor: int, data: bytes) -> None:
    written = 0
    while written < len(data):
        written += os.pwrite(descriptor, data[written:], written)
    os.ftruncate(descriptor, len(data))
    os.fsync(descriptor)
