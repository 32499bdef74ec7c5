"""`x509`: a certificate from a PEM text that something else gave."""

from typing import Annotated

from pydantic import Field

from tutor.course.interpret import Node
from tutor.probes.base import Absent, Reading, Seen, Topic, World
from tutor.probes.functions import Unreadable, pem, x509
from tutor.probes.source import EXPRESSION, Inputs, Source


class Spec(Node):
    """Which certificate."""

    text: Annotated[str, EXPRESSION, Field(alias="from")]
    """PEM, or base64 of it; of several certificates the first counts."""


def watches(_spec: Spec) -> tuple[Topic, ...]:
    """Nothing of its own."""
    return ()


async def read(spec: Spec, _world: World, inputs: Inputs) -> Reading:
    """The certificate as a dict, as the function `x509` gives it."""
    try:
        return Seen(x509(pem(str(inputs["text"]))), f"the certificate in {spec.text}")
    except Unreadable as error:
        return Absent(f"{spec.text}: {error}")


SOURCE = Source(spec=Spec, watches=watches, read=read)
