"""Requests: every number is one request, the same whenever it is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from urllib.parse import quote

from tests.contract.fuzz.bodies import NAMES, ODD_NAMES, Bodies
from tests.contract.fuzz.catalogue import Catalogue, Served
from tests.contract.fuzz.seeds import VALID
from tests.contract.fuzz.values import broken_text, word

NAMESPACES = ("fuzz-a", "fuzz-b", "default", "none", "kube-system")
USERS = ("admin",) * 20 + ("nobody", "stranger", "reader")
READER = "reader"
"""A user who may read, whom the administrator acts as."""
_METHODS = ("GET",) * 8 + ("POST",) * 6 + ("PUT",) * 3 + ("PATCH",) * 4 + ("DELETE",) * 2
_ODD_METHODS = ("HEAD", "OPTIONS", "TRACE", "CONNECT", "get", "PROPFIND", "X" * 300, "G\x00T", "")
_MEDIA = (
    "application/json",
    "*/*",
    "application/yaml",
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
    "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
    "application/json;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io",
    "application/vnd.kubernetes.protobuf",
    "application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io,application/json",
    "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
    "text/html",
    ";;;,,q=x",
)
_QUERIES = (
    "labelSelector", "fieldSelector", "limit", "continue", "resourceVersion", "watch", "dryRun",
    "resourceVersionMatch", "fieldManager", "fieldValidation", "force", "pretty", "timeoutSeconds",
    "timeout", "allowWatchBookmarks", "sendInitialEvents", "propagationPolicy", "includeObject",
    "gracePeriodSeconds", "orphanDependents", "container", "follow", "tailLines", "verbose", "x",
)  # fmt: skip
_SELECTORS = ("app=a", "app in (a,b)", "!app", "app!=a,x", "a in", "metadata.name=a", "x=y=z", ",")
_PLAIN = (
    "/", "/api", "/apis", "/api/v1", "/apis/apps", "/apis/apps/v1", "/apis/none/v1", "/version",
    "/healthz", "/livez", "/readyz?verbose", "/livez/ping", "/metrics", "/openapi/v2",
    "/openapi/v3", "/openapi/v3/api/v1", "/openapi/v3/apis/apps/v1?hash=x", "/openid/v1/jwks",
    "/logs", "/api/",
    "/.well-known/openid-configuration", "//", "/api//v1", "/%2e%2e/", "*", "/swagger.json",
    "/apis/gone.example.org/v1/things", "/apis/gone.example.org/v1", "/debug/pprof",
    "/apis/authentication.k8s.io/v1/selfsubjectreviews", "http://example.org/", "example.org:443",
    "/api/v1/namespaces/default/services/kubernetes:https/proxy/", "/api/v1/proxy/x",
    "/api/v1/watch",
    "/api/v1/namespaces/kube-system/pods/x:1/proxy/a?b", "/api/v1/nodes/x/proxy/",
    "\x00", "/é", "",
)  # fmt: skip
_HEADERS = (
    "Authorization", "Impersonate-User", "Impersonate-Group", "Impersonate-Uid", "Content-Encoding",
    "Impersonate-Extra-x", "X-Remote-User", "X-Remote-Group", "If-None-Match", "If-Match", "Range",
    "Accept-Encoding", "Expect", "Upgrade", "Connection", "Transfer-Encoding", "Content-Length",
    "User-Agent", "Cookie", "Host", "X-Forwarded-For", "Sec-WebSocket-Protocol", "Te", "a b", "",
)  # fmt: skip
_HEADER_VALUES = (
    "Bearer x", "Bearer a.b.c", "Basic YTpi", "Bearer ", "system:masters", "alice", "gzip",
    "chunked",
    "100-continue", "websocket", "SPDY/3.1", "close", "keep-alive", "bytes=0-5", "-1", "5", "abc",
    "",
    "x" * 9_000, "\x01", "é", "identity;q=0",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request."""

    user: str
    method: str
    target: str
    headers: Sequence[tuple[str, str]]
    body: bytes

    @property
    def message(self) -> bytes:
        """The bytes on the wire."""
        lines = [f"{self.method} {self.target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        return "\r\n".join([*lines, "", ""]).encode() + self.body

    @property
    def is_plain(self) -> bool:
        """Whether HTTP is spoken as it should be, so that an answer can be expected."""
        return self.message.isascii() and self.method.isalpha()


class Asking:
    """Makes requests to what a catalogue lists."""

    def __init__(self, catalogue: Catalogue, seed: int) -> None:
        self._resources = catalogue.resources
        self._bodies = Bodies(catalogue)
        self._known = [served for served in catalogue.resources if served.name in VALID]
        self._seed = seed

    def request(self, number: int) -> Asked:
        """The request of a number."""
        chance = Random(f"{self._seed}:{number}")
        method = chance.choice(_METHODS if chance.random() < 0.97 else _ODD_METHODS)
        headers = [
            ("Host", "127.0.0.1"),
            ("Accept", chance.choice(_MEDIA[: None if chance.random() < 0.2 else 2])),
        ]
        if chance.random() < 0.15:
            target, media, body = self._plain(chance)
        else:
            target, media, body = self._to_resource(method, chance)
        target += _query(chance)
        if media:
            headers.append(("Content-Type", media))
        if body or method in ("POST", "PUT", "PATCH"):
            headers.append(("Content-Length", str(len(body))))
        while chance.random() < 0.1:
            headers.append((chance.choice(_HEADERS), chance.choice(_HEADER_VALUES)))
        user = chance.choice(USERS)
        if user == READER:
            user = "admin"
            headers.append(("Impersonate-User", READER))
        return Asked(user=user, method=method, target=target, headers=headers, body=body)

    def _plain(self, chance: Random) -> tuple[str, str, bytes]:
        target = chance.choice(_PLAIN)
        if chance.random() < 0.1:
            target = broken_text(target.encode(), chance).decode("utf-8", "replace")[:500]
            target = quote(target, safe="/?%&=") if chance.random() < 0.8 else target
        return target, "", b""

    def _to_resource(self, method: str, chance: Random) -> tuple[str, str, bytes]:
        served = chance.choice(self._known if chance.random() < 0.5 else self._resources)
        name = chance.choice(NAMES if chance.random() < 0.93 else ODD_NAMES)
        below = ""
        if served.subresources and chance.random() < 0.15:
            below = chance.choice(served.subresources)
        path = _path(served, method, name, below, chance)
        match method:
            case "PATCH":
                media, body = self._bodies.patch(served, name, chance)
            case "POST" | "PUT":
                media, body = self._bodies.body(served, below, name, chance)
            case "DELETE" if chance.random() < 0.5:
                media, body = self._bodies.options(chance)
            case _:
                media, body = "", b""
        return path, media, body


def _path(served: Served, method: str, name: str, below: str, chance: Random) -> str:
    parts = [served.root]
    if served.namespaced and chance.random() < 0.95:
        place = chance.random()
        namespace = NAMESPACES[int(place * 2)] if place < 0.9 else chance.choice(NAMESPACES)
        parts += ["namespaces", namespace]
    parts.append(served.name)
    of_collection = method == "POST" and not below
    if (method in ("GET", "DELETE") and chance.random() < 0.4) or of_collection:
        below = ""
    else:
        parts.append(quote(name, safe="%"))
    if below:
        parts.append(below)
    if chance.random() < 0.02:
        parts.append(quote(word(chance), safe=""))
    return "/".join(parts)


def _query(chance: Random) -> str:
    pairs: list[str] = []
    while chance.random() < 0.35:
        name = chance.choice(_QUERIES)
        value = chance.choice(("true", "All", "1", "0", "fuzz", "Strict", "Ignore"))
        if name.endswith("Selector"):
            value = chance.choice(_SELECTORS)
        elif chance.random() < 0.3:
            value = word(chance)
        pairs.append(f"{name}={quote(value)}")
    if chance.random() < 0.01:
        pairs.append(chance.choice(("%", "a=%zz", "&&&", ";", "=", "a" * 9_000)))
    return f"?{'&'.join(pairs)}" if pairs else ""
