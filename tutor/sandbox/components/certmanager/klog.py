"""Log lines as klog and the older klogr write them.

Source: k8s.io/klog/v2 and klogr's serialised form, as cert-manager v1.12.3 uses them.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from tutor.sandbox.api.status import go_quote

Value = str | int | bool | list[str]


def header(severity: str, place: str, now: datetime) -> str:
    """What begins every line: severity, time, process id, file and line."""
    return f"{severity}{now:%m%d %H:%M:%S.%f}       1 {place}]"


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ",".join(go_quote(item) for item in value) + "]"
    return go_quote(value) if isinstance(value, str) else str(value)


class Klog:
    """Writes lines under one name, with pairs that every line carries."""

    def __init__(
        self,
        write: Callable[[str], None],
        now: Callable[[], datetime],
        name: str = "",
        pairs: Mapping[str, Value] | None = None,
    ) -> None:
        self._write = write
        self._now = now
        self._name = name
        self._pairs: Mapping[str, Value] = pairs or {}

    def named(self, name: str) -> "Klog":
        """A logger below this one."""
        full = f"{self._name}/{name}" if self._name else name
        return Klog(self._write, self._now, full, self._pairs)

    def having(self, pairs: Mapping[str, Value]) -> "Klog":
        """This logger with more pairs."""
        return Klog(self._write, self._now, self._name, {**self._pairs, **pairs})

    def info(self, place: str, message: str, pairs: Mapping[str, Value] | None = None) -> None:
        """A line of severity I; `place` is file and line of the real program."""
        self._line("I", place, {"msg": message}, pairs)

    def error(
        self,
        place: str,
        message: str,
        error: str | None,
        pairs: Mapping[str, Value] | None = None,
    ) -> None:
        """A line of severity E; None for an error that is nil."""
        first = {"msg": message} | ({} if error is None else {"error": error})
        self._line("E", place, first, pairs, nil=error is None)

    def plain(self, place: str, text: str) -> None:
        """A line without pairs and name."""
        self._write(f"{header('I', place, self._now())} {text}")

    def _line(
        self,
        severity: str,
        place: str,
        first: Mapping[str, Value],
        pairs: Mapping[str, Value] | None,
        *,
        nil: bool = False,
    ) -> None:
        parts = [f'"{key}"={_text(value)}' for key, value in first.items()]
        if nil:
            parts.append('"error"=null')
        merged = {**self._pairs, **(pairs or {})}
        parts += [f'"{key}"={_text(value)}' for key, value in sorted(merged.items())]
        name = f"{self._name} " if self._name else ""
        self._write(f"{header(severity, place, self._now())} {name}{' '.join(parts)}")
