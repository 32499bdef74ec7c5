"""What a lesson may look at, enforced: when a fact is bound, and again at each look."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from tutor.course.model import Grants
from tutor.probes.address import expand, peer_of
from tutor.probes.base import (
    Absent,
    Blind,
    Changed,
    ClusterReader,
    Collection,
    CommandLine,
    CommandRunner,
    Completed,
    FilePath,
    FileReader,
    Handshake,
    HttpAnswer,
    HttpReader,
    Objects,
    Peer,
    TlsDialer,
    Topic,
    Unfollow,
    World,
)


def refusal(topic: Topic, grants: Grants) -> str | None:
    """Why a lesson may not look there, with the grant that it lacks; None when it may."""
    match topic:
        case Collection(_, kind, None) if not grants.cluster:
            return f"no grant for {kind} objects of the whole cluster (`cluster: true`)"
        case Collection(_, kind, str(namespace)):
            if not grants.cluster and namespace not in grants.namespaces:
                return f"no grant for {kind} objects in the namespace {namespace} (`namespaces`)"
        case FilePath(path):
            if not _is_below(path) or not any(fnmatchcase(path, each) for each in grants.files):
                return f"no grant for the file {path} (`files`)"
        case Peer(address):
            if not _is_granted_host(address, grants.hosts):
                return f"no grant to connect to {address} (`hosts`)"
        case CommandLine(words):
            if not any(tuple(shlex.split(each)) == words for each in grants.commands):
                return f"no grant for the command `{' '.join(words)}` (`commands`)"
        case _:
            pass
    return None


def limited(world: World, grants: Grants) -> World:
    """The world as a lesson with these grants may see it."""
    environment = world.environment
    filled = (expand(host, environment) for host in grants.hosts)
    hosts = tuple(host for host in filled if isinstance(host, str))
    in_force = grants.with_values(hosts=hosts)
    return World(
        cluster=_Cluster(world.cluster, in_force),
        shell=world.shell,
        files=_Files(world.files, in_force),
        hosts=world.hosts,
        tls=_Tls(world.tls, in_force),
        http=_Http(world.http, in_force),
        commands=_Commands(world.commands, in_force),
        environment=environment,
    )


def _is_below(path: str) -> bool:
    parts = PurePosixPath(path)
    return not parts.is_absolute() and ".." not in parts.parts


def _is_granted_host(address: str, hosts: tuple[str, ...]) -> bool:
    """`host:port` is granted by itself or by its host."""
    host = address.rpartition(":")[0] or address
    return address in hosts or host in hosts


def _blind(topic: Topic, grants: Grants) -> Blind | None:
    why = refusal(topic, grants)
    return Blind(f"the lesson has {why}") if why else None


@dataclass(frozen=True, slots=True)
class _Cluster:
    inner: ClusterReader
    grants: Grants

    def follow(self, collection: Collection, changed: Changed) -> Unfollow:
        if refusal(collection, self.grants) is None:
            return self.inner.follow(collection, changed)
        return lambda: None

    def look(self, collection: Collection) -> Objects | Absent | Blind:
        return _blind(collection, self.grants) or self.inner.look(collection)


@dataclass(frozen=True, slots=True)
class _Files:
    inner: FileReader
    grants: Grants

    def read(self, path: str) -> bytes | Absent | Blind:
        return _blind(FilePath(path), self.grants) or self.inner.read(path)

    def stamp(self, path: str) -> object:
        refused = _blind(FilePath(path), self.grants)
        return refused or self.inner.stamp(path)


@dataclass(frozen=True, slots=True)
class _Tls:
    inner: TlsDialer
    grants: Grants

    async def dial(
        self, address: str, *, server_name: str, authority: str | None
    ) -> Handshake | Absent | Blind:
        refused = _blind(Peer(address), self.grants)
        return refused or await self.inner.dial(
            address, server_name=server_name, authority=authority
        )


@dataclass(frozen=True, slots=True)
class _Http:
    inner: HttpReader
    grants: Grants

    async def get(
        self, url: str, *, headers: Mapping[str, str], authority: str | None
    ) -> HttpAnswer | Absent | Blind:
        refused = _blind(peer_of(url), self.grants)
        return refused or await self.inner.get(url, headers=headers, authority=authority)


@dataclass(frozen=True, slots=True)
class _Commands:
    inner: CommandRunner
    grants: Grants

    async def run(self, words: tuple[str, ...]) -> Completed | Absent | Blind:
        return _blind(CommandLine(words), self.grants) or await self.inner.run(words)
