"""JSON read as Go's `encoding/json` reads it: its complaints, its integers, its duplicate keys.

Values are read by Python's parser; a scanner of our own runs only over text that has something
wrong, to say what. Messages: Go's `encoding/json/scanner.go` and `sigs.k8s.io/json`.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any, NoReturn

from tutor.sandbox.api.status import go_quote
from tutor.sandbox.schema.depth import too_deep

_SPACE = re.compile(r"[ \t\r\n]*")
_PLAIN = re.compile(r'[^"\\\x00-\x1f]*')
_DIGITS = re.compile(r"[0-9]*")
_LITERALS = {"t": "true", "f": "false", "n": "null"}
_INT64 = range(-(2**63), 2**63)


class JsonError(ValueError):
    """Text that is no JSON; the message is Go's."""


@dataclass(slots=True)
class _Flags:
    repeated: bool = False


@dataclass(slots=True)
class Document:
    """A value and the paths of the fields that stand in it more than once."""

    value: Any
    duplicates: list[str] = field(default_factory=list[str])


def decode(body: bytes) -> Document:
    """Read one JSON document; of a field that is there twice, the last value counts.

    Raises:
        JsonError: it is no JSON.
    """
    text = body.decode("utf-8", "replace")
    flags = _Flags()

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        flags.repeated = flags.repeated or len(found) != len(items)
        return found

    if bracket := too_deep(text):
        raise JsonError(f"invalid character '{bracket}' exceeded max depth")
    try:
        value = json.loads(
            text, object_pairs_hook=pairs, parse_int=_integer, parse_constant=_not_json
        )
    except ValueError:
        _Scanner(text).scan()
        raise
    if not flags.repeated:
        return Document(value)
    scanner = _Scanner(text)
    scanner.scan()
    return Document(value, scanner.duplicates)


def _integer(digits: str) -> int | float:
    number = int(digits)
    return number if number in _INT64 else float(digits)


def _not_json(_: str) -> NoReturn:
    raise ValueError


class _Scanner:
    """Walks over the text once, noting duplicate keys, up to the first byte that is wrong."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self.duplicates: list[str] = []

    def scan(self) -> None:
        self._value("")
        if self._peek():
            self._bad("after top-level value")

    def _peek(self) -> str:
        match = _SPACE.match(self._text, self._at)
        self._at = match.end() if match else self._at
        return self._text[self._at : self._at + 1]

    def _bad(self, where: str) -> NoReturn:
        if self._at >= len(self._text):
            raise JsonError("unexpected end of JSON input")
        # Go names the byte, as if it were a character of its own.
        char = chr(self._text[self._at].encode()[0])
        shown = {"'": "\\'", '"': '"'}.get(char) or go_quote(char)[1:-1]
        raise JsonError(f"invalid character '{shown}' {where}")

    def _value(self, path: str) -> None:
        char = self._peek()
        if char == "{":
            self._object(path)
        elif char == "[":
            self._array(path)
        elif char == '"':
            self._string()
        elif char in _LITERALS:
            self._literal(_LITERALS[char])
        elif char and char in "-0123456789":
            self._number()
        else:
            self._bad("looking for beginning of value")

    def _object(self, path: str) -> None:
        self._at += 1
        if self._peek() == "}":
            self._at += 1
            return
        seen: set[str] = set()
        while True:
            if self._peek() != '"':
                self._bad("looking for beginning of object key string")
            key = self._string()
            inner = f"{path}.{key}" if path else key
            if key in seen:
                self.duplicates.append(inner)
            seen.add(key)
            if self._peek() != ":":
                self._bad("after object key")
            self._at += 1
            self._value(inner)
            if self._ended("}", "after object key:value pair"):
                return

    def _array(self, path: str) -> None:
        self._at += 1
        if self._peek() == "]":
            self._at += 1
            return
        index = 0
        while True:
            self._value(f"{path}[{index}]")
            if self._ended("]", "after array element"):
                return
            index += 1

    def _ended(self, closing: str, where: str) -> bool:
        char = self._peek()
        if char not in {closing, ","}:
            self._bad(where)
        self._at += 1
        return char == closing

    def _string(self) -> str:
        start = self._at
        self._at += 1
        while True:
            match = _PLAIN.match(self._text, self._at)
            self._at = match.end() if match else self._at
            char = self._text[self._at : self._at + 1]
            if char == '"':
                self._at += 1
                return str(json.loads(self._text[start : self._at]))
            if char != "\\":
                self._bad("in string literal")
            self._at += 1
            self._escape()

    def _escape(self) -> None:
        char = self._text[self._at : self._at + 1]
        if not char or char not in '"\\/bfnrtu':
            self._bad("in string escape code")
        self._at += 1
        if char == "u":
            for _ in range(4):
                if self._text[self._at : self._at + 1] not in set("0123456789abcdefABCDEF"):
                    self._bad("in \\u hexadecimal character escape")
                self._at += 1

    def _literal(self, word: str) -> None:
        for char in word:
            if self._text[self._at : self._at + 1] != char:
                self._bad(f"in literal {word} (expecting '{char}')")
            self._at += 1

    def _number(self) -> None:
        if self._text[self._at] == "-":
            self._at += 1
        if self._text[self._at : self._at + 1] == "0":
            self._at += 1
        else:
            self._digits("in numeric literal")
        if self._text[self._at : self._at + 1] == ".":
            self._at += 1
            self._digits("after decimal point in numeric literal")
        if self._text[self._at : self._at + 1] in {"e", "E"}:
            self._at += 1
            if self._text[self._at : self._at + 1] in {"+", "-"}:
                self._at += 1
            self._digits("in exponent of numeric literal")

    def _digits(self, where: str) -> None:
        match = _DIGITS.match(self._text, self._at)
        if match is None or match.end() == self._at:
            self._bad(where)
        self._at = match.end()
