"""Request bodies: JSON, YAML or protobuf to an object of the kind that the path names."""

from typing import Any

from tutor.sandbox.api.request import Request
from tutor.sandbox.api.status import ApiError, bad_request
from tutor.sandbox.kinds import Kind, Object
from tutor.sandbox.schema import protobuf
from tutor.sandbox.schema.decode import DecodeError, Parsed, parse, parse_yaml

JSON, YAML, PROTOBUF = (
    "application/json",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
)
_EXCERPT = 1024


def media_type(request: Request) -> str:
    """The media type of the body, JSON when none is said."""
    return request.header("content-type").split(";")[0].strip().lower() or JSON


def read_object(request: Request, kind: Kind) -> Parsed:
    """The body as an object that claims to be of `kind`.

    Raises:
        ApiError: 415 for a media type that is not spoken, 400 for what is not such an object.
    """
    parsed = read_any(request, kind)
    value = parsed.value
    if not isinstance(value, dict):
        raise _unrecognised(kind, "json parse error: json: cannot unmarshal value", request.body)
    _check_kind(value, kind)
    return parsed


def read_any(request: Request, kind: Kind) -> Parsed:
    """The body as a JSON value."""
    media = media_type(request)
    body = request.body
    try:
        if media == PROTOBUF and not kind.custom:
            return Parsed(protobuf.decode(body), ())
        if media in (YAML, "application/x-yaml"):
            return parse_yaml(body)
        if media == JSON:
            return parse(body)
    except DecodeError as error:
        raise _unrecognised(kind, f"json parse error: {error}", body) from None
    raise _unsupported(kind)


def _unsupported(kind: Kind) -> ApiError:
    known = [JSON, YAML, *([] if kind.custom else [PROTOBUF])]
    message = (
        "the body of the request was in an unknown format - accepted media types include: "
        + ", ".join(known)
    )
    return ApiError(415, "UnsupportedMediaType", message)


def _unrecognised(kind: Kind, why: str, body: bytes) -> ApiError:
    shown = body[:_EXCERPT].decode(errors="replace") if body else "<empty>"
    if kind.custom:
        return bad_request(f"error decoding: {why}")
    return bad_request(
        f"the object provided is unrecognized (must be of type {kind.kind}): "
        f"couldn't get version/kind; {why} ({shown})"
    )


def _check_kind(value: Object, kind: Kind) -> None:
    claimed: Any = value.get("kind") or kind.kind
    version: Any = value.get("apiVersion") or kind.api_version
    if kind.custom:
        _check_custom(value, kind)
        return
    value["kind"], value["apiVersion"] = claimed, version
    if claimed != kind.kind:
        group, _, short = str(version).rpartition("/")
        package = group.split(".")[0] or "core"
        raise bad_request(
            f'{claimed} in version "{short}" cannot be handled as a {kind.kind}: '
            f"converting ({short}.{claimed}) to ({package}.{kind.kind}): unknown conversion"
        )
    if version != kind.api_version:
        raise bad_request(
            f"the API version in the data ({version}) does not match"
            f" the expected API version ({kind.api_version})"
        )


def _check_custom(value: Object, kind: Kind) -> None:
    version, claimed = value.get("apiVersion", ""), value.get("kind", "")
    if not claimed:
        raise bad_request("Object 'Kind' is missing in the request body")
    if version != kind.api_version:
        raise bad_request(
            f"the API version in the data ({version}) does not match"
            f" the expected API version ({kind.api_version})"
        )
    if claimed != kind.kind:
        raise bad_request(
            f'{claimed} in version "{kind.version}" cannot be handled as a {kind.kind}: '
            "unexpected kind"
        )
