"""The door to the kinds' behaviours: default, prepare, judge and warn by kind.

Errors come in the order of the real server, and twice where it finds them twice.

Source: Kubernetes' apiserver, `registry/rest/create.go` and `update.go`.
"""

from tutor.sandbox.api import metadata
from tutor.sandbox.api.builtin.behaviour import Behaviour, Subpath
from tutor.sandbox.api.builtin.catalogue import BEHAVIOURS, DEPRECATIONS
from tutor.sandbox.api.builtin.reading import keep, part
from tutor.sandbox.api.status import FieldError
from tutor.sandbox.kinds import Kind, Object

_PLAIN = Behaviour()


def behaviour(kind: Kind) -> Behaviour:
    """How this kind behaves; kinds that the catalogue lacks are stored as they come."""
    return BEHAVIOURS.get((kind.group, kind.kind), _PLAIN)


def _subpath(kind: Kind, name: str) -> Subpath:
    return behaviour(kind).subpaths.get(name, Subpath())


def default(kind: Kind, obj: Object) -> None:
    """Fill in, in place, what a decoded object leaves open."""
    behaviour(kind).default(obj)


def read_back(kind: Kind, obj: Object) -> None:
    """Fill in, in place, what an object gets when it is read from the store."""
    behaviour(kind).read_back(obj)


def prepare_create(kind: Kind, obj: Object) -> None:
    """Set and drop, in place, what a client does not decide on a new object."""
    behaviour(kind).prepare_create(obj)


def prepare_update(kind: Kind, new: Object, old: Object) -> None:
    """Set and drop, in place, what a client does not decide on a change."""
    _inherit_generation(new, old)
    behaviour(kind).prepare_update(new, old)
    _inherit(new, old)


def prepare_subresource_update(kind: Kind, subresource: str, new: Object, old: Object) -> None:
    """Undo, in place, what a write to this path may not change."""
    _inherit_generation(new, old)
    _subpath(kind, subresource).prepare(new, old)
    _inherit(new, old)


def _inherit_generation(new: Object, old: Object) -> None:
    keep(new.setdefault("metadata", {}), part(old, "metadata"), "generation")


def _inherit(new: Object, old: Object) -> None:
    """Take over what a client may leave out, and what it can never change."""
    meta, before = new["metadata"], part(old, "metadata")
    if not meta.get("uid"):
        keep(meta, before, "uid")
    for field in ("creationTimestamp", "deletionTimestamp"):
        if before.get(field):
            meta[field] = before[field]
    if meta.get("deletionGracePeriodSeconds") is None:
        keep(meta, before, "deletionGracePeriodSeconds")


def validate(kind: Kind, obj: Object) -> list[FieldError]:
    """What is wrong with a new object."""
    # The generic rules speak only when the kind's own are satisfied.
    return behaviour(kind).validate(obj) or _generic(kind, obj)


def validate_update(kind: Kind, new: Object, old: Object) -> list[FieldError]:
    """What is wrong with a change."""
    return _generic_update(kind, new, old) + behaviour(kind).validate_update(new, old)


def validate_subresource_update(
    kind: Kind, subresource: str, new: Object, old: Object
) -> list[FieldError]:
    """What is wrong with a change made through this path."""
    return _generic_update(kind, new, old) + _subpath(kind, subresource).validate(new, old)


def _generic(kind: Kind, obj: Object) -> list[FieldError]:
    meta = part(obj, "metadata")
    rule = metadata.path_segment
    return metadata.validate_object_meta(meta, namespaced=kind.namespaced, name_rule=rule)


def _generic_update(kind: Kind, new: Object, old: Object) -> list[FieldError]:
    changed = metadata.validate_object_meta_update(part(new, "metadata"), part(old, "metadata"))
    return _generic(kind, new) + changed


def warnings(kind: Kind, obj: Object, old: Object | None = None) -> list[str]:
    """What the server warns of although it accepts the object."""
    return behaviour(kind).warnings(obj, old)


def subresource_warnings(kind: Kind, subresource: str, new: Object, old: Object) -> list[str]:
    """What the server warns of although it accepts the change through this path."""
    return _subpath(kind, subresource).warnings(new, old)


def convert(kind: Kind, obj: Object, api_version: str) -> Object:
    """The object in another version of its kind, to be decoded."""
    found = behaviour(kind).convert
    return obj | {"apiVersion": api_version} if found is None else found(obj, api_version)


def deprecation(kind: Kind) -> str:
    """What every request for this kind is warned of; empty for most."""
    return DEPRECATIONS.get((kind.group, kind.version, kind.kind), "")


def allows_create_on_update(kind: Kind) -> bool:
    """Whether a PUT of something that is not there creates it."""
    return behaviour(kind).create_on_update


def allows_unconditional_update(kind: Kind) -> bool:
    """Whether a PUT without a resource version replaces what is there."""
    return behaviour(kind).unconditional_update
