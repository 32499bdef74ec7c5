"""Which proxy a request goes through, decided as Go decides it.

Source: golang.org/x/net/http/httpproxy.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit


class Proxy(NamedTuple):
    """A proxy to dial; `credentials` is `user:password`, unquoted, or None."""

    scheme: str
    host: str
    port: int
    credentials: str | None


def parse(url: str) -> Proxy:
    """Read a proxy's URL, with or without its scheme.

    Raises:
        ValueError: it names no host.
    """
    parts = urlsplit(url)
    if not parts.scheme or not parts.netloc:
        parts = urlsplit(f"http://{url}")
    if not parts.hostname:
        raise ValueError(f"invalid proxy address {url}")
    default = {"https": 443, "socks5": 1080, "socks5h": 1080}.get(parts.scheme, 80)
    return Proxy(parts.scheme, parts.hostname, parts.port or default, _credentials(parts))


def _credentials(parts: SplitResult) -> str | None:
    if parts.username is None:
        return None
    return f"{unquote(parts.username)}:{unquote(parts.password or '')}"


def from_environment(
    scheme: str, host: str, port: int, environment: Mapping[str, str]
) -> Proxy | None:
    """The proxy that the environment asks for, or None to dial directly."""
    name = "HTTPS_PROXY" if scheme == "https" else "HTTP_PROXY"
    url = environment.get(name) or environment.get(name.lower())
    if not url or not _wanted(
        host, port, environment.get("NO_PROXY") or environment.get("no_proxy") or ""
    ):
        return None
    try:
        return parse(url)
    except ValueError:
        return None


def _wanted(host: str, port: int, exceptions: str) -> bool:
    host = host.lower()
    address = _address(host)
    if host == "localhost" or (address is not None and address.is_loopback):
        return False
    return not any(
        _excepts(entry.strip().lower(), host, address, port) for entry in exceptions.split(",")
    )


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def _excepts(
    entry: str, host: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address | None, port: int
) -> bool:
    if entry in ("", "*"):
        return entry == "*"
    if "/" in entry:
        try:
            return address is not None and address in ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return False
    name, wanted_port = _split_port(entry)
    if wanted_port and wanted_port != str(port):
        return False
    if (only := _address(name)) is not None:
        return only == address
    name = name.removeprefix("*")
    return (
        host.endswith(name) if name.startswith(".") else host == name or host.endswith(f".{name}")
    )


def _split_port(entry: str) -> tuple[str, str]:
    if entry.startswith("["):
        name, _, rest = entry[1:].partition("]")
        return name, rest.removeprefix(":")
    if entry.count(":") == 1:
        name, _, port = entry.partition(":")
        return name, port
    return entry, ""
