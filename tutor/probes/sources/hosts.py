"""`hosts`: what the hosts file says about a name."""

from tutor.course.interpret import Node
from tutor.course.limits import Text
from tutor.probes.base import Blind, HostNames, Reading, Seen, World
from tutor.probes.source import Inputs, Source


class Spec(Node):
    """Which name."""

    name: Text


def watches(_spec: Spec) -> tuple[HostNames]:
    """The hosts file."""
    return (HostNames(),)


async def read(spec: Spec, world: World, _inputs: Inputs) -> Reading:
    """A dict: `addresses`, a list that is empty when the file does not have the name; `file`."""
    found = world.hosts.addresses(spec.name)
    if isinstance(found, Blind):
        return found
    file = world.hosts.file
    return Seen({"addresses": list(found), "file": file}, f"{spec.name} in the file {file}")


SOURCE = Source(spec=Spec, watches=watches, read=read)
