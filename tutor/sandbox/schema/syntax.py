"""What Go says of text that is not JSON.

Python's reader is faster than anything written in Python, but words its complaints in its own way.
So bodies are read by it, and only those that it refuses are scanned again here.

Source: Go 1.26, encoding/json, the scanner's states.
"""

import re

from tutor.sandbox.schema.errors import quoted

_END = "unexpected end of JSON input"
_MAX_DEPTH = 10_000
_SPACE = re.compile(rb"[ \t\r\n]*")
_DIGITS = re.compile(rb"[0-9]*")
_PLAIN = re.compile(rb'[^"\\\x00-\x1f]*')
_WORDS = {0x74: b"true", 0x66: b"false", 0x6E: b"null"}


class _NotJSONError(Exception):
    """Carries the message out of the scan."""


def syntax_error(text: bytes) -> str:
    """Go's message for the first thing that is wrong; empty when the text is valid JSON."""
    try:
        _scan(text)
    except _NotJSONError as error:
        return str(error)
    return ""


def _scan(text: bytes) -> None:
    open_: list[int] = []
    at = _value(text, 0, open_)
    while open_:
        at = (_in_object if open_[-1] == ord("{") else _in_array)(text, at, open_)
    at = _skip(text, at)
    if at < len(text):
        raise _bad(text, at, "after top-level value")


def _in_object(text: bytes, at: int, open_: list[int]) -> int:
    """Go on after a value inside an object."""
    at = _skip(text, at)
    if _peek(text, at) == ord("}"):
        open_.pop()
        return at + 1
    if text[at] != ord(","):
        raise _bad(text, at, "after object key:value pair")
    return _value(text, _key_and_colon(text, _skip(text, at + 1)), open_)


def _in_array(text: bytes, at: int, open_: list[int]) -> int:
    """Go on after a value inside an array."""
    at = _skip(text, at)
    if _peek(text, at) == ord("]"):
        open_.pop()
        return at + 1
    if text[at] != ord(","):
        raise _bad(text, at, "after array element")
    return _value(text, at + 1, open_)


def _value(text: bytes, at: int, open_: list[int]) -> int:
    """Read a value, of objects and arrays only as far as their first value's end."""
    at = _skip(text, at)
    char = _peek(text, at)
    if char in b"{[":
        return _opening(text, at, open_)
    if char == ord('"'):
        return _string(text, at)
    if char in b"-0123456789":
        return _number(text, at)
    if char in _WORDS:
        return _word(text, at, _WORDS[char])
    raise _bad(text, at, "looking for beginning of value")


def _opening(text: bytes, at: int, open_: list[int]) -> int:
    while True:
        char = text[at]
        open_.append(char)
        if len(open_) > _MAX_DEPTH:
            raise _NotJSONError("exceeded max depth")
        at = _skip(text, at + 1)
        following = _peek(text, at)
        if following == {ord("{"): ord("}"), ord("["): ord("]")}[char]:
            open_.pop()
            return at + 1
        if char == ord("{"):
            at = _skip(text, _key_and_colon(text, at))
            following = _peek(text, at)
        if following not in b"{[":
            return _value(text, at, open_)


def _key_and_colon(text: bytes, at: int) -> int:
    if _peek(text, at) != ord('"'):
        raise _bad(text, at, "looking for beginning of object key string")
    at = _skip(text, _string(text, at))
    if _peek(text, at) != ord(":"):
        raise _bad(text, at, "after object key")
    return at + 1


def _string(text: bytes, at: int) -> int:
    at += 1
    while True:
        at = _match(_PLAIN, text, at)
        char = _peek(text, at)
        if char == ord('"'):
            return at + 1
        if char != ord("\\"):
            raise _bad(text, at, "in string literal")
        escape = _peek(text, at + 1)
        at += 2
        if escape == ord("u"):
            for _ in range(4):
                if _peek(text, at) not in b"0123456789abcdefABCDEF":
                    raise _bad(text, at, "in \\u hexadecimal character escape")
                at += 1
        elif escape not in b'bfnrt\\/"':
            raise _bad(text, at - 1, "in string escape code")


def _number(text: bytes, at: int) -> int:
    if text[at] == ord("-"):
        at += 1
        if _peek(text, at) not in b"0123456789":
            raise _bad(text, at, "in numeric literal")
    at = at + 1 if text[at] == ord("0") else _match(_DIGITS, text, at)
    if text[at : at + 1] == b".":
        at = _digits(text, at + 1, "after decimal point in numeric literal")
    if text[at : at + 1] in (b"e", b"E"):
        at += 1
        if text[at : at + 1] in (b"+", b"-"):
            at += 1
        at = _digits(text, at, "in exponent of numeric literal")
    return at


def _digits(text: bytes, at: int, context: str) -> int:
    if _peek(text, at) not in b"0123456789":
        raise _bad(text, at, context)
    return _match(_DIGITS, text, at)


def _word(text: bytes, at: int, word: bytes) -> int:
    for offset, expected in enumerate(word[1:], 1):
        if _peek(text, at + offset) != expected:
            context = f"in literal {word.decode()} (expecting '{chr(expected)}')"
            raise _bad(text, at + offset, context)
    return at + len(word)


def _skip(text: bytes, at: int) -> int:
    return _match(_SPACE, text, at)


def _match(pattern: re.Pattern[bytes], text: bytes, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _peek(text: bytes, at: int) -> int:
    if at >= len(text):
        raise _NotJSONError(_END)
    return text[at]


def _bad(text: bytes, at: int, context: str) -> _NotJSONError:
    char = chr(text[at])
    shown = {"'": "\\'", '"': '"'}.get(char) or quoted(char)[1:-1]
    return _NotJSONError(f"invalid character '{shown}' {context}")
