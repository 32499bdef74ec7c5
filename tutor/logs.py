"""Logging to a file, one JSON object a line: the terminal belongs to the interface."""

import json
import logging
import sys
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

from tutor.errors import TutorError

_MAX_BYTES = 2_000_000
_BACKUPS = 2
_OWN = frozenset(logging.LogRecord("", 0, "", 0, "", None, None).__dict__) | {"message", "taskName"}


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        entry |= {k: v for k, v in record.__dict__.items() if k not in _OWN}
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)


class _File(RotatingFileHandler):
    """A file that may have no room for a line: the terminal has none for what logging says then."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Lose the line when the disk takes no more; anything else is a bug to see."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)


def configure(path: Path, level: int = logging.INFO) -> None:
    """Send every logger's records to a file that rotates. Nobody else touches handlers.

    Raises:
        TutorError: There can be no such file.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError as error:
        raise TutorError(
            f"The log {path} cannot be written: {error.strerror or error}.",
            next_action="Free space or mend the folder, or set TUTOR_HOME to another one.",
        ) from error
    handler = _File(path, maxBytes=_MAX_BYTES, backupCount=_BACKUPS, delay=True)
    handler.setFormatter(_JsonLines())
    logging.basicConfig(handlers=[handler], level=level, force=True)
