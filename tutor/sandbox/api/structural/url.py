"""URLs as Go's `net/url.ParseRequestURI` takes them apart."""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(.*)", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PORT = re.compile(r":[0-9]*")
_USER = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=%@:-]*")
_BAD_HOST = re.compile(r"[\x00-\x20\"<>\\^`{|}#?/@\x7f]")
_PATH_SAFE = "$&+,/:;=@-_.~!'()*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Url:
    """The parts of a URL; `host` has the port, `path` is unescaped, the query is as it came."""

    scheme: str = ""
    opaque: str = ""
    host: str = ""
    path: str = ""
    query: str = ""

    @property
    def hostname(self) -> str:
        """The host without port and brackets."""
        if self.host.startswith("["):
            return self.host[1 : self.host.rindex("]")]
        return self.host.rpartition(":")[0] if ":" in self.host else self.host

    @property
    def port(self) -> str:
        """The digits after the host, empty when there are none."""
        bare = self.host.rpartition("]")[2]
        return bare.rpartition(":")[2] if ":" in bare else ""

    @property
    def escaped_path(self) -> str:
        """The path with escapes where they are needed."""
        return quote(self.path, safe=_PATH_SAFE)


def parse_url(text: str) -> Url:
    """Take a URL apart: absolute, or a path that begins with a slash.

    Raises:
        ValueError: Go would refuse it; the message is Go's.
    """
    if _CONTROL.search(text):
        raise ValueError("net/url: invalid control character in URL")
    if not text:
        raise ValueError("empty url")
    if text.startswith(":"):
        raise ValueError("missing protocol scheme")
    match = _SCHEME.fullmatch(text)
    scheme, rest = (match[1].lower(), match[2]) if match else ("", text)
    rest, _, query = rest.partition("?")
    if not rest.startswith("/"):
        if not scheme:
            raise ValueError("invalid URI for request")
        return Url(scheme=scheme, opaque=rest, query=query)
    host = ""
    if scheme and rest.startswith("//"):
        authority, slash, path = rest[2:].partition("/")
        rest = slash + path
        user, at, host = authority.rpartition("@")
        if at and not _USER.fullmatch(user):
            raise ValueError("net/url: invalid userinfo")
        _check_escapes(user)
        host = _read_host(host)
    _check_escapes(rest)
    return Url(scheme=scheme, host=host, path=unquote(rest), query=query)


def _check_escapes(text: str) -> None:
    if bad := _BAD_ESCAPE.search(text):
        raise ValueError(f'invalid URL escape "{text[bad.start() : bad.start() + 3]}"')


def _read_host(host: str) -> str:
    if host.startswith("["):
        name, closing, port = host[1:].rpartition("]")
        if not closing:
            raise ValueError("missing ']' in host")
        try:
            ipaddress.IPv6Address(unquote(name))
        except ValueError as error:
            raise ValueError(f"invalid host: {error}") from error
    else:
        name, colon, port = host.partition(":")
        port = colon + port
        if "[" in host:
            raise ValueError("invalid IP-literal")
    if port and not _PORT.fullmatch(port):
        raise ValueError(f'invalid port "{port}" after host')
    _check_escapes(name)
    if bad := _BAD_HOST.search(name):
        raise ValueError(f'invalid character "{bad[0]}" in host name')
    return unquote(host)
