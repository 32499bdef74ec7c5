"""Addresses and networks as Go's `net/netip` reads them, with its complaints."""

import ipaddress
import re
from typing import NoReturn

from tutor.sandbox.api.status import go_quote

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Interface | ipaddress.IPv6Interface

_HEX = re.compile(r"[0-9a-fA-F]*")
_BITS = re.compile(r"0|[1-9][0-9]*")
_GROUPS = 8


def read_address(text: str) -> Address:
    """An address without a zone that is no IPv4 address in disguise; raises ValueError."""
    try:
        address = _parse(text)
    except ValueError as error:
        why = f"IP Address {go_quote(text)} parse error during conversion from string: {error}"
        raise ValueError(why) from None
    if isinstance(address, ipaddress.IPv6Address):
        if "%" in text:
            raise ValueError(f"IP address {go_quote(text)} with zone value is not allowed")
        _refuse_mapped(address, text)
    return address


def read_network(text: str) -> Network:
    """An address with the length of its prefix; raises ValueError."""
    host, slash, bits = text.rpartition("/")
    why = ""
    if not slash:
        why = "no '/'"
    else:
        try:
            address = _parse(host)
        except ValueError as error:
            why = str(error)
        else:
            if "%" in host:
                why = "IPv6 zones cannot be present in a prefix"
            elif not _BITS.fullmatch(bits):
                why = f"bad bits after slash: {go_quote(bits)}"
            elif int(bits) > address.max_prefixlen:
                why = "prefix length out of range"
            else:
                if isinstance(address, ipaddress.IPv6Address):
                    _refuse_mapped(address, text)
                return ipaddress.ip_interface(f"{address}/{bits}")
    told = "network address parse error during conversion from string: "
    raise ValueError(f"{told}{told}netip.ParsePrefix({go_quote(text)}): {why}")


def _refuse_mapped(address: ipaddress.IPv6Address, text: str) -> None:
    if address.ipv4_mapped is not None:
        raise ValueError(f"IPv4-mapped IPv6 address {go_quote(text)} is not allowed")


def _parse(text: str) -> Address:
    first = next((char for char in text if char in ".:%"), "")
    if first not in (".", ":"):
        _fail(text, "missing IPv6 address" if first else "unable to parse IP")
    if first == ".":
        return ipaddress.IPv4Address(_parse_ipv4(text, text))
    return _parse_ipv6(text)


def _fail(text: str, why: str, rest: str = "") -> NoReturn:
    at = f" (at {go_quote(rest)})" if rest else ""
    raise ValueError(f"ParseAddr({go_quote(text)}): {why}{at}")


def _parse_ipv4(text: str, dotted: str) -> str:
    """Check the IPv4 address that is all of a text, or its end."""
    value = digits = dots = 0
    for index, char in enumerate(dotted):
        if "0" <= char <= "9":
            if digits == 1 and value == 0:
                _fail(text, "IPv4 field has octet with leading zero")
            value, digits = value * 10 + int(char), digits + 1
            if value > 255:
                _fail(text, "IPv4 field has value >255")
        elif char != ".":
            _fail(text, "unexpected character", dotted[index:])
        elif index in (0, len(dotted) - 1) or dotted[index - 1] == ".":
            _fail(text, "IPv4 field must have at least one digit", dotted[index:])
        elif dots == 3:
            _fail(text, "IPv4 address too long")
        else:
            value, digits, dots = 0, 0, dots + 1
    if dots < 3:
        _fail(text, "IPv4 address too short")
    return dotted


def _parse_ipv6(text: str) -> ipaddress.IPv6Address:
    rest, percent, zone = text.partition("%")
    if percent and not zone:
        _fail(text, "zone must be a non-empty string")
    bare = rest
    groups, ellipsis = 0, rest.startswith("::")
    rest = rest[2:] if ellipsis else rest
    ends = ellipsis and not rest
    while groups < _GROUPS and not ends:
        rest, taken = _group(text, rest, groups, ellipsis=ellipsis)
        groups += taken
        if taken == 2 or not rest:
            break
        rest = _behind_colon(text, rest)
        if rest[0] == ":":
            if ellipsis:
                _fail(text, "multiple :: in address", rest)
            ellipsis, rest = True, rest[1:]
            ends = not rest
    _check_end(text, rest, groups, ellipsis=ellipsis)
    return ipaddress.IPv6Address(bare)


def _behind_colon(text: str, rest: str) -> str:
    if rest[0] != ":":
        _fail(text, "unexpected character, want colon", rest)
    if len(rest) == 1:
        _fail(text, "colon must be followed by more characters", rest)
    return rest[1:]


def _check_end(text: str, rest: str, groups: int, *, ellipsis: bool) -> None:
    if rest:
        _fail(text, "trailing garbage after address", rest)
    if groups < _GROUPS and not ellipsis:
        _fail(text, "address string too short")
    if groups == _GROUPS and ellipsis:
        _fail(text, "the :: must expand to at least one field of zeros")


def _group(text: str, rest: str, groups: int, *, ellipsis: bool) -> tuple[str, int]:
    """Read one group, or the IPv4 address at the end, which is two; returns what follows."""
    match = _HEX.match(rest)
    digits = match[0] if match else ""
    if len(digits) > 4:
        _fail(text, "each group must have 4 or less digits", rest)
    if not digits:
        _fail(text, "each colon-separated field must have at least one digit", rest)
    if rest[len(digits) : len(digits) + 1] != ".":
        return rest[len(digits) :], 1
    if not ellipsis and groups != _GROUPS - 2:
        place = "embedded IPv4 address must replace the final 2 fields of the address"
        _fail(text, place, rest)
    if groups + 2 > _GROUPS:
        room = "too many hex fields to fit an embedded IPv4 at the end of the address"
        _fail(text, room, rest)
    _parse_ipv4(text, rest)
    return "", 2
