"""Request bodies: JSON, YAML or protobuf to an object of the kind that the path names."""

import re
from contextlib import suppress
from dataclasses import replace
from functools import cache

from tutor.sandbox.api.request import Request
from tutor.sandbox.api.status import ApiError, bad_request
from tutor.sandbox.kinds import Kind, Object
from tutor.sandbox.schema import protobuf
from tutor.sandbox.schema.body import parsed_object
from tutor.sandbox.schema.decode import DecodeError, Parsed, decode, parse, parse_yaml
from tutor.sandbox.schema.resources import builtin_kinds

JSON, YAML, PROTOBUF = (
    "application/json",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
)
_EXCERPT_BYTES = 30
_WELL_FORMED = re.compile(
    r"|[^;]+(;\s*[^\s;=\"]+=([^\s;\"]+|\"([^\"\\]|\\.)*\")\s*)*;?\s*"
).fullmatch
_OLD = re.compile("alpha|beta")


class OtherVersion(ApiError):
    """400 for a custom object that names another version of its kind."""

    def __init__(self, parsed: Parsed, kind: Kind) -> None:
        super().__init__(
            400,
            "BadRequest",
            f"the API version in the data ({parsed.api_version}) does not match"
            f" the expected API version ({kind.api_version})",
        )
        self.parsed = parsed


def media_type(request: Request) -> str:
    """The media type of the body, JSON when none is said."""
    return request.header("content-type").split(";")[0].strip().lower() or JSON


def read_object(request: Request, kind: Kind) -> Parsed:
    """The body as an object that claims to be of `kind`.

    Raises:
        ApiError: 415 for a media type that is not spoken, 400 for what is not such an object.
    """
    try:
        parsed = read(request, binary=not kind.custom, default=(kind.api_version, kind.kind))
    except protobuf.UnfitMessage as error:
        unfit = f'{error.kind} in version "{error.version}" cannot be handled as a {kind.kind}'
        raise bad_request(f"{unfit}: {error}") from None
    except DecodeError as error:
        raise _unrecognized(request, kind, str(error)) from None
    if not kind.custom:
        return _as_builtin(parsed, kind)
    if not parsed.kind:
        shown = request.body.decode(errors="replace")
        raise _unrecognized(request, kind, f"Object 'Kind' is missing in '{shown}'")
    parsed = replace(parsed, api_version=parsed.value.get("apiVersion") or "")
    if parsed.api_version != kind.api_version:
        raise OtherVersion(parsed, kind)
    return parsed


def _unrecognized(request: Request, kind: Kind, why: str) -> ApiError:
    told = f"the object provided is unrecognized (must be of type {kind.kind}): {why}"
    return bad_request(f"{told} ({_excerpt(request.body)})")


def read_eviction(request: Request, kind: Kind) -> Object:
    """The body as an Eviction, which may be of the version that came before.

    Raises:
        ApiError: As `read_typed`.
    """
    try:
        parsed = read(request)
    except DecodeError:
        return read_typed(request, kind)
    if (parsed.kind, parsed.api_version) != (kind.kind, "policy/v1beta1"):
        return read_typed(request, kind)
    return typed(parsed.value | {"apiVersion": kind.api_version}, kind)


def read_typed(request: Request, kind: Kind) -> Object:
    """The body as an object of a built-in kind, with every field of its type.

    Raises:
        ApiError: 415 for a media type that is not spoken, 400 for what is not such an object.
    """
    return typed(read_object(request, kind).value, kind)


def typed(value: Object, kind: Kind) -> Object:
    """A value as an object of a built-in kind; raises ApiError 400 when a field does not fit."""
    try:
        return decode(kind.group, kind.version, kind.kind, value).object
    except DecodeError as error:
        unfit = f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}'
        raise bad_request(f"{unfit}: {error}") from None


def read(request: Request, *, binary: bool = True, default: tuple[str, str] = ("", "")) -> Parsed:
    """The body as an object of any kind. `binary` says whether protobuf is spoken.

    `default` is the apiVersion and kind of a message that names none.

    Raises:
        ApiError: 415 for a media type that is not spoken.
        DecodeError: It is no object.
    """
    media = media_type(request) if _WELL_FORMED(request.header("content-type")) else ""
    if media == PROTOBUF and binary:
        return parsed_object(protobuf.decode(request.body, default))
    if media == YAML:
        return parse_yaml(request.body)
    if media == JSON:
        return parse(request.body)
    # Those of custom kinds name it, too.
    message = (
        "the body of the request was in an unknown format - accepted media types include: "
        f"{JSON}, {YAML}, {PROTOBUF}"
    )
    raise ApiError(415, "UnsupportedMediaType", message)


def _excerpt(body: bytes) -> str:
    """The start of a body: text when it looks like JSON, else its bytes."""
    start, more = body[:_EXCERPT_BYTES], " ..." if len(body) > _EXCERPT_BYTES else ""
    if not body:
        return "<empty>"
    return (start.decode(errors="replace") if body.startswith(b"{") else start.hex()) + more


def _as_builtin(parsed: Parsed, kind: Kind) -> Parsed:
    claimed, version = parsed.kind or kind.kind, parsed.api_version or kind.api_version
    group, _, short = version.rpartition("/")
    unfit = f'{claimed} in version "{short}" cannot be handled as a {kind.kind}: '
    # An aggregated server has types for its own kinds, which are not among the built-in ones.
    own = (claimed, version) == (kind.kind, kind.api_version)
    if not own and not _is_registered(group, short, claimed):
        raise bad_request(unfit + not_registered(claimed, version))
    if claimed != kind.kind:
        raise bad_request(unfit + _unconvertible(short, claimed, kind))
    if version != kind.api_version:
        raise bad_request(
            f"the API version in the data ({version}) does not match"
            f" the expected API version ({kind.api_version})"
        )
    return parsed


def check_claim(value: Object, kind: Kind) -> None:
    """Whether a patched object that says to be of another kind can be of this one.

    Raises:
        DecodeError: It cannot.
    """
    parsed = parsed_object(value)
    claimed = parsed.kind or kind.kind
    version = parsed.api_version or kind.api_version
    group, _, short = version.rpartition("/")
    if not _is_registered(group, short, claimed):
        raise DecodeError(not_registered(claimed, version))
    if claimed != kind.kind:
        with suppress(LookupError):  # kinds of old versions, of which no types are left
            decode(group, short, claimed, value)
        raise DecodeError(_unconvertible(short, claimed, kind))


def _unconvertible(version: str, claimed: str, kind: Kind) -> str:
    wanted = f"{package_of(kind.group)}.{kind.kind}"
    return f"converting ({version}.{claimed}) to ({wanted}): unknown conversion"


_ACTIONS = ("Create", "Delete", "Get", "List", "Patch", "Update")
_EVERYWHERE = ("WatchEvent", *(f"{action}Options" for action in _ACTIONS))
"""What each group has types for."""
_UNVERSIONED = ("List", "Status", "APIGroup", "APIGroupList", "APIResourceList", "APIVersions")


@cache
def _is_registered(group: str, version: str, kind: str) -> bool:
    """Whether the server has types for a kind; for old versions it has them longer than it serves.

    Those of subresources, such as Scale, are registered although no collection has them.
    """
    kinds = [each for each in builtin_kinds() if each.group == group]
    known = {(name, each.version) for each in kinds for name in (each.kind, each.list_kind)}
    known |= {(name, each.version) for each in kinds for name in _EVERYWHERE}
    known |= {(name, "v1") for name in _UNVERSIONED if not group}
    known |= {
        (below.kind, below.version or each.version)
        for each in builtin_kinds()
        for below in each.subresources
        if (below.group or each.group) == group
    }
    if _OLD.search(version):
        return any(kind == name for name, _ in known)
    return (kind, version) in known


def not_registered(kind: str, version: str) -> str:
    """What the server says of a kind that it has no types for."""
    scheme = "pkg/runtime/scheme.go:111"
    return f'no kind "{kind}" is registered for version "{version}" in scheme "{scheme}"'


def package_of(group: str) -> str:
    """The Go package of the internal types of a group, as messages have it."""
    return group.split(".", maxsplit=1)[0] or "core"
