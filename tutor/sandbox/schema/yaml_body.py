"""YAML bodies, read the way the server does: YAML 1.1 to JSON first, then as any JSON body.

The parser is libyaml, as in Go; which plain words are numbers and booleans follows Go's library,
which knows `y` and `n` but neither base 60 nor dates. Members come out sorted, since the detour
over JSON sorts them.

Source: sigs.k8s.io/yaml v1.6 on go.yaml.in/yaml v2.4.
"""

import codecs
import copy
from collections.abc import Hashable, Iterator
from math import inf, isinf, isnan
from typing import Any, cast

import yaml
from yaml.scanner import ScannerError

from tutor.sandbox.kinds import Object
from tutor.sandbox.schema.body import Number, Parsed, not_an_object, parsed_object
from tutor.sandbox.schema.depth import MAX_DEPTH
from tutor.sandbox.schema.encode import go_number
from tutor.sandbox.schema.errors import UnrecognizedError, quoted
from tutor.sandbox.schema.yaml_words import plain_value, tagged_value

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_MERGE = object()
"""Stands for the key `<<`."""
_MAX_ALIASED = 100_000
"""Values that aliases may stand for in one document; Go refuses such documents, some later."""


def parse_yaml(body: bytes) -> Parsed:
    """Read a YAML (or JSON) body; raises `UnrecognizedError` with the server's words."""
    document = _Document(_text(body))
    try:
        value = document.read()
    except yaml.MarkedYAMLError as error:
        raise UnrecognizedError(_message(error)) from None
    except yaml.YAMLError:
        raise UnrecognizedError("yaml: control characters are not allowed") from None
    except RecursionError:
        raise _too_deep() from None
    if not isinstance(value, dict):
        if value is not None:
            raise not_an_object(value)
        value = {}
    repeated = "\n".join(f"  {line}" for line in document.repeated)
    preface = (f"yaml: unmarshal errors:\n{repeated}",) if repeated else ()
    return parsed_object(cast("Object", value), duplicates=preface, preface=preface)


def _text(body: bytes) -> str:
    encoding = "utf-16" if body.startswith(_UTF_16) else "utf-8"
    try:
        return body.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding == "utf-16":
            raise UnrecognizedError("yaml: incomplete UTF-16 character") from None
        told = {"unexpected end of data": "incomplete UTF-8 octet sequence"}
        told["invalid start byte"] = "invalid leading UTF-8 octet"
        why = told.get(error.reason, "invalid trailing UTF-8 octet")
        raise UnrecognizedError(f"yaml: {why}") from None


def _too_deep() -> UnrecognizedError:
    return UnrecognizedError("yaml: exceeded max depth")


def _message(error: yaml.MarkedYAMLError) -> str:
    line = 0
    if error.problem_mark and error.problem_mark.line:
        line = error.problem_mark.line + isinstance(error, ScannerError)
    elif error.context_mark:
        line = error.context_mark.line
    where = f"line {line}: " if line else ""
    return f"yaml: {where}{error.problem or 'unknown problem parsing YAML content'}"


class _Document:
    """The first document of a text, on its way from events to values."""

    def __init__(self, text: str) -> None:
        self.repeated: list[str] = []
        self._events = cast("Iterator[yaml.Event]", yaml.parse(text, Loader=_Loader))  # pyright: ignore[reportUnknownMemberType] - untyped in its stubs
        self._anchors: dict[str, Any] = {}
        self._open: set[str] = set()
        self._aliased = 0

    def read(self) -> Any:
        """The document's value, None when there is no document."""
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                return _json_value(self._value(next(self._events)))
        return None

    def _value(self, event: yaml.Event) -> Any:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(cast("str", event.anchor))
        anchor = cast("str | None", getattr(event, "anchor", None))
        if anchor is not None:
            self._open.add(anchor)
        if isinstance(event, yaml.MappingStartEvent):
            value: Any = self._mapping()
        elif isinstance(event, yaml.SequenceStartEvent):
            value = self._sequence()
        else:
            value = _scalar(cast("yaml.ScalarEvent", event))
        if anchor is not None:
            self._open.discard(anchor)
            self._anchors[anchor] = value
        return value

    def _alias(self, anchor: str) -> Any:
        if anchor in self._open:
            raise UnrecognizedError(f"yaml: anchor '{anchor}' value contains itself")
        if anchor not in self._anchors:
            raise UnrecognizedError(f"yaml: unknown anchor '{anchor}' referenced")
        value = self._anchors[anchor]
        self._aliased += _size(value, _MAX_ALIASED - self._aliased)
        if self._aliased > _MAX_ALIASED:
            raise UnrecognizedError("yaml: document contains excessive aliasing")
        return copy.deepcopy(value)

    def _sequence(self) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._value(event))
        return items

    def _mapping(self) -> dict[Hashable, Any]:
        found: dict[Hashable, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = _MERGE if _is_merge(event) else self._key(event)
            event = next(self._events)
            value = self._value(event)
            if key is _MERGE:
                _merge(value, found)
                continue
            if key in found:
                line = event.start_mark.line + 1
                self.repeated.append(f"line {line}: key {_shown(key)} already set in map")
            found[key] = value
        return found

    def _key(self, event: yaml.Event) -> Hashable:
        key = self._value(event)
        if isinstance(key, dict | list):
            raise UnrecognizedError("yaml: invalid map key: a map or a list")
        return key


def _scalar(event: yaml.ScalarEvent) -> Any:
    """A scalar as Go's YAML has it: text, boolean, integer, float or None."""
    text = cast("str", event.value)
    tag = cast("str | None", event.tag)
    if tag is None or tag == "!":
        return plain_value(text) if tag is None and event.implicit[0] else text
    if tag in {f"{_TAG}{name}" for name in ("int", "float", "bool", "null")}:
        return tagged_value(text, tag.removeprefix(_TAG))
    return text


def _is_merge(event: yaml.Event) -> bool:
    return isinstance(event, yaml.ScalarEvent) and event.value == "<<" and event.implicit[0]


def _merge(source: Any, found: dict[Hashable, Any]) -> None:
    sources = cast("list[Any]", source)[::-1] if isinstance(source, list) else [source]
    for each in sources:
        if not isinstance(each, dict):
            raise UnrecognizedError("yaml: map merge requires map or sequence of maps as the value")
        found.update(cast("dict[Hashable, Any]", each))


def _size(value: Any, limit: int) -> int:
    """How many values a value is made of; counting stops past the limit."""
    if not isinstance(value, dict | list):
        return 1
    is_map = isinstance(value, dict)
    inner = list(cast("dict[Any, Any]", value).values()) if is_map else cast("list[Any]", value)
    size = 1
    for item in inner:
        size += _size(item, limit - size)
        if size > limit:
            break
    return size


def _json_value(value: Any, depth: int = 1) -> Any:
    """A value after JSON has been written and read again."""
    if depth > MAX_DEPTH and isinstance(value, dict | list):
        raise _too_deep()
    if isinstance(value, dict):
        members = cast("dict[Hashable, Any]", value)
        if None in members:
            shown = _go_value(members[None])
            why = f"unsupported map key of type: %!s(<nil>), key: <nil>, value: {shown}"
            raise UnrecognizedError(why)
        named = {_name(key): item for key, item in members.items()}
        return {name: _json_value(named[name], depth + 1) for name in sorted(named)}
    if isinstance(value, list):
        return [_json_value(item, depth + 1) for item in cast("list[Any]", value)]
    if isinstance(value, float):
        return _json_number(value)
    is_unsigned = isinstance(value, int) and value >= 2**63
    return Number(str(value)) if is_unsigned else value


def _json_number(value: float) -> int | Number:
    if isnan(value) or isinf(value):
        shown = {inf: "+Inf", -inf: "-Inf"}.get(value, "NaN")
        raise UnrecognizedError(f"json: unsupported value: {shown}")
    text = go_number(value)
    return int(text) if value.is_integer() and abs(value) < 2**53 else Number(text)


def _go_value(value: Any) -> str:
    """A scalar as Go's `%#v` has it."""
    if value is None:
        return "<nil>"
    return _shown(value)


def _name(key: Hashable) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    return f"{key:g}" if isinstance(key, float) else str(key)


def _shown(key: Hashable) -> str:
    return quoted(key) if isinstance(key, str) else _name(key)
