"""A patch as it comes in a request: read, applied, and what is said when it will not do.

Messages: Kubernetes' apiserver (`endpoints/handlers/patch.go`).
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from tutor.sandbox.api.gojson import Document, JsonError, decode
from tutor.sandbox.api.node import Node
from tutor.sandbox.api.patch import operations, strategic
from tutor.sandbox.api.patch.goprint import go_print
from tutor.sandbox.api.patch.merge import merge
from tutor.sandbox.api.status import (
    ApiError,
    bad_request,
    go_json,
    invalid,
    invalid_object,
    refused,
)
from tutor.sandbox.api.values import fresh, is_list, is_map
from tutor.sandbox.kinds import Object

Form = Literal["json", "merge", "strategic"]

_OPERATION_FIELDS = ("op", "path", "from", "value")
_MAX_OPERATIONS = 10_000
_JSON_TYPES = (
    (str, "string"),
    (bool, "bool"),
    (int | float, "number"),
    (list, "array"),
    (dict, "object"),
)


@dataclass(frozen=True, slots=True)
class Patched:
    """What a patch made of an object."""

    object: Object
    strict: list[str] = field(default_factory=list[str])
    """Complaints about the patch itself for strict and warning field validation."""
    shown: str = ""
    """The text that complaints about the result quote."""

    def reject(self, why: str) -> ApiError:
        """422 for a result that cannot be read as an object of its kind."""
        return invalid_object("", "", "", [invalid("patch", self.shown, why)])


def patch(current: Object, body: bytes, form: Form, node: Node | None, *, lax: bool) -> Patched:
    """Apply the body of a patch request to an object, which stays as it is.

    Args:
        current: the object in the version that the request names.
        body: JSON.
        form: which of the three patches it is.
        node: the schema of the kind; strategic patches need it.
        lax: whether the request ignores unknown and repeated fields.

    Raises:
        ApiError: the patch cannot be read (400) or does not fit (422, 500).
    """
    if form == "json":
        return _patch_json(current, body, lax=lax)
    document = _read(body, "" if form == "strategic" or lax else "error decoding patch: ")
    given = document.value
    if given is None and form == "strategic":
        return Patched(fresh(current))
    if not is_map(given):
        raise _no_object(given, form)
    strict = [] if lax else [f'duplicate field "{path}"' for path in document.duplicates]
    if form == "merge":
        found = _sorted_along(merge(current, given), given)
        return Patched(found, strict, go_json(found))
    if node is None:
        raise bad_request("strategic merge patch format is not supported")
    found = strategic.apply(current, given, node)
    return Patched(found, strict, go_print(given))


def _read(body: bytes, prefix: str) -> Document:
    try:
        return decode(body)
    except JsonError as error:
        raise bad_request(f"{prefix}{error}") from error


def _no_object(given: Any, form: Form) -> ApiError:
    if given is None and form == "merge":
        return bad_request("Invalid JSON Patch")
    prefix = "error decoding patch: " if form == "merge" else ""
    into = "Go value of type map[string]interface {}"
    return bad_request(f"{prefix}json: cannot unmarshal {_json_type(given)} into {into}")


def _json_type(value: Any) -> str:
    return next((name for of, name in _JSON_TYPES if isinstance(value, of)), "null")


def _patch_json(current: Object, body: bytes, *, lax: bool) -> Patched:
    document = _read(body, "" if lax else "error decoding patch: ")
    given = _operations(document.value, lax=lax)
    if len(given) > _MAX_OPERATIONS:
        allowed = f"The allowed maximum operations in a JSON patch is {_MAX_OPERATIONS}"
        message = f"Request entity too large: {allowed}, got {len(given)}"
        raise ApiError(413, "RequestEntityTooLarge", message)
    try:
        found = operations.apply(current, given)
    except operations.NotApplicable as error:
        raise refused() from error
    touched: dict[str, Any] = {}
    for operation in given:
        level = touched
        for step in operation["path"].split("/")[1:-1]:
            level = level.setdefault(step, {})
    found = _sorted_along(found, touched)
    return Patched(found, [] if lax else _strict(document), go_json(found))


def _operations(given: Any, *, lax: bool) -> list[dict[str, Any]]:
    if given is None:
        return []
    target = "jsonpatch.Patch" if lax else "[]handlers.jsonPatchOp"
    prefix = "" if lax else "error decoding patch: "
    if not is_list(given):
        kind = _json_type(given)
        raise bad_request(f"{prefix}json: cannot unmarshal {kind} into Go value of type {target}")
    target = "jsonpatch.Operation" if lax else "handlers.jsonPatchOp"
    for operation in given:
        if not is_map(operation):
            kind = _json_type(operation)
            raise bad_request(
                f"{prefix}json: cannot unmarshal {kind} into Go value of type {target}"
            )
        for name in _OPERATION_FIELDS[:3]:
            value = operation.get(name)
            if value is not None and not isinstance(value, str) and not lax:
                into = f"Go struct field jsonPatchOp.{name} of type string"
                raise bad_request(f"{prefix}json: cannot unmarshal {_json_type(value)} into {into}")
    return given


def _strict(document: Document) -> list[str]:
    unknown = [
        f'json patch unknown field "[{index}].{name}"'
        for index, operation in enumerate(document.value or [])
        for name in operation
        if name not in _OPERATION_FIELDS
    ]
    return [*unknown, *(f'json patch duplicate field "{path}"' for path in document.duplicates)]


def _sorted_along(document: Any, touched: Any) -> Any:
    """Sort the fields of the objects that the patch went through.

    The real server takes only those apart, and puts them together in order; the rest of the
    document keeps its order.
    """
    if is_map(document) and is_map(touched):
        return {key: _sorted_along(document[key], touched.get(key)) for key in sorted(document)}
    if is_list(document) and is_map(touched):
        return [_sorted_along(item, touched.get(str(at))) for at, item in enumerate(document)]
    return document
