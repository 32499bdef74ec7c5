"""Values of Kubernetes' own CEL types, each an object of one member while a rule is evaluated.

The engine has no types of our making, but compares and passes objects; the member says what the
value is: `{"quantity": "3/2"}`, `{"url": "https://…"}`, `{"ip": "::1"}`, `{"cidr": "10.0.0.0/8"}`,
`{"semver": "1.2.3"}`, `{"format": "uuid"}`. Source: apiserver (`pkg/cel/library`).
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any
from urllib.parse import parse_qs

from tutor.sandbox.api import formats
from tutor.sandbox.api.status import go_quote
from tutor.sandbox.api.structural.cel.addresses import (
    Address,
    Network,
    read_address,
    read_network,
)
from tutor.sandbox.api.structural.string_formats import STRING_FORMATS, is_date, is_date_time
from tutor.sandbox.api.structural.url import parse_url
from tutor.sandbox.api.values import is_map
from tutor.sandbox.schema.errors import DecodeError
from tutor.sandbox.schema.quantity import canonical_quantity

Opaque = dict[str, Any]

_QUANTITY = re.compile(r"([+-]?[0-9]*\.?[0-9]*)(.*)")
_SUFFIXES = {
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    "": Fraction(1),
    **{name: Fraction(10 ** (3 * power)) for power, name in enumerate("kMGTPE", 1)},
    **{f"{name}i": Fraction(1024**power) for power, name in enumerate("KMGTPE", 1)},
}
_SEMVER = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(?:-((?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*))?"
    r"(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?",
    re.ASCII,
)
_INT64 = range(-(2**63), 2**63)


def quantity(text: str) -> Opaque:
    """Read a quantity; raises ValueError."""
    try:
        canonical_quantity(text)
    except DecodeError as error:
        raise ValueError(str(error)) from None
    match = _QUANTITY.fullmatch(text)
    number, suffix = (match[1], match[2]) if match else ("0", "")
    scale = _SUFFIXES.get(suffix) or Fraction(10) ** int(suffix[1:])
    return _quantity(Fraction(number) * scale)


def _quantity(value: Fraction) -> Opaque:
    return {"quantity": str(value)}


def _number(value: Any) -> Fraction:
    return Fraction(value["quantity"]) if is_map(value) else Fraction(value)


def add(left: Opaque, right: Any) -> Opaque:
    """The sum of two quantities, or of a quantity and an integer."""
    return _quantity(_number(left) + _number(right))


def sub(left: Opaque, right: Any) -> Opaque:
    """The difference."""
    return _quantity(_number(left) - _number(right))


def sign(value: Opaque) -> int:
    """-1, 0 or 1."""
    number = _number(value)
    return (number > 0) - (number < 0)


def is_integer(value: Opaque) -> bool:
    """Whether the quantity is a 64-bit integer."""
    number = _number(value)
    return number.denominator == 1 and number.numerator in _INT64


def as_integer(value: Opaque) -> int:
    """The quantity as an integer; raises ValueError."""
    if not is_integer(value):
        raise ValueError("cannot convert value to integer")
    return int(_number(value))


def as_float(value: Opaque) -> float:
    """The quantity as a float, rounded."""
    return float(_number(value))


def compare(left: Opaque, right: Opaque) -> int:
    """-1, 0 or 1 for two quantities or two versions."""
    if "semver" in left:
        before, after = _precedence(left["semver"]), _precedence(right["semver"])
        return (before > after) - (before < after)
    return sign(sub(left, right))


def is_greater(left: Opaque, right: Opaque) -> bool:
    """Whether the first of two quantities or versions is greater."""
    return compare(left, right) > 0


def is_less(left: Opaque, right: Opaque) -> bool:
    """Whether the first of two quantities or versions is less."""
    return compare(left, right) < 0


def semver(text: str, normalize: bool = False) -> Opaque:
    """Read a semantic version, leniently with `normalize`; raises ValueError."""
    if normalize:
        text = _normalized(text)
    if not text:
        raise ValueError("Version string empty")
    parts = text.split(".", 2)
    if len(parts) != 3:
        raise ValueError("No Major.Minor.Patch elements found")
    parts[2] = re.split("[-+]", parts[2], maxsplit=1)[0]
    for name, part in zip(("Major", "Minor", "Patch"), parts, strict=True):
        if not re.fullmatch("[0-9]+", part):
            told = f"Invalid character(s) found in {name.lower()} number"
            raise ValueError(f"{told} {go_quote(part)}")
        if len(part) > 1 and part[0] == "0":
            raise ValueError(f"{name} number must not contain leading zeroes {go_quote(part)}")
    if not _SEMVER.fullmatch(text):
        raise ValueError(_odd_tail(text))
    return {"semver": text}


def _normalized(text: str) -> str:
    parts = text.removeprefix("v").split(".", 2)
    for index, part in enumerate(parts):
        if len(part) > 1:
            kept = part.lstrip("0")
            parts[index] = kept if kept[:1].isdigit() else f"0{kept}"
    if len(parts) < 3 and re.search("[-+]", parts[-1]):
        raise ValueError("short version cannot contain PreRelease/Build meta data")
    return ".".join([*parts, "0", "0"][: max(3, len(parts))])


def _odd_tail(text: str) -> str:
    """What is wrong behind the numbers of a version."""
    rest, plus, build = text.partition("+")
    for part in rest.partition("-")[2].split(".") if "-" in rest else ():
        if not part:
            return "Prerelease is empty"
        if part.isdigit() and len(part) > 1 and part[0] == "0":
            return f"Numeric PreRelease version must not contain leading zeroes {go_quote(part)}"
        if not re.fullmatch("[0-9A-Za-z-]+", part):
            return f"Invalid character(s) found in prerelease {go_quote(part)}"
    for part in build.split(".") if plus else ():
        if not part:
            return "Build meta data is empty"
        if not re.fullmatch("[0-9A-Za-z-]+", part):
            return f"Invalid character(s) found in build meta data {go_quote(part)}"
    return "No Major.Minor.Patch elements found"


def semver_part(value: Opaque, index: int) -> int:
    """Major, minor or patch of a version."""
    match = _SEMVER.fullmatch(value["semver"])
    return int(match[index]) if match else 0


def _precedence(text: str) -> tuple[Any, ...]:
    match = _SEMVER.fullmatch(text)
    if match is None:
        return ()
    before = match[4]
    # A release comes after its pre-releases; numbers come before words.
    words = [(0, int(w), "") if w.isdigit() else (1, 0, w) for w in (before or "").split(".") if w]
    return (int(match[1]), int(match[2]), int(match[3]), before is None, words)


def url(text: str) -> Opaque:
    """Read a URL; raises ValueError."""
    try:
        parse_url(text)
    except ValueError as error:
        why = f"URL parse error during conversion from string: parse {go_quote(text)}: {error}"
        raise ValueError(why) from None
    return {"url": text}


def url_part(value: Opaque, part: str) -> str:
    """One part of a URL, by the name that `Url` has for it."""
    return getattr(parse_url(value["url"]), part)


def url_query(value: Opaque) -> dict[str, list[str]]:
    """The query, each name with its values."""
    return parse_qs(parse_url(value["url"]).query, keep_blank_values=True)


def ip(value: Any) -> Opaque:
    """Read an address, or take it from a CIDR; raises ValueError."""
    if is_map(value):
        return {"ip": str(_network(value).ip)}
    return {"ip": str(read_address(value))}


def _address(value: Any) -> Address:
    return read_address(value["ip"] if is_map(value) else value)


def is_canonical_ip(text: str) -> bool:
    """Whether the text is how the address is written; raises ValueError for no address."""
    return str(read_address(text)) == text


def ip_family(value: Opaque) -> int:
    """4 or 6."""
    return _address(value).version


def ip_is(name: str) -> Callable[[Opaque], bool]:
    """A function that tells one property of an address."""

    def tell(value: Opaque) -> bool:
        address = _address(value)
        match name:
            case "global":
                special = address.is_unspecified or address.is_loopback or address.is_multicast
                return not special and not address.is_link_local and str(address) != _BROADCAST
            case "link_local_multicast":
                return address in ipaddress.ip_network(
                    "224.0.0.0/24" if address.version == _IPV4 else "ff02::/16"
                ) or (address.version != _IPV4 and _is_link_local_group(address))
            case _:
                return bool(getattr(address, f"is_{name}"))

    return tell


_BROADCAST = "255.255.255.255"
_IPV4 = 4


def _is_link_local_group(address: Address) -> bool:
    return address.packed[0] == 0xFF and address.packed[1] & 0x0F == 0x02


def cidr(text: str) -> Opaque:
    """Read a CIDR; raises ValueError."""
    return {"cidr": str(read_network(text))}


def _network(value: Any) -> Network:
    text = value["cidr"] if is_map(value) else cidr(value)["cidr"]
    return ipaddress.ip_interface(text)


def shown(value: Opaque) -> str:
    """An address or a network as text."""
    return next(iter(value.values()))


def contains_ip(value: Opaque, other: Any) -> bool:
    """Whether a network has an address, given as one or as text."""
    network, address = _network(value).network, _address(other)
    return network.version == address.version and address in network


def contains_cidr(value: Opaque, other: Any) -> bool:
    """Whether a network has the whole of another."""
    outer, inner = _network(value).network, _network(other).network
    return (
        outer.version == inner.version
        and inner.network_address in outer
        and inner.prefixlen >= outer.prefixlen
    )


def masked(value: Opaque) -> Opaque:
    """The network without the bits of the host."""
    return {"cidr": str(_network(value).network)}


def prefix_length(value: Opaque) -> int:
    """The length of a network's prefix."""
    return _network(value).network.prefixlen


def _without_prefix_dash(rule: Callable[[str], list[str]]) -> Callable[[str], list[str]]:
    return lambda text: rule(text[:-1] + "a" if text.endswith("-") else text)


def _format_rule(name: str, message: str) -> Callable[[str], list[str]]:
    return lambda text: [] if STRING_FORMATS[name](text) else [message]


def _uri_rule(text: str) -> list[str]:
    try:
        parse_url(text)
    except ValueError as error:
        return [f'parse "{text}": {error}']
    return []


FORMATS: Mapping[str, Callable[[str], list[str]]] = {
    "dns1123Label": formats.dns1123_label,
    "dns1123Subdomain": formats.dns1123_subdomain,
    "dns1035Label": formats.dns1035_label,
    "qualifiedName": formats.label_key,
    "dns1123LabelPrefix": _without_prefix_dash(formats.dns1123_label),
    "dns1123SubdomainPrefix": _without_prefix_dash(formats.dns1123_subdomain),
    "dns1035LabelPrefix": _without_prefix_dash(formats.dns1035_label),
    "labelValue": formats.label_value,
    "uri": _uri_rule,
    "uuid": _format_rule("uuid", "does not match the UUID format"),
    "byte": _format_rule("byte", "invalid base64"),
    "date": lambda text: [] if is_date(text) else ["invalid date"],
    "datetime": lambda text: [] if is_date_time(text) else ["invalid datetime"],
}
"""What each `format.NAME()` says of a text."""


def format_named(name: str) -> Opaque:
    """The format of that name."""
    return {"format": name}


def find_format(name: str) -> Opaque:
    """The format of that name, nothing when there is none."""
    return format_named(name) if name in FORMATS else {}


def validate(value: Opaque, text: str) -> list[str]:
    """What a format says of a text."""
    return FORMATS[value["format"]](text)
