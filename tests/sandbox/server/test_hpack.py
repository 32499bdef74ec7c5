"""Header compression, by the examples of RFC 7541 (appendix C) and what breaks it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.sandbox.server.hpack import CompressionError, Decoder, TooLarge, encode

MOST = 65_536
FIRST = [
    (b":method", b"GET"),
    (b":scheme", b"http"),
    (b":path", b"/"),
    (b":authority", b"www.example.com"),
]


def test_plain_requests_of_the_standard_are_read() -> None:
    decoder = Decoder(MOST)
    first = bytes.fromhex("828684410f7777772e6578616d706c652e636f6d")
    assert decoder.decode(first) == FIRST
    second = decoder.decode(bytes.fromhex("828684be58086e6f2d6361636865"))
    assert second == [*FIRST, (b"cache-control", b"no-cache")]
    third = decoder.decode(
        bytes.fromhex("828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565")
    )
    assert third[-1] == (b"custom-key", b"custom-value")


def test_coded_requests_of_the_standard_are_read() -> None:
    decoder = Decoder(MOST)
    assert decoder.decode(bytes.fromhex("828684418cf1e3c2e5f23a6ba0ab90f4ff")) == FIRST
    second = decoder.decode(bytes.fromhex("828684be5886a8eb10649cbf"))
    assert second[-1] == (b"cache-control", b"no-cache")
    third = decoder.decode(bytes.fromhex("828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf"))
    assert third[-1] == (b"custom-key", b"custom-value")


@pytest.mark.parametrize(
    "block",
    [
        "80",
        "ff8080808080",
        "be",
        "82ff",
        "0003616263",
        "00810085",
        "3fe21f01",
        "8220",
        "0081ff0100",
    ],
)
def test_block_that_is_none_is_refused(block: str) -> None:
    with pytest.raises(CompressionError):
        Decoder(MOST).decode(bytes.fromhex(block))


def test_too_many_headers_leave_the_table_right() -> None:
    decoder = Decoder(100)
    with pytest.raises(TooLarge):
        decoder.decode(
            bytes.fromhex("400161") + b"\x7f\x00" + b"v" * 127 + bytes.fromhex("400162" + "0163")
        )
    assert decoder.decode(b"\xbe") == [(b"b", b"c")]


NAMES = st.binary(min_size=1, max_size=300)


@given(st.lists(st.tuples(NAMES, st.binary(max_size=70_000)), max_size=3))
def test_what_is_written_can_be_read(headers: list[tuple[bytes, bytes]]) -> None:
    assert Decoder(2**24).decode(encode(headers)) == headers


@given(st.binary(max_size=200))
def test_any_bytes_are_headers_or_an_error(block: bytes) -> None:
    decoder = Decoder(MOST)
    for _ in range(2):
        try:
            decoder.decode(block)
        except (CompressionError, TooLarge):
            continue
