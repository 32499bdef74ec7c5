"""Request bodies: JSON, YAML or protobuf to an object of the kind that the path names."""

from typing import Any

from tutor.sandbox.api.request import Request
from tutor.sandbox.api.status import ApiError, bad_request
from tutor.sandbox.kinds import Kind
from tutor.sandbox.schema import protobuf
from tutor.sandbox.schema.body import parsed_object
from tutor.sandbox.schema.decode import DecodeError, Parsed, parse, parse_yaml

JSON, YAML, PROTOBUF = (
    "application/json",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
)


def media_type(request: Request) -> str:
    """The media type of the body, JSON when none is said."""
    return request.header("content-type").split(";")[0].strip().lower() or JSON


def read_object(request: Request, kind: Kind) -> Parsed:
    """The body as an object that claims to be of `kind`.

    Raises:
        ApiError: 415 for a media type that is not spoken, 400 for what is not such an object.
    """
    try:
        parsed = _read(request, kind)
    except DecodeError as error:
        if kind.custom:
            raise bad_request(str(error)) from None
        raise bad_request(
            f"the object provided is unrecognized (must be of type {kind.kind}): {error}"
            f"{_excerpt(request.body)}"
        ) from None
    if kind.custom:
        _check_custom(parsed, kind)
        return parsed
    return _as_builtin(parsed, kind)


def _read(request: Request, kind: Kind) -> Parsed:
    media = media_type(request)
    if media == PROTOBUF and not kind.custom:
        return parsed_object(protobuf.decode(request.body))
    if media in (YAML, "application/x-yaml"):
        return parse_yaml(request.body)
    if media == JSON:
        return parse(request.body)
    known = [JSON, YAML, *([] if kind.custom else [PROTOBUF])]
    message = (
        "the body of the request was in an unknown format - accepted media types include: "
        + ", ".join(known)
    )
    raise ApiError(415, "UnsupportedMediaType", message)


def _excerpt(body: bytes) -> str:
    if not body:
        return " (<empty>)"
    text = body[:1024].decode(errors="replace")
    if text.isprintable():
        return f" ({text})"
    return f" ({body[:1024].hex()})"


def _as_builtin(parsed: Parsed, kind: Kind) -> Parsed:
    claimed, version = parsed.kind or kind.kind, parsed.api_version or kind.api_version
    if claimed != kind.kind:
        group, _, short = version.rpartition("/")
        raise bad_request(
            f'{claimed} in version "{short}" cannot be handled as a {kind.kind}: '
            f"converting ({short}.{claimed}) to ({_package(group)}.{kind.kind}): unknown conversion"
        )
    if version != kind.api_version:
        raise bad_request(
            f"the API version in the data ({version}) does not match"
            f" the expected API version ({kind.api_version})"
        )
    return parsed


def _package(group: str) -> str:
    return group.split(".", maxsplit=1)[0] or "core"


def _check_custom(parsed: Parsed, kind: Kind) -> None:
    version: Any = parsed.api_version
    if not parsed.kind:
        raise bad_request("Object 'Kind' is missing in the body of the request")
    if version != kind.api_version:
        raise bad_request(
            f"the API version in the data ({version}) does not match"
            f" the expected API version ({kind.api_version})"
        )
    if parsed.kind != kind.kind:
        raise bad_request(
            f"the kind in the data ({parsed.kind}) does not match the expected kind ({kind.kind})"
        )
