"""What a source is: the arguments it takes, what it looks at, and how it reads a value."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from tutor.course.interpret import Node
from tutor.probes.base import Absent, Reading, Seen, Topic, World

Inputs = Mapping[str, Any]
"""The values of those arguments that are expressions."""


EXPRESSION = object()
"""Marks an argument as an expression over the other names of the step."""

S = TypeVar("S", bound=Node)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source(Generic[S]):
    """One kind of `given`."""

    spec: type[S]
    watches: Callable[[S], tuple[Topic, ...]]
    """What the value depends on, and so what the lesson has to be granted."""
    read: Callable[[S, World, Inputs], Awaitable[Reading]]

    @property
    def expressions(self) -> tuple[str, ...]:
        """The names of those arguments that are expressions."""
        fields = self.spec.model_fields.items()
        return tuple(name for name, info in fields if EXPRESSION in info.metadata)


def null_when_absent(reading: Reading, noun: str, *, optional: bool) -> Reading:
    """What an `optional` source gives for something that is not there."""
    return Seen(None, noun) if optional and isinstance(reading, Absent) else reading
