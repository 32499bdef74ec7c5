"""What makes one kind different from another: its defaults, its preparations and its rules."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tutor.sandbox.api import metadata
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.reading import drop, keep, part
from tutor.sandbox.kinds import Object

Fill = Callable[[Object], None]
Change = Callable[[Object, Object], None]
Judge = Callable[[Object], Errors]
JudgeChange = Callable[[Object, Object], Errors]
Convert = Callable[[Object, str], Object]
"""(object, apiVersion) -> the object in that version."""
Warn = Callable[[Object, Object | None], list[str]]


def nothing(_obj: Object) -> None:
    """Leave the object as it is."""


def no_change(_new: Object, _old: Object) -> None:
    """Leave the new object as it is."""


def no_warnings(_obj: Object, _old: Object | None) -> list[str]:
    """Nothing to warn of."""
    return []


def drop_status(obj: Object) -> None:
    """A new object has no status."""
    drop(obj, "status")


def keep_status(new: Object, old: Object) -> None:
    """The main path does not change a status."""
    keep(new, old, "status")


def keep_spec(new: Object, old: Object) -> None:
    """A path below the object does not change its spec."""
    keep(new, old, "spec")


def keep_metadata(new: Object, old: Object) -> None:
    """A path below the object changes neither labels, annotations, finalizers nor owners."""
    meta, before = part(new, "metadata"), part(old, "metadata")
    kept = ("labels", "annotations", "finalizers", "ownerReferences")
    keep(meta, before, "deletionTimestamp", "generation", *kept)


def keep_all_metadata(new: Object, old: Object) -> None:
    """A path below the object changes its metadata not at all, but for who set what."""
    fields = {key: value for key, value in part(new, "metadata").items() if key == "managedFields"}
    before = {k: v for k, v in part(old, "metadata").items() if k != "managedFields"}
    new["metadata"] = before | fields


def first_generation(obj: Object) -> None:
    """Count the versions of what is wanted, from one."""
    obj.setdefault("metadata", {})["generation"] = 1


def next_generation(new: Object, old: Object) -> None:
    """Count one version more of what is wanted."""
    part(new, "metadata")["generation"] = (part(old, "metadata").get("generation") or 0) + 1


def validate_nothing(_obj: Object) -> Errors:
    """Nothing beyond the metadata is judged."""
    return []


def validate_change(new: Object, old: Object) -> Errors:
    """Only the metadata of a change is judged."""
    return metadata.built_in_update(new, old)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subpath:
    """What a write to a path below an object does: `status` and the like."""

    prepare: Change = keep_spec
    validate: JudgeChange = validate_change
    warnings: Warn = no_warnings


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """What the server does with objects of one kind.

    `validate` and `validate_update` judge metadata too, in the order in which the kind does it.
    """

    default: Fill = nothing
    prepare_create: Fill = nothing
    prepare_update: Change = no_change
    validate: Judge = validate_nothing
    validate_update: JudgeChange = validate_change
    warnings: Warn = no_warnings
    subpaths: Mapping[str, Subpath] = field(default_factory=dict[str, Subpath])
    read_back: Fill = nothing
    """What an object that was just stored is given when it is read, which nobody owns."""
    convert: Convert | None = None
    """From any version of the kind to another; None where one is served."""
    create_on_update: bool = False
    unconditional_update: bool = True
