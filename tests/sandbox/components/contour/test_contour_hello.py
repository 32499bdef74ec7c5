import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.sandbox.components.contour.hello import read


def hello(name: str | None, minimum: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2) -> bytes:
    """The first bytes of a real client."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = minimum
    outgoing = ssl.MemoryBIO()
    connection = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        connection.do_handshake()
    return outgoing.read()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_name_of_a_real_client_is_read(version: ssl.TLSVersion) -> None:
    found = read(hello("impersonation-proxy-mtls.local", version))
    assert found.complete
    assert found.is_tls
    assert found.server_name == "impersonation-proxy-mtls.local"


def test_client_that_names_nobody_has_no_name() -> None:
    found = read(hello(None))
    assert (found.complete, found.is_tls, found.server_name) == (True, True, "")


def test_hello_is_incomplete_until_its_last_byte() -> None:
    data = hello("a.local")
    assert not any(read(data[:length]).complete for length in range(len(data)))
    assert read(data).server_name == "a.local"


def test_hello_in_many_records_is_put_together() -> None:
    message = hello("a.local")[5:]
    parts = [message[at : at + 7] for at in range(0, len(message), 7)]
    data = b"".join(b"\x16\x03\x01" + len(part).to_bytes(2, "big") + part for part in parts)
    assert read(data).server_name == "a.local"


def test_name_in_capitals_is_the_same_name() -> None:
    data = hello("a.local").replace(b"a.local", b"A.LOCAL")
    assert read(data).server_name == "a.local"


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n\r\n", b"\x15\x03\x03\x00\x02\x02\x28"])
def test_what_is_no_hello_is_no_tls(data: bytes) -> None:
    found = read(data)
    assert found.complete
    assert not found.is_tls


@given(st.binary(max_size=400))
def test_any_bytes_are_read_without_a_fault(data: bytes) -> None:
    read(data)


@given(st.integers(5, 200), st.binary(min_size=1, max_size=40))
def test_damaged_hello_is_read_without_a_fault(at: int, junk: bytes) -> None:
    data = hello("a.local")
    found = read(data[:at] + junk + data[at + len(junk) :])
    assert found.server_name is not None
