"""What comes in and what goes out, without a wire: requests, responses, streams."""

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Literal, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

from cryptography import x509

FieldValidation = Literal["Strict", "Warn", "Ignore"]


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Who asks. `groups` includes the virtual ones (system:authenticated and the like)."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    def info(self) -> dict[str, object]:
        """The `userInfo` of reviews, fields in the server's order."""
        out: dict[str, object] = {"username": self.name}
        if self.uid:
            out["uid"] = self.uid
        if self.groups:
            out["groups"] = list(self.groups)
        if self.extra:
            out["extra"] = {key: list(values) for key, values in sorted(self.extra.items())}
        return out


ANONYMOUS = User(name="system:anonymous", groups=("system:unauthenticated",))


class Query:
    """The query string: values in order, keys case-sensitive, unknown keys allowed."""

    __slots__ = ("_names", "_pairs")

    def __init__(self, text: str) -> None:
        self._pairs = parse_qsl(text, keep_blank_values=True)
        self._names = frozenset(name for name, _ in self._pairs)

    def get(self, name: str, default: str = "") -> str:
        """The first value, or the default."""
        for key, value in self._pairs:
            if key == name:
                return value
        return default

    def all(self, name: str) -> list[str]:
        """Every value of a key."""
        return [value for key, value in self._pairs if key == name]

    def has(self, name: str) -> bool:
        """Whether the key is there at all."""
        return name in self._names


@lru_cache(maxsize=256)
def read_target(target: str) -> tuple[str, Query]:
    """The decoded path of a target, and its query: each is asked for several times a request."""
    split = urlsplit(target)
    return unquote(split.path), Query(split.query)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request. Header names are lower-case; repeated headers keep their order."""

    method: str
    target: str
    headers: Sequence[tuple[str, str]]
    body: bytes
    received: datetime
    peer_chain: tuple[x509.Certificate, ...] = ()
    """The client's certificate and the intermediates it sent, unverified."""
    remote: str = ""

    @property
    def path(self) -> str:
        """The decoded path."""
        return read_target(self.target)[0]

    @property
    def query(self) -> Query:
        """The parsed query."""
        return read_target(self.target)[1]

    def header(self, name: str) -> str:
        """The first value of a header, empty when absent."""
        # A loop: several times as fast as a generator, and asked ten times a request.
        for key, value in self.headers:
            if key == name:
                return value
        return ""

    def header_values(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for key, value in self.headers if key == name]


Headers = Sequence[tuple[str, str]]
_YAML_ERRORS = "yaml: unmarshal errors:\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A whole answer."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: Headers = ()


class Source(Protocol):
    """Chunks that become ready by and by: a watch, or a log that is followed."""

    def take(self, now: datetime) -> list[bytes]:
        """The chunks that are ready, in order; empty when there are none."""
        ...

    def due(self) -> datetime | None:
        """When `take` is worth calling even if nobody woke us; None for never."""
        ...

    @property
    def ended(self) -> bool:
        """Whether nothing will follow what `take` returned."""
        ...

    def on_ready(self, wake: Callable[[], None]) -> None:
        """Call `wake` when there is something to take."""
        ...

    def close(self) -> None:
        """The reader has gone."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """An answer without an end of its own: a source, or chunks that another server sends."""

    source: Source | AsyncGenerator[bytes]
    status: int = 200
    content_type: str = "application/json"
    headers: Headers = ()


Answer = Response | Stream


@dataclass(slots=True, kw_only=True)
class Call:
    """One operation on objects: who, how, and the warnings it gathers on its way."""

    user: User
    verb: str
    now: datetime
    manager: str = "unknown"
    validation: FieldValidation = "Warn"
    dry_run: bool = False
    subresource: str = ""
    force: bool = False
    """Whether an applied configuration takes fields from their owners."""
    warnings: list[str] = field(default_factory=list[str])

    def warn(self, texts: Iterable[str]) -> None:
        """Add warnings for the caller, each once; each line of a reader of YAML is one."""
        for text in texts:
            before, of_yaml, lines = text.partition(_YAML_ERRORS)
            said = map(str.strip, lines.split("\n")) if of_yaml and before == "" else (text,)
            self.warnings += [one for one in dict.fromkeys(said) if one not in self.warnings]

    def warning_headers(self) -> Iterator[tuple[str, str]]:
        """The warnings as RFC 7234 headers, code 299, agent unknown."""
        for text in self.warnings:
            quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
            yield "Warning", f'299 - "{quoted}"'
