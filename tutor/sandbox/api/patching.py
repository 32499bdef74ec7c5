"""PATCH: from a body and its media type to a change of an object.

Source: apiserver's endpoints/handlers/patch.go for the order of failures.
"""

from collections.abc import Callable

from tutor.sandbox.api import bodies
from tutor.sandbox.api.objects import Objects
from tutor.sandbox.api.patch.body import Form, patch
from tutor.sandbox.api.registry import Served
from tutor.sandbox.api.request import Call
from tutor.sandbox.api.status import ApiError, bad_request
from tutor.sandbox.kinds import Object
from tutor.sandbox.schema.conversion import convert
from tutor.sandbox.schema.decode import DecodeError, Parsed, parse, parse_yaml, untyped

JSON_PATCH = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
_ROUTE_TYPES = (JSON_PATCH, MERGE, STRATEGIC, APPLY)
_FORMS: dict[str, Form] = {JSON_PATCH: "json", MERGE: "merge", STRATEGIC: "strategic"}
_STRICT = "strict decoding error: "
_CONVERTING = "error converting YAML to JSON: "
_DECODING = "error unmarshaling JSON: while decoding JSON: "

Change = Callable[[Object], Object]


def check_media(media: str, served: Served) -> None:
    """Refuse what is no patch, and strategic merge where no types are known.

    Raises:
        ApiError: 415.
    """
    if media not in _ROUTE_TYPES and not served.kind.custom:
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


def change_of(objects: Objects, call: Call, served: Served, media: str, body: bytes) -> Change:
    """A function from the current object to the patched one, decoded.

    It raises ApiError: 400 or 422 for a patch that cannot be read or does not fit, 422 with the
    whole document for a result that is no object of its kind.
    """
    form = _FORMS[media]
    node = served.strategy.node() if form == "strategic" else None

    def change(old: Object) -> Object:
        # Custom objects are maps to the server, which it writes in order.
        document = untyped(old) if served.kind.custom else old
        made = patch(document, body, form, node, lax=call.validation == "Ignore")
        try:
            value = _typed(served, made.object, form)
            in_order = form != "strategic"
            return objects.decode(call, served, value, made.strict, in_order=in_order)
        except DecodeError as error:
            raise made.reject(str(error)) from None
        except ApiError as error:
            if _STRICT not in error.message:
                raise
            raise made.reject(_STRICT + error.message.partition(_STRICT)[2]) from None

    return change


def _typed(served: Served, value: Object, form: Form) -> Object:
    """What a patch made of an object of a built-in kind, on its way to the kind's own type.

    Raises:
        DecodeError: It is of another kind, or a field of another type.
    """
    kind = served.kind
    if kind.custom:
        return value
    if form == "strategic":
        return convert(kind.group, kind.version, kind.kind, value)
    claimed, version = value.get("kind"), value.get("apiVersion")
    if claimed != kind.kind or version != kind.api_version:
        bodies.check_claim(value, kind)
    return value


def config_of(call: Call, body: bytes) -> Object:
    """The configuration that a server-side apply sends: YAML, which may be JSON.

    Raises:
        ApiError: 400 for what cannot be read, and for repeated fields when the caller is strict.
    """
    try:
        parsed = _read(body)
    except DecodeError as error:
        raise bad_request(f"error decoding YAML: {_unreadable(str(error))}") from None
    if parsed.preface and call.validation == "Strict":
        raise bad_request(f"error strict decoding YAML: {_CONVERTING}{parsed.preface[0]}")
    if call.validation == "Warn":
        call.warn(parsed.preface)
    return parsed.value


def _unreadable(why: str) -> str:
    """A complaint about a body, as it is about one that may be of any kind."""
    before, of_type, _ = why.partition(" into Go value of type ")
    if not of_type:
        return f"{_CONVERTING}{why}"
    return f"{_DECODING}{before.rpartition('error: ')[2]}{of_type}map[string]interface {{}}"


def _read(body: bytes) -> Parsed:
    """JSON is YAML; its own reader is the quicker one and leaves what is odd to the other."""
    if body.lstrip().startswith(b"{"):
        try:
            body.decode()
            parsed = parse(body)
        except (DecodeError, UnicodeDecodeError):
            return parse_yaml(body)
        if not parsed.duplicates:
            return parsed
    return parse_yaml(body)
