"""`tls`: which certificates a server presents for a name, and whether an authority verifies it."""

import asyncio
from typing import Annotated, Any

from pydantic import Field

from tutor.course.interpret import Node
from tutor.course.limits import Text
from tutor.probes.address import expand
from tutor.probes.base import Blind, Handshake, Peer, Reading, Seen, World
from tutor.probes.source import EXPRESSION, Inputs, Source, null_when_absent


class Spec(Node):
    """Where to connect, and as what."""

    address: Text
    """`host:port`; `$NAME` comes from the learner's shell."""
    name: Text
    """The server name to ask for (SNI), and to find in the certificate."""
    authority: Annotated[str | None, EXPRESSION, Field(alias="ca")] = None
    """PEM that should verify the chain; the system's own authorities when left out."""
    optional: bool = False
    """Give null, instead of *not yet*, when there is no handshake."""


def watches(spec: Spec) -> tuple[Peer]:
    """The server."""
    return (Peer(spec.address),)


async def read(spec: Spec, world: World, inputs: Inputs) -> Reading:
    """A dict.

    `chain` (certificates as the function `x509` gives them, the server's own first), `verified`,
    `problem` (why not; empty when verified), `clientAuthorities` (names), `protocol`.
    """
    address = expand(spec.address, world.environment)
    if isinstance(address, Blind):
        return address
    authority = inputs.get("authority")
    found = await world.tls.dial(
        address,
        server_name=spec.name,
        authority=str(authority) if authority is not None else None,
    )
    noun = f"the server at {address}"
    if isinstance(found, Handshake):
        return Seen(await asyncio.to_thread(_value, found), noun)
    return null_when_absent(found, noun, optional=spec.optional)


def _value(found: Handshake) -> dict[str, Any]:
    from tutor.probes.certificate import read_certificates  # noqa: PLC0415 - cryptography is loaded by the first lesson that looks at a certificate

    return {
        "chain": [read_certificates(pem)[0] for pem in found.chain],
        "verified": found.distrust is None,
        "problem": found.distrust or "",
        "clientAuthorities": list(found.client_authorities),
        "protocol": found.protocol,
    }


SOURCE = Source(spec=Spec, watches=watches, read=read)
