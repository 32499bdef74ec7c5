"""The hosts file that the learner's commands obey.

Source: hosts(5): an address, its names, `#` begins a comment.
"""

from collections.abc import Hashable
from pathlib import Path

from tutor.probes.base import Blind


class HostsFile:
    """Names and addresses of one hosts file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def file(self) -> str:
        """Its path."""
        return str(self._path)

    def addresses(self, name: str) -> tuple[str, ...] | Blind:
        """The addresses of a name, in the order of the file."""
        try:
            text = self._path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ()
        except OSError as error:
            return Blind(f"{self.file} cannot be read: {error.strerror}")
        lines = (line.partition("#")[0].split() for line in text.splitlines())
        wanted = name.casefold()
        return tuple(
            address
            for address, *names in (line for line in lines if line)
            if wanted in (each.casefold() for each in names)
        )

    def stamp(self) -> Hashable:
        """Another value whenever the file may have changed; None when there is none."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino
