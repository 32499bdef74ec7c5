"""What a source is: the arguments it takes, what it looks at, and how it reads a value."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

from tutor.course.interpret import Node
from tutor.probes.base import Absent, Blind, Peer, Reading, Seen, Topic, World

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


_PORTS = {"https": 443, "http": 80}


def peer_of(url: str) -> Peer:
    """The server of an http or https address."""
    parts = urlsplit(url)
    netloc = parts.netloc.rpartition("@")[2]
    # A variable, as in https://$TUTOR_INGRESS/, brings its port along.
    has_port = netloc.startswith("$") or ":" in netloc.rpartition("]")[2]
    return Peer(netloc if has_port else f"{netloc}:{_PORTS.get(parts.scheme, 0)}")


_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


def expand(text: str, environment: Mapping[str, str]) -> str | Blind:
    """Fill in `$NAME` and `${NAME}` from the learner's shell."""
    for match in _VARIABLE.finditer(text):
        name = match[1] or match[2]
        if name not in environment:
            return Blind(f"${name} is not set in the shell's environment")
    return _VARIABLE.sub(lambda match: environment[match[1] or match[2]], text)
