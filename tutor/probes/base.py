"""What a probe may look at, and what it can answer.

A source sees a `World` and nothing else: new authority is a visible change to this file.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol

from tutor.value import value

Object = dict[str, Any]
"""A Kubernetes object as the API spells it."""

Changed = Callable[[], None]
"""Called when there is something new to look at, from any thread."""

Unfollow = Callable[[], None]
"""Ends the calls: none comes after it has returned."""


class Verdict(NamedTuple):
    """What a fact is found to be."""

    state: Literal["true", "not yet", "cannot look"]
    text: str = ""
    """What was seen instead, or why nobody could look; empty when true."""


TRUE = Verdict("true")


@value
class Seen:
    """A value, and what to call it in a sentence."""

    value: Any
    noun: str
    """For example `the Secret greeting`."""


@value
class Absent:
    """It is not there yet; that is for the learner to change."""

    text: str


@value
class Blind:
    """Nobody could look, and it is not the learner's doing."""

    text: str


Reading = Seen | Absent | Blind


@value
class Collection:
    """The objects of one kind in one namespace, or in all when `namespace` is None."""

    api_version: str
    kind: str
    namespace: str | None


@value
class FilePath:
    """A file below the working folder."""

    path: str


@value
class OwnCommands:
    """What the learner typed in this step."""


@value
class HostNames:
    """The hosts file."""


@value
class Peer:
    """Somebody to connect to: `host:port`, possibly with `$NAME` in it."""

    address: str


@value
class CommandLine:
    """A command to run."""

    words: tuple[str, ...]


Topic = Collection | FilePath | OwnCommands | HostNames | Peer | CommandLine
"""Something that can change; two of different kinds are never equal.

Nobody tells when a `Peer` or a `CommandLine` changes.
"""


class Objects(NamedTuple):
    """All objects of a collection."""

    items: tuple[Object, ...]


class ClusterReader(Protocol):
    """Reads the cluster: a list and then a watch, one for each collection."""

    def follow(self, collection: Collection, changed: Changed) -> Unfollow:
        """Begin to follow a collection; `changed` is called at each change from then on."""
        ...

    def look(self, collection: Collection) -> Objects | Absent | Blind:
        """What is known now. A collection has to be followed first."""
        ...


class CommandRecord(Protocol):
    """One thing the learner typed, and what came of it."""

    @property
    def text(self) -> str:
        """As typed; several lines when it was."""
        ...

    @property
    def started(self) -> datetime:
        """When it began to run."""
        ...

    @property
    def exit_code(self) -> int | None:
        """None when the shell did not say."""
        ...

    @property
    def output(self) -> str:
        """What the terminal showed, without escape sequences."""
        ...


class ShellLog(Protocol):
    """The learner's commands of this step, first to last."""

    def follow(self, changed: Changed) -> Unfollow:
        """Have `changed` called after each command from then on."""
        ...

    def records(self) -> Sequence[CommandRecord]:
        """The commands that have ended."""
        ...


class FileReader(Protocol):
    """Reads files below the working folder, and nowhere else."""

    def read(self, path: str) -> bytes | Absent | Blind:
        """The content of a file."""
        ...

    def stamp(self, path: str) -> Hashable:
        """Something cheap that is another when the file may have changed."""
        ...


class HostsReader(Protocol):
    """Reads the hosts file that the learner's commands obey."""

    @property
    def file(self) -> str:
        """Its path, for messages."""
        ...

    def addresses(self, name: str) -> tuple[str, ...] | Blind:
        """The addresses of a name; none when the file does not have it."""
        ...

    def stamp(self) -> Hashable:
        """Something cheap that is another when the file may have changed."""
        ...


class Handshake(NamedTuple):
    """What a TLS server showed."""

    chain: tuple[str, ...]
    """PEM, the server's own certificate first, as served."""
    protocol: str
    """For example `TLSv1.3`."""
    client_authorities: tuple[str, ...]
    """Names of the authorities whose client certificates it asks for."""
    distrust: str | None
    """Why the given authority and name do not verify the chain; None when they do."""


class TlsDialer(Protocol):
    """Makes a TLS connection and looks at what is served."""

    async def dial(
        self, address: str, *, server_name: str, authority: str | None
    ) -> Handshake | Absent | Blind:
        """Connect to `host:port`. `authority` is PEM; None for the system's own."""
        ...


class HttpAnswer(NamedTuple):
    """What an HTTP server answered."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: str


class HttpReader(Protocol):
    """Gets a page."""

    async def get(
        self, url: str, *, headers: Mapping[str, str], authority: str | None
    ) -> HttpAnswer | Absent | Blind:
        """GET `url` without following redirects."""
        ...


class Completed(NamedTuple):
    """A command that a probe ran."""

    exit_code: int
    output: str
    errors: str


class CommandRunner(Protocol):
    """Runs a command that the lesson was granted, in the working folder."""

    async def run(self, words: tuple[str, ...]) -> Completed | Absent | Blind:
        """Run it without a shell and without input."""
        ...


class World(NamedTuple):
    """All that a source may look at."""

    cluster: ClusterReader
    shell: ShellLog
    files: FileReader
    hosts: HostsReader
    tls: TlsDialer
    http: HttpReader
    commands: CommandRunner
    environment: Mapping[str, str]
    """What the learner's shell has, for `$NAME` in addresses."""
