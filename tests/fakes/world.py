"""Fakes of what a source may look at: as the real ones, but with state that a test sets."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tutor.probes.base import (
    Absent,
    Blind,
    Changed,
    Collection,
    CommandRecord,
    Completed,
    Handshake,
    HttpAnswer,
    Object,
    Objects,
    Unfollow,
    World,
)
from tutor.probes.hosts import HostsFile
from tutor.session.folder import WorkingFolder

EPOCH = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Record:
    """A command of the learner."""

    text: str
    output: str = ""
    exit_code: int | None = 0
    started: datetime = EPOCH


@dataclass
class FakeCluster:
    """Collections that a test fills; each change is told at once."""

    known: dict[Collection, Objects | Absent | Blind] = field(
        default_factory=dict[Collection, Objects | Absent | Blind]
    )
    followers: dict[Collection, list[Changed]] = field(
        default_factory=dict[Collection, list[Changed]]
    )

    def put(self, collection: Collection, *items: Object) -> None:
        """Set what a collection has."""
        self.say(collection, Objects(items))

    def say(self, collection: Collection, found: Objects | Absent | Blind) -> None:
        """Set what is known of a collection."""
        self.known[collection] = found
        for changed in self.followers.get(collection, []):
            changed()

    def follow(self, collection: Collection, changed: Changed) -> Unfollow:
        """As a real reader."""
        followers = self.followers.setdefault(collection, [])
        followers.append(changed)
        return lambda: followers.remove(changed)

    def look(self, collection: Collection) -> Objects | Absent | Blind:
        """As a real reader: nothing before somebody follows."""
        if collection not in self.followers:
            return Blind(f"nobody follows {collection}")
        return self.known.get(collection, Objects(()))


@dataclass
class FakeShell:
    """What the learner typed."""

    typed: list[CommandRecord] = field(default_factory=list[CommandRecord])
    followers: list[Changed] = field(default_factory=list[Changed])

    def type(self, text: str, output: str = "", exit_code: int | None = 0) -> None:
        """The learner runs a command."""
        self.typed.append(Record(text=text, output=output, exit_code=exit_code))
        for changed in self.followers:
            changed()

    def follow(self, changed: Changed) -> Unfollow:
        """As the real log."""
        self.followers.append(changed)
        return lambda: self.followers.remove(changed)

    def records(self) -> list[CommandRecord]:
        """As the real log."""
        return self.typed


@dataclass
class FakePeers:
    """Servers and commands whose answers a test sets."""

    handshake: Handshake | Absent | Blind = field(default_factory=lambda: Absent("nobody"))
    answer: HttpAnswer | Absent | Blind = field(default_factory=lambda: Absent("nobody"))
    completed: Completed | Absent | Blind = field(default_factory=lambda: Absent("nobody"))
    asked: list[tuple[Hashable, ...]] = field(default_factory=list[tuple[Hashable, ...]])

    async def dial(
        self, address: str, *, server_name: str, authority: str | None
    ) -> Handshake | Absent | Blind:
        """As the real dialer."""
        self.asked.append((address, server_name, authority))
        return self.handshake

    async def get(
        self, url: str, *, headers: Mapping[str, str], authority: str | None
    ) -> HttpAnswer | Absent | Blind:
        """As the real getter."""
        self.asked.append((url, *headers.items(), authority))
        return self.answer

    async def run(self, words: tuple[str, ...]) -> Completed | Absent | Blind:
        """As the real runner."""
        self.asked.append(words)
        return self.completed


@dataclass
class Stage:
    """A world and the hands to change it."""

    folder: Path
    cluster: Any = field(default_factory=FakeCluster)
    shell: FakeShell = field(default_factory=FakeShell)
    peers: Any = field(default_factory=FakePeers)
    environment: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def world(self) -> World:
        """What a source sees."""
        return World(
            cluster=self.cluster,
            shell=self.shell,
            files=WorkingFolder(self.folder),
            hosts=HostsFile(self.folder / "hosts"),
            tls=self.peers,
            http=self.peers,
            commands=self.peers,
            environment=self.environment,
        )
