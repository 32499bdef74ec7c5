"""The Concierge's log: one JSON object a line, as Pinniped's zap encoder writes it.

Source: pinniped.md 3.9. A place in the source that the reference does not give has the line of a
nearby version.
"""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from tutor.sandbox.components.concierge.config import LEVELS

HANDLE_KEY = (
    "go.pinniped.dev/internal/controllerlib/controller.go:219$controllerlib.(*controller).handleKey"
)
Write = Callable[[str], None]


class Log:
    """Writes lines of the configured level and above."""

    def __init__(
        self, write: Write, now: Callable[[], datetime], level: str = "", logger: str = ""
    ) -> None:
        self._write = write
        self._now = now
        self._level = level
        self._logger = logger

    def named(self, logger: str) -> "Log":
        """The log of a part with a name."""
        return Log(self._write, self._now, self._level, logger)

    def always(self, at: str, message: str, **fields: Any) -> None:
        """A line whatever the level. `at` is the place in the source; names follow Go's."""
        self._line("info", at, message, fields)

    def failed(self, at: str, message: str, error: str = "", **fields: Any) -> None:
        """Something failed."""
        self._line("error", at, message, fields | ({"error": error} if error else {}))

    def warning(self, at: str, message: str, **fields: Any) -> None:
        """Something is odd."""
        self._line("info", at, message, {"warning": True} | fields)

    def info(self, at: str, message: str, **fields: Any) -> None:
        """Something was done."""
        if self._shows("info"):
            self._line("info", at, message, fields)

    def debug(self, at: str, message: str, **fields: Any) -> None:
        """How it was done."""
        if self._shows("debug"):
            self._line("debug", at, message, fields)

    def trace(self, at: str, message: str, **fields: Any) -> None:
        """What nobody else is told."""
        if self._shows("trace"):
            self._line("trace", at, message, fields)

    def _shows(self, level: str) -> bool:
        return LEVELS.index(self._level) >= LEVELS.index(level)

    def _line(self, level: str, at: str, message: str, fields: dict[str, Any]) -> None:
        entry: dict[str, Any] = {
            "level": level,
            "timestamp": self._now().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
        if self._logger:
            entry["logger"] = self._logger
        entry |= {"caller": at, "message": message}
        self._write(json.dumps(entry | fields, separators=(",", ":"), ensure_ascii=False))


def ref(name: str, namespace: str = "") -> dict[str, str]:
    """An object as a field of a line."""
    return {"name": name, "namespace": namespace} if namespace else {"name": name}
