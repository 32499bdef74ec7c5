"""Values as rules see them: fields under names that CEL can write, numbers as doubles.

Source: apiserver (`pkg/cel/escaping.go`, `pkg/cel/common`).
"""

import binascii
import re
from base64 import b64decode
from typing import Any

from tutor.sandbox.api.patch.goprint import go_type
from tutor.sandbox.api.structural.schema import Schema
from tutor.sandbox.api.values import is_list, is_map

_KEYWORDS = frozenset(
    [
        "true",
        "false",
        "null",
        "in",
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ]
)
_CLASSES: dict[str, type] = {"object": dict, "array": list, "string": str, "boolean": bool}
_WANTED = {
    "object": "expected a map for the provided schema with type=object",
    "array": "expected an array for the provided schema with type=array",
    "string": "expected string, got {}",
    "number": "expected float, got {}",
    "integer": "expected int, got {}",
    "boolean": "expected bool, got {}",
}
_NOT_EITHER = "invalid data, expected XIntOrString value to be either a string or integer"
_ESCAPES = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}
_ESCAPED = re.compile(r"__|[./-]")
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def escape(name: str) -> str | None:
    """The name of a field in rules, None for a field that they cannot name."""
    if name in _KEYWORDS:
        return f"__{name}__"
    escaped = _ESCAPED.sub(lambda match: _ESCAPES[match[0]], name)
    return escaped if _NAME.fullmatch(escaped) else None


def differs(schema: Schema | None) -> bool:
    """Whether any value of this schema may look different to rules."""
    if schema is None:
        return False
    return (
        schema.type == "number"
        or (schema.type == "string" and schema.format == "byte")
        or any(escape(name) != name or differs(sub) for name, sub in schema.properties.items())
        or differs(schema.additional)
        or differs(schema.items)
    )


def to_cel(value: Any, schema: Schema | None) -> Any:
    """A value as rules see it, but for times and durations, which stay texts."""
    if schema is None:
        return value
    if is_map(value):
        found: dict[str, Any] = {}
        for key, inner in value.items():
            sub = schema.properties.get(key)
            name = escape(key) if sub is not None else key
            if name is not None:
                found[name] = to_cel(inner, sub or schema.additional)
        return found
    if is_list(value):
        return [to_cel(inner, schema.items) for inner in value]
    return _scalar(value, schema)


def _scalar(value: Any, schema: Schema) -> Any:
    if schema.type == "number" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if schema.type == "string" and schema.format == "byte" and isinstance(value, str):
        try:
            return b64decode(value, validate=True)
        except binascii.Error:
            return value
    return value


def mismatch(value: Any, schema: Schema) -> str:
    """Why rules cannot see a value that its schema would not let in, empty when they can."""
    if schema.int_or_string:
        good = isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))
        return "" if good else _NOT_EITHER
    wanted = _WANTED.get(schema.type)
    if wanted is None or _fits(value, schema.type):
        return ""
    return f"invalid data, {wanted.format(go_type(value))}"


def _fits(value: Any, type_: str) -> bool:
    if type_ in {"integer", "number"}:
        whole = isinstance(value, int) and not isinstance(value, bool)
        return whole or (type_ == "number" and isinstance(value, float))
    return isinstance(value, _CLASSES[type_])
