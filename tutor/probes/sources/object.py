"""`object`: one object of the cluster, as the API spells it."""

from pydantic import Field

from tutor.course.interpret import Node
from tutor.course.limits import Text
from tutor.probes.base import Absent, Collection, Objects, Reading, Seen, World
from tutor.probes.source import Inputs, Source, null_when_absent


class Spec(Node):
    """Which object."""

    api_version: Text = Field(alias="apiVersion")
    kind: Text
    name: Text
    namespace: Text | None = None
    """Left out for kinds that are not in a namespace."""
    optional: bool = False
    """Give null, instead of *not yet*, when there is no such object."""


def watches(spec: Spec) -> tuple[Collection]:
    """The collection it is in."""
    return (Collection(spec.api_version, spec.kind, spec.namespace),)


async def read(spec: Spec, world: World, _inputs: Inputs) -> Reading:
    """The object as a dict."""
    noun = f"the {spec.kind} {spec.name}"
    found = world.cluster.look(watches(spec)[0])
    if isinstance(found, Objects):
        found = _named(spec, noun, found)
    return null_when_absent(found, noun, optional=spec.optional)


def _named(spec: Spec, noun: str, found: Objects) -> Reading:
    for item in found.items:
        if item["metadata"]["name"] == spec.name:
            return Seen(item, noun)
    where = f" in the namespace {spec.namespace}" if spec.namespace else ""
    return Absent(f"there is no {spec.kind} {spec.name}{where} yet")


SOURCE = Source(spec=Spec, watches=watches, read=read)
