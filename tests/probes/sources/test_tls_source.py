from pathlib import Path
from typing import Any

import pytest

from tests.fakes.certs import Authority
from tests.fakes.servers import mutual_tls_server, plain_server, tls_server
from tests.fakes.world import Stage
from tutor.course.model import Grants
from tutor.probes.base import Absent, Blind, Reading, Seen, World
from tutor.probes.dial import Dialer
from tutor.probes.grants import limited
from tutor.probes.sources import tls

NAME = "impersonation-proxy-mtls.local"
OURS, THEIRS = Authority("my-ca"), Authority("their-ca")


@pytest.fixture
def world(stage: Stage, tmp_path: Path) -> World:
    """A world with a real dialer, which trusts their authority when none is named."""
    trusted = tmp_path / "trusted.pem"
    trusted.write_text(THEIRS.certificate, encoding="utf-8")
    stage.peers = Dialer(str(trusted))
    return stage.world


async def look(
    world: World, address: str, *, name: str = NAME, ca: str | None = OURS.certificate
) -> Reading:
    spec = tls.Spec.model_validate({"address": address, "name": name, "ca": ca})
    return await tls.read(spec, world, {} if ca is None else {"authority": ca})


def value(reading: Reading) -> dict[str, Any]:
    assert isinstance(reading, Seen), reading
    return reading.value


async def test_chain_that_the_authority_signed_is_verified(world: World, tmp_path: Path) -> None:
    served = OURS.issue("proxy", dns=[NAME])
    async with tls_server(tmp_path, served) as address:
        seen = value(await look(world, address))
    assert seen["verified"]
    assert seen["problem"] == ""
    assert seen["protocol"] == "TLSv1.3"
    assert [each["pem"] for each in seen["chain"]] == [served.certificate]
    assert seen["chain"][0]["issuer"] == "CN=my-ca"
    assert seen["clientAuthorities"] == []


async def test_chain_of_another_authority_is_seen_and_not_verified(
    world: World, tmp_path: Path
) -> None:
    async with tls_server(tmp_path, THEIRS.issue("proxy", dns=[NAME])) as address:
        seen = value(await look(world, address))
        by_default = value(await look(world, address, ca=None))
    assert seen["problem"] == "unable to get local issuer certificate"
    assert not seen["verified"]
    assert seen["chain"][0]["issuer"] == "CN=their-ca"
    assert by_default["verified"]


async def test_wrong_name_expired_and_client_certificates_are_not_verified(
    world: World, tmp_path: Path
) -> None:
    served = {
        "the certificate is for other.local, not for " + NAME: OURS.issue("x", dns=["other.local"]),
        "the certificate is for no name, not for " + NAME: OURS.issue("x"),
        "certificate has expired": OURS.issue("x", dns=[NAME], days=-1),
        "the certificate is for client auth, not for a server": OURS.issue(
            "x", dns=[NAME], client=True
        ),
    }
    for problem, issued in served.items():
        async with tls_server(tmp_path, issued) as address:
            assert value(await look(world, address))["problem"] == problem


async def test_wildcard_certificate_fits_one_label(world: World, tmp_path: Path) -> None:
    async with tls_server(tmp_path, OURS.issue("x", dns=["*.lab.test"])) as address:
        assert value(await look(world, address, name="a.lab.test"))["verified"]
        assert not value(await look(world, address, name="a.b.lab.test"))["verified"]
        assert not value(await look(world, address, name="lab.test"))["verified"]


async def test_authorities_of_client_certificates_are_named(world: World) -> None:
    clients = Authority("client-ca").certificate
    with mutual_tls_server(OURS.issue("x", dns=[NAME]), clients=clients) as address:
        seen = value(await look(world, address))
    assert seen["clientAuthorities"] == ["CN=client-ca"]


async def test_nobody_there_is_not_yet(world: World) -> None:
    assert await look(world, "127.0.0.1:1") == Absent(
        "no connection to 127.0.0.1:1: connection refused"
    )


async def test_server_without_tls_is_not_yet(world: World) -> None:
    async with plain_server(b"HTTP/1.1 400 Bad Request\r\n\r\n") as address:
        reading = await look(world, address)
    assert isinstance(reading, Absent)
    assert f"{address} refuses the handshake for {NAME}: " in reading.text


async def test_authority_that_is_no_certificate_is_not_yet(world: World, tmp_path: Path) -> None:
    async with tls_server(tmp_path, OURS.issue("x", dns=[NAME])) as address:
        reading = await look(world, address, ca="pasted by hand")
    assert isinstance(reading, Absent)
    assert "cannot be read: that is not a certificate in PEM form" in reading.text


async def test_address_comes_from_the_learners_shell(stage: Stage) -> None:
    spec = tls.Spec.model_validate({"address": "$TUTOR_INGRESS", "name": NAME})
    assert await tls.read(spec, stage.world, {}) == Blind(
        "$TUTOR_INGRESS is not set in the shell's environment"
    )
    stage.environment["TUTOR_INGRESS"] = "127.0.0.1:443"
    await tls.read(spec, stage.world, {})
    assert stage.peers.asked == [("127.0.0.1:443", NAME, None)]


async def test_address_without_a_grant_is_not_dialled(stage: Stage) -> None:
    stage.environment["WHERE"] = "10.0.0.1:443"
    world = limited(stage.world, Grants(hosts=("$INGRESS", "127.0.0.1")))
    spec = tls.Spec.model_validate({"address": "$WHERE", "name": NAME})
    assert await tls.read(spec, world, {}) == Blind(
        "the lesson has no grant to connect to 10.0.0.1:443 (`hosts`)"
    )
    assert stage.peers.asked == []
