"""TLS that is broken on its way, and certificates of clients that nobody should have made."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.contract.fuzz.wire import Answer, Connection, Gone
from tutor.sandbox import pki

_PATIENCE_S = 30.0
_KEYS = (("ECDSA", 256), ("ECDSA", 384), ("ECDSA", 521), ("Ed25519", 0))
_DAY = timedelta(days=1)
_TRIES = 200
_WHO = b"GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n"
_LONGEST_CHAIN = 60
_SUBJECTS = (
    x509.Name([]),
    pki.subject_of("a\n\u202e\x00é"),
    pki.subject_of("", [f"group-{number}" for number in range(300)]),
    x509.Name([*pki.subject_of("a"), *pki.subject_of("b")]),
)


class Handshakes:
    """Opens such connections to a port, whose certificate an authority has signed."""

    def __init__(self, port: int, ca: str, folder: Path) -> None:
        self._port = port
        self._ca = ca
        self._files = (folder / f"odd-{number}.pem" for number in count())
        self._now = datetime.now(UTC)  # noqa: TID251 - handshakes compare with the real clock

    async def once(self, number: int, chance: Random) -> str:
        """One connection of the kind whose turn it is; what is wrong with the server."""
        kinds: Sequence[Callable[[Random], Awaitable[str]]] = (
            self._bent,
            self._in_bytes,
            self._odd_certificate,
            self._bent_certificate,
            self._long_chain,
        )
        kind = kinds[number % len(kinds)]
        why = await kind(chance)
        return f"{kind.__name__}: {why}" if why else ""

    async def _bent(self, chance: Random) -> str:
        """A handshake with some bits turned, in any of its flights or after them."""
        chosen = chance.randrange(4)

        def bend(flight: int, data: bytes) -> bytes:
            if flight != chosen or not data:
                return data
            bent = bytearray(data)
            for _ in range(chance.randrange(1, 4)):
                bent[chance.randrange(len(bent))] ^= 1 << chance.randrange(8)
            return bytes(bent)

        return await self._shake(bend, 65_536)

    async def _in_bytes(self, chance: Random) -> str:
        """A good handshake a few bytes at a time, with a record in between that is none."""
        at, junk = chance.randrange(5), bytes((chance.randrange(20, 26), 3, 3, 0, 1, 1))

        def bend(flight: int, data: bytes) -> bytes:
            return junk + data if flight == at else data

        return await self._shake(bend, chance.choice((1, 7, 100)))

    async def _shake(self, bend: Callable[[int, bytes], bytes], size: int) -> str:
        """Speak through `bend`, and listen until there is an answer or an end."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = ssl.create_default_context(cadata=self._ca)
        tls = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                for flight in range(5):
                    try:
                        tls.do_handshake()
                        tls.write(_WHO)
                    except ssl.SSLWantReadError:
                        pass
                    data = bend(flight, outgoing.read())
                    for start in range(0, len(data), size):
                        writer.write(data[start : start + size])
                        await writer.drain()
                    # What is bent may leave the server waiting for the rest, as it should.
                    async with asyncio.timeout(0.5):
                        heard = await reader.read(65_536)
                    if not heard:
                        return ""
                    incoming.write(heard)
        except (OSError, ssl.SSLError):
            return ""
        finally:
            writer.transport.abort()
        return ""

    async def _odd_certificate(self, chance: Random) -> str:
        """A certificate of an authority of its own, with what few certificates have."""
        authority = pki.new_authority("stranger", now=self._now, lifetime=_DAY)
        key = pki.new_key(*chance.choice(_KEYS))
        unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\xff" * 9)
        made = pki.build(
            subject=chance.choice(_SUBJECTS),
            issuer=chance.choice((authority.certificate.subject, x509.Name([]))),
            public_key=key.public_key(),
            signer=authority.key,
            not_before=self._now - chance.choice((_DAY, 20_000 * _DAY)),
            not_after=self._now + chance.choice((_DAY, -_DAY / 2, 2_000_000 * _DAY)),
            extensions=[(unknown, chance.random() < 0.5)],
        )
        return await self._present([made.public_bytes(Encoding.DER)], pki.key_pem(key))

    async def _bent_certificate(self, chance: Random) -> str:
        """One that OpenSSL lets through, with bytes changed anywhere but in its key."""
        authority = pki.new_authority("stranger", now=self._now, lifetime=_DAY)
        subject = pki.subject_of("admin", ["system:masters", "b"])
        usage = (pki.CLIENT_AUTH,)
        pair = pki.issue(authority, subject=subject, now=self._now, lifetime=_DAY, extended=usage)
        leaf = pki.load_certificates(pair.certificate)[0]
        whole = leaf.public_bytes(Encoding.DER)
        key = leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        kept = range(whole.index(key), whole.index(key) + len(key))
        for _ in range(_TRIES):
            bent = bytearray(whole)
            for _ in range(chance.randrange(1, 4)):
                at = chance.choice([n for n in range(len(bent)) if n not in kept])
                bent[at] = chance.randrange(256)
            try:
                return await self._present([bytes(bent)], pair.key)
            except ssl.SSLError:
                continue
        return ""

    async def _long_chain(self, chance: Random) -> str:
        """A certificate with many others that have nothing to do with it."""
        authority = pki.new_authority("stranger", now=self._now, lifetime=_DAY)
        pair = pki.issue(authority, subject=x509.Name([]), now=self._now, lifetime=_DAY)
        leaf = pki.load_certificates(pair.certificate)[0].public_bytes(Encoding.DER)
        others = [authority.certificate.public_bytes(Encoding.DER), leaf]
        return await self._present(
            [leaf, *chance.choices(others, k=chance.randrange(_LONGEST_CHAIN))], pair.key
        )

    async def _present(self, chain: list[bytes], key: str) -> str:
        """Ask with a certificate; raises `ssl.SSLError` when our own side does not take it."""
        pem = "".join(ssl.DER_cert_to_PEM_cert(each) for each in chain)
        file = next(self._files)
        await asyncio.to_thread(file.write_text, pem + key)
        context = ssl.create_default_context(cadata=self._ca)
        context.load_cert_chain(file)
        connection = Connection(self._port, context)
        try:
            return _why(await connection.ask(_WHO))
        except Gone:
            return ""
        except TimeoutError:
            return "neither an answer nor an end"
        finally:
            connection.close()


def _why(answer: Answer) -> str:
    """A certificate of nobody is nobody's: 401, also where anonymous users would be let in."""
    return "" if answer.status == 401 else f"{answer.status} {answer.body[:300]!r}"
