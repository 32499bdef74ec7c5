"""Label selectors: as the text of a query and as LabelSelector objects.

Grammar and complaints: Kubernetes' apimachinery (`pkg/labels`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from tutor.sandbox.api.formats import label_key, label_value
from tutor.sandbox.api.status import FieldError, aggregate, bad_request, invalid
from tutor.sandbox.kinds import Object, labels_of

_SYMBOLS = {")", ",", "!", "==", "=", ">", "<", "!=", "("}
_TOKEN = re.compile(r"[ \t\r\n]*([^=!(),>< \t\r\n]+|[=!(),><]+)?")
_OPERATORS = "in, notin, =, ==, !=, gt, lt"
_OBJECT_OPERATORS = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}


class Requirement(NamedTuple):
    """One condition on one label; the operator is one of `= == != in notin exists ! > <`."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels meets the condition."""
        value = labels.get(self.key)
        match self.operator:
            case "=" | "==" | "in":
                return value in self.values
            case "!=" | "notin":
                return value not in self.values
            case "exists":
                return value is not None
            case "!":
                return value is None
            case order:
                if value is None or not re.fullmatch(r"[+-]?\d+", value):
                    return False
                bound = int(self.values[0])
                return int(value) > bound if order == ">" else int(value) < bound

    def __str__(self) -> str:
        match self.operator:
            case "exists":
                return self.key
            case "!":
                return f"!{self.key}"
            case "in" | "notin":
                return f"{self.key} {self.operator} ({','.join(sorted(self.values))})"
            case operator:
                return f"{self.key}{operator}{self.values[0]}"


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """Conditions that must all hold; without any it selects everything."""

    requirements: tuple[Requirement, ...] = ()
    nothing: bool = False
    """True for the selector of an absent LabelSelector, which selects no object."""

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels is selected."""
        return not self.nothing and all(one.matches(labels) for one in self.requirements)

    def __call__(self, obj: Object) -> bool:
        """Whether the object is selected."""
        return self.matches(labels_of(obj))

    def __str__(self) -> str:
        return ",".join(str(one) for one in self.requirements)


class _Token(NamedTuple):
    kind: str
    """A symbol, `in`, `notin`, `name`, `error` or the empty string for the end."""
    text: str


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    position = 0
    while match := _TOKEN.match(text, position):
        word = match[1]
        if word is None:
            break
        position = match.end()
        if word[0] not in "=!(),><":
            found.append(_Token(word if word in {"in", "notin"} else "name", word))
            continue
        symbol = next(word[:n] for n in (2, 1) if word[:n] in _SYMBOLS)
        position -= len(word) - len(symbol)
        found.append(_Token(symbol, symbol))
    found.append(_Token("", ""))
    return found


class _Parser:
    """Recursive descent over the tokens of one selector."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._at = 0

    def parse(self) -> tuple[Requirement, ...]:
        found: list[Requirement] = []
        while token := self._peek():
            if token.kind == "":
                break
            if token.kind not in {"name", "!"}:
                raise ValueError(
                    f"found '{token.text}', expected: !, identifier, or 'end of string'"
                )
            try:
                found.append(self._requirement())
            except ValueError as error:
                raise ValueError(f"unable to parse requirement: {error}") from error
            end = self._next()
            if end.kind == "":
                break
            if end.kind != ",":
                raise ValueError(f"found '{end.text}', expected: ',' or 'end of string'")
            after = self._peek()
            if after.kind not in {"name", "!"}:
                raise ValueError(f"found '{after.text}', expected: identifier after ','")
        return tuple(sorted(found, key=lambda one: one.key))

    def _peek(self) -> _Token:
        """The next token, where `in` and `notin` are plain names."""
        token = self._tokens[self._at]
        return _Token("name", token.text) if token.kind in {"in", "notin"} else token

    def _next(self) -> _Token:
        token = self._peek()
        self._at += 1
        return token

    def _requirement(self) -> Requirement:
        token = self._next()
        absent = token.kind == "!"
        if absent:
            token = self._next()
        if token.kind != "name":
            raise ValueError(f"found '{token.text}', expected: identifier")
        key = token.text
        if complaints := label_key(key):
            raise ValueError(str(invalid("<nil>", key, "; ".join(complaints))))
        if absent:
            return _checked(key, "!", ())
        if self._peek().kind in {"", ","}:
            return _checked(key, "exists", ())
        operator = self._tokens[self._at]
        self._at += 1
        if operator.kind in {"in", "notin"}:
            return _checked(key, operator.kind, self._values())
        if operator.kind in {"=", "==", "!=", ">", "<"}:
            return _checked(key, operator.kind, (self._exact_value(),))
        raise ValueError(f"found '{operator.text}', expected: {_OPERATORS}")

    def _values(self) -> tuple[str, ...]:
        opening = self._next()
        if opening.kind != "(":
            raise ValueError(f"found '{opening.text}' expected: '('")
        first = self._peek()
        if first.kind == ")":
            self._at += 1
            return ("",)
        if first.kind not in {"name", ","}:
            raise ValueError(f"found '{first.text}', expected: ',', ')' or identifier")
        values = self._value_list()
        self._at += 1
        return tuple(sorted(values))

    def _value_list(self) -> set[str]:
        """Names and commas up to the closing parenthesis; a missing name is the empty value."""
        values: set[str] = set()
        while True:
            token = self._next()
            after = self._peek()
            if token.kind == "name":
                values.add(token.text)
                if after.kind == ")":
                    return values
                if after.kind != ",":
                    raise ValueError(f"found '{after.text}', expected: ',' or ')'")
            elif token.kind == ",":
                if not values or after.kind in {")", ","}:
                    values.add("")
                if after.kind == ")":
                    return values
            else:
                raise ValueError(f"found '{token.text}', expected: ',', or identifier")

    def _exact_value(self) -> str:
        if self._peek().kind in {"", ","}:
            return ""
        token = self._next()
        if token.kind != "name":
            raise ValueError(f"found '{token.text}', expected: identifier")
        return token.text


def _checked(key: str, operator: str, values: tuple[str, ...]) -> Requirement:
    errors: list[FieldError] = []
    if complaints := label_key(key):
        errors.append(invalid("key", key, "; ".join(complaints)))
    match operator:
        case "in" | "notin" if not values:
            detail = "for 'in', 'notin' operators, values set can't be empty"
            errors.append(invalid("values", list(values), detail))
        case "exists" | "!" if values:
            detail = "values set must be empty for exists and does not exist"
            errors.append(invalid("values", list(values), detail))
        case ">" | "<" if not re.fullmatch(r"[+-]?\d+", values[0]):
            detail = "for 'Gt', 'Lt' operators, the value must be an integer"
            errors.append(invalid("values[0]", values[0], detail))
        case _:
            pass
    for index, value in enumerate(values):
        if complaints := label_value(value):
            errors.append(invalid(f"values[{index}][{key}]", value, "; ".join(complaints)))
    if errors:
        raise ValueError(aggregate(errors))
    return Requirement(key, operator, values)


def parse_labels(text: str) -> LabelSelector:
    """Read the text of a `labelSelector` parameter.

    Raises:
        ApiError: 400 with the server's complaint.
    """
    try:
        return LabelSelector(_Parser(text).parse())
    except ValueError as error:
        raise bad_request(str(error)) from error


def label_selector(selector: Object | None) -> LabelSelector:
    """Compile a LabelSelector object; None selects nothing, an empty one everything.

    Raises:
        ApiError: 400 for an operator, key or value that cannot be.
    """
    if selector is None:
        return LabelSelector(nothing=True)
    try:
        wanted: dict[str, str] = selector.get("matchLabels") or {}
        found = [_checked(key, "=", (value,)) for key, value in wanted.items()]
        for term in selector.get("matchExpressions") or ():
            operator = _OBJECT_OPERATORS.get(term.get("operator", ""))
            if operator is None:
                raise bad_request(
                    f'"{term.get("operator", "")}" is not a valid label selector operator'
                )
            found.append(_checked(term.get("key", ""), operator, tuple(term.get("values") or ())))
    except ValueError as error:
        raise bad_request(str(error)) from error
    return LabelSelector(tuple(sorted(found, key=lambda one: one.key)))


def go_selector(selector: Object | None) -> str:
    """A LabelSelector object as Go prints it in messages."""
    if selector is None:
        return "nil"
    labels: Mapping[str, str] = selector.get("matchLabels") or {}
    wanted = "".join(f"{key}: {value}," for key, value in sorted(labels.items()))
    terms = "".join(
        f"LabelSelectorRequirement{{Key:{term.get('key', '')},"
        f"Operator:{term.get('operator', '')},Values:[{' '.join(term.get('values') or ())}],}},"
        for term in selector.get("matchExpressions") or ()
    )
    listed = f"MatchExpressions:[]LabelSelectorRequirement{{{terms}}}"
    return f"&LabelSelector{{MatchLabels:map[string]string{{{wanted}}},{listed},}}"
