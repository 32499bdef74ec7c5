"""What is wrong with a text for `format` and the values for it.

Source: cel-go (`ext/formatting.go`).
"""

import re
from collections.abc import Iterator, Mapping

from tutor.sandbox.api.structural.cel.checking.checker import Checked, Problem
from tutor.sandbox.api.structural.cel.checking.tree import Call, Entries, Expr, ListOf
from tutor.sandbox.api.structural.cel.checking.types import Type

_PRECISION = re.compile(r"\.([0-9]*)")
_ANY = "list map int uint double bool string timestamp bytes duration type null dyn"
_ONLY_TEXTS = (
    "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types,"
    " durations, and timestamps"
)
_ONLY_HEX = "only integers, byte buffers, and strings can be formatted as hex"
_CLAUSES: Mapping[str, tuple[str, str]] = {
    "s": (_ANY, _ONLY_TEXTS),
    "d": ("int uint dyn", "decimal clause can only be used on integers"),
    "f": ("double string dyn", "fixed-point clause can only be used on doubles"),
    "e": ("double string dyn", "scientific clause can only be used on doubles"),
    "b": ("int uint bool dyn", "only integers and bools can be formatted as binary"),
    "x": ("int uint string bytes dyn", _ONLY_HEX),
    "X": ("int uint string bytes dyn", _ONLY_HEX),
    "o": ("int uint dyn", "octal clause can only be used on integers"),
}
"""By letter: the kinds of values it is for, and the complaint about others."""
_RUNTIME_NAMES = {
    "null": "null_type",
    "duration": "google.protobuf.Duration",
    "timestamp": "google.protobuf.Timestamp",
}


class _FormatError(Exception):
    def __init__(self, text: str, at: Expr | None = None) -> None:
        super().__init__(text)
        self.at = at


def check_format(call: Call, text: str, given: ListOf, checked: Checked) -> Iterator[Problem]:
    """What is wrong with one call."""
    try:
        asked = _clauses(text, given.items, checked)
    except _FormatError as error:
        yield Problem((error.at or call).id, str(error))
        return
    count = len(given.items)
    if count > asked:
        told = f"too many arguments supplied to string.format (expected {asked}, got {count})"
        yield Problem(call.id, told)


def _clauses(text: str, items: tuple[Expr, ...], checked: Checked) -> int:
    """Check each clause; returns how many there are."""
    asked, at = 0, text.find("%")
    while at >= 0:
        if text.startswith("%%", at):
            at = text.find("%", at + 2)
            continue
        if at + 1 >= len(text):
            raise _FormatError("unexpected end of string")
        if asked >= len(items):
            raise _FormatError(f"index {asked} out of range")
        letter, at = _clause(text, at + 1)
        _check_value(letter, items[asked], checked)
        asked += 1
        at = text.find("%", at)
    return asked


def _clause(text: str, at: int) -> tuple[str, int]:
    """The letter of a clause, and where the text goes on."""
    failed = "could not parse formatting clause: "
    if match := _PRECISION.match(text, at):
        precision = f"{failed}error while parsing precision: "
        at = match.end()
        if at >= len(text):
            raise _FormatError(f"{precision}could not find end of precision specifier")
        if not match[1]:
            why = 'strconv.Atoi: parsing "": invalid syntax'
            raise _FormatError(f"{precision}error while converting precision to integer: {why}")
    letter = text[at]
    if letter not in _CLAUSES:
        # The real server reads bytes here.
        shown = chr(letter.encode()[0])
        raise _FormatError(f'{failed}unrecognized formatting clause "{shown}"')
    return letter, at + 1


def _check_value(letter: str, item: Expr, checked: Checked) -> None:
    words, complaint = _CLAUSES[letter]
    kinds = words.split()
    wrong = _wrong(item, kinds, checked) if letter == "s" else item
    if wrong is None or checked.types[wrong.id].kind in kinds:
        return
    given = _runtime_name(checked.types[wrong.id])
    raise _FormatError(f"error during formatting: {complaint}, was given {given}", wrong)


def _wrong(item: Expr, kinds: list[str], checked: Checked) -> Expr | None:
    """The first value, in lists and maps too, that is no text and makes none."""
    if checked.types[item.id].kind not in kinds:
        return item
    parts: list[Expr] = []
    if isinstance(item, ListOf):
        parts = list(item.items)
    elif isinstance(item, Entries):
        for entry in item.entries:
            parts += [one for one in (entry.key, entry.value) if not isinstance(one, str)]
    return next((bad for part in parts if (bad := _wrong(part, kinds, checked))), None)


def _runtime_name(found: Type) -> str:
    return found.name or _RUNTIME_NAMES.get(found.kind, found.kind)
