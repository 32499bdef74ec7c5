"""The API of a bare cluster in this process: everything behind the socket, and no controllers."""

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509

from tutor.sandbox import pki
from tutor.sandbox.api.request import Request, Response, Source, Stream
from tutor.sandbox.client import Client
from tutor.sandbox.cluster.keys import ClusterKeys
from tutor.sandbox.cluster.parts import APISERVER, Parts
from tutor.sandbox.cluster.settings import BARE_VERSION, ClusterSettings
from tutor.sandbox.kinds import GroupResource, Object
from tutor.sandbox.log import Log
from tutor.sandbox.pace import INSTANT
from tutor.sandbox.store import Store

Headers = Sequence[tuple[str, str]]
HOUR = timedelta(hours=1)
MASTERS = ("system:masters",)


def now() -> datetime:
    """The time."""
    return datetime.now(UTC)  # noqa: TID251 - certificates and objects are made with the real one


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer."""

    status: int
    headers: Headers
    content: bytes
    media: str

    @property
    def body(self) -> Any:
        """The content as JSON."""
        return json.loads(self.content)

    @property
    def message(self) -> str:
        """The message of a Status."""
        return self.body["message"]

    @property
    def reason(self) -> str:
        """The reason of a Status."""
        return self.body["reason"]

    @property
    def names(self) -> list[str]:
        """The names of a list's items."""
        return [item["metadata"]["name"] for item in self.body["items"]]

    @property
    def version(self) -> str:
        """The resourceVersion."""
        return self.body["metadata"]["resourceVersion"]

    def header(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for key, value in self.headers if key.lower() == name.lower()]


@dataclass(slots=True)
class Watching:
    """A watch that is read when the test wants."""

    source: Source
    started: datetime

    def read(self, *, after: timedelta = timedelta(0)) -> list[Any]:
        """The events that have come since the last call, some time after the start."""
        return [json.loads(line) for line in self.source.take(self.started + after)]

    def changes(self, *, after: timedelta = timedelta(0)) -> list[tuple[str, str]]:
        """Type and name of the events since the last call."""
        return [
            (e["type"], e["object"]["metadata"].get("name", "")) for e in self.read(after=after)
        ]


class Api:
    """Asks the API as users who show certificates."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.store = parts.store
        self.client: Client = parts.client(APISERVER, "kube-apiserver")
        self._known: dict[tuple[str, ...], tuple[x509.Certificate, ...]] = {}

    async def ask(
        self,
        method: str,
        target: str,
        body: Any = None,
        *,
        user: Sequence[str] = ("admin", *MASTERS),
        headers: Mapping[str, str] | Headers = (),
        at: datetime | None = None,
    ) -> Reply:
        """One request; `user` is a name and its groups, empty for nobody."""
        made = await self._answer(method, target, body, user, headers, at or now())
        assert isinstance(made, Response), "the answer is a stream"
        return Reply(made.status, made.headers, made.body, made.content_type)

    async def get(self, target: str, **more: Any) -> Reply:
        """GET."""
        return await self.ask("GET", target, **more)

    async def make(self, target: str, body: Object, **more: Any) -> Object:
        """POST what must be accepted; what was stored."""
        reply = await self.ask("POST", target, body, **more)
        assert reply.status == 201, reply.content
        return reply.body

    async def watch(
        self,
        target: str,
        *,
        user: Sequence[str] = ("admin", *MASTERS),
        headers: Mapping[str, str] | Headers = (),
    ) -> Watching:
        """Begin a watch."""
        started = now()
        made = await self._answer("GET", target, None, user, headers, started)
        assert isinstance(made, Stream), made
        assert not isinstance(made.source, AsyncGenerator), "the answer comes from another server"
        return Watching(made.source, started)

    async def _answer(
        self,
        method: str,
        target: str,
        body: Any,
        user: Sequence[str],
        headers: Mapping[str, str] | Headers,
        at: datetime,
    ) -> Response | Stream:
        given = list(headers.items()) if isinstance(headers, Mapping) else list(headers)
        content = body if isinstance(body, bytes) else b"" if body is None else _encoded(body)
        if content and not any(name.lower() == "content-type" for name, _ in given):
            given.append(("content-type", "application/json"))
        return await self.parts.front.handle(
            Request(
                method=method,
                target=target,
                headers=[(name.lower(), value) for name, value in given],
                body=content,
                received=at,
                peer_chain=self.certificate(*user) if user else (),
            )
        )

    def certificate(self, name: str, *groups: str) -> tuple[x509.Certificate, ...]:
        """The chain that a user shows."""
        if (name, *groups) not in self._known:
            pair = pki.issue(
                self.parts.keys.ca,
                subject=pki.subject_of(name, groups),
                now=now(),
                lifetime=HOUR,
                extended=(pki.CLIENT_AUTH,),
            )
            self._known[(name, *groups)] = tuple(pki.load_certificates(pair.certificate))
        return self._known[(name, *groups)]

    def stored(self, resource: GroupResource, name: str, namespace: str = "here") -> Object | None:
        """What the store has, None when it has none."""
        return self.parts.find(resource, namespace, name)


def _encoded(body: Any) -> bytes:
    return json.dumps(body).encode()


@asynccontextmanager
async def bare_api(folder: Path, keys: ClusterKeys) -> AsyncGenerator[Api]:
    """An empty cluster's API with one namespace, `here`."""
    store = Store()
    log = Log(folder / "log.db", store)
    settings = ClusterSettings(name="bare", folder=folder, version=BARE_VERSION, pace=INSTANT)
    async with log.opened():
        parts = Parts(settings, keys, store, log)
        parts.announce()
        made = Api(parts)
        await made.client.create(obj("Namespace", "here"))
        try:
            yield made
        finally:
            parts.network.close()


def account(name: str, namespace: str = "here") -> str:
    """The user that a service account is."""
    return f"system:serviceaccount:{namespace}:{name}"


def obj(kind: str, name: str, *, version: str = "v1", namespace: str = "", **more: Any) -> Object:
    """An object with a name and these fields."""
    meta: Object = {"name": name} | ({"namespace": namespace} if namespace else {})
    given: Object = more.pop("metadata", {})
    return {"apiVersion": version, "kind": kind, "metadata": meta | given, **more}


def config_map(name: str, **more: Any) -> Object:
    """A ConfigMap in `here`."""
    return obj("ConfigMap", name, namespace="here", **more)


def pod(name: str, *, metadata: Object | None = None, **spec: Any) -> Object:
    """A pod of one container in `here`."""
    whole = {"containers": [{"name": "c", "image": "example.org/app:1"}]} | spec
    return obj("Pod", name, namespace="here", metadata=metadata or {}, spec=whole)
