"""Failures of the API: what the server says, and how it becomes a Status object.

Wording and reasons are those of Kubernetes' apimachinery (`api/errors`, `util/validation/field`).
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tutor.sandbox.kinds import GroupResource, Object

_GO_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_ASCII_END = 0x80
_PLANE_END = 0x10000
_PLAIN_MAGNITUDES = range(-4, 6)


def go_quote(text: str) -> str:
    """Quote as Go's `%q` does."""
    out: list[str] = []
    for char in text:
        if char in _GO_ESCAPES:
            out.append(_GO_ESCAPES[char])
        elif char.isprintable():
            out.append(char)
        elif "\udc80" <= char <= "\udcff":
            # A byte that is no text, as the parser of headers keeps it.
            out.append(f"\\x{ord(char) - 0xDC00:02x}")
        elif ord(char) < _ASCII_END:
            out.append(
                {7: "\\a", 8: "\\b", 11: "\\v", 12: "\\f"}.get(ord(char), f"\\x{ord(char):02x}")
            )
        else:
            out.append(f"\\u{ord(char):04x}" if ord(char) < _PLANE_END else f"\\U{ord(char):08x}")
    return '"' + "".join(out) + '"'


def go_float(value: float) -> str:
    """Print a number as Go's `%v` prints a float64: `2.5`, `3`, `1e+06`."""
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    if not isinstance(exponent, int):
        return "NaN" if exponent == "n" else "-Inf" if sign else "+Inf"
    magnitude = len(digits) - 1 + exponent
    minus = "-" if sign else ""
    if magnitude in _PLAIN_MAGNITUDES or digits == (0,):
        return minus + format(Decimal((0, digits, exponent)), "f")
    head, tail = str(digits[0]), "".join(map(str, digits[1:]))
    mantissa = f"{head}.{tail}" if tail else head
    return f"{minus}{mantissa}e{'-' if magnitude < 0 else '+'}{abs(magnitude):02d}"


def go_json(value: Any) -> str:
    """Encode compactly as Go's `json.Marshal` does, which escapes what HTML would interpret."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def go_value(value: Any) -> str:
    """Print a JSON value as `field.Error` prints a bad value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return go_quote(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return go_float(value)
    return go_json(value)


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one field of an object.

    `kind` is the words after the path (`Invalid value`), `reason` the machine's name for them.
    `value` is printed when `shows_value`.
    """

    path: str
    kind: str
    reason: str
    detail: str = ""
    value: Any = None
    shows_value: bool = False

    @property
    def body(self) -> str:
        """The message without its path, as `details.causes[].message` has it."""
        parts = [self.kind]
        if self.shows_value:
            parts.append(go_value(self.value))
        if self.detail:
            parts.append(self.detail)
        return ": ".join(parts)

    def __str__(self) -> str:
        return f"{self.path}: {self.body}"


def invalid(path: str, value: Any, detail: str) -> FieldError:
    """The value breaks a rule."""
    return FieldError(path, "Invalid value", "FieldValueInvalid", detail, value, shows_value=True)


def type_invalid(path: str, value: Any, detail: str) -> FieldError:
    """The value is of another type than the schema says."""
    return FieldError(
        path, "Invalid value", "FieldValueTypeInvalid", detail, value, shows_value=True
    )


def required(path: str, detail: str = "") -> FieldError:
    """The value is missing."""
    return FieldError(path, "Required value", "FieldValueRequired", detail)


def forbidden_field(path: str, detail: str) -> FieldError:
    """The value may not be there."""
    return FieldError(path, "Forbidden", "FieldValueForbidden", detail)


def duplicate(path: str, value: Any) -> FieldError:
    """The value is there twice."""
    return FieldError(path, "Duplicate value", "FieldValueDuplicate", "", value, shows_value=True)


def not_found_field(path: str, value: Any) -> FieldError:
    """The value refers to something that does not exist."""
    return FieldError(path, "Not found", "FieldValueNotFound", "", value, shows_value=True)


def not_supported(path: str, value: Any, supported: Iterable[str]) -> FieldError:
    """The value is not one of a closed set, named in the given order."""
    listed = ", ".join(go_quote(item) for item in supported)
    detail = f"supported values: {listed}" if listed else ""
    return FieldError(
        path, "Unsupported value", "FieldValueNotSupported", detail, value, shows_value=True
    )


def too_long(path: str, max_bytes: int) -> FieldError:
    """The text has too many bytes."""
    detail = f"may not be more than {max_bytes} {'byte' if max_bytes == 1 else 'bytes'}"
    return FieldError(path, "Too long", "FieldValueTooLong", detail)


def too_many(path: str, actual: int, max_items: int) -> FieldError:
    """The list has too many items."""
    detail = f"must have at most {max_items} {'item' if max_items == 1 else 'items'}"
    return FieldError(path, "Too many", "FieldValueTooMany", detail, actual, shows_value=True)


class ApiError(Exception):
    """A request that ends in a Status.

    `details` is the Status' own field (name, group, kind, causes, ...), or None when it has none.
    """

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        *,
        details: Object | None = None,
        headers: Sequence[tuple[str, str]] = (),
        meta: Object | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.headers = tuple(headers)
        self.meta = meta or {}

    def status(self) -> Object:
        """The Status object, fields in the order of the real server."""
        status: Object = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": self.meta,
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            status["reason"] = self.reason
        if self.details is not None:
            status["details"] = self.details
        status["code"] = self.code
        return status


def _details(resource: GroupResource, name: str = "", **more: Any) -> Object:
    details: Object = {}
    if name:
        details["name"] = name
    if resource.group:
        details["group"] = resource.group
    if resource.resource:
        details["kind"] = resource.resource
    return details | more


def not_found(resource: GroupResource, name: str) -> ApiError:
    """404 for an object that is not there."""
    message = f"{resource} {go_quote(name)} not found"
    return ApiError(404, "NotFound", message, details=_details(resource, name))


def no_such_resource() -> ApiError:
    """404 for a path below a served group that names nothing."""
    message = "the server could not find the requested resource"
    return ApiError(404, "NotFound", message, details={})


def already_exists(resource: GroupResource, name: str) -> ApiError:
    """409 for a create of something that is there."""
    message = f"{resource} {go_quote(name)} already exists"
    return ApiError(409, "AlreadyExists", message, details=_details(resource, name))


def conflict(resource: GroupResource, name: str, why: str) -> ApiError:
    """409 for a write that started from another version."""
    message = f"Operation cannot be fulfilled on {resource} {go_quote(name)}: {why}"
    return ApiError(409, "Conflict", message, details=_details(resource, name))


def forbidden(resource: GroupResource, name: str, why: str) -> ApiError:
    """403 for one resource; `why` follows the colon."""
    subject = f"{resource} {go_quote(name)}" if name else str(resource)
    if not resource.resource:
        subject = ""
    message = f"{subject} is forbidden: {why}" if subject else f"forbidden: {why}"
    return ApiError(403, "Forbidden", message, details=_details(resource, name))


def unauthorized() -> ApiError:
    """401, with nothing that helps a guesser."""
    return ApiError(401, "Unauthorized", "Unauthorized")


class NotSimulated(ApiError):
    """What a real cluster would do, and this one cannot. Such answers are counted."""

    def __init__(self, message: str) -> None:
        super().__init__(400, "BadRequest", message)


def bad_request(message: str) -> ApiError:
    """400."""
    return ApiError(400, "BadRequest", message)


def method_not_allowed(resource: GroupResource | None = None) -> ApiError:
    """405."""
    message = "the server does not allow this method on the requested resource"
    details = _details(resource) if resource else {}
    return ApiError(405, "MethodNotAllowed", message, details=details)


def not_watched(resource: GroupResource) -> ApiError:
    """405 for a watch of what can be listed alone."""
    message = f"watch is not supported on resources of kind {go_quote(str(resource))}"
    return ApiError(405, "MethodNotAllowed", message, details=_details(resource))


def internal_error(why: str) -> ApiError:
    """500."""
    details = {"causes": [{"message": why}]}
    return ApiError(500, "InternalError", f"Internal error occurred: {why}", details=details)


def unexplained(message: str) -> ApiError:
    """500 without a reason, for failures that the real server does not tell apart."""
    return ApiError(500, "", message)


def refused() -> ApiError:
    """422 without saying why, as for a JSON Patch that does not fit."""
    message = "the server rejected our request due to an error in our request"
    return ApiError(422, "Invalid", message, details={})


def expired(message: str) -> ApiError:
    """410 for a resource version that is too old."""
    return ApiError(410, "Expired", message)


def aggregate(errors: Sequence[FieldError]) -> str:
    """Join the texts of several errors as the server does: each once, in brackets if many."""
    texts = list(dict.fromkeys(str(error) for error in errors))
    return texts[0] if len(texts) == 1 else "[" + ", ".join(texts) + "]"


def invalid_object(group: str, kind: str, name: str, errors: Sequence[FieldError]) -> ApiError:
    """422 with every error in it. `details.kind` is the Kind here, not the resource.

    An error found twice is named once in the message, and twice among the causes.
    """
    qualified = f"{kind}.{group}" if group else kind
    details: Object = {}
    if name:
        details["name"] = name
    if group:
        details["group"] = group
    if kind:
        details["kind"] = kind
    details["causes"] = [
        {"reason": error.reason, "message": error.body, "field": error.path} for error in errors
    ]
    message = f"{qualified} {go_quote(name)} is invalid: {aggregate(errors)}"
    return ApiError(422, "Invalid", message, details=details)
