"""How kind's commands fail."""

from __future__ import annotations

from collections.abc import Mapping


class SandboxError(Exception):
    """The sandbox cannot be asked, or refused; the text says what to do."""

    def __init__(self, message: str, reply: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.reply = reply or {}


class CommandError(Exception):
    """A step's command failed; `output` is what docker had printed."""

    def __init__(self, message: str, output: str) -> None:
        super().__init__(message)
        self.output = output
