"""Servers on loopback that the commands are tested against."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple, Self, cast

from shim_pki import Issued


class Request(NamedTuple):
    """What a server was asked; `subject` is the common name of the client's certificate."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    subject: str | None


class Reply(NamedTuple):
    """What a server answers; JSON unless `kind` says otherwise."""

    code: int = 200
    body: object = None
    headers: Mapping[str, str] = {}
    kind: str = "application/json"


Respond = Callable[[Request], Reply]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size)
        request = Request(self.command, self.path, dict(self.headers), body, self._subject())
        server = cast("_Server", self.server)
        server.requests.append(request)
        reply = server.respond(request)
        text = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
        self.send_response(reply.code)
        for name, value in {"Content-Type": reply.kind, **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    do_GET = do_POST = _answer  # noqa: N815  (the standard library's names)

    def _subject(self) -> str | None:
        if not isinstance(self.connection, ssl.SSLSocket):
            return None
        certificate: dict[str, Any] = self.connection.getpeercert() or {}
        names: list[tuple[str, str]] = [
            pair for part in certificate.get("subject", ()) for pair in part
        ]
        return next((value for key, value in names if key == "commonName"), None)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the base's name)
        """Keep quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 20

    def __init__(self, respond: Respond, context: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.respond = respond
        self.context = context
        self.requests: list[Request] = []

    def finish_request(self, request: Any, client_address: Any) -> None:
        if self.context is None:
            _Handler(request, client_address, self)
            return
        with suppress(OSError), self.context.wrap_socket(request, server_side=True) as secured:
            _Handler(secured, client_address, self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is part of some tests."""


class WebServer:
    """An HTTP server, with TLS when it has a certificate."""

    def __init__(
        self, respond: Respond, issued: Issued | None, folder: Path, *, clients: str = ""
    ) -> None:
        context = None
        if issued:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            file = folder / f"server-{id(self)}.pem"
            file.write_text(issued.certificate + issued.key)
            context.load_cert_chain(file)
            if clients:
                context.load_verify_locations(cadata=clients)
                context.verify_mode = ssl.CERT_REQUIRED
        self._server = _Server(respond, context)
        self.port: int = self._server.server_address[1]
        self.requests = self._server.requests
        self.url = f"{'https' if issued else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}
        )
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class RawServer:
    """A TCP server whose every connection is handled by a function, then closed."""

    def __init__(self, handle: Callable[[socket.socket], None]) -> None:
        self._handle = handle
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"https://127.0.0.1:{self.port}"

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            self._handle(connection)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


class Proxy(RawServer):
    """A CONNECT proxy that knows some names; any other is refused with Go's words for it."""

    def __init__(self, known: Mapping[str, int]) -> None:
        super().__init__(self._tunnel)
        self.heads: list[str] = []
        self._known = known

    def _tunnel(self, client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        self.heads.append(head.decode())
        name = head.split()[1].decode().partition(":")[0]
        port = self._known.get(name)
        if port is None:
            client.sendall(f"HTTP/1.1 502 dial tcp: lookup {name}: no such host\r\n\r\n".encode())
            return
        if port == 0:
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            client.recv(4096)
            return
        with socket.create_connection(("127.0.0.1", port)) as server:
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=_pump, args=(server, client), daemon=True)
            back.start()
            _pump(client, server)
            back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


class SandboxSocket:
    """The sandbox's end of its Unix socket: one request a connection, replies as scripted."""

    def __init__(
        self, path: Path, script: Callable[[dict[str, Any]], Iterable[dict[str, Any]]]
    ) -> None:
        self.path = path
        self.requests: list[dict[str, Any]] = []
        self._script = script
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(5)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, suppress(OSError), connection.makefile("rwb") as stream:
                request = json.loads(stream.readline())
                self.requests.append(request)
                for reply in self._script(request):
                    stream.write(json.dumps(reply).encode() + b"\n")
                    stream.flush()

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        self.path.unlink(missing_ok=True)
