"""Who owns the replicas of an object, between the object and its scale.

Source: k8s.io/apimachinery (`util/managedfields/scalehandler.go`).
"""

from collections.abc import Callable, Sequence

from tutor.sandbox.api.managed.elements import field_element
from tutor.sandbox.api.managed.entries import Owned, Owner, Owners
from tutor.sandbox.api.managed.fields import Fields, difference, fields_of, has
from tutor.sandbox.api.managed.ownership import Typed
from tutor.sandbox.api.managed.shape import Shape
from tutor.sandbox.kinds import Object

SCALE_VERSION = "autoscaling/v1"
SCALE_KIND = "Scale"
_REPLICAS = ("f:spec", "f:replicas")

PathAt = Callable[[str], Sequence[str] | None]
"""Where objects keep their replicas in a version: nowhere is empty, None is no such version."""


class ScaleVersions:
    """A scale is known in one version, and all of it can be written."""

    current = SCALE_VERSION

    def __init__(self, shape: Shape) -> None:
        self._shape = shape

    def convert(self, obj: Object, version: str) -> Typed | None:
        """The scale itself."""
        return Typed(obj, self._shape) if version == SCALE_VERSION else None

    def writable(self, fields: Fields, version: str) -> Fields:
        """All of them."""
        del version
        return fields


def _elements(path: Sequence[str]) -> tuple[str, ...]:
    return tuple(field_element(name) for name in path)


def to_scale(owners: Owners, path_at: PathAt) -> Owners:
    """Those who own the replicas, as owners of the scale."""
    replicas = fields_of(_REPLICAS)
    found: Owners = {}
    for owner, owned in owners.items():
        path = path_at(owned.api_version)
        if path and has(owned.fields, _elements(path)):
            found[_on_scale(owner)] = Owned(replicas, SCALE_VERSION, owned.time)
    return found


def _on_scale(owner: Owner) -> Owner:
    """Who an owner of the object is on its scale: updaters are others in every version.

    So those who had the replicas by an update lose them to their likes on the scale, and these
    have no time.
    """
    return owner if owner.operation == "Apply" else owner._replace(api_version=SCALE_VERSION)


def to_parent(owners: Owners, scale: Owners, path_at: PathAt, version: str) -> Owners:
    """The owners of the object after its scale has changed owners."""
    left = dict(scale)
    found: Owners = {}
    for owner, owned in owners.items():
        path = path_at(owned.api_version)
        if path is None:
            continue
        if not path or not has(owned.fields, _elements(path)):
            found[owner] = owned
        elif owner in left:
            found[owner] = owned
            del left[owner]
        elif rest := difference(owned.fields, fields_of(_elements(path))):
            found[owner] = owned._replace(fields=rest)
    here = fields_of(_elements(path_at(version) or ()))
    for owner, owned in left.items():
        if has(owned.fields, _REPLICAS):
            time = owners[owner].time if owner in owners else ""
            found[owner] = Owned(here, version, time)
    return found
