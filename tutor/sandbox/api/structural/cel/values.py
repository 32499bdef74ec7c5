"""Values as rules see them: fields under names that CEL can write, numbers as doubles.

Source: apiserver (`pkg/cel/escaping.go`, `pkg/cel/common`).
"""

import re
from typing import Any

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
        or any(escape(name) != name or differs(sub) for name, sub in schema.properties.items())
        or differs(schema.additional)
        or differs(schema.items)
    )


def to_cel(value: Any, schema: Schema | None) -> Any:
    """A value as rules see it."""
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
    if schema.type == "number" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value
