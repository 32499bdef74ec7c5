"""A course that was read before: kept whole, under the content of its files and of what reads it.

Reading its YAML takes longer than all else between the command line and the first picture of a
lesson. What is kept is the program's own, in a folder that only the learner may write to.
"""

import os
import pickle
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from tutor import __version__

T = TypeVar("T")

_DIGEST_BYTES = 32


def on_shelf(
    folder: Path, file: Path, read: Callable[[Path], T], *, sources: Sequence[Path] = ()
) -> T:
    """What is read of a folder as `file` has it, or read anew; `file` is written then.

    `sources` is the program that reads it, beyond this room.

    Raises what `read` raises: a course with faults is never kept.
    """
    try:
        key = _key(folder, sources)
    except OSError:
        return read(folder)  # which says in words what is wrong with the file
    content = _kept(file, key)
    if content is not None:
        return pickle.loads(content)  # noqa: S301 - written by `_keep`, below the learner's own folder
    found = read(folder)
    # What cannot be kept is read again the next time.
    with suppress(OSError):
        _keep(file, key, found)
    return found


def _key(folder: Path, sources: Sequence[Path]) -> bytes:
    """What the course depends on: its files, what reads them, and where they are."""
    content = sha256(f"{__version__} {sys.version} {folder}".encode())
    for path in (*_files(folder), *sorted(Path(__file__).parent.glob("*.py")), *sources):
        data = path.read_bytes()
        content.update(f"{path} {len(data)} ".encode())
        content.update(data)
    return content.digest()


def _files(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(place, name) for name in sorted(names))


def _kept(file: Path, key: bytes) -> memoryview | None:
    try:
        data = file.read_bytes()
    except OSError:
        return None
    found, digest = data[:_DIGEST_BYTES], data[_DIGEST_BYTES : 2 * _DIGEST_BYTES]
    content = memoryview(data)[2 * _DIGEST_BYTES :]
    if found != key or digest != sha256(content).digest():
        return None
    return content


def _keep(file: Path, key: bytes, found: object) -> None:
    content = pickle.dumps(found, pickle.HIGHEST_PROTOCOL)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.write_bytes(key + sha256(content).digest() + content)
    draft.replace(file)
