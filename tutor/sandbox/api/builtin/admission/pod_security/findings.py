"""How something forbidden is told: what, and which containers have it."""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import NamedTuple

from tutor.sandbox.api.builtin.pod.reading import containers
from tutor.sandbox.api.builtin.reading import part, text
from tutor.sandbox.kinds import Object


class Finding(NamedTuple):
    """Something forbidden, and where it is; the detail may be empty."""

    reason: str
    detail: str

    def __str__(self) -> str:
        return f"{self.reason} ({self.detail})" if self.detail else self.reason


def quoted(values: Iterable[str]) -> str:
    """Values in quotes, for a sentence."""
    return ", ".join(f'"{value}"' for value in values)


def plural(word: str, counted: Collection[object]) -> str:
    """The word, with an s unless there is one of it."""
    return word if len(counted) == 1 else f"{word}s"


def containers_named(names: Collection[str]) -> str:
    """The containers with these names, for a sentence."""
    return f"{plural('container', names)} {quoted(names)}"


def setters(names: Collection[str], *, pod: bool) -> str:
    """Who set something: the pod, some containers, or both; empty for nobody."""
    return " and ".join((["pod"] if pod else []) + ([containers_named(names)] if names else []))


def security_contexts(spec: Object) -> Iterator[tuple[str, Object]]:
    """The name and the security context of each container."""
    for container, _ in containers(spec):
        yield text(container, "name"), part(container, "securityContext")


Judge = Callable[[Object, Object], Finding | None]
"""Takes the metadata and the spec of a pod."""
