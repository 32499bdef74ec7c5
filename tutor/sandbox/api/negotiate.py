"""Which form of an answer the caller accepts.

Source: apiserver's endpoints/handlers/negotiation.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from tutor.sandbox.api.request import Request
from tutor.sandbox.api.status import ApiError

Shape = Literal["object", "table", "partial", "partial-list"]
_JSON, YAML, PROTOBUF = (
    "application/json",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
)
_STREAMS = f"{_JSON};stream=watch, {PROTOBUF};stream=watch"
_ANY_JSON = {_JSON, "*/*", "application/*"}
_ROUTED = {_JSON, YAML, PROTOBUF, "*/*"}
_KNOWN = f"{_JSON}, {YAML}, {PROTOBUF}"
_SHAPES: dict[str, Shape] = {
    "Table": "table",
    "PartialObjectMetadata": "partial",
    "PartialObjectMetadataList": "partial-list",
}
_BROWSERS = ("curl", "Wget", "Mozilla/5.0")
_TRUE = ("1", "t", "T", "TRUE", "true", "True")
STREAM = ";stream=watch"


@dataclass(frozen=True, slots=True)
class Form:
    """The form of an answer: media type, shape, and whether a person will read it."""

    media: str = _JSON
    shape: Shape = "object"
    version: str = "v1"
    """Of meta.k8s.io, for tables and partial metadata."""
    pretty: bool = False


def accepts(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The clauses of an Accept header, best first: media type and parameters."""
    clauses: list[tuple[float, int, str, dict[str, str]]] = []
    for index, clause in enumerate(text.split(",")):
        media, *pairs = (part.strip() for part in clause.split(";"))
        if not media:
            continue
        split = (pair.partition("=") for pair in pairs)
        parameters = {name: value for name, _, value in split}
        try:
            quality = float(parameters.get("q", "1"))
        except ValueError:
            quality = 1.0
        clauses.append((-quality, index, media, parameters))
    for _, _, media, parameters in sorted(clauses, key=lambda clause: clause[:2]):
        yield media, parameters


def form_of(
    request: Request,
    *,
    binary: bool = True,
    shapes: bool = True,
    encodes: bool = False,
    streams: bool = False,
) -> Form:
    """The form for a request on resources.

    `binary` says whether the kind has a protobuf form that messages name (custom ones have none),
    `encodes` whether the answer can be given in it: it is when the caller accepts nothing else.
    `streams` whether the path is one that can be watched.

    Raises:
        ApiError: 406 when nothing fits.
    """
    accept = request.header("accept") or "*/*"
    return _form(accept, wants_pretty(request), binary, shapes, encodes, streams)


@lru_cache(maxsize=256)
def _form(
    accept: str, pretty: bool, binary: bool, shapes: bool, encodes: bool, streams: bool
) -> Form:
    routed = any(media in _ROUTED for media, _ in accepts(accept))
    if binary and not routed:
        raise _not_acceptable(f"{_KNOWN}, {_STREAMS}" if streams else _KNOWN)
    for media, parameters in accepts(accept):
        shape: Shape = "object"
        version = "v1"
        if "as" in parameters:
            found = _SHAPES.get(parameters["as"]) if shapes else None
            version = parameters.get("v", "")
            if (
                found is None
                or parameters.get("g") != "meta.k8s.io"
                or version not in ("v1", "v1beta1")
            ):
                continue
            shape = found
        if media in (_JSON, "*/*", "application/*"):
            return Form(_JSON, shape, version, pretty or _asks_pretty(parameters))
        if media == YAML:
            return Form(YAML, shape, version, pretty)
    if encodes and _has_binary(accept):
        return Form(PROTOBUF)
    raise _not_served()


def failure_form(request: Request, *, binary: bool = True) -> Form:
    """The form for a Status: what the caller accepts first, shapes such as tables left aside.

    It is indented JSON when the caller accepts nothing known, and with `binary` it is protobuf for
    those who accept that alone.
    """
    pretty = wants_pretty(request)
    clauses = list(accepts(request.header("accept")))
    plain = [(media, parameters) for media, parameters in clauses if "as" not in parameters]
    for media, parameters in plain:
        if media in _ANY_JSON:
            return Form(pretty=pretty or _asks_pretty(parameters))
        if media == YAML:
            return Form(YAML)
    if binary and any(media == PROTOBUF for media, _ in plain):
        return Form(PROTOBUF)
    return Form(pretty=pretty or bool(clauses))


def _asks_pretty(parameters: dict[str, str]) -> bool:
    return parameters.get("pretty") == "1"


def _has_binary(accept: str) -> bool:
    accepted = accepts(accept)
    return any(media == PROTOBUF and "as" not in parameters for media, parameters in accepted)


def require(request: Request, media: str = _JSON) -> None:
    """Raise 406 unless the caller accepts this form, for documents that have no other."""
    header = request.header("accept") or "*/*"
    if not any(accepted in (media, "*/*") for accepted, _ in accepts(header)):
        raise _not_acceptable(media)


def not_streamed() -> ApiError:
    """What is said to those who want to read a watch in a form without an end."""
    message = f"only the following media types are accepted: {_STREAMS}"
    return ApiError(406, "NotAcceptable", message)


def _not_acceptable(known: str) -> ApiError:
    """What the routes of built-in kinds say, before their handlers are asked."""
    message = f"406: Not Acceptable\n\nAvailable representations: {known}"
    return ApiError(406, "NotAcceptable", message, details={})


def _not_served() -> ApiError:
    """What handlers say: of a parameter that they do not know, or where there are no routes."""
    message = f"only the following media types are accepted: {_KNOWN}"
    return ApiError(406, "NotAcceptable", message, told_in_binary=False)


def wants_pretty(request: Request) -> bool:
    """Whether JSON is indented: asked for, or by a browser, curl or wget."""
    if asked := request.query.get("pretty"):
        return asked in _TRUE
    return request.header("user-agent").startswith(_BROWSERS)
