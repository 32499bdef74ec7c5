"""`command`: what a command prints. The last resort, and to be granted."""

from typing import Annotated

from pydantic import Field

from tutor.course.interpret import Node
from tutor.course.limits import Text
from tutor.probes.base import CommandLine, Completed, Reading, Seen, World
from tutor.probes.source import Inputs, Source


class Spec(Node):
    """Which command."""

    run: Annotated[tuple[Text, ...], Field(min_length=1)]
    """The program and its arguments, word by word: no shell reads them."""


def watches(spec: Spec) -> tuple[CommandLine]:
    """The command."""
    return (CommandLine(spec.run),)


async def read(spec: Spec, world: World, _inputs: Inputs) -> Reading:
    """A dict: `exit` (a number), `output` and `errors`."""
    found = await world.commands.run(spec.run)
    if isinstance(found, Completed):
        value = {"exit": found.exit_code, "output": found.output, "errors": found.errors}
        return Seen(value, f"`{' '.join(spec.run)}`")
    return found


SOURCE = Source(spec=Spec, watches=watches, read=read)
