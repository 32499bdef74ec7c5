"""Custom resources: the columns that a CRD declares, and their cells.

Source: apiextensions-apiserver v0.36.2, pkg/registry/customresource/tableconvertor.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tutor.sandbox.api.jsonpath import JSONPathError, compile_path
from tutor.sandbox.api.printers.age import UNKNOWN, since
from tutor.sandbox.api.printers.field import number, text
from tutor.sandbox.api.printers.printer import AGE, NAME, Column
from tutor.sandbox.api.status import go_float, go_json
from tutor.sandbox.api.values import is_list, is_map
from tutor.sandbox.kinds import Object

_DEFAULT: tuple[Object, ...] = (
    {
        "name": "Age",
        "type": "date",
        "description": AGE.description,
        "jsonPath": ".metadata.creationTimestamp",
    },
)
_TOO_LARGE = 2**63

_is_rfc3339 = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([.,]\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII
).fullmatch


def columns(declared: Sequence[Object]) -> tuple[Column, ...]:
    """Name and the `additionalPrinterColumns`, or only the age when there are none.

    A path that cannot be read ends the columns there, as it does on the real server.
    """
    found = [NAME]
    for one in declared or _DEFAULT:
        json_path = text(one, "jsonPath")
        try:
            path = compile_path(json_path)
        except JSONPathError:
            break
        found.append(
            Column(
                text(one, "name"),
                text(one, "description") or f"Value of {json_path}.",
                type=text(one, "type"),
                format=text(one, "format"),
                priority=number(one, "priority"),
                path=path,
            )
        )
    return tuple(found)


def cells(columns: tuple[Column, ...], obj: Object, now: datetime) -> list[Any]:
    """For each column the first value that its path selects, as its type shows it, or None."""
    return [_cell(column, obj, now) for column in columns]


def _cell(column: Column, obj: Object, now: datetime) -> Any:
    if column.path is None:
        return text(obj, "metadata", "name")
    try:
        found = column.path.find(obj)
    except JSONPathError:
        return None
    return _typed(column.type, found[0], now) if found else None


def _typed(type_: str, value: Any, now: datetime) -> Any:
    if type_ == "string":
        return _printed(value)
    if type_ == "boolean":
        return value if isinstance(value, bool) else None
    if type_ == "date":
        return _age(value, now) if isinstance(value, str) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return _integer(value) if type_ == "integer" else _whole(value)


def _integer(value: float) -> int:
    # Beyond 64 bits Go gives the lowest integer (on amd64).
    return int(value) if -_TOO_LARGE <= value < _TOO_LARGE else -_TOO_LARGE


def _whole(value: float) -> float:
    """Go drops the fraction of a number that has none when it stores it."""
    is_whole = isinstance(value, float) and value.is_integer() and abs(value) < _TOO_LARGE
    return int(value) if is_whole else value


def _printed(value: Any) -> str:
    if value is None:
        return "<no value>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if is_map(value) or is_list(value):
        return go_json(_sorted(value))
    if isinstance(value, float):
        whole = _whole(value)
        return go_float(whole) if isinstance(whole, float) else str(whole)
    return str(value)


def _sorted(value: Any) -> Any:
    if is_map(value):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(one) for one in value] if is_list(value) else value


def _age(timestamp: str, now: datetime) -> str:
    if timestamp in ("", "null"):
        return UNKNOWN
    if not _is_rfc3339(timestamp):
        return "<invalid>"
    try:
        return since(timestamp, now)
    except ValueError:
        return "<invalid>"
