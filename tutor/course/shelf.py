"""What was read before: kept whole, with the state of its sources and of what reads them.

Reading the YAML of a course takes longer than all else between the command line and the first
picture of a lesson. What is kept is the program's own, in a folder that only the learner may write
to.
"""

import os
import pickle
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar
from zlib import crc32

from tutor import __version__

T = TypeVar("T")

_SUM_BYTES = 4


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
    content = kept(file, key)
    if content is not None:
        return pickle.loads(content)  # noqa: S301 - written by `keep`, below the learner's own folder
    found = read(folder)
    # What cannot be kept is read again the next time.
    with suppress(OSError):
        keep(file, key, found)
    return found


def _key(folder: Path, sources: Sequence[Path]) -> bytes:
    """What the course depends on: its files, what reads them, and where they are."""
    parts = [f"{__version__} {sys.version} {folder}"]
    for path in (*_files(folder), *sorted(Path(__file__).parent.glob("*.py")), *sources):
        found = path.stat()
        parts.append(f"{path} {found.st_size} {found.st_mtime_ns}")
    return "\n".join(parts).encode()


def _files(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(place, name) for name in sorted(names))


def kept(file: Path, key: bytes) -> memoryview | None:
    """The pickle of what was kept with that key; None when there is none, or it is damaged."""
    try:
        data = file.read_bytes()
    except OSError:
        return None
    before = _before(key)
    content = memoryview(data)[len(before) + _SUM_BYTES :]
    if not data.startswith(before) or data[len(before) :][:_SUM_BYTES] != _sum(content):
        return None
    return content


def keep(file: Path, key: bytes, found: object) -> None:
    """Keep something, in place of what was kept before. Raises `OSError`."""
    content = pickle.dumps(found, pickle.HIGHEST_PROTOCOL)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.write_bytes(_before(key) + _sum(memoryview(content)) + content)
    draft.replace(file)


def _before(key: bytes) -> bytes:
    """What stands before the sum of the content."""
    return len(key).to_bytes(_SUM_BYTES, "big") + key


def _sum(content: memoryview) -> bytes:
    """Whether the content is whole; no more, and so without a library that takes time to load."""
    return crc32(content).to_bytes(_SUM_BYTES, "big")
