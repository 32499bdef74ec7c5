"""What Go's JSON decoder says of text that it cannot read. Source: Go's `encoding/json`."""

import json
from typing import Any

_LITERALS = ("null", "true", "false")
_EXPECTATIONS = {
    "Expecting property name": "looking for beginning of object key string",
    "Illegal trailing comma": "looking for beginning of value",
    "Expecting ':'": "after object key",
    "Extra data": "after top-level value",
}


def not_an_object(raw: bytes) -> str:
    """The complaint about text that is no JSON object, empty when it is one (or null)."""
    text = raw.decode("utf-8", "replace")
    try:
        value: Any = json.loads(text)
    except json.JSONDecodeError as error:
        return _complaint(text, error)
    if value is None or isinstance(value, dict):
        return ""
    names = {bool: "bool", str: "string", list: "array"}
    name = next((name for kind, name in names.items() if isinstance(value, kind)), "number")
    return f"json: cannot unmarshal {name} into Go value of type map[string]interface {{}}"


def _complaint(text: str, error: json.JSONDecodeError) -> str:
    position = error.pos
    if position >= len(text.rstrip()) or error.msg.startswith("Unterminated"):
        return "unexpected end of JSON input"
    literal = next((word for word in _LITERALS if word[0] == text[position]), "")
    if literal and error.msg.startswith("Expecting value"):
        return _broken_literal(text[position:], literal)
    where = next(
        (said for start, said in _EXPECTATIONS.items() if error.msg.startswith(start)),
        _between(text[:position]) if "','" in error.msg else "looking for beginning of value",
    )
    return f"invalid character '{text[position]}' {where}"


def _broken_literal(rest: str, literal: str) -> str:
    for found, expected in zip(rest, literal, strict=False):
        if found != expected:
            return f"invalid character '{found}' in literal {literal} (expecting '{expected}')"
    return "unexpected end of JSON input"


def _between(before: str) -> str:
    """Where a comma was expected, by the bracket that is still open."""
    open_brackets: list[str] = []
    in_text = escaped = False
    for char in before:
        if in_text:
            in_text, escaped = escaped or char != '"', char == "\\" and not escaped
        elif char == '"':
            in_text = True
        elif char in "[{":
            open_brackets.append(char)
        elif char in "]}":
            open_brackets.pop()
    in_array = open_brackets[-1:] == ["["]
    return "after array element" if in_array else "after object key:value pair"
