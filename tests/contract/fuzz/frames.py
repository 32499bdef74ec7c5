"""Frames of HTTP/2, well-formed or not (RFC 9113, section 6; RFC 7541, section 6.2.2)."""

import struct
from collections.abc import Mapping
from enum import IntEnum

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
OPEN, CLOSED = 0x4, 0x5
"""Flags of HEADERS that are whole; of those after which there is no body."""
MOST = 16_384
"""Bytes in a frame."""
_GET = {":method": "GET", ":scheme": "https", ":path": "/version", ":authority": "localhost"}


class Kind(IntEnum):
    """Types of frames."""

    DATA = 0
    HEADERS = 1
    PRIORITY = 2
    RST_STREAM = 3
    SETTINGS = 4
    PUSH_PROMISE = 5
    PING = 6
    GOAWAY = 7
    WINDOW_UPDATE = 8
    CONTINUATION = 9


def frame(
    kind: int, flags: int, stream: int, payload: bytes = b"", told: int | None = None
) -> bytes:
    """A frame; `told` is the length that it claims to have."""
    length = len(payload) if told is None else told
    return length.to_bytes(3, "big") + struct.pack(">BBL", kind, flags, stream) + payload


def settings(told: Mapping[int, int]) -> bytes:
    """A frame of settings."""
    payload = b"".join(struct.pack(">HL", *each) for each in told.items())
    return frame(Kind.SETTINGS, 0, 0, payload)


def literal(name: str, value: str) -> bytes:
    """A line of a header block in its longest form: not indexed, not coded."""
    return b"\0" + _string(name) + _string(value)


def head(lines: Mapping[str, str]) -> bytes:
    """The block of a request, which is `GET /version` where `lines` say nothing else."""
    return b"".join(literal(*line) for line in {**_GET, **lines}.items())


def request(
    stream: int, lines: Mapping[str, str] | None = None, body: bytes = b"", *, end: bool = True
) -> bytes:
    """A request with all of its body; without `end` it goes on."""
    block = head(lines or {})
    parts = [block[at : at + MOST] for at in range(0, len(block), MOST)]
    flags = 1 if end and not body else 0
    made = [frame(Kind.HEADERS, flags | (4 if len(parts) == 1 else 0), stream, parts[0])]
    for number, part in enumerate(parts[1:], 2):
        made.append(frame(Kind.CONTINUATION, 4 if number == len(parts) else 0, stream, part))
    for at in range(0, len(body), MOST):
        last = at + MOST >= len(body)
        made.append(frame(Kind.DATA, int(last and end), stream, body[at : at + MOST]))
    return b"".join(made)


def _string(text: str) -> bytes:
    data = text.encode("utf-8", "surrogateescape")
    return _length(len(data)) + data


def _length(size: int) -> bytes:
    if size < 127:
        return bytes((size,))
    made, rest = bytearray((127,)), size - 127
    while rest >= 128:
        made.append(rest % 128 + 128)
        rest //= 128
    made.append(rest)
    return bytes(made)
