"""The state of one decoding: where it is, what was odd, and the words for it.

A place is a linked list from the value to the root. Going down costs one tuple, and only what turns
out to be wrong pays for its path.

Source: sigs.k8s.io/json, which keeps one path for strict errors (with indexes and map keys) and
another for type errors (fields only, those of embedded structs under the struct's Go name).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tutor.sandbox.schema.body import Number, word_for
from tutor.sandbox.schema.errors import DecodeError, quoted

_MAX_STRICT = 100


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Step:
    """A field on the way to a value."""

    name: str
    struct: str
    """The struct that JSON sees the field in."""
    via: tuple[str, ...]
    """The embedded structs that the field really comes from."""


At = tuple["At | None", Step | int | str]


@dataclass(slots=True)
class Reading:
    """What one decoding has come across so far."""

    is_lenient: bool = False
    """True inside types that read themselves, with Go's plain decoder: it is blind to case and to
    unknown fields."""
    strict: list[str] = field(default_factory=list[str])
    saved: str = ""
    """The first type error; the decoder goes on after one."""

    def unknown(self, at: At | None, name: str) -> None:
        """Note a field that the struct there does not have."""
        self.strict.append(f"unknown field {quoted(_member(at, name))}")

    def duplicate(self, at: At | None, name: str) -> None:
        """Note a member that is there a second time."""
        self.strict.append(f"duplicate field {quoted(_member(at, name))}")

    def mismatch(self, value: Any, go: str, at: At | None) -> None:
        """Note a value of the wrong JSON type and go on."""
        if not self.saved:
            self.saved = type_error(word_for(value), go, at)

    def overflow(self, value: Any, go: str, at: At | None) -> None:
        """Note a number that its type cannot hold and go on."""
        if not self.saved:
            self.saved = type_error(f"number {spelling(value)}", go, at)

    def finish(self) -> tuple[str, ...]:
        """The strict errors, or the type error that was met first."""
        if self.saved:
            raise DecodeError(self.saved)
        if not self.strict:
            return ()
        return tuple(dict.fromkeys(self.strict))[:_MAX_STRICT]


Reader = Callable[[Any, At | None, Reading], Any]


def spelling(number: float) -> str:
    """How the body spells a number."""
    return number.text if isinstance(number, Number) else str(number)


def type_error(word: str, go: str, at: At | None) -> str:
    """Go's message for a value that does not fit."""
    names: list[str] = []
    struct = ""
    while at is not None:
        at, step = at
        if isinstance(step, Step):
            struct = struct or step.struct
            names[:0] = (*step.via, step.name)
    if not names:
        return f"json: cannot unmarshal {word} into Go value of type {go}"
    where = f"{struct}.{'.'.join(names)}"
    return f"json: cannot unmarshal {word} into Go struct field {where} of type {go}"


def _member(at: At | None, name: str) -> str:
    path = _path(at)
    return f"{path}.{name}" if path else name


def _path(at: At | None) -> str:
    if at is None:
        return ""
    outer = _path(at[0])
    if isinstance(at[1], int):
        return f"{outer}[{at[1]}]"
    name = at[1].name if isinstance(at[1], Step) else at[1]
    return f"{outer}.{name}" if outer else name
