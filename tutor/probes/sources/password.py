"""`password`: whether a bcrypt hash is that of a word."""

import asyncio
from typing import Annotated

from tutor.course.interpret import Node
from tutor.course.limits import Text
from tutor.probes.base import Absent, Reading, Seen, Topic, World
from tutor.probes.functions import Unreadable, bcrypt_matches
from tutor.probes.source import EXPRESSION, Inputs, Source


class Spec(Node):
    """Which hash, and which word."""

    hash: Annotated[str, EXPRESSION]
    word: Text


def watches(_spec: Spec) -> tuple[Topic, ...]:
    """Nothing of its own."""
    return ()


async def read(spec: Spec, _world: World, inputs: Inputs) -> Reading:
    """A dict: `matches`."""
    try:
        # A hash takes 50 ms and more on purpose: not on the loop.
        matches = await asyncio.to_thread(bcrypt_matches, str(inputs["hash"]), spec.word)
    except Unreadable as error:
        return Absent(f"{spec.hash}: {error}")
    return Seen({"matches": matches}, f"the hash in {spec.hash}")


SOURCE = Source(spec=Spec, watches=watches, read=read)
