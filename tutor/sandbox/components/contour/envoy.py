"""Envoy: passes TLS connections on by the name they ask for, and answers plain HTTP.

Source: contour-and-kind.md section 3 (listeners, behaviour, access log).
"""

import asyncio
import json
from dataclasses import dataclass
from itertools import count
from typing import Any

from tutor.sandbox.api.ports import Address, Unreachable
from tutor.sandbox.component import Connection, Workload
from tutor.sandbox.components.contour import hello
from tutor.sandbox.components.contour.serve import XDS_PORT
from tutor.sandbox.kinds import namespace_of

_HTTP_PORT, _HTTPS_PORT = 8080, 8443
_HELLO_S = 15.0
_CONNECT_S = 2.0
_RETRY_S = 0.3
_MAX_HEAD = 65_536


@dataclass
class _Traffic:
    """What one connection moved."""

    received: int = 0
    sent: int = 0


class Envoy:
    """Serves what Contour tells it to; keeps the last configuration when Contour is gone."""

    def __init__(self, workload: Workload) -> None:
        self._workload = workload
        self._hosts: dict[str, dict[str, Any]] = {}
        self._turn = count()
        self._listeners: dict[int, asyncio.Task[None]] = {}
        self._is_ready = False

    async def run(self) -> None:
        """Ask Contour for configurations and apply them."""
        version = 0
        async with asyncio.TaskGroup() as group:
            while True:
                found = await self._ask(version)
                if found is None:
                    await asyncio.sleep(_RETRY_S)
                    continue
                version = found["version"]
                self._hosts = {host["fqdn"]: host for host in found["hosts"]}
                self._listen(group)
                if not self._is_ready:
                    await asyncio.sleep(self._workload.pace.envoy_ready)
                    self._is_ready = True
                    self._workload.ready()

    async def _ask(self, version: int) -> dict[str, Any] | None:
        namespace = namespace_of(self._workload.pod)
        try:
            bundle = self._workload.read_mounted("/certs/ca.crt").decode()
            address = Address(
                host=f"contour.{namespace}.svc",
                port=XDS_PORT,
                path=f"/config?version={version}",
                ca_bundle=bundle,
            )
            _, body = await self._workload.backends.exchange(
                address, "GET", b"", timeout_s=_HELLO_S * 4
            )
        except (Unreachable, FileNotFoundError):
            return None
        return json.loads(body)

    def _listen(self, group: asyncio.TaskGroup) -> None:
        """Listeners exist only while there is something for them."""
        secure = any(host["passthrough"] for host in self._hosts.values())
        plain = any(host["routes"] for host in self._hosts.values())
        for port, wanted, accept in (
            (_HTTPS_PORT, secure, self._secure),
            (_HTTP_PORT, plain, self._plain),
        ):
            running = self._listeners.get(port)
            if wanted and running is None:
                self._listeners[port] = group.create_task(
                    self._workload.listen(port, accept), name=f"envoy {port}"
                )
            elif not wanted and running is not None:
                running.cancel()
                del self._listeners[port]

    async def _secure(self, client: Connection) -> None:
        data = b""
        found = hello.read(data)
        async with asyncio.timeout(_HELLO_S):
            while not found.complete:
                more = await client.read()
                if not more:
                    return
                data += more
                found = hello.read(data)
        host = self._hosts.get(found.server_name) if found.is_tls else None
        passes = host is not None and bool(host["passthrough"])
        sni = found.server_name if found.is_tls else ""
        self._workload.tell("envoy", sni=sni, does="passes through" if passes else "closes")
        if host is None or not passes:
            return
        await self._pass(client, data, host["passthrough"])

    async def _pass(self, client: Connection, first: bytes, clusters: list[dict[str, Any]]) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        addresses = [address for cluster in clusters for address in cluster["to"]]
        traffic = _Traffic(received=len(first))
        if not addresses:
            self._access(traffic, 0, "UH", "-")
            return
        ip, port = addresses[next(self._turn) % len(addresses)]
        try:
            async with asyncio.timeout(_CONNECT_S):
                server = await self._workload.connect(ip, port)
        except (Unreachable, TimeoutError):
            self._access(traffic, 0, "UF", f"{ip}:{port}")
            return
        try:
            await server.write(first)
            await _both_ways(client, server, traffic)
        finally:
            await server.close()
            spent = int((loop.time() - started) * 1000)
            self._access(traffic, spent, "-", f"{ip}:{port}")

    def _access(self, traffic: _Traffic, spent_ms: int, flag: str, upstream: str) -> None:
        now = self._workload.client.now()
        stamp = f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z"
        self._workload.log(
            f'[{stamp}] "- - -" 0 {flag} {traffic.received} {traffic.sent} {spent_ms} - "-" "-"'
            f' "-" "-" "{upstream}"'
        )

    async def _plain(self, client: Connection) -> None:
        head = b""
        async with asyncio.timeout(_HELLO_S):
            while b"\r\n\r\n" not in head and len(head) < _MAX_HEAD:
                more = await client.read()
                if not more:
                    return
                head += more
        await client.write(self._http_answer(head))

    def _http_answer(self, head: bytes) -> bytes:
        lines = head.decode("latin-1").split("\r\n")
        words = lines[0].split(" ")
        path = words[1] if len(words) > 1 else "/"
        named = {k.strip().lower(): v.strip() for k, _, v in (x.partition(":") for x in lines[1:])}
        name = named.get("host", "").partition(":")[0].lower()
        host = self._hosts.get(name)
        routes = [r for r in (host or {}).get("routes", ()) if path.startswith(r["prefix"])]
        if not routes:
            return _http("404 Not Found")
        route = max(routes, key=lambda r: len(r["prefix"]))
        if route["redirect"]:
            return _http("301 Moved Permanently", [f"location: https://{name}{path}"])
        if not route["backends"]:
            return _http("503 Service Unavailable")
        if not any(backend["to"] for backend in route["backends"]):
            return _http("503 Service Unavailable", body=b"no healthy upstream")
        refused = (
            b"upstream connect error or disconnect/reset before headers. reset reason: connection"
            b" failure, transport failure reason: delayed connect error: 111"
        )
        return _http("503 Service Unavailable", body=refused)


def _http(status: str, headers: list[str] | None = None, body: bytes = b"") -> bytes:
    lines = [
        f"HTTP/1.1 {status}",
        *(headers or []),
        "server: envoy",
        f"content-length: {len(body)}",
    ]
    if body:
        lines.append("content-type: text/plain")
    return ("\r\n".join([*lines, "connection: close"]) + "\r\n\r\n").encode() + body


async def _both_ways(client: Connection, server: Connection, traffic: _Traffic) -> None:
    async def up() -> None:
        while data := await client.read():
            traffic.received += len(data)
            await server.write(data)
        await server.write(b"")

    async with asyncio.TaskGroup() as group:
        upward = group.create_task(up(), name="envoy up")
        while data := await server.read():
            traffic.sent += len(data)
            await client.write(data)
        upward.cancel()


async def run(workload: Workload) -> None:
    """Run Envoy until its pod ends."""
    await Envoy(workload).run()
