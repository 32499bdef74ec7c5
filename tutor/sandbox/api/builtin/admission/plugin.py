"""What every admission plugin has in common."""

from collections.abc import Sequence
from typing import ClassVar, Protocol

from tutor.sandbox.api.status import ApiError, forbidden
from tutor.sandbox.api.webhooks import Write
from tutor.sandbox.kinds import GroupResource, Object, labels_of, name_of

PODS = GroupResource("", "pods")
CLAIMS = GroupResource("", "persistentvolumeclaims")
NAMESPACES = GroupResource("", "namespaces")
NODES = GroupResource("", "nodes")
STORAGE_CLASSES = GroupResource("storage.k8s.io", "storageclasses")


class World(Protocol):
    """What plugins may read: the objects that are stored."""

    def find(self, resource: GroupResource, namespace: str, name: str) -> Object | None:
        """A stored object, or None."""
        ...

    def objects_of(self, resource: GroupResource, namespace: str = "") -> Sequence[Object]:
        """The stored objects of a collection; of every namespace when none is named."""
        ...


class Plugin:
    """A plugin that has nothing to say. Real ones override what they have a say in."""

    __slots__ = ()
    resources: ClassVar[frozenset[GroupResource] | None] = None
    """The collections whose writes it is asked about; None for all."""

    def admit(self, write: Write) -> None:
        """Change `write.new` in place, or raise ApiError."""

    def validate(self, write: Write) -> None:
        """Raise ApiError when the write is refused."""


def refusal(write: Write, why: str) -> ApiError:
    """403 in the words of an admission plugin."""
    return forbidden(write.served.kind.group_resource, write.name or "Unknown", why)


def concerns(
    write: Write, resource: GroupResource, *operations: str, subresource: str = ""
) -> bool:
    """Whether the write is one of these operations on this resource, or on this path below it."""
    return (
        write.operation in operations
        and write.call.subresource == subresource
        and write.served.kind.group_resource == resource
    )


def namespace_labels(world: World, namespace: str) -> dict[str, str]:
    """The labels of a namespace; none when it is not there."""
    return labels_of(world.find(NAMESPACES, "", namespace) or {})


def newest(candidates: Sequence[Object]) -> Object | None:
    """The object made last; by name where several were made at once."""
    by_name = sorted(candidates, key=name_of)
    return max(by_name, key=lambda obj: obj["metadata"].get("creationTimestamp", ""), default=None)
