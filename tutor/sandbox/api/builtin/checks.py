"""Rules for single values that many kinds share, and the field errors of values that break them.

Wording: Kubernetes' apimachinery (`util/validation`, `api/validation`).
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tutor.sandbox.api import formats
from tutor.sandbox.api.builtin import quantity
from tutor.sandbox.api.builtin.reading import INT32_MAX, indexed, items, part, same, text
from tutor.sandbox.api.status import FieldError, forbidden_field, invalid, not_supported, required
from tutor.sandbox.kinds import Object

Errors = list[FieldError]
Rule = Callable[[str], list[str]]

NEGATIVE = "must be greater than or equal to 0"
NOT_POSITIVE = "must be greater than zero"
IMMUTABLE = "field is immutable"

_CONFIG_KEY = r"[-._a-zA-Z0-9]+"
_is_config_key = re.compile(_CONFIG_KEY).fullmatch
_ENV_NAME = r"[-._a-zA-Z][-._a-zA-Z0-9]*"
_HEADER = r"[-A-Za-z0-9]+"
_HTTP_PATH = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"
_PERCENT = r"[0-9]+%"
_UNDERSCORE_LABEL = r"_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_UNDERSCORE_SUBDOMAIN = rf"{_UNDERSCORE_LABEL}(\.{_UNDERSCORE_LABEL})*"
_SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_WILDCARD = rf"\*\.{_SUBDOMAIN}"


def breaks(message: str, pattern: str, *examples: str) -> str:
    """The complaint of a value that does not match a pattern."""
    if not examples:
        return f"{message} (regex used for validation is '{pattern}')"
    shown = " or ".join(f"'{example}', " for example in examples)
    return f"{message} (e.g. {shown}regex used for validation is '{pattern}')"


def longer_than(value: str, characters: int) -> list[str]:
    """The complaint of a text that is too long, counted in bytes."""
    if len(value.encode()) > characters:
        return [f"must be no more than {characters} characters"]
    return []


def obey(rule: Rule, value: str, path: str) -> Errors:
    """One error for each complaint of the rule."""
    return [invalid(path, value, complaint) for complaint in rule(value)]


def between(low: int, high: int) -> str:
    """The complaint of a number out of range."""
    return f"must be between {low} and {high}, inclusive"


def in_range(value: int, low: int, high: int, path: str) -> Errors:
    """A number from `low` to `high`."""
    return [] if low <= value <= high else [invalid(path, value, between(low, high))]


def port(value: int, path: str) -> Errors:
    """A port number."""
    return in_range(value, 1, 65535, path)


def user_id(value: int, path: str) -> Errors:
    """A user or group id."""
    return in_range(value, 0, INT32_MAX, path)


def port_name(value: str) -> list[str]:
    """The name of a port."""
    found = longer_than(value, 15)
    if not re.fullmatch("[-a-z0-9]+", value):
        found.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", value):
        found.append("must contain at least one letter (a-z)")
    if "--" in value:
        found.append("must not contain consecutive hyphens")
    if value.startswith("-") or value.endswith("-"):
        found.append("must not begin or end with a hyphen")
    return found


def port_or_name(value: int | str | None, path: str) -> Errors:
    """A port number, or the name of a port."""
    return obey(port_name, value, path) if isinstance(value, str) else port(value or 0, path)


def not_a_step_up(value: str) -> list[str]:
    """A name that is no relative path."""
    if value in (".", ".."):
        return [f"must not be '{value}'"]
    return ["must not start with '..'"] if value.startswith("..") else []


def config_key(value: str) -> list[str]:
    """A key of a ConfigMap or Secret."""
    found = longer_than(value, 253)
    if not _is_config_key(value):
        rule = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
        found.append(breaks(rule, _CONFIG_KEY, "key.name", "KEY_NAME", "key-name"))
    return found + not_a_step_up(value)


def env_name(value: str) -> list[str]:
    """The name of an environment variable, as it was until 1.34 (relaxed since)."""
    found = [] if value else ["environment variable name must be non-empty"]
    if any(not " " <= char <= "~" or char == "=" for char in value):
        found.append(
            "a valid environment variable name must consist only of printable ASCII characters "
            "other than '='"
        )
    return found


def header_name(value: str) -> list[str]:
    """The name of an HTTP header."""
    if re.fullmatch(_HEADER, value):
        return []
    rule = "a valid HTTP header must consist of alphanumeric characters or '-'"
    return [breaks(rule, _HEADER, "X-Header-Name")]


def domain_prefixed_path(value: str, path: str) -> Errors:
    """A name below a domain, such as `acme.io/foo`."""
    domain, slash, rest = value.partition("/")
    if not value:
        return [required(path)]
    if not (slash and domain and rest):
        why = 'must be a domain-prefixed path (such as "acme.io/foo")'
        return [invalid(path, value, why)]
    errors = obey(formats.dns1123_subdomain, domain, path)
    if not re.fullmatch(_HTTP_PATH, rest):
        errors.append(invalid(path, rest, breaks("Invalid path", _HTTP_PATH)))
    return errors


def full_domain_name(value: str, path: str) -> Errors:
    """A domain name of two labels at least."""
    if not value:
        return [required(path)]
    name = value.removesuffix(".")
    if found := formats.dns1123_subdomain(name):
        return [invalid(path, name, ",".join(found))]
    labels = name.split(".")
    if len(labels) < 2:
        why = "should be a domain with at least two segments separated by dots"
        return [invalid(path, name, why)]
    for label in labels:
        if found := formats.dns1123_label(label):
            return [invalid(path, label, ",".join(found))]
    return []


def percent(value: str) -> list[str]:
    """A percentage, such as `30%`."""
    if re.fullmatch(_PERCENT, value):
        return []
    rule = "a valid percent string must be a numeric string followed by an ending '%'"
    return [breaks(rule, _PERCENT, "1%", "93%")]


def subdomain_with_underscore(value: str) -> list[str]:
    """A DNS search path, in which names of services begin with an underscore."""
    found = longer_than(value, 253)
    if not re.fullmatch(_UNDERSCORE_SUBDOMAIN, value):
        rule = (
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, "
            "'_', '-' or '.', and must start and end with an alphanumeric character"
        )
        found.append(breaks(rule, _UNDERSCORE_SUBDOMAIN, "example.com"))
    return found


def wildcard_subdomain(value: str) -> list[str]:
    """A host name whose first label is a star."""
    found = longer_than(value, 253)
    if not re.fullmatch(_WILDCARD, value):
        rule = (
            "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS "
            "subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and "
            "end with an alphanumeric character"
        )
        found.append(breaks(rule, _WILDCARD, "*.example.com"))
    return found


def path_segment(value: str) -> list[str]:
    """A name that can stand in a URL path: the only rule for RBAC's names."""
    if value in (".", ".."):
        return [f"may not be '{value}'"]
    return path_segment_prefix(value)


def path_segment_prefix(value: str) -> list[str]:
    """The beginning of a name that can stand in a URL path."""
    return [f"may not contain '{char}'" for char in "/%" if char in value]


def prefix_of(rule: Rule) -> Rule:
    """The same rule for a `generateName`, which may end in a dash."""

    def masked(value: str) -> list[str]:
        shortened = value[:-2] + "a" if len(value) > 1 and value.endswith("-") else value
        return rule(shortened)

    return path_segment_prefix if rule is path_segment else masked


def non_negative(value: int | None, path: str) -> Errors:
    """Zero or more."""
    return [invalid(path, value, NEGATIVE)] if (value or 0) < 0 else []


def positive(value: int | None, path: str) -> Errors:
    """One or more."""
    return [] if (value or 0) > 0 else [invalid(path, value or 0, NOT_POSITIVE)]


def non_negative_quantity(value: str, path: str) -> Errors:
    """A quantity of zero or more."""
    parsed = quantity.parse(value)
    return [invalid(path, str(parsed), NEGATIVE)] if parsed < quantity.ZERO else []


def one_of(value: Any, supported: Sequence[str], path: str) -> Errors:
    """One of a closed set, named in the order given."""
    return [] if value in supported else [not_supported(path, value, supported)]


def required_one_of(value: str | None, supported: Sequence[str], path: str) -> Errors:
    """One of a closed set; nothing is another error."""
    return one_of(value, supported, path) if value else [required(path)]


def immutable(new: Any, old: Any, path: str) -> Errors:
    """The same as before."""
    return [] if same(new, old) else [invalid(path, new, IMMUTABLE)]


def label_names(names: Iterable[str], path: str) -> Errors:
    """Keys of labels."""
    return [error for name in names for error in obey(formats.label_key, name, path)]


def labels(found: Mapping[str, str] | None, path: str) -> Errors:
    """Labels: each key, then its value."""
    errors: Errors = []
    for key, value in sorted((found or {}).items()):
        errors += obey(formats.label_key, key, path)
        errors += obey(formats.label_value, value, path)
    return errors


def label_selector(selector: Object | None, path: str, *, any_value: bool = False) -> Errors:
    """A label selector. `any_value`: values that no label can have are let through."""
    if selector is None:
        return []
    errors = labels(selector.get("matchLabels"), f"{path}.matchLabels")
    for requirement, at in indexed(selector, "matchExpressions", path):
        errors += _requirement(requirement, at, any_value=any_value)
    return errors


def _requirement(requirement: Object, path: str, *, any_value: bool) -> Errors:
    errors: Errors = []
    operator, values = text(requirement, "operator"), items(requirement, "values")
    if operator in ("In", "NotIn"):
        if not values:
            why = "must be specified when `operator` is 'In' or 'NotIn'"
            errors.append(required(f"{path}.values", why))
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            errors.append(forbidden_field(f"{path}.values", why))
    else:
        errors.append(invalid(f"{path}.operator", operator, "not a valid selector operator"))
    errors += obey(formats.label_key, text(requirement, "key"), f"{path}.key")
    if not any_value:
        for index, value in enumerate(values):
            errors += obey(formats.label_value, value, f"{path}.values[{index}]")
    return errors


def selector_matches(selector: Object, found: Mapping[str, str]) -> bool:
    """Whether a valid label selector selects something with these labels."""
    wanted = part(selector, "matchLabels")
    if any(found.get(key) != value for key, value in wanted.items()):
        return False
    return all(_selects(one, found) for one in items(selector, "matchExpressions"))


def _selects(requirement: Object, found: Mapping[str, str]) -> bool:
    key, operator = requirement["key"], requirement["operator"]
    if operator == "In":
        return found.get(key) in items(requirement, "values")
    if operator == "NotIn":
        return found.get(key) not in items(requirement, "values")
    return (key in found) == (operator == "Exists")
