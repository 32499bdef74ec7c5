"""`objects`: all objects of a kind, as a list."""

from typing import ClassVar

from pydantic import Field

from tutor.course.interpret import Node
from tutor.course.limits import Text
from tutor.probes.base import Absent, Collection, Object, Objects, Reading, Seen, World
from tutor.probes.source import Inputs, Source


class Spec(Node):
    """Which objects."""

    opaque: ClassVar[frozenset[str]] = frozenset({"labels"})

    api_version: Text = Field(alias="apiVersion")
    kind: Text
    namespace: Text | None = None
    """Left out for all namespaces, and for kinds that are not in one."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Only objects that have all of these."""
    optional: bool = False
    """Give an empty list, instead of *not yet*, while the cluster does not know the kind."""


def watches(spec: Spec) -> tuple[Collection]:
    """The collection itself."""
    return (Collection(spec.api_version, spec.kind, spec.namespace),)


async def read(spec: Spec, world: World, _inputs: Inputs) -> Reading:
    """The objects as a list of dicts, by namespace and name."""
    where = f" in the namespace {spec.namespace}" if spec.namespace else ""
    noun = f"the list of {spec.kind} objects{where}"
    found = world.cluster.look(watches(spec)[0])
    match found:
        case Objects(items):
            return Seen(sorted((item for item in items if _fits(spec, item)), key=_order), noun)
        case Absent() if spec.optional:
            return Seen([], noun)
        case _:
            return found


def _fits(spec: Spec, item: Object) -> bool:
    labels = item["metadata"].get("labels", {})
    return all(labels.get(key) == value for key, value in spec.labels.items())


def _order(item: Object) -> tuple[str, str]:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]


SOURCE = Source(spec=Spec, watches=watches, read=read)
