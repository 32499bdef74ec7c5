"""`file`: a file below the working folder."""

from tutor.course.interpret import Node
from tutor.course.limits import Text
from tutor.probes.base import FilePath, Reading, Seen, World
from tutor.probes.source import Inputs, Source, null_when_absent


class Spec(Node):
    """Which file."""

    path: Text
    """Below the working folder."""
    optional: bool = False
    """Give null, instead of *not yet*, when there is no such file."""


def watches(spec: Spec) -> tuple[FilePath]:
    """The file."""
    return (FilePath(spec.path),)


async def read(spec: Spec, world: World, _inputs: Inputs) -> Reading:
    """A dict: `text` (with \ufffd for bytes that are not UTF-8) and `size` in bytes."""
    noun = f"the file {spec.path}"
    found = world.files.read(spec.path)
    if isinstance(found, bytes):
        return Seen({"text": found.decode(errors="replace"), "size": len(found)}, noun)
    return null_when_absent(found, noun, optional=spec.optional)


SOURCE = Source(spec=Spec, watches=watches, read=read)
