"""Calls to other servers: webhooks, aggregated APIs, and what components ask of each other.

Failures are told in the sentences that Go's net/http and crypto/tls would use, since they end up in
messages that a learner compares with the real ones.
"""

import asyncio
import json
import logging
import re
import ssl
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextvars import ContextVar
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from multidict import CIMultiDict

from tutor.sandbox.api.ports import Address, Unreachable
from tutor.sandbox.api.request import Answer, Request, Response, Stream, User
from tutor.sandbox.component import Publish
from tutor.sandbox.pki import Pair
from tutor.sandbox.server.network import Network, Route
from tutor.sandbox.server.suspect import hint_for

log = logging.getLogger(__name__)

_HOP = {
    "connection",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "content-length",
}
_PARTIAL_CHAIN = 0x80000
_STREAMING = ("watch=true", "watch=1", "follow=true")
# OpenSSL's X509_V_ERR codes.
_SELF_SIGNED, _SELF_SIGNED_IN_CHAIN, _NO_ISSUER, _UNVERIFIABLE = (18, 19, 20, 21)
_EXPIRED, _NOT_YET, _BAD_SIGNATURE, _MISMATCH = (10, 9, 7, 62)
_UNKNOWN = "x509: certificate signed by unknown authority"
_refusals: ContextVar[list[ssl.SSLCertVerificationError]] = ContextVar("refusals")
"""Why the certificate of the server that is being called was refused."""


class Outbound:
    """Calls other servers through the cluster's network."""

    def __init__(self, network: Network, front_proxy: Pair, publish: Publish) -> None:
        self._network = network
        self._front_proxy = front_proxy
        self._publish = publish

    async def post(self, address: Address, body: Any, timeout_s: float) -> Any:
        """POST JSON, return JSON; raises Unreachable with the sentence of the API server."""
        url = _url(address)
        try:
            status, answer = await self.exchange(
                address, "POST", json.dumps(body).encode(), timeout_s=timeout_s
            )
        except Unreachable as error:
            raise Unreachable(f'Post "{url}": {error}') from None
        if not 200 <= status < 300:
            raise Unreachable(f"the server rejected our request: status {status}")
        try:
            return json.loads(answer)
        except ValueError as error:
            raise Unreachable(f"unexpected response: {error}") from None

    async def exchange(
        self,
        address: Address,
        method: str,
        body: bytes,
        *,
        headers: Sequence[tuple[str, str]] = (),
        timeout_s: float = 30.0,
        as_front_proxy: bool = False,
    ) -> tuple[int, bytes]:
        """One request and its whole answer: status and body; raises Unreachable."""
        pair = self._front_proxy if as_front_proxy else None
        sent: CIMultiDict[str] = CIMultiDict(
            [("Content-Type", "application/json"), ("Accept", "application/json, */*")]
        )
        sent.update(headers)
        route = self._route(address)
        _refusals.set([])
        async with self._session(address, route, pair) as session:
            try:
                async with (
                    asyncio.timeout(timeout_s),
                    session.request(method, _url(address), data=body, headers=sent) as answer,
                ):
                    self._tell(method, address, pair, status=answer.status)
                    return answer.status, await answer.read()
            except TimeoutError:
                raise self._failed(method, address, pair, "context deadline exceeded") from None
            except (aiohttp.ClientError, OSError, ssl.SSLError) as error:
                sentence = await self._sentence(error, address, route)
                raise self._failed(method, address, pair, sentence) from error

    async def proxy(
        self, address: Address, request: Request, user: User, headers: Sequence[tuple[str, str]]
    ) -> Answer:
        """Hand a request on as the front proxy; raises Unreachable."""
        passed = [
            (name, value)
            for name, value in request.headers
            if name not in _HOP and not name.startswith("x-remote-") and name != "authorization"
        ]
        passed.extend(remote_headers(user))
        passed.extend(headers)
        return await self.forward(address, request, passed, pair=self._front_proxy)

    async def forward(
        self,
        address: Address,
        request: Request,
        headers: Sequence[tuple[str, str]],
        *,
        pair: Pair | None = None,
    ) -> Answer:
        """Send a request on with exactly these headers and stream what comes back.

        Raises:
            Unreachable: No connection.
        """
        route = self._route(address)
        _refusals.set([])
        session = self._session(address, route, pair)
        try:
            answer = await session.request(
                request.method,
                _url(address),
                data=request.body or None,
                headers=CIMultiDict(headers),
                allow_redirects=False,
            )
        except (aiohttp.ClientError, OSError, ssl.SSLError) as error:
            await session.close()
            sentence = await self._sentence(error, address, route)
            raise self._failed(request.method, address, pair, sentence) from error
        except asyncio.CancelledError:
            await session.close()
            raise
        self._tell(request.method, address, pair, status=answer.status)
        kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in _HOP]
        content_type = answer.headers.get("Content-Type", "")
        kept = [(n, v) for n, v in kept if n.lower() not in ("content-type", "server", "date")]
        if any(mark in request.target for mark in _STREAMING):
            chunks = _relayed(answer, session)
            return Stream(
                source=chunks, status=answer.status, content_type=content_type, headers=kept
            )
        try:
            body = await answer.read()
        except (aiohttp.ClientError, OSError) as error:
            raise Unreachable(await self._sentence(error, address, route)) from error
        finally:
            await session.close()
        return Response(status=answer.status, body=body, content_type=content_type, headers=kept)

    def _tell(self, method: str, address: Address, pair: Pair | None, **outcome: Any) -> None:
        """Publish what became of a call."""
        proof = {"certificate": "front-proxy-client"} if pair is self._front_proxy else {}
        called = {"method": method, "to": f"{address.host}:{address.port}", "path": address.path}
        self._publish("call", {**called, **proof, **outcome})

    def _failed(self, method: str, address: Address, pair: Pair | None, why: str) -> Unreachable:
        self._tell(method, address, pair, why=why)
        return Unreachable(why)

    def _route(self, address: Address) -> Route:
        if address.service is not None:
            return self._network.to_service(*address.service, address.port)
        if address.host == "127.0.0.1":
            return Route(address.host, address.port, address.port)
        return self._network.to_name(address.host, address.port)

    def _session(self, address: Address, route: Route, pair: Pair | None) -> aiohttp.ClientSession:
        context = _context(address.ca_bundle, pair, address.insecure)
        connector = aiohttp.TCPConnector(
            resolver=_Fixed(route.loopback), ssl=context, use_dns_cache=False, force_close=True
        )
        return aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
            skip_auto_headers=("User-Agent", "Accept-Encoding"),
        )

    async def _sentence(self, error: BaseException, address: Address, route: Route) -> str:
        refusals = _refusals.get()
        if refusals:
            sentence = _certificate_sentence(refusals[0], address)
            if sentence.endswith(_UNKNOWN) and address.ca_bundle:
                sentence += await hint_for(route.loopback, address.host, address.ca_bundle)
            return sentence
        if isinstance(error, aiohttp.ClientConnectorSSLError):
            return _tls_sentence(str(error))
        if isinstance(error, aiohttp.ClientConnectorError):
            return route.refused
        if isinstance(error, aiohttp.ServerDisconnectedError):
            return "EOF"
        return _tls_sentence(str(error))


async def _relayed(
    answer: aiohttp.ClientResponse, session: aiohttp.ClientSession
) -> AsyncGenerator[bytes]:
    try:
        async for chunk in answer.content.iter_any():
            yield chunk
    except (aiohttp.ClientError, OSError) as error:
        log.info("backend went away", extra={"why": str(error)})
    finally:
        answer.close()
        await session.close()


class _Fixed(AbstractResolver):
    """Every name is the port that the route found."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        del port
        return [
            ResolveResult(
                hostname=host, host="127.0.0.1", port=self._port, family=family, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        """Nothing is open."""


def remote_headers(user: User) -> list[tuple[str, str]]:
    """How the front proxy says who the user is."""
    headers = [("X-Remote-User", user.name)]
    headers.extend(("X-Remote-Group", group) for group in user.groups)
    for key, values in user.extra.items():
        headers.extend((f"X-Remote-Extra-{quote(key, safe='')}", value) for value in values)
    return headers


def _url(address: Address) -> str:
    return f"https://{address.host}:{address.port}{address.path}"


class _Telling(ssl.SSLObject):
    """TLS that tells the server when it refuses its certificate.

    asyncio drops what a handshake that fails has to say; so this one waits, the alert goes out, the
    server ends the connection, and the reason is found where the call left a place for it.
    """

    def do_handshake(self) -> None:
        """Go on with the handshake."""
        try:
            super().do_handshake()
        except ssl.SSLCertVerificationError as error:
            _refusals.get().append(error)
            raise ssl.SSLWantReadError(2, "want read") from error


@lru_cache(maxsize=64)
def _context(ca_bundle: str, pair: Pair | None, insecure: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.sslobject_class = _Telling
    context.verify_flags |= ssl.VerifyFlags(_PARTIAL_CHAIN)
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif ca_bundle:
        context.load_verify_locations(cadata=ca_bundle)
    else:
        context.load_default_certs()
    if pair is not None:
        _load_pair(context, pair)
    return context


def _load_pair(context: ssl.SSLContext, pair: Pair) -> None:
    """Load a certificate and key: OpenSSL reads them from a file only."""
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(pair.certificate + pair.key)
        file.flush()
        context.load_cert_chain(file.name)


def _certificate_sentence(error: Exception, address: Address) -> str:
    code = getattr(error, "verify_code", 0)
    if code in (_SELF_SIGNED, _SELF_SIGNED_IN_CHAIN, _NO_ISSUER, _UNVERIFIABLE, _BAD_SIGNATURE):
        why = _UNKNOWN
    elif code in (_EXPIRED, _NOT_YET):
        why = "x509: certificate has expired or is not yet valid"
    elif code == _MISMATCH:
        why = f"x509: certificate is not valid for {address.host}"
    else:
        why = f"x509: {getattr(error, 'verify_message', error)}"
    return f"tls: failed to verify certificate: {why}"


def _tls_sentence(text: str) -> str:
    if "internal error" in text or "INTERNAL_ERROR" in text:
        return "remote error: tls: internal error"
    if "WRONG_VERSION_NUMBER" in text or "HTTP_REQUEST" in text:
        return "http: server gave HTTP response to HTTPS client"
    found = re.search(r"ALERT_([A-Z_]+)", text)
    if found:
        return f"remote error: tls: {found[1].lower().replace('_', ' ')}"
    return "EOF"
