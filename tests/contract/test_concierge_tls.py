"""TLS of the impersonation proxy.

Source: pinniped.md 4.1, 3.9, 4.9.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.contract.concierge_lab import (
    HOST,
    Lab,
    lab,
    new_ca,
)
from tests.fakes.waiting import DEADLINE_S, until

pytestmark = pytest.mark.contract


@pytest.fixture
async def concierge(tmp_path: Path) -> AsyncGenerator[Lab]:
    async with lab(tmp_path) as found:
        await found.until_available()
        await until(lambda: found.strategy("SIGNING").get("status") == "Success")
        await found.as_in_the_post()
        yield found


async def test_certificate_is_verified_by_its_ca_and_by_no_other(concierge: Lab):
    assert await concierge.handshake(concierge.proxy_context()) == ""
    other = await concierge.handshake(concierge.proxy_context(new_ca().pem))
    assert "CERTIFICATE_VERIFY_FAILED" in other
    wrong_name = await concierge.handshake(concierge.proxy_context(), "another.local")
    assert "Hostname mismatch" in wrong_name


async def s_client(concierge: Lab, *words: str) -> str:
    """What `openssl s_client` says about the proxy."""
    process = await asyncio.create_subprocess_exec(
        "openssl",
        "s_client",
        "-connect",
        f"127.0.0.1:{concierge.loopback()}",
        "-servername",
        HOST,
        *words,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    return out.decode()


async def test_openssl_sees_one_certificate_and_both_client_cas(concierge: Lab):
    text = await s_client(concierge)
    assert text.count("\n   i:") == 1
    names = text.partition("Acceptable client certificate CA names\n")[2].splitlines()[:2]
    assert [name.replace(" ", "") for name in names] == [
        "CN=PinnipedImpersonationProxySignerCA",
        "CN=kubernetes",
    ]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_both_modern_versions_are_spoken(concierge: Lab, version: ssl.TLSVersion):
    context = concierge.proxy_context()
    context.minimum_version = context.maximum_version = version
    assert await concierge.handshake(context) == ""


async def test_client_that_does_not_believe_is_logged(concierge: Lab):
    ca = concierge.home / "ca.pem"
    ca.write_text(new_ca().pem)
    await s_client(concierge, "-CAfile", str(ca), "-verify_return_error")
    texts = [m for m in await concierge.messages() if m.startswith("http: TLS handshake error")]
    assert [text.rpartition(": remote error: ")[2] for text in texts] == [
        "tls: unknown certificate authority"
    ]


async def test_client_that_speaks_plain_http_is_told(concierge: Lab):
    reader, writer = await asyncio.open_connection("127.0.0.1", concierge.loopback())
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    async with asyncio.timeout(DEADLINE_S):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert answer == (
        b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"
    )


async def test_static_and_generated_service_lead_to_the_same_port(concierge: Lab):
    generated = "pinniped-concierge-impersonation-proxy-cluster-ip"
    await until(lambda: concierge.loopback(generated) == concierge.loopback())
