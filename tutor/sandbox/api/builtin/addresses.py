"""Addresses and ranges of addresses, and what is said of those written strangely.

Wording: Kubernetes' apimachinery (`util/validation/ip.go`).
"""

import ipaddress
import re
from collections.abc import Iterable

from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.status import invalid

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


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def network(value: str) -> Network | None:
    """Read a range of addresses as leniently as ever; None when it is none."""
    host, _, length = value.partition("/")
    found = address(host)
    if found is None or not length.isdecimal() or int(length) > found.max_prefixlen:
        return None
    return ipaddress.ip_network(f"{found}/{int(length)}", strict=False)


def canonical_ip(value: str, path: str) -> Errors:
    """An IP address, written the one way in which it should be."""
    if errors := ip(value, path):
        return errors
    found = str(ipaddress.ip_address(value))
    return (
        [] if found == value else [invalid(path, value, f'must be in canonical form ("{found}")')]
    )


def canonical_cidr(value: str, path: str) -> Errors:
    """A range of addresses, written the one way in which it should be."""
    if errors := cidr(value, path):
        return errors
    found = str(ipaddress.ip_network(value))
    return (
        [] if found == value else [invalid(path, value, f'must be in canonical form ("{found}")')]
    )


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
