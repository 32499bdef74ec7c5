"""The impersonation proxy's configuration: the CredentialIssuer and what becomes of it.

Source: pinniped.md 3.2 to 3.9, 7.3 (C).
"""

import base64
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509 import DNSName, IPAddress, SubjectAlternativeName

from tests.contract.concierge_lab import (
    DEPLOYMENTS,
    FOLDER,
    HOST,
    ISSUER,
    ISSUERS,
    NAMESPACE,
    SECRETS,
    SERVICES,
    TLS_SECRET,
    Lab,
    b64,
    eventually,
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
BALANCER = "pinniped-concierge-impersonation-proxy-load-balancer"
OWN_TLS = "pinniped-concierge-impersonation-proxy-tls-serving-certificate"
OWN_CA = "pinniped-concierge-impersonation-proxy-ca-certificate"
SIGNER = "pinniped-concierge-impersonation-proxy-signer-ca-certificate"
LOAD = "could not load the externally provided TLS secret for the impersonation proxy: "
RESOURCES = str(FOLDER / "concierge/manifests/install-pinniped-concierge-resources.yaml")
READY = ("Listening", "impersonation proxy is ready to accept client connections")
WAITS = ("Pending", "waiting for load balancer Service to be assigned IP or hostname")
AUTO = ("Disabled", "automatically determined that impersonation proxy should be disabled")
OFF = ("Disabled", "impersonation proxy was explicitly disabled by configuration")


@pytest.fixture
async def concierge(tmp_path: Path) -> AsyncGenerator[Lab]:
    async with lab(tmp_path) as found:
        await found.until_available()
        await until(lambda: found.proxy() == AUTO)
        await until(lambda: found.strategy("SIGNING").get("status") == "Success")
        yield found


def info(concierge: Lab) -> Object:
    return concierge.strategy("PROXY")["frontend"]["impersonationProxyInfo"]


def advertised(concierge: Lab) -> str:
    """The name of the CA in the status."""
    (ca,) = pki.load_certificates(base64.b64decode(info(concierge)["certificateAuthorityData"]))
    return ca.subject.rfc4514_string()


def names(certificate: x509.Certificate) -> list[str]:
    found = certificate.extensions.get_extension_for_class(SubjectAlternativeName).value
    addresses = [str(address) for address in found.get_values_for_type(IPAddress)]
    return [*found.get_values_for_type(DNSName), *addresses]


async def fails_with(concierge: Lab, text: str) -> None:
    await until(lambda: concierge.proxy() == ("ErrorDuringSetup", text))
    assert "frontend" not in concierge.strategy("PROXY")


async def test_post_ends_with_its_service_and_its_ca(concierge: Lab):
    await concierge.as_in_the_post()
    assert concierge.strategy("PROXY")["status"] == "Success"
    assert info(concierge) == {
        "endpoint": f"https://{HOST}",
        "certificateAuthorityData": b64(concierge.ca.pem),
    }
    service = concierge.client.get(SERVICES, NAMESPACE, CLUSTER_IP)
    aws = "service.beta.kubernetes.io/aws-load-balancer-connection-idle-timeout"
    assert service["metadata"]["annotations"] == {
        aws: "4000",
        "credentialissuer.pinniped.dev/annotation-keys": f'["{aws}"]',
    }
    assert service["spec"]["ports"] == [{"port": 443, "protocol": "TCP", "targetPort": 8444}]
    assert service["metadata"]["ownerReferences"][0]["name"] == "pinniped-concierge"
    assert concierge.find(SERVICES, BALANCER) is None
    assert concierge.find(SECRETS, OWN_TLS) is None
    assert concierge.find(SECRETS, OWN_CA) is None
    assert concierge.client.get(ISSUERS, "", ISSUER)["metadata"]["generation"] == 2


async def test_nothing_listens_while_it_is_disabled(concierge: Lab):
    assert concierge.find(SERVICES, CLUSTER_IP) is None
    assert "Connect call failed" in await concierge.handshake(concierge.proxy_context())


async def test_load_balancer_waits_for_ever_on_kind(concierge: Lab):
    await concierge.configure(mode="enabled")
    await until(lambda: concierge.proxy() == WAITS)
    assert concierge.find(SERVICES, BALANCER) is not None
    assert concierge.find(SECRETS, OWN_CA) is not None
    assert concierge.find(SECRETS, OWN_TLS) is None


async def test_load_balancer_with_an_ingress_is_advertised(concierge: Lab):
    await concierge.configure(mode="enabled")
    await until(lambda: concierge.proxy() == WAITS)
    status = {"status": {"loadBalancer": {"ingress": [{"ip": "10.0.0.9"}]}}}
    await concierge.client.patch(SERVICES, NAMESPACE, BALANCER, status, "status")
    await until(lambda: concierge.proxy() == READY)
    assert info(concierge)["endpoint"] == "https://10.0.0.9"
    assert names(await concierge.served()) == ["10.0.0.9"]


async def test_endpoint_makes_the_load_balancer_good_enough(concierge: Lab):
    await concierge.configure(mode="enabled", externalEndpoint="h:8443")
    await until(lambda: concierge.proxy() == READY)
    assert info(concierge)["endpoint"] == "https://h:8443"
    assert concierge.find(SERVICES, BALANCER) is not None
    assert concierge.find(SERVICES, CLUSTER_IP) is None
    assert advertised(concierge) == "CN=Pinniped Impersonation Proxy Serving CA"


async def test_cluster_ip_without_endpoint_is_pending_first_and_then_its_address(concierge: Lab):
    seen: list[str] = []
    release = concierge.client.subscribe(
        ISSUERS, lambda event: seen.append(reason(event.stored.object))
    )
    await concierge.configure(mode="enabled", service={"type": "ClusterIP"})
    await until(lambda: seen[-1:] == ["Listening"])
    release()
    assert seen[-2:] == ["Pending", "Listening"]
    address = concierge.client.get(SERVICES, NAMESPACE, CLUSTER_IP)["spec"]["clusterIP"]
    assert info(concierge)["endpoint"] == f"https://{address}"
    assert names(await concierge.served()) == [address]


def reason(issuer: Object) -> str:
    strategies = issuer["status"]["strategies"]
    return next(s["reason"] for s in strategies if s["type"] == "ImpersonationProxy")


async def test_service_of_no_type_needs_an_endpoint(concierge: Lab):
    await concierge.configure(mode="enabled", service={"type": "None"})
    await fails_with(
        concierge,
        "could not load CredentialIssuer spec.impersonationProxy: externalEndpoint must be set when"
        " service.type is None",
    )
    await concierge.configure(externalEndpoint="h")
    await until(lambda: concierge.proxy() == READY)
    assert concierge.find(SERVICES, BALANCER) is None
    assert concierge.find(SERVICES, CLUSTER_IP) is None


async def test_service_type_that_changes_leaves_one_service(concierge: Lab):
    await concierge.configure(mode="enabled", externalEndpoint="h")
    await until(lambda: concierge.proxy() == READY and concierge.find(SERVICES, BALANCER))
    await concierge.configure(service={"type": "ClusterIP"})
    await until(lambda: concierge.find(SERVICES, CLUSTER_IP))
    await until(lambda: not concierge.find(SERVICES, BALANCER))


async def test_service_that_is_deleted_comes_back(concierge: Lab):
    await concierge.as_in_the_post()
    old = concierge.client.get(SERVICES, NAMESPACE, CLUSTER_IP)["metadata"]["uid"]
    await concierge.client.delete(SERVICES, NAMESPACE, CLUSTER_IP)
    await until(lambda: (concierge.find(SERVICES, CLUSTER_IP) or {}).get("metadata", {}).get("uid"))
    await until(
        lambda: concierge.client.get(SERVICES, NAMESPACE, CLUSTER_IP)["metadata"]["uid"] != old
    )


async def test_endpoint_with_a_scheme_is_refused_and_makes_no_service(concierge: Lab):
    await concierge.configure(
        mode="enabled", externalEndpoint=f"https://{HOST}", service={"type": "ClusterIP"}
    )
    await fails_with(
        concierge,
        "could not load CredentialIssuer spec.impersonationProxy: invalid ExternalEndpoint"
        f' "https://{HOST}": invalid port "//{HOST}"',
    )
    assert concierge.find(SERVICES, CLUSTER_IP) is None


async def test_spec_is_looked_at_under_auto_too(concierge: Lab):
    await concierge.configure(externalEndpoint="H")
    await until(lambda: concierge.proxy()[0] == "ErrorDuringSetup")
    await concierge.configure(mode="disabled")
    await until(lambda: concierge.proxy() == OFF)


async def test_secret_that_is_absent_is_an_error_but_the_service_is_there(concierge: Lab):
    await concierge.configure(
        mode="enabled",
        externalEndpoint=HOST,
        service={"type": "ClusterIP"},
        tls={"secretName": "impersonation-proxy-tls-serving-certs"},
    )
    await fails_with(concierge, f'{LOAD}secret "impersonation-proxy-tls-serving-certs" not found')
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
    await fails_with(
        concierge,
        "must provide impersonationSpec.TLS.secretName if impersonationSpec.TLS is provided",
    )


async def test_secret_of_a_ca_is_refused(concierge: Lab):
    ca = Pair(concierge.ca.pem, pki.key_pem(concierge.ca.key))
    await enable(concierge, **contents(ca))
    await fails_with(
        concierge,
        f"{LOAD}could not parse TLS cert PEM data from Secret: impersonation-proxy-serving-cert:"
        " attempt to set x509 cert with unexpected IsCA=true",
    )


async def test_ca_that_is_not_base64_is_refused_but_the_certificate_is_served(concierge: Lab):
    await enable(concierge, concierge.ca.pem, **contents(new_serving(concierge.ca)))
    await fails_with(
        concierge,
        "could not decode impersonationSpec.TLS.certificateAuthorityData: illegal base64 data at"
        " input byte 0",
    )
    assert await concierge.handshake(concierge.proxy_context()) == ""


async def test_ca_of_the_secret_will_do(concierge: Lab):
    pair = contents(new_serving(concierge.ca), **{"ca.crt": concierge.ca.pem})
    await enable(concierge, **pair)
    await until(lambda: concierge.proxy() == READY)
    assert advertised(concierge) == "CN=my-selfsigned-ca"


async def test_wrong_ca_is_success_and_only_clients_notice(concierge: Lab):
    wrong = new_ca("wrong")
    await enable(concierge, b64(wrong.pem), **contents(new_serving(concierge.ca)))
    await until(lambda: concierge.proxy() == READY)
    assert advertised(concierge) == "CN=wrong"
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
    await until(lambda: advertised(concierge) == "CN=other")


async def test_secret_that_is_deleted_is_an_error_while_its_certificate_is_served(concierge: Lab):
    await concierge.as_in_the_post()
    old = await concierge.served()
    await concierge.client.delete(SECRETS, NAMESPACE, TLS_SECRET)
    await fails_with(concierge, f'{LOAD}secret "{TLS_SECRET}" not found')
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


async def test_own_certificates_come_back_without_the_tls_block(concierge: Lab):
    await concierge.as_in_the_post()
    await concierge.configure(tls=None)
    await until(lambda: concierge.find(SECRETS, OWN_TLS))
    await until(lambda: advertised(concierge) == "CN=Pinniped Impersonation Proxy Serving CA")
    ca = concierge.client.get(SECRETS, NAMESPACE, OWN_CA)
    bundle = base64.b64decode(ca["data"]["ca.crt"]).decode()
    assert await concierge.handshake(concierge.proxy_context(bundle)) == ""


async def test_own_certificate_is_made_again_when_it_no_longer_fits(concierge: Lab):
    await concierge.configure(mode="enabled", externalEndpoint="h")
    await until(lambda: concierge.proxy() == READY)
    old = concierge.client.get(SECRETS, NAMESPACE, OWN_TLS)
    assert (old["type"], sorted(old["data"])) == ("kubernetes.io/tls", ["tls.crt", "tls.key"])
    await concierge.configure(externalEndpoint="i")

    def replaced() -> bool:
        secret = concierge.find(SECRETS, OWN_TLS)
        return secret is not None and secret["data"] != old["data"]

    await until(replaced)
    await until(lambda: info(concierge)["endpoint"] == "https://i")
    assert names(await concierge.served()) == ["i"]


async def test_own_ca_that_is_corrupted_is_an_error(concierge: Lab):
    await concierge.configure(mode="enabled", externalEndpoint="h")
    await until(lambda: concierge.proxy() == READY)
    empty = {"data": {"ca.crt": "", "ca.key": ""}}
    await concierge.client.patch(SECRETS, NAMESPACE, OWN_CA, empty)
    await fails_with(
        concierge,
        "could not load CA: tls: failed to find any PEM data in certificate input",
    )


async def test_disabling_takes_down_what_runs_and_keeps_the_cas(concierge: Lab):
    await concierge.configure(mode="enabled", externalEndpoint="h")
    await until(lambda: concierge.proxy() == READY)
    ca = concierge.client.get(SECRETS, NAMESPACE, OWN_CA)["data"]
    await concierge.configure(mode="disabled")
    await until(lambda: concierge.proxy() == OFF)
    await until(lambda: not concierge.find(SERVICES, BALANCER))
    await until(lambda: not concierge.find(SECRETS, OWN_TLS))
    assert concierge.find(SECRETS, SIGNER) is not None
    assert "Connect call failed" in await concierge.handshake(concierge.proxy_context())
    await concierge.configure(mode="enabled")
    await until(lambda: concierge.proxy() == READY)
    assert concierge.client.get(SECRETS, NAMESPACE, OWN_CA)["data"] == ca


async def test_secret_by_the_name_of_its_own_is_deleted(concierge: Lab):
    await concierge.put_tls(new_serving(concierge.ca), OWN_TLS, **{"ca.crt": concierge.ca.pem})
    await concierge.configure(mode="enabled", externalEndpoint=HOST, tls={"secretName": OWN_TLS})
    await fails_with(concierge, f'{LOAD}secret "{OWN_TLS}" not found')
    assert concierge.find(SECRETS, OWN_TLS) is None


async def test_signer_that_is_corrupted_is_an_error(concierge: Lab):
    await concierge.as_in_the_post()
    leaf = new_serving(concierge.ca)
    values = {"caCertificate": leaf.certificate, "caCertificatePrivateKey": leaf.key}
    await concierge.put_secret(SIGNER, values, "Opaque")
    await fails_with(
        concierge,
        "could not set the impersonator's credential signing secret:"
        " impersonation-proxy-signing-cert: attempt to set x509 cert with unexpected IsCA=false",
    )


async def test_signer_that_is_deleted_is_made_again(concierge: Lab):
    await concierge.as_in_the_post()
    await concierge.client.delete(SECRETS, NAMESPACE, SIGNER)
    await until(lambda: concierge.find(SECRETS, SIGNER))
    await until(lambda: concierge.proxy() == READY)


async def test_issuer_that_is_deleted_is_only_logged(concierge: Lab):
    await concierge.client.delete(ISSUERS, "", ISSUER)
    await concierge.until_logged(
        "impersonator-config-controller: { } failed with: could not get CredentialIssuer to update:"
        f' credentialissuer.config.concierge.pinniped.dev "{ISSUER}" not found'
    )
    assert concierge.find(ISSUERS, ISSUER, "") is None


async def test_install_manifest_that_is_applied_again_disables_the_proxy(concierge: Lab):
    """Source: pinniped.md 9.1: a three-way merge restores what the manifest says."""
    await concierge.kubectl("apply", "--filename", RESOURCES)
    await concierge.as_in_the_post()
    await concierge.kubectl("apply", "--filename", RESOURCES)
    await until(lambda: concierge.proxy() == AUTO)
    proxy: Any = concierge.client.get(ISSUERS, "", ISSUER)["spec"]["impersonationProxy"]
    assert proxy["externalEndpoint"] == HOST
    assert proxy["tls"]["secretName"] == TLS_SECRET


async def test_log_level_that_is_unknown_ends_the_container(tmp_path: Path):
    def loud(obj: Object) -> None:
        if obj["kind"] == "ConfigMap":
            obj["data"]["pinniped.yaml"] += "\nlog: {level: loud}\n"

    async with lab(tmp_path, change=loud, pace=replace(INSTANT, restart=60.0)) as concierge:

        def crashing() -> bool:
            pods = concierge.concierge_pods()
            states = [p["status"]["containerStatuses"][0]["state"] for p in pods if "status" in p]
            reasons = [state.get("waiting", {}).get("reason") for state in states]
            return reasons == ["CrashLoopBackOff"] * 2

        await until(crashing)
        ran = await concierge.kubectl("get", "pods", "--namespace", NAMESPACE)
        assert ran.out.count("CrashLoopBackOff") == 2
        line = (await concierge.log())[0]
        assert line["message"] == "unrecoverable error encountered"
        assert line["error"] == (
            "could not load config: validate log level: invalid log level, valid choices are the"
            " empty string, info, debug, trace and all"
        )


async def test_level_info_tells_of_every_step(tmp_path: Path):
    def talkative(obj: Object) -> None:
        if obj["kind"] == "ConfigMap":
            obj["data"]["pinniped.yaml"] += "\nlog: {level: info}\n"

    async with lab(tmp_path, change=talkative) as concierge:
        await until(lambda: concierge.proxy() == AUTO)
        await concierge.as_in_the_post()
        messages = await concierge.messages()
        for message in (
            "starting impersonation proxy",
            "creating service for impersonation proxy",
            "configuring the impersonation proxy to use an externally provided TLS secret",
            "found externally provided TLS secret for the impersonation proxy",
            "loading TLS certificates for impersonation proxy",
            "loading credential signing certificate for impersonation proxy",
        ):
            assert message in messages
        assert concierge.find(DEPLOYMENTS, "pinniped-concierge-kube-cert-agent") is not None
