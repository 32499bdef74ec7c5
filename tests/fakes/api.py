"""A small API server over HTTPS: discovery, lists and watches, and ways to misbehave.

It knows client certificates and one token, and answers 410 for the history it has forgotten.
"""

import base64
import json
import ssl
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import yaml

from tests.fakes.certs import Authority

Object = dict[str, Any]

RESOURCES: dict[str, list[Object]] = {
    "/api/v1": [
        {"name": "secrets", "kind": "Secret", "namespaced": True},
        {"name": "secrets/odd", "kind": "Secret", "namespaced": True},
    ],
    "/apis/apiextensions.k8s.io/v1": [
        {
            "name": "customresourcedefinitions",
            "kind": "CustomResourceDefinition",
            "namespaced": False,
        }
    ],
}
TOKEN = "let-me-in"


@dataclass
class FakeApi:
    """Its state; every method may be called from any thread."""

    folder: Path
    clients: Authority = field(default_factory=lambda: Authority("client-ca"))
    servers: Authority = field(default_factory=lambda: Authority("server-ca"))
    resources: dict[str, list[Object]] = field(
        default_factory=lambda: {path: list(items) for path, items in RESOURCES.items()}
    )
    asked: list[str] = field(default_factory=list[str])
    """Every path that was asked for, with its query."""
    refuse: Callable[[str], tuple[int, str] | None] = field(default=lambda _path: None)

    def __post_init__(self) -> None:
        self.changed = threading.Condition()
        self.objects: dict[str, dict[str, Object]] = {}
        self.history: list[tuple[int, str, str, Object]] = []
        self.version = 100
        self.forgotten = 0
        self.sockets: list[Any] = []
        self.server: ThreadingHTTPServer | None = None

    def put(self, path: str, name: str, **content: Any) -> None:
        """Create or change an object of a collection."""
        with self.changed:
            self.version += 1
            kept = self.objects.setdefault(path, {})
            metadata = {"name": name, "resourceVersion": str(self.version)}
            if "/namespaces/" in path:
                metadata["namespace"] = path.split("/")[4]
            kind = "MODIFIED" if name in kept else "ADDED"
            kept[name] = {"metadata": metadata, **content}
            self.history.append((self.version, path, kind, kept[name]))
            self.changed.notify_all()

    def delete(self, path: str, name: str) -> None:
        """Delete an object."""
        with self.changed:
            self.version += 1
            gone = self.objects[path].pop(name)
            gone = {**gone, "metadata": {**gone["metadata"], "resourceVersion": str(self.version)}}
            self.history.append((self.version, path, "DELETED", gone))
            self.changed.notify_all()

    def forget(self) -> None:
        """Answer 410 to whoever goes on from an older version."""
        with self.changed:
            self.version += 1
            self.forgotten = self.version
            self.history.clear()

    def define(self, group: str, version: str, kind: str, plural: str) -> None:
        """Serve a custom kind, as a CustomResourceDefinition does."""
        self.resources[f"/apis/{group}/{version}"] = [
            {"name": plural, "kind": kind, "namespaced": False}
        ]
        spec = {
            "group": group,
            "names": {"kind": kind},
            "versions": [{"name": version, "served": True}],
        }
        established = [{"type": "Established", "status": "True"}]
        for conditions in (None, established):
            status = {"conditions": conditions}
            self.put(CRDS, f"{plural}.{group}", spec=spec, status=status)

    def drop_connections(self) -> None:
        """Break every open connection."""
        with self.changed:
            for connection in self.sockets:
                with suppress(OSError):
                    connection.shutdown(2)
            self.sockets.clear()

    def start(self, port: int = 0) -> None:
        """Listen, on the same port as before when it is given."""
        server = _Server(("127.0.0.1", port), _Handler)
        server.api = self
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        served = self.servers.issue("api", dns=["localhost"])
        certificate, key = self.folder / "api.pem", self.folder / "api.key"
        certificate.write_text(served.certificate, encoding="utf-8")
        key.write_text(served.key, encoding="utf-8")
        context.load_cert_chain(certificate, key)
        context.load_verify_locations(cadata=self.clients.certificate)
        context.verify_mode = ssl.CERT_OPTIONAL
        server.tls = context
        self.server = server
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Stop listening, and break every connection."""
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None
        self.drop_connections()
        with self.changed:
            self.changed.notify_all()

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self.server is not None
        return self.server.server_address[1]

    def kubeconfig(self, *, token: str | None = None) -> str:
        """A kubeconfig with a client certificate, or with a token."""
        issued = self.clients.issue("admin", client=True)
        user = {"token": token} if token else _keys(issued.certificate, issued.key)
        return yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "fake",
                "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "admin"}}],
                "clusters": [
                    {
                        "name": "fake",
                        "cluster": {
                            "server": f"https://localhost:{self.port}",
                            "certificate-authority-data": _base64(self.servers.certificate),
                        },
                    }
                ],
                "users": [{"name": "admin", "user": user}],
            }
        )


CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@contextmanager
def fake_api(folder: Path) -> Generator[FakeApi]:
    """A running server."""
    api = FakeApi(folder)
    api.start()
    try:
        yield api
    finally:
        api.stop()


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _keys(certificate: str, key: str) -> dict[str, str]:
    return {"client-certificate-data": _base64(certificate), "client-key-data": _base64(key)}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    api: FakeApi
    tls: ssl.SSLContext

    def finish_request(self, request: Any, client_address: Any) -> None:
        with (
            suppress(ssl.SSLError, OSError),
            self.tls.wrap_socket(request, server_side=True) as connection,
        ):
            with self.api.changed:
                self.api.sockets.append(connection)
            super().finish_request(connection, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A broken connection is part of the game."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def api(self) -> FakeApi:
        """What it answers from."""
        return cast("_Server", self.server).api

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Keep quiet."""

    def do_GET(self) -> None:
        """Answer."""
        api = self.api
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        with api.changed:
            api.asked.append(self.path)
        if not (
            self.connection.getpeercert() or self.headers["Authorization"] == f"Bearer {TOKEN}"
        ):
            self._refuse(401, "Unauthorized")
        elif refusal := api.refuse(parts.path):
            self._refuse(*refusal)
        elif parts.path in api.resources:
            self._answer({"kind": "APIResourceList", "resources": api.resources[parts.path]})
        elif not self._is_served(parts.path):
            self._refuse(404, "the server could not find the requested resource")
        elif "watch" in query:
            self._watch(parts.path, int(query["resourceVersion"]))
        else:
            with api.changed:
                items = list(api.objects.get(parts.path, {}).values())
                metadata = {"resourceVersion": str(api.version)}
            self._answer({"kind": "List", "metadata": metadata, "items": items})

    def _is_served(self, path: str) -> bool:
        plural = path.rpartition("/")[2]
        return any(
            path.startswith(root) and any(each["name"] == plural for each in resources)
            for root, resources in self.api.resources.items()
        )

    def _watch(self, path: str, version: int) -> None:
        api = self.api
        if version < api.forgotten:
            self._refuse(410, "too old resource version")
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while api.server is not None:
            with api.changed:
                if version < api.forgotten:
                    status = {"kind": "Status", "code": 410, "message": "too old"}
                    self._chunk({"type": "ERROR", "object": status})
                    break
                news = [
                    (at, kind, item)
                    for at, where, kind, item in api.history
                    if at > version and where == path
                ]
                if not news:
                    api.changed.wait(0.2)
                    continue
            for at, kind, item in news:
                self._chunk({"type": kind, "object": item})
                version = at
        self.wfile.write(b"0\r\n\r\n")

    def _chunk(self, event: Object) -> None:
        data = json.dumps(event).encode() + b"\n"
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def _refuse(self, status: int, message: str) -> None:
        self._answer({"kind": "Status", "code": status, "message": message}, status)

    def _answer(self, document: Object, status: int = 200) -> None:
        data = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
