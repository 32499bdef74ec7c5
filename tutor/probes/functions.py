"""What expressions can call beyond CEL's own: functions from plain values to plain values.

A function raises `Unreadable` when what the learner or the cluster made cannot be read: that is
*not yet*, and says so. Any other exception is a fault of ours.
"""

import base64
import binascii
import json
import re
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, cast

import yaml

_INT64 = 1 << 63
_NODES_LIMIT = 100_000


class Unreadable(ValueError):
    """Content that a function cannot read. The text says what is wrong with it."""


UNREADABLE_MARK = "\N{NO-BREAK SPACE}unreadable\N{NO-BREAK SPACE}"
"""Stands before our own refusals: of an exception the engine keeps the text only."""


def b64d(text: str) -> str | bytes:
    """Decode base64; text when the bytes are UTF-8."""
    try:
        data = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Unreadable(f"{_excerpt(text)} is not base64") from error
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


def pem(text: str) -> str:
    """PEM text from base64, as in `certificateAuthorityData`; PEM text stays as it is."""
    if "-----BEGIN" in text:
        return text
    decoded = b64d(text)
    if not isinstance(decoded, str) or "-----BEGIN" not in decoded:
        raise Unreadable(f"{_excerpt(text)} is not the base64 of a PEM text")
    return decoded


def x509(text: str) -> dict[str, Any]:
    """The first certificate of a PEM text, as plain data."""
    from tutor.probes.certificate import read_certificates  # noqa: PLC0415 - cryptography is loaded by the first lesson that looks at a certificate

    try:
        return read_certificates(text)[0]
    except ValueError as error:
        raise Unreadable(f"{_excerpt(text)}: {error}") from error


def signed_by(certificate: str, authorities: str) -> bool:
    """Whether one of the authorities signed the certificate; both PEM."""
    from tutor.probes.certificate import is_signed_by  # noqa: PLC0415 - as in x509

    try:
        return is_signed_by(certificate, authorities)
    except ValueError as error:
        raise Unreadable(str(error)) from error


@lru_cache(maxsize=64)
def bcrypt_matches(hashed: str, word: str) -> bool:
    """Whether `hashed` is the bcrypt hash of `word`; remembered, as it takes long on purpose."""
    import bcrypt  # noqa: PLC0415 - only lessons with passwords need it

    try:
        return bcrypt.checkpw(word.encode(), hashed.encode())
    except ValueError as error:
        raise Unreadable(f"{_excerpt(hashed)} is not a bcrypt hash") from error


def _plain_loader() -> Any:
    """A loader that reads YAML as JSON would have it: dates stay text."""
    loader = type("PlainLoader", (getattr(yaml, "CSafeLoader", yaml.SafeLoader),), {})
    loader.yaml_implicit_resolvers = {
        first: [pair for pair in pairs if not pair[0].endswith((":timestamp", ":merge"))]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return loader


PLAIN_LOADER = _plain_loader()
"""For `yaml.load`: safe, and what JSON has; `Any`, as PyYAML has no type for it."""


_BRACKETS = re.compile(r"[\[{]|[\]}]")
_DEPTH_LIMIT = 200


def from_yaml(text: str) -> Any:
    """The first document of a YAML text."""
    depth = 0
    for bracket in _BRACKETS.findall(text):
        depth += 1 if bracket in "[{" else -1
        if depth > _DEPTH_LIMIT:  # the parser's time grows with the square of it
            raise Unreadable("the text is not YAML: too many brackets inside each other")
    try:
        return plain(yaml.load(text, Loader=PLAIN_LOADER))  # noqa: S506 - a safe loader
    except yaml.MarkedYAMLError as error:
        line = f" (line {error.problem_mark.line + 1})" if error.problem_mark else ""
        raise Unreadable(f"the text is not YAML: {error.problem}{line}") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise Unreadable(f"the text is not YAML: {error}") from error


def from_json(text: str) -> Any:
    """A JSON text."""
    try:
        return plain(json.loads(text))
    except json.JSONDecodeError as error:
        raise Unreadable(f"the text is not JSON: {error.msg} (line {error.lineno})") from error
    except (RecursionError, ValueError) as error:
        raise Unreadable(f"the text is not JSON: {error}") from error


def plain(value: Any) -> Any:
    """A copy of parsed data with nothing that the engine refuses. Raises `ValueError` past a limit.

    Whole numbers beyond 64 bits become text, keys that are not text become text. The limit is for
    texts of a few lines that unfold to millions of values.
    """
    budget = [_NODES_LIMIT]
    return _plain(value, budget)


def _plain(value: Any, budget: list[int]) -> Any:
    budget[0] -= 1
    if budget[0] < 0:
        raise ValueError(f"it has more than {_NODES_LIMIT:,} values")
    match value:
        case dict():
            pairs = cast("dict[Any, Any]", value).items()
            return {str(key): _plain(item, budget) for key, item in pairs}
        case list():
            return [_plain(item, budget) for item in cast("list[Any]", value)]
        case bool() | float() | str() | bytes() | None:
            return value
        case int():
            return value if -_INT64 <= value < _INT64 else str(value)
        case _:
            return str(value)


def shows(command: dict[str, Any], value: str) -> bool:
    """Whether one of the learner's commands printed a value that they did not type themselves."""
    return bool(value) and value in command["output"] and value not in command["text"]


_QUANTITY = re.compile(r"([+-]?[0-9.]+)(?:([eE][+-]?[0-9]+)|(m|k|[KMGTPE]i|[MGTPE]|n|u)?)")
_SUFFIXES = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "": Decimal(1),
    "k": Decimal(10**3),
    **{suffix: Decimal(10 ** (3 * power)) for power, suffix in enumerate("MGTPE", start=2)},
    **{f"{suffix}i": Decimal(2 ** (10 * power)) for power, suffix in enumerate("KMGTPE", 1)},
}


def quantity(text: str) -> dict[str, str]:
    """A Kubernetes quantity, to compare.

    Source: k8s.io/apimachinery, `pkg/api/resource`, the grammar in the comment of Quantity.
    """
    _amount({"quantity": text})
    return {"quantity": text}


def _amount(value: dict[str, str]) -> Decimal:
    text = value["quantity"]
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise Unreadable(f"{_excerpt(text)} is not a quantity such as 100m or 2Gi")
    try:
        return Decimal(match[1] + (match[2] or "")) * _SUFFIXES[match[3] or ""]
    except InvalidOperation as error:
        raise Unreadable(f"{_excerpt(text)} is not a quantity such as 100m or 2Gi") from error


def is_greater(one: dict[str, str], other: dict[str, str]) -> bool:
    """Whether the first quantity is the greater one."""
    return _amount(one) > _amount(other)


def is_less(one: dict[str, str], other: dict[str, str]) -> bool:
    """Whether the first quantity is the smaller one."""
    return _amount(one) < _amount(other)


def compare(one: dict[str, str], other: dict[str, str]) -> int:
    """-1, 0 or 1."""
    return (_amount(one) > _amount(other)) - (_amount(one) < _amount(other))


def contains_all(one: list[Any], other: list[Any]) -> bool:
    """Whether a list has every element of another."""
    return all(element in one for element in other)


def same_elements(one: list[Any], other: list[Any]) -> bool:
    """Whether two lists have the same elements, in any order and number."""
    return contains_all(one, other) and contains_all(other, one)


def shares_element(one: list[Any], other: list[Any]) -> bool:
    """Whether two lists have an element in common."""
    return any(element in one for element in other)


_EXCERPT_LENGTH = 24


def _excerpt(text: str) -> str:
    if not text:
        return "an empty text"
    one_line = " ".join(text.split())
    if len(one_line) <= _EXCERPT_LENGTH:
        return f'"{one_line}"'
    return f'"{one_line[:_EXCERPT_LENGTH]}…"'
