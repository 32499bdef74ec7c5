"""Rules for single values that many kinds share, and the field errors of values that break them.

Wording: Kubernetes' apimachinery (`util/validation`, `api/validation`).
"""

import ipaddress
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
_ENV_NAME = r"[-._a-zA-Z][-._a-zA-Z0-9]*"
_HEADER = r"[-A-Za-z0-9]+"
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
    if not re.fullmatch(_CONFIG_KEY, value):
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


Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def address(value: str) -> Address | None:
    """Read an IP address; None when it is none. Leading zeros are let through, as ever."""
    unpadded = re.sub(r"(^|(?<=[.:]))0+(?=\d+(\.|$))", "", value) if "." in value else value
    try:
        return ipaddress.ip_address(unpadded)
    except ValueError:
        return None


def ip(value: str, path: str, *, known: Iterable[str] = ()) -> Errors:
    """An IP address; what was there before (`known`) may stay."""
    if value in known:
        return []
    if address(value) is None or "%" in value:
        why = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
        return [invalid(path, value, why)]
    return [invalid(path, value, complaint) for complaint in _sloppy(value)]


def _sloppy(value: str) -> list[str]:
    try:
        strict = ipaddress.ip_address(value)
    except ValueError:
        return ["must not have leading 0s"]
    if isinstance(strict, ipaddress.IPv6Address) and strict.ipv4_mapped:
        return ["must not be an IPv4-mapped IPv6 address"]
    return []


def cidr(value: str, path: str, *, known: Iterable[str] = ()) -> Errors:
    """A range of addresses; what was there before (`known`) may stay."""
    if value in known:
        return []
    host, slash, length = value.partition("/")
    found = address(host)
    bits = found.max_prefixlen if found else 0
    if not (slash and found and "%" not in host and length.isdecimal() and int(length) <= bits):
        why = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
        return [invalid(path, value, why)]
    if _sloppy(host) == ["must not have leading 0s"] or (len(length) > 1 and length[0] == "0"):
        return [invalid(path, value, "must not have leading 0s in IP or prefix length")]
    if _sloppy(host):
        return [invalid(path, value, "must not have an IPv4-mapped IPv6 address")]
    if str(ipaddress.ip_network(value, strict=False).network_address) != str(found):
        return [invalid(path, value, "must not have bits set beyond the prefix length")]
    return []


def ip_warnings(value: str, path: str) -> list[str]:
    """What is said of an address that is good but not written as it should be."""
    found = address(value)
    if found is None:
        return []
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    if mapped or _sloppy(value):
        plain = mapped or found
        return [f'{path}: non-standard IP address "{value}" is invalid: use "{plain}"']
    if isinstance(found, ipaddress.IPv6Address) and str(found) != value:
        why = "should be in RFC 5952 canonical format"
        return [f'{path}: IPv6 address "{value}" {why} ("{found}")']
    return []


def cidr_warnings(value: str, path: str) -> list[str]:
    """What is said of a range that is good but not written as it should be."""
    host, _, length = value.partition("/")
    found = address(host)
    if found is None:
        return []
    network = ipaddress.ip_network(f"{found}/{int(length)}", strict=False)
    said: list[str] = []
    if network.network_address != found:
        single = f"{found}/{found.max_prefixlen}"
        meant = f'(should be "{network}" or "{single}"?)'
        said.append(f'{path}: CIDR value "{value}" is ambiguous in this context {meant}')
    mapped = isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped
    if mapped or _sloppy(host) or str(int(length)) != length:
        said.append(f'{path}: non-standard CIDR value "{value}" is invalid: use "{network}"')
    if not said and isinstance(found, ipaddress.IPv6Address) and str(network) != value:
        why = "should be in RFC 5952 canonical format"
        said.append(f'{path}: IPv6 CIDR value "{value}" {why} ("{network}")')
    return said
