"""Addresses of endpoints: a host name or an IP address, and perhaps a port.

Source: pinniped.md 3.4 (accepted forms, causes of refusal), `internal/endpointaddr`; for the split,
Go's `net.SplitHostPort`.
"""

import re
from dataclasses import dataclass

from tutor.sandbox.api.status import go_quote
from tutor.sandbox.components.concierge.certificates import is_address

_HOST = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LONGEST_NAME = 253
_PORTS = range(1, 65536)
_HTTPS = 443


class BadAddress(Exception):
    """A text that is no address; the words are Pinniped's."""


@dataclass(frozen=True, slots=True)
class HostPort:
    """A host and a port."""

    host: str
    port: int

    @property
    def endpoint(self) -> str:
        """What clients are told; 443 goes without saying."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _HTTPS else f"{host}:{self.port}"


def parse(text: str) -> HostPort:
    """Read an address; raises BadAddress."""
    try:
        host, port = split(text)
    except BadAddress:
        # The real parser joins what it could not split with the default port and splits again.
        host, port = split(_joined(text, str(_HTTPS)))
    number = int(port) if port.isascii() and port.isdigit() else 0
    if number not in _PORTS:
        raise BadAddress(f"invalid port {go_quote(port)}")
    if not is_address(host) and not _is_host_name(host):
        raise BadAddress(f"host {go_quote(host)} is not a valid hostname or IP address")
    return HostPort(host, number)


def _joined(host: str, port: str) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _is_host_name(text: str) -> bool:
    return len(text) <= _LONGEST_NAME and _HOST.fullmatch(text) is not None


def split(text: str) -> tuple[str, str]:
    """Host and port of `host:port` or `[host]:port`.

    Raises:
        BadAddress: As Go's `net.SplitHostPort` says it.
    """

    def bad(why: str) -> BadAddress:
        return BadAddress(f"address {text}: {why}")

    colon = text.rfind(":")
    if colon < 0:
        raise bad("missing port in address")
    opened, closed = 0, 0
    if text.startswith("["):
        end = text.find("]")
        if end < 0:
            raise bad("missing ']' in address")
        if end + 1 == len(text):
            raise bad("missing port in address")
        if end + 1 != colon:
            raise bad(
                "too many colons in address" if text[end + 1] == ":" else "missing port in address"
            )
        host, opened, closed = text[1:end], 1, end + 1
    else:
        host = text[:colon]
        if ":" in host:
            raise bad("too many colons in address")
    if "[" in text[opened:]:
        raise bad("unexpected '[' in address")
    if "]" in text[closed:]:
        raise bad("unexpected ']' in address")
    return host, text[colon + 1 :]
