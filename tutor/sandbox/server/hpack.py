"""Header compression of HTTP/2, as pure functions and tables.

Headers are read in every form, and written in the simplest: names and values as they are, without
a table that both sides would have to keep. Source: RFC 7541.
"""

from bisect import bisect_right
from collections import deque
from functools import lru_cache
from itertools import accumulate, chain

Header = tuple[bytes, bytes]

_TABLE_SIZE = 4_096
_OVERHEAD = 32
_WINDOW = 30
_MAX_INTEGER_BITS = 28
_SHORT = 256

_STATIC: tuple[Header, ...] = (
    (b":authority", b""),
    (b":method", b"GET"),
    (b":method", b"POST"),
    (b":path", b"/"),
    (b":path", b"/index.html"),
    (b":scheme", b"http"),
    (b":scheme", b"https"),
    *((b":status", code) for code in b"200 204 206 304 400 404 500".split()),
    (b"accept-charset", b""),
    (b"accept-encoding", b"gzip, deflate"),
    *(
        (name, b"")
        for name in (
            b"accept-language accept-ranges accept access-control-allow-origin age allow "
            b"authorization cache-control content-disposition content-encoding content-language "
            b"content-length content-location content-range content-type cookie date etag expect "
            b"expires from host if-match if-modified-since if-none-match if-range "
            b"if-unmodified-since last-modified link location max-forwards proxy-authenticate "
            b"proxy-authorization range referer refresh retry-after server set-cookie "
            b"strict-transport-security transfer-encoding user-agent vary via www-authenticate"
        ).split()
    ),
)
# Codes of one length are consecutive, in the order of their symbols; 256 is the end.
_SYMBOLS: tuple[tuple[int, bytes], ...] = (
    (5, b"012aceiost"),
    (6, b" %-./3456789=A_bdfghlmnpru"),
    (7, b":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz"),
    (8, b"&*,;XZ"),
    (10, b'!"()?'),
    (11, b"'+|"),
    (12, b"#>"),
    (13, b"\x00$@[]~"),
    (14, b"^}"),
    (15, b"<`{"),
    (19, b"\\\xc3\xd0"),
    (20, bytes.fromhex("808283a2b8c2e0e2")),
    (21, bytes.fromhex("99a1a7acb0b1b3d1d8d9e3e5e6")),
    (22, bytes.fromhex("818485868892" + "9a9ca0a3a4a9aaadb2b5b9babbbdbec4c6e4e8e9")),
    (23, bytes.fromhex("0187898a8b8c8d8f93959697989b9d9ea5a6a8aeafb4b6b7bcbfc5e7ef")),
    (24, bytes.fromhex("098e9091949fabced7e1eced")),
    (25, bytes.fromhex("c7cfeaeb")),
    (26, bytes.fromhex("c0c1c8c9cacdd2d5dadbeef0f2f3ff")),
    (27, bytes.fromhex("cbccd3d4d6dddedff1f4f5f6f7f8fafbfcfdfe")),
    (28, bytes.fromhex("02030405060708" + "0b0c0e0f10111213141517" + "18191a1b1c1d1e1f7fdcf9")),
    (30, b"\n\r\x16"),
)
_LENGTHS = tuple(chain.from_iterable([length] * len(group) for length, group in _SYMBOLS))
_DECODED = b"".join(group for _, group in _SYMBOLS)
# The codes, put at the left of the window: where each begins.
_STARTS = tuple(accumulate((1 << (_WINDOW - length) for length in _LENGTHS[:-1]), initial=0))
_END_OF_STRING = (1 << _WINDOW) - 1
_NEVER_INDEXED = 0x10
_INDEXED, _ADDED, _RESIZED = 0x80, 0x40, 0x20


class CompressionError(ValueError):
    """Headers that cannot be read; the connection's tables do not agree any more."""


class TooLarge(Exception):
    """More headers than are let in. The tables still agree."""


class Decoder:
    """Reads the header blocks of one connection."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._table: deque[Header] = deque()
        self._size = 0
        self._limit = _TABLE_SIZE

    def decode(self, block: bytes) -> list[Header]:
        """The headers of a block.

        Raises:
            CompressionError: It is no header block.
            TooLarge: The headers are longer than `most` together.
        """
        found: list[Header] = []
        at, total = 0, 0
        try:
            while at < len(block):
                header, at = self._field(block, at)
                if header is None:
                    if found:
                        raise CompressionError("the table is resized too late")
                    continue
                total += len(header[0]) + len(header[1]) + _OVERHEAD
                if total <= self._most:
                    found.append(header)
        except IndexError as error:
            raise CompressionError("the block ends too early") from error
        if total > self._most:
            raise TooLarge
        return found

    def _field(self, block: bytes, at: int) -> tuple[Header | None, int]:
        first = block[at]
        if first & _INDEXED:
            index, at = _integer(block, at, 7)
            return self._entry(index), at
        if not first & _ADDED and first & _RESIZED:
            limit, at = _integer(block, at, 5)
            if limit > _TABLE_SIZE:
                raise CompressionError("the table is too large")
            self._limit = limit
            self._evict()
            return None, at
        index, at = _integer(block, at, 6 if first & _ADDED else 4)
        if index:
            name = self._entry(index)[0]
        else:
            name, at = _string(block, at)
        value, at = _string(block, at)
        if first & _ADDED:
            self._table.appendleft((name, value))
            self._size += len(name) + len(value) + _OVERHEAD
            self._evict()
        return (name, value), at

    def _entry(self, index: int) -> Header:
        if not index:
            raise CompressionError("there is no header 0")
        if index <= len(_STATIC):
            return _STATIC[index - 1]
        return self._table[index - len(_STATIC) - 1]

    def _evict(self) -> None:
        while self._size > self._limit:
            name, value = self._table.pop()
            self._size -= len(name) + len(value) + _OVERHEAD


def encode(headers: list[Header]) -> bytes:
    """A header block that changes no table."""
    parts: list[bytes] = []
    for name, value in headers:
        parts += (b"\0", _prefixed(len(name)), name, _prefixed(len(value)), value)
    return b"".join(parts)


def _prefixed(number: int) -> bytes:
    if number < 0x7F:
        return bytes((number,))
    number -= 0x7F
    found = bytearray((0x7F,))
    while number >= 0x80:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def _integer(block: bytes, at: int, bits: int) -> tuple[int, int]:
    most = (1 << bits) - 1
    number = block[at] & most
    at += 1
    if number < most:
        return number, at
    shift = 0
    while True:
        byte = block[at]
        at += 1
        number += (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return number, at
        if shift > _MAX_INTEGER_BITS:
            raise CompressionError("an integer is too large")


def _string(block: bytes, at: int) -> tuple[bytes, int]:
    coded = block[at] & 0x80
    length, at = _integer(block, at, 7)
    end = at + length
    if end > len(block):
        raise CompressionError("a string ends too late")
    text = block[at:end]
    if not coded:
        return text, end
    return (_remembered if length <= _SHORT else _expanded)(text), end


@lru_cache(1_024)
def _remembered(text: bytes) -> bytes:
    return _expanded(text)


def _expanded(text: bytes) -> bytes:
    """A string from its Huffman code."""
    left = len(text) * 8
    # Ones at the end are what is filled up with, and the beginning of the code for the end.
    bits = (int.from_bytes(text, "big") << _WINDOW) | _END_OF_STRING
    found = bytearray()
    while True:
        window = (bits >> left) & _END_OF_STRING
        if left < 8 and window >> (_WINDOW - left) == (1 << left) - 1:
            return bytes(found)
        index = bisect_right(_STARTS, window) - 1
        left -= _LENGTHS[index]
        if left < 0 or window == _END_OF_STRING:
            raise CompressionError("a string is no Huffman code")
        found.append(_DECODED[index])
