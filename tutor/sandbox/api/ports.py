"""What the API needs of the world: time, names, durability, and other servers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tutor.sandbox.api.request import Answer, Request, User
from tutor.sandbox.kinds import Object
from tutor.sandbox.store import Past


class Ports(Protocol):
    """Everything that is not a function of its arguments."""

    def now(self) -> datetime:
        """The time, aware, UTC."""
        ...

    def uid(self) -> str:
        """A new UID."""
        ...

    def suffix(self, length: int) -> str:
        """A random suffix from the alphabet of generated names."""
        ...

    def append(self, past: Past) -> None:
        """Queue a write for the log."""
        ...

    async def durable(self, revision: int) -> None:
        """Wait until a write is durable; raises ApiError when it will not be."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A server outside: a Service (namespace, name, port), or a URL's host."""

    host: str
    port: int
    path: str
    ca_bundle: str
    """PEM; empty for the system's roots."""
    service: tuple[str, str] | None = None
    insecure: bool = False


class Unreachable(Exception):
    """Another server did not answer; the text is Go's own sentence."""


class Backends(Protocol):
    """Servers that the API server calls."""

    async def post(self, address: Address, body: Object, timeout_s: float) -> Object:
        """POST JSON and return JSON.

        Raises:
            Unreachable: With the sentence the real server prints.
        """
        ...

    async def exchange(
        self,
        address: Address,
        method: str,
        body: bytes,
        *,
        headers: Sequence[tuple[str, str]] = (),
        timeout_s: float = 30.0,
    ) -> tuple[int, bytes]:
        """One request and its whole answer: status and body.

        Raises:
            Unreachable: With Go's sentence, without the URL before it.
        """
        ...

    async def forward(
        self, address: Address, request: Request, headers: Sequence[tuple[str, str]]
    ) -> Answer:
        """Send a request on with exactly these headers and stream what comes back.

        Raises:
            Unreachable: No connection.
        """
        ...

    async def proxy(
        self, address: Address, request: Request, user: User, headers: Sequence[tuple[str, str]]
    ) -> Answer:
        """Hand a request on over TLS as the front proxy and return what comes back.

        Raises:
            Unreachable: No endpoint, or no TLS.
        """
        ...
