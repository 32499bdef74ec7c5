"""The frames of HTTP/2: how they are cut from a stream of bytes, and made. Source: RFC 9113."""

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEAD = 9
MAX_PAYLOAD = 16_384
MAX_WINDOW = 2**31 - 1
END_STREAM = ACK = 0x1
END_HEADERS = 0x4
PADDED = 0x8
PRIORITY = 0x20
_PRIORITY_BYTES = 5


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


class Code(IntEnum):
    """Why a stream or a connection ends."""

    NO_ERROR = 0
    PROTOCOL_ERROR = 1
    INTERNAL_ERROR = 2
    FLOW_CONTROL_ERROR = 3
    STREAM_CLOSED = 5
    FRAME_SIZE_ERROR = 6
    REFUSED_STREAM = 7
    COMPRESSION_ERROR = 9
    ENHANCE_YOUR_CALM = 11


class Setting(IntEnum):
    """Settings of a side."""

    HEADER_TABLE_SIZE = 1
    ENABLE_PUSH = 2
    MAX_CONCURRENT_STREAMS = 3
    INITIAL_WINDOW_SIZE = 4
    MAX_FRAME_SIZE = 5
    MAX_HEADER_LIST_SIZE = 6


class Fault(Exception):
    """What ends the connection."""

    def __init__(self, code: Code, why: str) -> None:
        super().__init__(why)
        self.code = code


class Frame(NamedTuple):
    """One frame. `kind` may be one that nobody knows."""

    kind: int
    flags: int
    stream: int
    payload: bytes


class Cutter:
    """Cuts what arrives into frames."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._greeted = False

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Take bytes, and give the frames that are complete; raises Fault."""
        self._data += data
        if not self._greeted:
            if not PREFACE.startswith(self._data[: len(PREFACE)]):
                raise Fault(Code.PROTOCOL_ERROR, "the connection does not begin as HTTP/2 does")
            if len(self._data) < len(PREFACE):
                return
            del self._data[: len(PREFACE)]
            self._greeted = True
        while len(self._data) >= HEAD:
            length = int.from_bytes(self._data[:3], "big")
            if length > MAX_PAYLOAD:
                raise Fault(Code.FRAME_SIZE_ERROR, "a frame is too large")
            end = HEAD + length
            if len(self._data) < end:
                return
            kind, flags, stream = struct.unpack(">BBL", self._data[3:HEAD])
            payload = bytes(self._data[HEAD:end])
            del self._data[:end]
            yield Frame(kind, flags, stream & MAX_WINDOW, payload)


def frame(kind: Kind, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """The bytes of a frame."""
    return b"%b%b%b" % (
        len(payload).to_bytes(3, "big"),
        struct.pack(">BBL", kind, flags, stream),
        payload,
    )


def settings(values: dict[Setting, int]) -> bytes:
    """A frame that tells settings."""
    payload = b"".join(struct.pack(">HL", name, value) for name, value in values.items())
    return frame(Kind.SETTINGS, 0, 0, payload)


def window_update(stream: int, more: int) -> bytes:
    """A frame that lets the other side send more."""
    return frame(Kind.WINDOW_UPDATE, 0, stream, more.to_bytes(4, "big"))


def reset(stream: int, code: Code) -> bytes:
    """A frame that ends a stream."""
    return frame(Kind.RST_STREAM, 0, stream, code.to_bytes(4, "big"))


def go_away(last: int, code: Code, why: str = "") -> bytes:
    """A frame that ends the connection after the stream `last`."""
    return frame(Kind.GOAWAY, 0, 0, struct.pack(">LL", last, code) + why.encode())


def told(payload: bytes) -> Iterator[tuple[int, int]]:
    """The settings of a frame; raises Fault."""
    if len(payload) % 6:
        raise Fault(Code.FRAME_SIZE_ERROR, "settings are cut off")
    yield from struct.iter_unpack(">HL", payload)


def content(found: Frame) -> bytes:
    """The payload of DATA or HEADERS without padding and priority; raises Fault."""
    payload, padding = found.payload, 0
    if found.flags & PADDED:
        if not payload:
            raise Fault(Code.FRAME_SIZE_ERROR, "a padded frame is empty")
        padding, payload = payload[0], payload[1:]
    if found.kind == Kind.HEADERS and found.flags & PRIORITY:
        if len(payload) < _PRIORITY_BYTES:
            raise Fault(Code.FRAME_SIZE_ERROR, "a priority is cut off")
        payload = payload[_PRIORITY_BYTES:]
    if padding > len(payload):
        raise Fault(Code.PROTOCOL_ERROR, "a frame is all padding")
    return payload[: len(payload) - padding]
