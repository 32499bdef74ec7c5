"""PATCH: from a body and its media type to a change of an object.

Source: apiserver's endpoints/handlers/patch.go for the failures.
"""

import json
from collections.abc import Callable
from typing import Any

from tutor.sandbox.api import patch
from tutor.sandbox.api.objects import Objects
from tutor.sandbox.api.registry import Served
from tutor.sandbox.api.request import Call
from tutor.sandbox.api.status import ApiError, bad_request, invalid, invalid_object
from tutor.sandbox.api.values import is_map
from tutor.sandbox.kinds import Object
from tutor.sandbox.schema.decode import DecodeError
from tutor.sandbox.schema.encode import compact

JSON_PATCH = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
_UNPROCESSABLE = 422
_ROUTE_TYPES = (JSON_PATCH, MERGE, STRATEGIC, APPLY, "application/apply-patch+cbor")

Change = Callable[[Object], Object]


def check_media(media: str, served: Served) -> None:
    """Refuse what is no patch, and strategic merge where no types are known.

    Raises:
        ApiError: 415.
    """
    if media not in _ROUTE_TYPES:
        message = "415: Unsupported Media Type"
        raise ApiError(415, "UnsupportedMediaType", message, details={})
    known = [JSON_PATCH, MERGE, STRATEGIC, APPLY]
    if served.kind.custom:
        known.remove(STRATEGIC)
    if media not in known:
        message = (
            "the body of the request was in an unknown format - accepted media types include: "
            + ", ".join(known)
        )
        raise ApiError(415, "UnsupportedMediaType", message)


def changer(media: str, body: bytes, served: Served) -> Change:
    """A function that applies the patch to an object's JSON.

    Raises:
        ApiError: 400 for a body that is no such patch.
    """
    if media == JSON_PATCH:
        operations = _json(body, "[]handlers.jsonPatchOp", list)
        return lambda obj: patch.apply_operations(obj, operations)
    document = _json(body, "map[string]interface {}", dict)
    if media == MERGE:
        return lambda obj: patch.merge(obj, document)
    node = served.strategy.node()
    return lambda obj: patch.merge_strategically(obj, document, node)


def _json(body: bytes, go_type: str, wanted: type) -> Any:
    try:
        value = json.loads(body)
    except ValueError as error:
        raise bad_request(f"error decoding patch: {_go_syntax(body, error)}") from None
    if not isinstance(value, wanted):
        name = {dict: "object", list: "array", str: "string", bool: "bool"}.get(
            type(value),  # pyright: ignore[reportUnknownArgumentType]
            "number",
        )
        raise bad_request(
            f"error decoding patch: json: cannot unmarshal {name} into Go value of type {go_type}"
        )
    return value  # pyright: ignore[reportUnknownVariableType]


def _go_syntax(body: bytes, error: ValueError) -> str:
    position = getattr(error, "pos", len(body))
    if position >= len(body.rstrip()):
        return "unexpected end of JSON input"
    shown = chr(body[position])
    return f"invalid character '{shown}' looking for beginning of value"


def decode_patched(objects: Objects, call: Call, served: Served, patched: Object) -> Object:
    """The patched JSON as an object of its kind.

    Raises:
        ApiError: 422 with the whole document, as the real server puts it, for what is unknown or of
            a wrong type.
    """
    try:
        return objects.decode(call, served, patched)
    except DecodeError as error:
        raise _invalid_patch(patched, str(error)) from None
    except ApiError as error:
        marker = "strict decoding error: "
        if marker not in error.message:
            raise
        text = marker + error.message.partition(marker)[2]
        raise _invalid_patch(patched, text) from None


def _invalid_patch(patched: Object, why: str) -> ApiError:
    document = compact(patched).decode()
    return invalid_object("", "", "", [invalid("patch", document, why)])


def from_patch_error(error: ApiError, name: str) -> ApiError:
    """A patch that does not apply, with the object's name where the server gives it."""
    if error.code == _UNPROCESSABLE and error.details is None:
        return ApiError(error.code, error.reason, error.message, details={"name": name})
    return error


def is_object(value: Any) -> bool:
    """Whether a patched document still is a JSON object."""
    return is_map(value)
