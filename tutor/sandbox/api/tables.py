"""Tables: what `kubectl get` asks for and prints, made by the server.

Source: Kubernetes' apiserver v0.36, pkg/endpoints/handlers (asTable) and pkg/registry/rest.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any, Literal, cast

from tutor.sandbox.api.printers import custom
from tutor.sandbox.api.printers.catalogue import OTHER, PRINTERS
from tutor.sandbox.api.printers.printer import Column, Printer
from tutor.sandbox.kinds import Kind, Object, annotations_of

Include = Literal["None", "Metadata", "Object"]

_LIST_META = ("resourceVersion", "continue", "remainingItemCount")
_META = (
    "name",
    "generateName",
    "namespace",
    "selfLink",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "labels",
    "annotations",
    "ownerReferences",
    "finalizers",
    "managedFields",
)
_MANAGED = (
    "manager",
    "operation",
    "apiVersion",
    "time",
    "fieldsType",
    "fieldsV1",
    "subresource",
)
_OWNER = ("apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion")
_DAEMON_SET_GENERATION = "deprecated.daemonset.template.generation"


def columns(kind: Kind, custom_columns: Sequence[Object]) -> tuple[Column, ...]:
    """The columns of a kind; `custom_columns` are the `additionalPrinterColumns` of a custom one.

    Compile them once for each version of a CRD and pass them to `table`.
    """
    if kind.custom:
        return custom.columns(custom_columns)
    return PRINTERS.get(kind.group_resource, OTHER).columns


def table(
    kind: Kind,
    objects: Sequence[Object],
    columns: tuple[Column, ...],
    *,
    include: Include,
    now: datetime,
    list_meta: Object,
    with_columns: bool = True,
    version: str = "v1",
) -> Object:
    """A Table of these objects, one row each.

    `include` says what a row carries besides its cells. `list_meta` is the list's metadata, or that
    of the only object. Without columns (later events of a watch) the definitions are null.
    `version` is that of the table's own group.
    """
    printer = _printer(kind, columns)
    api_version = f"meta.k8s.io/{version}"
    return {
        "kind": "Table",
        "apiVersion": api_version,
        "metadata": {key: list_meta[key] for key in _LIST_META if list_meta.get(key)},
        "columnDefinitions": [one.definition() for one in columns] if with_columns else None,
        "rows": [
            {**_row(printer, obj, now), "object": _included(kind, obj, include, api_version)}
            for obj in (sorted(objects, key=printer.order) if printer.order else objects)
        ],
    }


def _printer(kind: Kind, columns: tuple[Column, ...]) -> Printer:
    if kind.custom:
        return Printer(columns, partial(custom.cells, columns))
    return PRINTERS.get(kind.group_resource, OTHER)


def _row(printer: Printer, obj: Object, now: datetime) -> Object:
    cells = printer.cells(obj, now)
    if printer.conditions is not None and (conditions := printer.conditions(obj)):
        return {"cells": cells, "conditions": conditions}
    return {"cells": cells}


def _included(kind: Kind, obj: Object, include: Include, api_version: str) -> Any:
    match include:
        case "None":
            return None
        case "Metadata":
            return {
                "kind": "PartialObjectMetadata",
                "apiVersion": api_version,
                "metadata": shown_metadata(kind, obj),
            }
        case "Object":
            if kind.custom:
                return _as_map(obj)
            return {"kind": kind.kind, "apiVersion": kind.api_version} | obj


def metadata_of(kind: Kind, obj: Object) -> Object:
    """Metadata in the order of Go's structure, which custom objects are not stored in."""
    metadata: Object = obj["metadata"]
    if not kind.custom:
        return metadata
    shown = _in_order(metadata, _META)
    if entries := metadata.get("managedFields"):
        shown["managedFields"] = [_in_order(_as_map(entry), _MANAGED) for entry in entries]
    if owners := metadata.get("ownerReferences"):
        shown["ownerReferences"] = [_in_order(owner, _OWNER) for owner in owners]
    return shown


def _in_order(members: Object, names: Sequence[str]) -> Object:
    return {name: members[name] for name in names if name in members}


def _as_map(value: Any) -> Any:
    """A value with sorted keys."""
    if isinstance(value, dict):
        members = cast("Object", value)
        return {key: _as_map(members[key]) for key in sorted(members)}
    if isinstance(value, list):
        return [_as_map(item) for item in cast("list[Any]", value)]
    return value


def shown_metadata(kind: Kind, obj: Object) -> Object:
    """Metadata as rows and partial objects have it."""
    metadata = metadata_of(kind, obj)
    annotations = annotations_of(obj)
    if _DAEMON_SET_GENERATION not in annotations:
        return metadata
    # Rows are made from the server's internal form, which has a field instead of this annotation.
    kept = {key: value for key, value in annotations.items() if key != _DAEMON_SET_GENERATION}
    shown = metadata | {"annotations": kept}
    return {key: value for key, value in shown.items() if value or key != "annotations"}
