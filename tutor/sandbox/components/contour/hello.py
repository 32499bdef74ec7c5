"""The server name in a TLS client hello, read from the first bytes of a connection.

Source: RFC 8446 sections 4.1.2 and 5.1, RFC 6066 section 3.
"""

from dataclasses import dataclass

_HANDSHAKE, _CLIENT_HELLO, _SERVER_NAME, _HOST_NAME = 22, 1, 0, 0
_MAX = 65_536


@dataclass(frozen=True, slots=True)
class Hello:
    """What the first bytes say: `complete` is False while more are needed."""

    complete: bool
    is_tls: bool = False
    server_name: str = ""


_MORE = Hello(complete=False)
_NOT_TLS = Hello(complete=True)


def read(data: bytes) -> Hello:
    """Look at the bytes that have come so far."""
    if data[:1] and data[0] != _HANDSHAKE:
        return _NOT_TLS
    message = b""
    at = 0
    while True:
        if len(data) < at + 5:
            return _MORE if len(data) < _MAX else _NOT_TLS
        if data[at] != _HANDSHAKE or data[at + 1] != 3:
            return _NOT_TLS
        length = int.from_bytes(data[at + 3 : at + 5], "big")
        message += data[at + 5 : at + 5 + length]
        if len(data) < at + 5 + length:
            return _MORE
        at += 5 + length
        if len(message) >= 4:
            wanted = 4 + int.from_bytes(message[1:4], "big")
            if message[0] != _CLIENT_HELLO or wanted > _MAX:
                return _NOT_TLS
            if len(message) >= wanted:
                return Hello(complete=True, is_tls=True, server_name=_name(message[4:wanted]))


def _name(body: bytes) -> str:
    """The name of a complete hello; empty without one, or when it is malformed."""
    try:
        at = 34
        at += 1 + body[at]
        at += 2 + int.from_bytes(body[at : at + 2], "big")
        at += 1 + body[at]
        end = at + 2 + int.from_bytes(body[at : at + 2], "big")
        at += 2
        while at + 4 <= end:
            kind = int.from_bytes(body[at : at + 2], "big")
            length = int.from_bytes(body[at + 2 : at + 4], "big")
            content = body[at + 4 : at + 4 + length]
            if kind == _SERVER_NAME:
                return _first_host(content)
            at += 4 + length
    except IndexError:
        return ""
    return ""


def _first_host(content: bytes) -> str:
    at = 2
    while at + 3 <= len(content):
        length = int.from_bytes(content[at + 1 : at + 3], "big")
        if content[at] == _HOST_NAME:
            # Envoy compares names in lower case.
            return content[at + 3 : at + 3 + length].decode("ascii", "replace").lower()
        at += 3 + length
    return ""
