"""TLS between a socket and a protocol that speaks plainly.

What asyncio has for it costs as much as the encryption itself, wants the shape of `ssl`'s objects,
holds a buffer for each connection, and drops what a handshake that fails has to say.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable
from typing import Any

from tutor.sandbox.server.tls import Tls, TlsContext

log = logging.getLogger(__name__)

_HANDSHAKE_S = 60.0


class SecureTransport(asyncio.Transport):
    """What the protocol above writes to."""

    def __init__(self, below: asyncio.Transport, tls: Tls, secure: "Secure") -> None:
        super().__init__()
        self._below = below
        self._secure = secure
        self.tls = tls

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """What the socket knows."""
        return self._below.get_extra_info(name, default)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Encrypt and send."""
        if self._below.is_closing() or not data:
            return
        try:
            self._below.write(self.tls.encrypt(bytes(data)))
        except ssl.SSLError as error:
            self._secure.fail(error)

    def close(self) -> None:
        """Say goodbye, and close when all is sent."""
        if not self._below.is_closing():
            self._below.write(self.tls.goodbye())
            self._below.close()

    def abort(self) -> None:
        """Close at once."""
        self._below.abort()

    def is_closing(self) -> bool:
        """Whether nothing more is sent."""
        return self._below.is_closing()

    def pause_reading(self) -> None:
        """Let what comes wait in the network."""
        self._below.pause_reading()

    def resume_reading(self) -> None:
        """Take what comes again."""
        self._below.resume_reading()

    def is_reading(self) -> bool:
        """Whether what comes is taken."""
        return self._below.is_reading()

    def get_write_buffer_size(self) -> int:
        """What is not sent yet, in bytes."""
        return self._below.get_write_buffer_size()

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """When writing is paused and resumed."""
        return self._below.get_write_buffer_limits()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Choose when writing is paused and resumed."""
        self._below.set_write_buffer_limits(high, low)

    def can_write_eof(self) -> bool:
        """No: TLS has no half of a connection."""
        return False

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Give what comes to this protocol."""
        assert isinstance(protocol, asyncio.Protocol)  # noqa: S101 - what servers give
        self._secure.above = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Who gets what comes."""
        return self._secure.above


class Secure(asyncio.Protocol):
    """One connection. `ready` is called after the handshake, and sets the protocol above."""

    def __init__(
        self,
        context: TlsContext,
        ready: Callable[[SecureTransport], None],
        refused: Callable[[asyncio.Transport, str], None],
        ended: Callable[["Secure"], None],
    ) -> None:
        self._tls = Tls(context)
        self._ready = ready
        self._refused = refused
        self._ended = ended
        self._is_open = False
        self.above = asyncio.Protocol()
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the client to begin the handshake."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what a server gives
        self.transport = transport
        self._timer = asyncio.get_running_loop().call_later(_HANDSHAKE_S, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._timer.cancel()
        self._ended(self)
        self.above.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what arrives."""
        if not self._is_open:
            if self._shake(data):
                self._take(b"")
            return
        self._take(data)

    def _take(self, data: bytes) -> None:
        tls = self._tls
        try:
            plain = tls.decrypt(data)
        except ssl.SSLError as error:
            self.fail(error)
            return
        if plain:
            self.above.data_received(plain)
        elif data:
            # What was no data may have been a question to TLS itself.
            self.transport.write(tls.outgoing())
        if tls.ended:
            self.above.eof_received()
            self.transport.write(tls.goodbye())
            self.transport.close()

    def _shake(self, data: bytes) -> bool:
        """Go on with the handshake; whether there is a connection now."""
        over = self._tls.shake(data)
        self.transport.write(self._tls.outgoing())
        if not over:
            return False
        self._timer.cancel()
        if self._tls.refusal:
            self._refused(self.transport, self._tls.refusal)
            self.transport.close()
            return False
        self._is_open = True
        self._ready(SecureTransport(self.transport, self._tls, self))
        return True

    def fail(self, error: ssl.SSLError) -> None:
        """End a connection on which TLS is broken."""
        log.debug("TLS fault", extra={"why": str(error)})
        self.transport.write(self._tls.outgoing())
        self.transport.close()

    def eof_received(self) -> None:
        """The other side has nothing more to say."""
        self.above.eof_received()

    def pause_writing(self) -> None:
        """The network is slower than we are."""
        self.above.pause_writing()

    def resume_writing(self) -> None:
        """The network has caught up."""
        self.above.resume_writing()
