"""A serving certificate from elsewhere: loaded, refused, rotated.

Source: pinniped.md 3.5, 3.6, 3.8.
"""

from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.contract.concierge_clients import b64, eventually
from tests.contract.concierge_lab import (
    HOST,
    ISSUER,
    NAMESPACE,
    SECRETS,
    SERVICES,
    TLS_SECRET,
    Lab,
    lab,
    new_ca,
    new_serving,
)
from tests.fakes.waiting import until
from tutor.sandbox import pki
from tutor.sandbox.kinds import Object
from tutor.sandbox.pace import INSTANT
from tutor.sandbox.pki import Pair

pytestmark = pytest.mark.contract
CLUSTER_IP = "pinniped-concierge-impersonation-proxy-cluster-ip"
LOAD = "could not load the externally provided TLS secret for the impersonation proxy: "
READY = ("Listening", "impersonation proxy is ready to accept client connections")
AUTO = ("Disabled", "automatically determined that impersonation proxy should be disabled")


@pytest.fixture
async def concierge(tmp_path: Path) -> AsyncGenerator[Lab]:
    async with lab(tmp_path) as found:
        await found.until_available()
        await until(lambda: found.proxy() == AUTO)
        await until(lambda: found.strategy("SIGNING").get("status") == "Success")
        yield found


async def test_secret_that_is_absent_is_an_error_but_the_service_is_there(concierge: Lab):
    await concierge.configure(
        mode="enabled",
        externalEndpoint=HOST,
        service={"type": "ClusterIP"},
        tls={"secretName": "impersonation-proxy-tls-serving-certs"},
    )
    await concierge.until_failed(f'{LOAD}secret "impersonation-proxy-tls-serving-certs" not found')
    assert concierge.find(SERVICES, CLUSTER_IP) is not None
    context = concierge.proxy_context()
    assert "TLSV1_ALERT_INTERNAL_ERROR" in await concierge.handshake(context)
    await concierge.put_tls(new_serving(concierge.ca), "impersonation-proxy-tls-serving-certs")
    await concierge.configure(tls={"certificateAuthorityData": b64(concierge.ca.pem)})
    await until(lambda: concierge.proxy() == READY)
    assert await concierge.handshake(context) == ""


async def test_failed_sync_is_logged_with_its_text(concierge: Lab):
    await concierge.configure(mode="enabled", tls={"secretName": "x"})
    await concierge.until_logged(
        f'impersonator-config-controller: {{ }} failed with: {LOAD}secret "x" not found'
    )
    await concierge.until_logged(
        "key failed with : not loading an empty serving certificate from"
        ' "impersonation-proxy-serving-cert"'
    )


async def enable(concierge: Lab, bundle: str = "", **secret: str) -> None:
    await concierge.put_secret(TLS_SECRET, secret, "kubernetes.io/tls")
    tls: Object = {"secretName": TLS_SECRET}
    if bundle:
        tls["certificateAuthorityData"] = bundle
    await concierge.configure(
        mode="enabled", externalEndpoint=HOST, service={"type": "ClusterIP"}, tls=tls
    )


def contents(pair: Pair, **more: str) -> dict[str, str]:
    return {"tls.crt": pair.certificate, "tls.key": pair.key} | more


async def test_tls_without_a_name_is_refused(concierge: Lab):
    await concierge.configure(mode="enabled", externalEndpoint=HOST, tls={})
    await concierge.until_failed(
        "must provide impersonationSpec.TLS.secretName if impersonationSpec.TLS is provided",
    )


async def test_secret_of_a_ca_is_refused(concierge: Lab):
    ca = Pair(concierge.ca.pem, pki.key_pem(concierge.ca.key))
    await enable(concierge, **contents(ca))
    await concierge.until_failed(
        f"{LOAD}could not parse TLS cert PEM data from Secret: impersonation-proxy-serving-cert:"
        " attempt to set x509 cert with unexpected IsCA=true",
    )


async def test_ca_that_is_not_base64_is_refused_but_the_certificate_is_served(concierge: Lab):
    await enable(concierge, concierge.ca.pem, **contents(new_serving(concierge.ca)))
    await concierge.until_failed(
        "could not decode impersonationSpec.TLS.certificateAuthorityData: illegal base64 data at"
        " input byte 0",
    )
    assert await concierge.handshake(concierge.proxy_context()) == ""


async def test_ca_of_the_secret_will_do(concierge: Lab):
    pair = contents(new_serving(concierge.ca), **{"ca.crt": concierge.ca.pem})
    await enable(concierge, **pair)
    await until(lambda: concierge.proxy() == READY)
    assert concierge.advertised() == "CN=my-selfsigned-ca"


async def test_wrong_ca_is_success_and_only_clients_notice(concierge: Lab):
    wrong = new_ca("wrong")
    await enable(concierge, b64(wrong.pem), **contents(new_serving(concierge.ca)))
    await until(lambda: concierge.proxy() == READY)
    assert concierge.advertised() == "CN=wrong"
    refused = await concierge.handshake(concierge.proxy_context(wrong.pem))
    assert "CERTIFICATE_VERIFY_FAILED" in refused


async def test_no_ca_from_anywhere_leaves_the_old_status_while_the_proxy_serves(concierge: Lab):
    """Source: pinniped.md 3.6, a known defect."""
    await enable(concierge, **contents(new_serving(concierge.ca)))
    await concierge.until_logged(
        "impersonator-config-controller: { } failed with: failed to update CredentialIssuer status:"
        f' CredentialIssuer.config.concierge.pinniped.dev "{ISSUER}" is invalid:'
        " status.strategies[1].frontend.impersonationProxyInfo.certificateAuthorityData: Invalid"
        ' value: "": strategies[1].frontend.impersonationProxyInfo.certificateAuthorityData'
        " in body should be at least 1 chars long"
    )
    assert concierge.proxy() == AUTO
    assert await concierge.handshake(concierge.proxy_context()) == ""


async def test_rotation_needs_no_restart_and_leaves_the_status(concierge: Lab):
    await concierge.as_in_the_post()
    before, old = concierge.strategy("PROXY"), await concierge.served()
    renewed = new_serving(concierge.ca)
    await concierge.put_tls(renewed, **{"ca.crt": concierge.ca.pem})
    (wanted,) = pki.load_certificates(renewed.certificate)

    async def is_served() -> bool:
        return await concierge.served() == wanted

    assert old != wanted
    await eventually(is_served)
    assert concierge.strategy("PROXY") == before


async def test_ca_that_changes_in_the_secret_changes_the_status(concierge: Lab):
    pair = contents(new_serving(concierge.ca), **{"ca.crt": concierge.ca.pem})
    await enable(concierge, **pair)
    await until(lambda: concierge.proxy() == READY)
    other = new_ca("other")
    await concierge.put_tls(new_serving(other), **{"ca.crt": other.pem})
    await until(lambda: concierge.advertised() == "CN=other")


async def test_secret_that_is_deleted_is_an_error_while_its_certificate_is_served(concierge: Lab):
    await concierge.as_in_the_post()
    old = await concierge.served()
    await concierge.client.delete(SECRETS, NAMESPACE, TLS_SECRET)
    await concierge.until_failed(f'{LOAD}secret "{TLS_SECRET}" not found')
    assert await concierge.served() == old
    await concierge.restart()
    await concierge.until_handshake(concierge.proxy_context(), "TLSV1_ALERT_INTERNAL_ERROR")


async def test_opaque_secret_is_noticed_later(tmp_path: Path):
    pace = replace(INSTANT, opaque_resync=1.0)
    async with lab(tmp_path, pace=pace) as concierge:
        await until(lambda: concierge.proxy() == AUTO)
        await concierge.as_in_the_post()
        renewed = new_serving(concierge.ca)
        values = contents(renewed, **{"ca.crt": concierge.ca.pem})
        await concierge.client.delete(SECRETS, NAMESPACE, TLS_SECRET)
        await until(lambda: concierge.proxy()[0] == "ErrorDuringSetup")
        await concierge.put_secret(TLS_SECRET, values, "Opaque")
        await until(lambda: concierge.proxy() == READY)
        (wanted,) = pki.load_certificates(renewed.certificate)
        assert await concierge.served() == wanted
