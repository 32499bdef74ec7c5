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
_ANY_JSON = {_JSON, "*/*", "*", "application/*"}
_ROUTED = {_JSON, YAML, PROTOBUF, "*/*"}
_KNOWN = f"{_JSON}, {YAML}, {PROTOBUF}"
_SHAPES: dict[str, Shape] = {
    "Table": "table",
    "PartialObjectMetadata": "partial",
    "PartialObjectMetadataList": "partial-list",
}
_CONVERSION = ("as", "g", "v")
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
    besides: str = "",
) -> Form:
    """The form for a request on resources.

    `binary` says whether the kind has a protobuf form that messages name (custom ones have none),
    `encodes` whether the answer can be given in it, `streams` whether the path is one that can be
    watched. `besides` is a media type that the path has and that no form comes in.

    Raises:
        ApiError: 406 when nothing fits.
    """
    accept = request.header("accept") or "*/*"
    return _form(accept, wants_pretty(request), binary, shapes, encodes, streams, besides)


@lru_cache(maxsize=256)
def _form(
    accept: str,
    pretty: bool,
    binary: bool,
    shapes: bool,
    encodes: bool,
    streams: bool,
    besides: str,
) -> Form:
    routed = any(media in _ROUTED or media == besides for media, _ in accepts(accept))
    if binary and not routed:
        known = f"{besides}, {_KNOWN}" if besides else _KNOWN
        raise _not_acceptable(f"{known}, {_STREAMS}" if streams else known)
    for media, parameters in accepts(accept):
        shape: Shape = "object"
        version = "v1"
        if not _streams_so(media, parameters):
            continue
        if any(parameters.get(name) for name in _CONVERSION):
            found = _SHAPES.get(parameters.get("as", "")) if shapes else None
            version = parameters.get("v", "")
            if (
                found is None
                or (found == "table" and besides)
                or parameters.get("g") != "meta.k8s.io"
                or version not in ("v1", "v1beta1")
            ):
                continue
            shape = found
        if media in _ANY_JSON:
            return Form(_JSON, shape, version, pretty or _asks_pretty(parameters))
        if media == YAML:
            return Form(YAML, shape, version, pretty)
        if media == PROTOBUF and (encodes if shape == "object" else shape != "table"):
            return Form(PROTOBUF, shape, version)
    raise _not_served()


def failure_form(request: Request) -> Form:
    """The form for a Status: what the caller accepts first, shapes such as tables left aside.

    It is indented JSON when the caller accepts nothing known.
    """
    pretty = wants_pretty(request)
    header = request.header("accept")
    for media, parameters in accepts(header):
        if any(parameters.get(name) for name in _CONVERSION) or not _streams_so(media, parameters):
            continue
        if media in _ANY_JSON:
            return Form(pretty=pretty or _asks_pretty(parameters))
        if media == YAML:
            return Form(YAML)
        if media == PROTOBUF:
            return Form(PROTOBUF)
    return Form(pretty=pretty or bool(header))


def _streams_so(media: str, parameters: dict[str, str]) -> bool:
    """Whether a media type can be streamed as a clause says; those that say nothing can."""
    said = parameters.get("stream")
    return said is None or (said == "watch" and media != YAML)


def _asks_pretty(parameters: dict[str, str]) -> bool:
    return parameters.get("pretty") == "1"


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
    return ApiError(406, "NotAcceptable", message)


def wants_pretty(request: Request) -> bool:
    """Whether JSON is indented: asked for, or by a browser, curl or wget."""
    if asked := request.query.get("pretty"):
        return asked in _TRUE
    return request.header("user-agent").startswith(_BROWSERS)
