"""`http`: what a server answers to a GET."""

from typing import Annotated, ClassVar

from pydantic import Field

from tutor.course.interpret import Node
from tutor.course.limits import Text
from tutor.probes.address import expand, peer_of
from tutor.probes.base import Blind, HttpAnswer, Peer, Reading, Seen, World
from tutor.probes.source import EXPRESSION, Inputs, Source, null_when_absent


class Spec(Node):
    """What to get."""

    opaque: ClassVar[frozenset[str]] = frozenset({"headers"})

    url: Annotated[Text, Field(pattern="^https?://")]
    """`$NAME` comes from the learner's shell."""
    headers: dict[str, str] = Field(default_factory=dict)
    authority: Annotated[str | None, EXPRESSION, Field(alias="ca")] = None
    """PEM that should verify the server; the system's own authorities when left out."""
    optional: bool = False
    """Give null, instead of *not yet*, when there is no answer."""


def watches(spec: Spec) -> tuple[Peer]:
    """The server."""
    return (peer_of(spec.url),)


async def read(spec: Spec, world: World, inputs: Inputs) -> Reading:
    """A dict: `status` (a number), `headers` (names in lower case), `body`."""
    url = expand(spec.url, world.environment)
    if isinstance(url, Blind):
        return url
    authority = inputs.get("authority")
    found = await world.http.get(
        url,
        headers=spec.headers,
        authority=str(authority) if authority is not None else None,
    )
    noun = f"the answer of {url}"
    if isinstance(found, HttpAnswer):
        value = {"status": found.status, "headers": dict(found.headers), "body": found.body}
        return Seen(value, noun)
    return null_when_absent(found, noun, optional=spec.optional)


SOURCE = Source(spec=Spec, watches=watches, read=read)
