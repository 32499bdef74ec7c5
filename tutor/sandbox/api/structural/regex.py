r"""Go's regular expressions (RE2), put into Python's, with Go's complaints.

Python would accept what Go refuses (look-ahead, references back) and reads some of the rest another
way: `$` before a last newline, `\d` of every script, flags in the middle. So a pattern is read as
Go reads it and written anew. Scripts (`\p{Greek}`) are not known here, general categories are.

Source: Go's `regexp/syntax`.
"""

import re
import sys
import unicodedata
from functools import cache, lru_cache
from typing import NamedTuple

_LAST = sys.maxunicode
_CATEGORIES = re.compile("[LMNPSZC]|L[ultmo]|M[nce]|N[dlo]|P[cdseifo]|S[mcko]|Z[slp]|C[cfson]")
_MAX_REPEAT = 1000
_PERL = {
    "d": ((0x30, 0x39),),
    "s": ((9, 10), (12, 13), (32, 32)),
    "w": ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)),
}
_POSIX = {
    "alnum": ((0x30, 0x39), (0x41, 0x5A), (0x61, 0x7A)),
    "alpha": ((0x41, 0x5A), (0x61, 0x7A)),
    "ascii": ((0, 0x7F),),
    "blank": ((9, 9), (32, 32)),
    "cntrl": ((0, 0x1F), (0x7F, 0x7F)),
    "digit": ((0x30, 0x39),),
    "graph": ((0x21, 0x7E),),
    "lower": ((0x61, 0x7A),),
    "print": ((0x20, 0x7E),),
    "punct": ((0x21, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x7E)),
    "space": ((9, 13), (32, 32)),
    "upper": ((0x41, 0x5A),),
    "word": _PERL["w"],
    "xdigit": ((0x30, 0x39), (0x41, 0x46), (0x61, 0x66)),
}
_CONTROLS = {"a": 7, "f": 12, "t": 9, "n": 10, "r": 13, "v": 11}
_REPEAT = re.compile(r"\{([0-9]+)(?:(,)([0-9]*))?\}")
_NAME = re.compile(r"[A-Za-z0-9_]+")
_FLAGS = re.compile(r"([imsU]*)(?:-([imsU]+))?([:)])")

Ranges = tuple[tuple[int, int], ...]


class RegexError(ValueError):
    """The pattern is none; the message is Go's."""


@lru_cache(maxsize=1024)
def go_regex(pattern: str) -> re.Pattern[str]:
    """Compile a pattern that Go's `regexp` takes; searching finds what Go would find.

    Raises:
        RegexError: Go would refuse it.
    """
    return re.compile(_Reader(pattern).read())


class _Flags(NamedTuple):
    fold: bool = False
    multi: bool = False
    dot_all: bool = False
    lazy: bool = False

    def changed(self, on: str, off: str) -> "_Flags":
        values = {"i": self.fold, "m": self.multi, "s": self.dot_all, "U": self.lazy}
        values |= dict.fromkeys(on, True) | dict.fromkeys(off, False)
        return _Flags(values["i"], values["m"], values["s"], values["U"])


class _Reader:
    """Reads a pattern from left to right and writes Python's on the way."""

    def __init__(self, pattern: str) -> None:
        self._text = pattern
        self._at = 0

    def read(self) -> str:
        written = self._alternatives(_Flags())
        if self._at < len(self._text):
            raise _error("unexpected )", self._text)
        return written

    def _alternatives(self, flags: _Flags) -> str:
        """Up to the end or to the parenthesis that closes the group."""
        out: list[str] = []
        repeatable, repeated_from = False, -1
        while self._at < len(self._text) and self._text[self._at] != ")":
            char = self._text[self._at]
            if char == "|":
                out.append("|")
                self._at += 1
                repeatable, repeated_from = False, -1
            elif operator := self._repetition():
                start = self._at - len(operator)
                if not repeatable:
                    if repeated_from >= 0:
                        nested = self._text[repeated_from : self._at]
                        raise _error("invalid nested repetition operator", nested)
                    raise _error("missing argument to repetition operator", operator)
                out.append(self._written(operator, flags))
                repeatable, repeated_from = False, start
            elif changed := self._inline_flags(flags):
                flags = changed
                repeatable, repeated_from = False, -1
            else:
                out.append(self._atom(char, flags))
                repeatable, repeated_from = True, -1
        return "".join(out)

    def _repetition(self) -> str:
        """The repetition operator at this place, without its `?`; reads it."""
        char = self._text[self._at]
        if char in "*+?":
            self._at += 1
            return char
        match = _REPEAT.match(self._text, self._at) if char == "{" else None
        if match is None:
            return ""
        low = int(match[1])
        high = int(match[3]) if match[3] else low
        if max(low, high) > _MAX_REPEAT or high < low:
            raise _error("invalid repeat count", match[0])
        self._at = match.end()
        return match[0]

    def _written(self, operator: str, flags: _Flags) -> str:
        lazy = self._text[self._at : self._at + 1] == "?"
        if lazy:
            self._at += 1
        return operator + "?" * (lazy is not flags.lazy)

    def _inline_flags(self, flags: _Flags) -> _Flags | None:
        """`(?i)` and the like, which hold to the end of the group they stand in."""
        if not self._text.startswith("(?", self._at):
            return None
        match = _FLAGS.match(self._text, self._at + 2)
        if match is None or match[3] != ")" or not (match[1] or match[2]):
            return None
        self._at = match.end()
        return flags.changed(match[1], match[2] or "")

    def _atom(self, char: str, flags: _Flags) -> str:
        match char:
            case "(":
                return self._group(flags)
            case "[":
                return self._class(flags)
            case "\\":
                return self._escape(flags)
            case ".":
                self._at += 1
                return "(?s:.)" if flags.dot_all else "."
            case "^":
                self._at += 1
                return "(?m:^)" if flags.multi else r"(?:\A)"
            case "$":
                self._at += 1
                return "(?m:$)" if flags.multi else r"(?:\Z)"
            case _:
                self._at += 1
                return _literal(ord(char), flags)

    def _group(self, flags: _Flags) -> str:
        start = self._at
        self._at += 1
        opening = "("
        if self._text.startswith("?", self._at):
            opening, flags = self._special_group(start, flags)
        inner = self._alternatives(flags)
        if not self._text.startswith(")", self._at):
            raise _error("missing closing )", self._text)
        self._at += 1
        return f"{opening}{inner})"

    def _special_group(self, start: int, flags: _Flags) -> tuple[str, _Flags]:
        for prefix in ("?P<", "?<"):
            if not self._text.startswith(prefix, self._at):
                continue
            end = self._text.find(">", self._at)
            name = self._text[self._at + len(prefix) : end] if end >= 0 else ""
            if not _NAME.fullmatch(name):
                bad = self._text[start : end + 1] if end >= 0 else self._text[start:]
                raise _error("invalid named capture", bad)
            self._at = end + 1
            return "(", flags
        match = _FLAGS.match(self._text, self._at + 1)
        if match is None or match[3] != ":":
            bad = re.match(r"\(\?[imsU-]*(?:P|.|$)", self._text[start:])
            raise _error("invalid or unsupported Perl syntax", bad[0] if bad else "(?")
        self._at = match.end()
        return "(?:", flags.changed(match[1], match[2] or "")

    def _escape(self, flags: _Flags) -> str:
        char = self._text[self._at + 1 : self._at + 2]
        if char in {"A", "z"}:
            self._at += 2
            return r"(?:\A)" if char == "A" else r"(?:\Z)"
        if char in {"b", "B"}:
            self._at += 2
            return rf"(?a:\{char})"
        if char == "Q":
            end = self._text.find("\\E", self._at)
            quoted = self._text[self._at + 2 : end if end >= 0 else None]
            self._at = end + 2 if end >= 0 else len(self._text)
            return "".join(_literal(ord(one), flags) for one in quoted)
        ranges = self._escaped_class()
        if ranges is not None:
            return _set(ranges, flags)
        return _literal(self._escaped_rune(), flags)

    def _escaped_class(self) -> Ranges | None:
        r"""The characters of `\d`, `\W`, `\pL`, `\P{Lu}`; None where no such escape stands."""
        char = self._text[self._at + 1 : self._at + 2]
        if char and char in "dswDSW":
            self._at += 2
            ranges: Ranges = _PERL[char.lower()]
            return _negated(ranges) if char.isupper() else ranges
        if char not in {"p", "P"}:
            return None
        start = self._at
        self._at += 2
        name = self._text[self._at : self._at + 1]
        self._at += 1
        if name == "{":
            end = self._text.find("}", self._at)
            if end < 0:
                raise _error("invalid character class range", self._text[start:])
            name = self._text[self._at : end]
            self._at = end + 1
        negative = (char == "P") is not name.startswith("^")
        ranges = _category(name.removeprefix("^"))
        if not ranges:
            raise _error("invalid character class range", self._text[start : self._at])
        return _negated(ranges) if negative else ranges

    def _escaped_rune(self) -> int:
        start = self._at
        char = self._text[start + 1 : start + 2]
        if not char:
            raise _error("trailing backslash at end of expression", "")
        self._at += 2
        if char in _CONTROLS:
            return _CONTROLS[char]
        if match := re.compile(r"x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]+)\})").match(
            self._text, start + 1
        ):
            self._at = match.end()
            return int(match[1] or match[2], 16)
        if match := re.compile(r"0[0-7]{0,2}|[1-7][0-7]{1,2}").match(self._text, start + 1):
            self._at = match.end()
            return int(match[0], 8)
        if ord(char) < 0x80 and not char.isalnum():
            return ord(char)
        raise _error("invalid escape sequence", self._text[start : self._at])

    def _class(self, flags: _Flags) -> str:
        start = self._at
        self._at += 1
        negative = self._text.startswith("^", self._at)
        self._at += negative
        found: list[tuple[int, int]] = []
        first = True
        while first or not self._text.startswith("]", self._at):
            if self._at >= len(self._text):
                raise _error("missing closing ]", self._text[start:])
            first = False
            if posix := re.compile(r"\[:(\^?)([^\]]*?):\]").match(self._text, self._at):
                ranges = _POSIX.get(posix[2])
                if ranges is None:
                    raise _error("invalid character class range", posix[0])
                self._at = posix.end()
                found.extend(_negated(ranges) if posix[1] else ranges)
            elif self._text[self._at] == "\\" and (escaped := self._escaped_class()) is not None:
                found.extend(escaped)
            else:
                found.append(self._range(start))
        self._at += 1
        ranges = tuple(found)
        return _set(ranges, flags, negative=negative)

    def _range(self, start: int) -> tuple[int, int]:
        at = self._at
        low = self._class_rune(start)
        following = self._text[self._at : self._at + 2]
        if not following.startswith("-") or following in {"-]", "-"}:
            return low, low
        self._at += 1
        high = self._class_rune(start)
        if high < low:
            raise _error("invalid character class range", self._text[at : self._at])
        return low, high

    def _class_rune(self, start: int) -> int:
        if self._at >= len(self._text):
            raise _error("missing closing ]", self._text[start:])
        if self._text[self._at] == "\\":
            return self._escaped_rune()
        self._at += 1
        return ord(self._text[self._at - 1])


def _error(what: str, where: str) -> RegexError:
    return RegexError(f"error parsing regexp: {what}: `{where}`")


def _literal(rune: int, flags: _Flags) -> str:
    text = re.escape(chr(rune))
    return f"(?i:{text})" if flags.fold and chr(rune).isalpha() else text


def _set(ranges: Ranges, flags: _Flags, *, negative: bool = False) -> str:
    written = "".join(
        _char(low) if low == high else f"{_char(low)}-{_char(high)}" for low, high in ranges
    )
    text = f"[{'^' if negative else ''}{written}]"
    return f"(?i:{text})" if flags.fold else text


def _char(rune: int) -> str:
    return f"\\U{rune:08x}"


def _negated(ranges: Ranges) -> Ranges:
    out: list[tuple[int, int]] = []
    next_ = 0
    for low, high in sorted(ranges):
        if low > next_:
            out.append((next_, low - 1))
        next_ = max(next_, high + 1)
    if next_ <= _LAST:
        out.append((next_, _LAST))
    return tuple(out)


def _category(name: str) -> Ranges:
    """The characters of a general category (`L`, `Lu`), none when there is no such category."""
    if name == "Any":
        return ((0, _LAST),)
    # Whoever writes patterns chooses names: what is none costs no look at every character.
    return _characters(name) if _CATEGORIES.fullmatch(name) else ()


@cache
def _characters(category: str) -> Ranges:
    out: list[tuple[int, int]] = []
    for rune in range(_LAST + 1):
        if unicodedata.category(chr(rune)).startswith(category):
            if out and out[-1][1] == rune - 1:
                out[-1] = (out[-1][0], rune)
            else:
                out.append((rune, rune))
    return tuple(out)
