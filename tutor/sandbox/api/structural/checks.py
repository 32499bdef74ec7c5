"""Check values against an OpenAPI v3 schema, with the server's complaints in its order.

A checker is built once from a JSONSchemaProps and knows nothing of pruning or defaults. Source:
kube-openapi (`pkg/validation/validate`), apiextensions-apiserver (`pkg/apiserver/validation`).
"""

import sys
from collections.abc import Callable
from typing import Any

from tutor.sandbox.api.status import (
    FieldError,
    go_json,
    go_quote,
    invalid,
    not_supported,
    required,
    too_long,
    too_many,
    type_invalid,
)
from tutor.sandbox.api.structural import numbers
from tutor.sandbox.api.structural.correlation import ABSENT, is_kept, same, same_item
from tutor.sandbox.api.structural.regex import RegexError, go_regex
from tutor.sandbox.api.structural.string_formats import STRING_FORMATS
from tutor.sandbox.api.values import is_list, is_map
from tutor.sandbox.kinds import Object

_NUMBER_FORMATS = {"integer": {"int32", "int64"}, "number": {"float", "double"}}
_TYPE_NAMES: dict[type, str] = {
    bool: "boolean",
    str: "string",
    int: "integer",
    float: "number",
    list: "array",
    dict: "object",
    type(None): "null",
}
_GO_FORMATS = {"integer": "int64", "number": "float64"}
_ALWAYS = 4
"""What the server counts for any value that is not null, before it looks at it."""
_NOTHING: dict[str, Any] = {}
_TYPE_META = frozenset({"apiVersion", "kind"})

Found = list[FieldError]


class Checker:
    """Checks one value and what is in it.

    Checks return how many of them held: of several alternatives that all fail, the server tells
    the complaints of the one that came furthest.
    """

    __slots__ = (
        "_additional",
        "_alternatives",
        "_enum",
        "_format",
        "_is_format",
        "_matches",
        "_nullable",
        "_number",
        "_pattern",
        "_properties",
        "_required",
        "_schema",
        "_shape",
        "_types",
        "items",
        "list_keys",
        "list_type",
    )

    def __init__(
        self, schema: Object, shape: "Checker | None" = None, *, defaults: bool = False
    ) -> None:
        """Build it; `shape` is that of the value proper where this one is an alternative's.

        With `defaults` it is for those: the server lets any be an `int-or-string`.
        """
        self._schema = schema
        self._shape = shape or self
        type_ = schema.get("type", "")
        both = schema.get("x-kubernetes-int-or-string", False) and not defaults
        self._types: tuple[str, ...] = ("integer", "string") if both else (type_,) if type_ else ()
        self._nullable: bool = schema.get("nullable", False)
        self._format = _known_format(schema.get("format", ""), self._types)
        self._is_format = STRING_FORMATS.get(self._format.replace("-", ""))
        self._enum: list[Any] = schema.get("enum") or []
        self._pattern, self._matches = _search(schema.get("pattern", ""))
        self._number = numbers.checks_of(schema, self._types, self._format)
        given: dict[str, Object] = schema.get("properties") or {}
        self._properties = {name: Checker(given[name], defaults=defaults) for name in sorted(given)}
        extra = schema.get("additionalProperties")
        self._additional = (
            Checker(extra, shape and shape.field(""), defaults=defaults) if is_map(extra) else None
        )
        inner = schema.get("items")
        self.items = (
            Checker(inner, shape and shape.items, defaults=defaults) if is_map(inner) else None
        )
        self._required: list[str] = schema.get("required") or []
        self.list_type: str = schema.get("x-kubernetes-list-type", "")
        self.list_keys: list[str] = schema.get("x-kubernetes-list-map-keys") or []
        self._alternatives = (
            _Alternatives(schema, self._shape, defaults=defaults)
            if _has_alternatives(schema)
            else None
        )

    def check(self, value: Any, path: str, found: Found, old: Any = ABSENT) -> int:
        """Add what is wrong with a value; returns how many checks held.

        With an old value, complaints about what did not change are left out.
        """
        if old is ABSENT:
            return self.check_whole(value, path, found, ABSENT)
        mine: Found = []
        held = self.check_whole(value, path, mine, old)
        if mine and not is_kept(value, old, self._shape):
            _add(found, *mine)
        return held

    def field(self, name: str) -> "Checker | None":
        """The checker of a field, None where nothing is known of it."""
        return self._properties.get(name) or self._additional

    def check_whole(self, value: Any, path: str, found: Found, old: Any) -> int:
        """Check a value that may not be excused for being unchanged; what is in it may."""
        name = _TYPE_NAMES.get(value.__class__) or _name_of(value)
        held = self._check_type(value, name, path, found)
        if value is None:
            self._check_enum(value, path, found)
            return held
        held += _ALWAYS
        if self._alternatives is not None:
            held += self._alternatives.check(value, path, found, old)
        if name == "string":
            held += self._check_string(value, path, found)
        elif name == "object":
            held += self._check_object(value, path, found, old) + 1
        elif name == "array":
            held += self._check_list(value, path, found, old) + 2
        elif name != "boolean":
            if self._number is not None:
                _add(found, *self._number(value, path))
            held += 2
        if self._enum:
            self._check_enum(value, path, found)
        return held

    def _check_type(self, value: Any, name: str, path: str, found: Found) -> int:
        types = self._types
        if value is None:
            if not types or self._nullable:
                return 1
            _add_type(found, path, ",".join(types), name)
            return 0
        if name in types:
            return 2
        if not types and not self._format:
            return 0
        if name == "integer" and "number" in types:
            return 2
        if name == "number" and "integer" in types and value.is_integer():
            return 2
        if self._format and name not in {"string", "array"}:
            _add_type(found, path, self._format, _GO_FORMATS.get(name, ""))
            return 1
        if self._format and "number" not in types and "integer" not in types:
            # The real server looks no closer at lists where a string of some format should be.
            return 2
        _add_type(found, path, ",".join(types), name)
        return 1

    def _check_string(self, value: str, path: str, found: Found) -> int:
        schema = self._schema
        longest, shortest = schema.get("maxLength"), schema.get("minLength")
        if longest is not None and len(value) > longest:
            _add(found, too_long(_at(path), longest))
        elif shortest is not None and len(value) < shortest:
            text = f"{path} in body should be at least {shortest} chars long"
            _add(found, invalid(_at(path), value, text))
        elif self._matches is not None and not self._matches(value):
            text = f"{path} in body should match '{self._pattern}'"
            _add(found, invalid(_at(path), value, text))
        if self._is_format is None:
            return 1
        if not self._is_format(value):
            _add_type(found, path, self._format, value)
        return 2

    def _check_enum(self, value: Any, path: str, found: Found) -> None:
        if self._enum and not any(_is_member(value, one) for one in self._enum):
            named = [one if isinstance(one, str) else go_json(one) for one in self._enum]
            _add(found, not_supported(_at(path), value, named))

    def _check_object(self, value: dict[str, Any], path: str, found: Found, old: Any) -> int:
        self._check_size(value, path, found)
        properties = self._properties
        before = old if is_map(old) else _NOTHING
        held = self._check_others(value, path, found, before)
        prefix = f"{path}." if path else ""
        for name, checker in properties.items():
            if name in value:
                # The type itself is the server's own doing, and is never excused.
                was = ABSENT if not path and name in _TYPE_META else before.get(name, ABSENT)
                held += checker.check(value[name], prefix + name, found, was)
        for name in self._required:
            if name not in value:
                _add(found, required(f"{prefix}{name}".removeprefix(".")))
        return held

    def _check_others(
        self, value: dict[str, Any], path: str, found: Found, before: dict[str, Any]
    ) -> int:
        """Check the fields that the schema does not name."""
        held = 0
        properties = self._properties
        if self._additional is not None:
            for key, inner in value.items():
                if key not in properties:
                    was = before.get(key, ABSENT)
                    held += self._additional.check(inner, f"{path}.{key}", found, was)
        elif self._schema.get("additionalProperties") is False:
            for key in value:
                if key not in properties:
                    text = f"{path}.{key} in body is a forbidden property"
                    _add(found, invalid(_at(path), key, text))
        return held

    def _check_size(self, value: dict[str, Any], path: str, found: Found) -> None:
        least = self._schema.get("minProperties")
        most = self._schema.get("maxProperties")
        if least is not None and len(value) < least:
            text = f"{path} in body should have at least {least} properties"
            _add(found, invalid(_at(path), len(value), text))
        if most is not None and len(value) > most:
            _add(found, too_many(_at(path), len(value), most))

    def _check_list(self, value: list[Any], path: str, found: Found, old: Any) -> int:
        held = 0
        if self.items is not None:
            before = old if is_list(old) and self.list_type == "map" else None
            for index, item in enumerate(value):
                was = ABSENT if before is None else same_item(item, before, self.list_keys)
                held += self.items.check(item, f"{path}[{index}]", found, was)
        least, most = self._schema.get("minItems"), self._schema.get("maxItems")
        if least is not None and len(value) < least:
            text = f"{path} in body should have at least {least} items"
            _add(found, invalid(_at(path), len(value), text))
        if most is not None and len(value) > most:
            _add(found, too_many(_at(path), len(value), most))
        if self._schema.get("uniqueItems") and _repeats(value):
            _add(found, invalid(_at(path), "", f"{path} in body shouldn't contain duplicates"))
        return held


class _Alternatives:
    """`anyOf`, `oneOf`, `allOf` and `not` of one value."""

    __slots__ = ("_all", "_any", "_not", "_one")

    def __init__(self, schema: Object, shape: Checker, *, defaults: bool) -> None:
        self._any, self._one, self._all = (
            [Checker(one, shape, defaults=defaults) for one in schema.get(word) or ()]
            for word in ("anyOf", "oneOf", "allOf")
        )
        excluded = schema.get("not")
        self._not = Checker(excluded, shape, defaults=defaults) if is_map(excluded) else None

    def check(self, value: Any, path: str, found: Found, old: Any) -> int:
        held = self._check_any(value, path, found, old) if self._any else 0
        if self._one:
            held += self._check_one(value, path, found, old)
        if self._all:
            held += self._check_all(value, path, found, old)
        if self._not is not None:
            mine: Found = []
            self._not.check_whole(value, path, mine, old)
            if not mine:
                _add(found, _general(f"{go_quote(path)} must not validate the schema (not)"))
        return held

    def _check_any(self, value: Any, path: str, found: Found, old: Any) -> int:
        best: tuple[int, Found] | None = None
        for checker in self._any:
            mine: Found = []
            held = checker.check_whole(value, path, mine, old)
            if not mine:
                return held
            if best is None or held > best[0]:
                best = held, mine
        _add(found, _general(f"{go_quote(path)} must validate at least one schema (anyOf)"))
        return _keep(best, found)

    def _check_one(self, value: Any, path: str, found: Found, old: Any) -> int:
        best: tuple[int, Found] | None = None
        good: list[int] = []
        for checker in self._one:
            mine: Found = []
            held = checker.check_whole(value, path, mine, old)
            if not mine:
                good.append(held)
                best = None
            elif not good and (best is None or held > best[0]):
                best = held, mine
        if len(good) == 1:
            return good[0]
        seen = f"Found {len(good)} valid alternatives" if good else "Found none valid"
        text = f"{go_quote(path)} must validate one and only one schema (oneOf). {seen}"
        _add(found, _general(text))
        return _keep(best, found)

    def _check_all(self, value: Any, path: str, found: Found, old: Any) -> int:
        total, good = 0, 0
        for checker in self._all:
            mine: Found = []
            total += checker.check_whole(value, path, mine, old)
            good += not mine
            _add(found, *mine)
        if good != len(self._all):
            none = "" if good else ". None validated"
            _add(found, _general(f"{go_quote(path)} must validate all the schemas (allOf){none}"))
        return total


def _keep(best: tuple[int, Found] | None, found: Found) -> int:
    if best is None:
        return 0
    _add(found, *best[1])
    return best[0]


def _name_of(value: Any) -> str:
    """The type of a value of a class derived from a plain one, as parsed bodies have."""
    return next(name for kind, name in _TYPE_NAMES.items() if isinstance(value, kind))


def _has_alternatives(schema: Object) -> bool:
    any_listed = any(schema.get(name) for name in ("anyOf", "oneOf", "allOf"))
    return any_listed or schema.get("not") is not None


def _known_format(format_: str, types: tuple[str, ...]) -> str:
    """The format where the server looks at it, empty where it does not."""
    type_ = types[0] if len(types) == 1 else ""
    if type_ in {"", "string"}:
        return format_ if format_.replace("-", "") in STRING_FORMATS else ""
    return format_ if format_ in _NUMBER_FORMATS.get(type_, ()) else ""


def _search(pattern: str) -> tuple[str, Callable[[str], Any] | None]:
    """The pattern as complaints quote it, and what finds it in a text."""
    if not pattern:
        return pattern, None
    try:
        return pattern, go_regex(pattern).search
    except RegexError as error:
        return f"{pattern}, but pattern is invalid: {error}", lambda _: None


def _at(path: str) -> str:
    return path.removeprefix(".") or "<nil>"


def _add(found: Found, *errors: FieldError) -> None:
    """Add complaints that are not there yet."""
    found.extend(error for error in errors if error not in found)


def _add_type(found: Found, path: str, wanted: str, given: str) -> None:
    text = f"{path} in body must be of type {wanted}: {go_quote(given)}"
    _add(found, type_invalid(_at(path), given, text))


def _general(text: str) -> FieldError:
    """A complaint without a place of its own: the server gives the object's root."""
    return invalid("<nil>", "", text)


def _is_member(value: Any, one: Any) -> bool:
    if isinstance(value, bool) or isinstance(one, bool):
        return value is one
    # The server converts the value to the type of the other first, as Go does.
    if isinstance(one, int) and isinstance(value, float):
        return int(value) == one
    if isinstance(one, str) and isinstance(value, int):
        return 0 <= value <= sys.maxunicode and chr(value) == one
    return value is not None and value == one


def _repeats(items: list[Any]) -> bool:
    return any(same(item, other) for at, item in enumerate(items) for other in items[:at])
