"""Connections that a probe makes: a TLS handshake, a GET."""

import asyncio
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from email.message import Message
from http.client import HTTPException
from typing import IO, Any
from urllib.parse import urlsplit

from tutor.probes.base import Absent, Blind, Handshake, HttpAnswer

TIMEOUT_S = 3.0
BODY_LIMIT = 256 * 1024
READ_SIZE = 65536


class Dialer:
    """Makes TLS connections, directly."""

    def __init__(self, trusted_file: str) -> None:
        """`trusted_file` has the authorities that the learner's commands trust."""
        self._trusted_file = trusted_file

    async def dial(
        self, address: str, *, server_name: str, authority: str | None
    ) -> Handshake | Absent | Blind:
        """Connect to `host:port` and look at what is served."""
        from tutor.probes.handshake import HandshakeClient, Refused  # noqa: PLC0415 - OpenSSL is loaded by the first lesson that looks at a server

        host, _, port = address.rpartition(":")
        if not (host and port.isdigit()):
            return Blind(f"{address} is not an address such as 127.0.0.1:443")
        client = HandshakeClient(server_name)
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await _shake(client, host.strip("[]"), int(port))
            return client.result(server_name, authority, self._trusted_file)
        except TimeoutError:
            return Absent(f"{address} does not answer within {TIMEOUT_S:g} s")
        except Refused as error:
            return Absent(f"{address} refuses the handshake for {server_name}: {_reason(error)}")
        except OSError as error:
            return Absent(f"no connection to {address}: {_words(error)}")
        except ValueError as error:
            return Absent(f"the authority for {server_name} cannot be read: {error}")


async def _shake(client: Any, host: str, port: int) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        while not client.advance():
            writer.write(client.outgoing())
            await writer.drain()
            client.incoming(await reader.read(READ_SIZE))
        writer.write(client.outgoing())
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def _reason(error: Exception) -> str:
    """OpenSSL's reason, or that the server hung up."""
    match error.args:
        case ([(*_, str(reason)), *_],):
            return reason
        case _:
            return "the server closed the connection"


def _words(error: OSError) -> str:
    """As Go's programs say it, which the learner sees in the shell too."""
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, socket.gaierror):
        return "no such host"
    if isinstance(error, ConnectionResetError):
        return "connection reset by peer"
    return error.strerror or str(error)


class Getter:
    """Gets pages as the learner's commands would: through their proxy, trusting whom they trust."""

    def __init__(self, environment: Mapping[str, str], trusted_file: str) -> None:
        self._environment = environment
        self._trusted_file = trusted_file

    async def get(
        self, url: str, *, headers: Mapping[str, str], authority: str | None
    ) -> HttpAnswer | Absent | Blind:
        """GET `url` without following redirects."""
        return await asyncio.to_thread(self._get, url, headers, authority)

    def _get(
        self, url: str, headers: Mapping[str, str], authority: str | None
    ) -> HttpAnswer | Absent | Blind:
        try:
            context = self._context(authority)
        except (OSError, ValueError) as error:
            return Absent(f"the authority for {url} cannot be read: {error}")
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler(self._proxies(url)),
            urllib.request.HTTPSHandler(context=context),
            _NoRedirects,
        )
        request = urllib.request.Request(url, headers=dict(headers))  # noqa: S310 - the pattern of the source allows http and https only
        try:
            with opener.open(request, timeout=TIMEOUT_S) as response:
                return _answer(response.status, response.headers, response)
        except urllib.error.HTTPError as error:
            with error:
                return _answer(error.code, error.headers, error)
        except urllib.error.URLError as error:
            reason = error.reason
            words = _words(reason) if isinstance(reason, OSError) else str(reason)
            return Absent(f"no answer from {url}: {words}")
        except (OSError, HTTPException) as error:
            words = _words(error) if isinstance(error, OSError) else str(error)
            return Absent(f"no answer from {url}: {words}")

    def _context(self, authority: str | None) -> ssl.SSLContext:
        if authority is None:
            context = ssl.create_default_context(cafile=self._trusted_file)
        else:
            context = ssl.create_default_context(cadata=authority)
        # Python 3.13 began to refuse certificates without key identifiers, which curl accepts.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        return context

    def _proxies(self, url: str) -> dict[str, str]:
        """The learner's proxy for that address; none for hosts that `NO_PROXY` has."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        environment = self._environment
        excepted = environment.get("NO_PROXY") or environment.get("no_proxy") or ""
        names = [name.strip().lstrip(".") for name in excepted.split(",") if name.strip()]
        if any(host == name or host.endswith(f".{name}") or name == "*" for name in names):
            return {}
        variable = f"{parts.scheme}_proxy"
        proxy = environment.get(variable.upper()) or environment.get(variable)
        return {parts.scheme: proxy} if proxy else {}


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Message,
        newurl: str,
    ) -> None:
        """Let the redirect itself be the answer."""


def _answer(status: int, headers: Message, body: IO[bytes]) -> HttpAnswer:
    return HttpAnswer(
        status=status,
        headers={name.lower(): value for name, value in headers.items()},
        body=body.read(BODY_LIMIT).decode(errors="replace"),
    )
