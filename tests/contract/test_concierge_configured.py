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

from tests.contract.concierge_clients import b64
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
    lab,
    new_serving,
)
from tests.fakes.waiting import until
from tutor.sandbox.kinds import Object
from tutor.sandbox.pace import INSTANT

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


def names(certificate: x509.Certificate) -> list[str]:
    found = certificate.extensions.get_extension_for_class(SubjectAlternativeName).value
    addresses = [str(address) for address in found.get_values_for_type(IPAddress)]
    return [*found.get_values_for_type(DNSName), *addresses]


async def test_post_ends_with_its_service_and_its_ca(concierge: Lab):
    await concierge.as_in_the_post()
    assert concierge.strategy("PROXY")["status"] == "Success"
    assert concierge.info() == {
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
    assert concierge.info()["endpoint"] == "https://10.0.0.9"
    assert names(await concierge.served()) == ["10.0.0.9"]


async def test_endpoint_makes_the_load_balancer_good_enough(concierge: Lab):
    await concierge.configure(mode="enabled", externalEndpoint="h:8443")
    await until(lambda: concierge.proxy() == READY)
    assert concierge.info()["endpoint"] == "https://h:8443"
    assert concierge.find(SERVICES, BALANCER) is not None
    assert concierge.find(SERVICES, CLUSTER_IP) is None
    assert concierge.advertised() == "CN=Pinniped Impersonation Proxy Serving CA"


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
    assert concierge.info()["endpoint"] == f"https://{address}"
    assert names(await concierge.served()) == [address]


def reason(issuer: Object) -> str:
    strategies = issuer["status"]["strategies"]
    return next(s["reason"] for s in strategies if s["type"] == "ImpersonationProxy")


async def test_service_of_no_type_needs_an_endpoint(concierge: Lab):
    await concierge.configure(mode="enabled", service={"type": "None"})
    await concierge.until_failed(
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
    await concierge.until_failed(
        "could not load CredentialIssuer spec.impersonationProxy: invalid ExternalEndpoint"
        f' "https://{HOST}": invalid port "//{HOST}"',
    )
    assert concierge.find(SERVICES, CLUSTER_IP) is None


async def test_spec_is_looked_at_under_auto_too(concierge: Lab):
    await concierge.configure(externalEndpoint="H")
    await until(lambda: concierge.proxy()[0] == "ErrorDuringSetup")
    await concierge.configure(mode="disabled")
    await until(lambda: concierge.proxy() == OFF)


async def test_own_certificates_come_back_without_the_tls_block(concierge: Lab):
    await concierge.as_in_the_post()
    await concierge.configure(tls=None)
    await until(lambda: concierge.find(SECRETS, OWN_TLS))
    await until(lambda: concierge.advertised() == "CN=Pinniped Impersonation Proxy Serving CA")
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
    await until(lambda: concierge.info()["endpoint"] == "https://i")
    assert names(await concierge.served()) == ["i"]


async def test_own_ca_that_is_corrupted_is_an_error(concierge: Lab):
    await concierge.configure(mode="enabled", externalEndpoint="h")
    await until(lambda: concierge.proxy() == READY)
    empty = {"data": {"ca.crt": "", "ca.key": ""}}
    await concierge.client.patch(SECRETS, NAMESPACE, OWN_CA, empty)
    await concierge.until_failed(
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
    await concierge.until_failed(f'{LOAD}secret "{OWN_TLS}" not found')
    assert concierge.find(SECRETS, OWN_TLS) is None


async def test_signer_that_is_corrupted_is_an_error(concierge: Lab):
    await concierge.as_in_the_post()
    leaf = new_serving(concierge.ca)
    values = {"caCertificate": leaf.certificate, "caCertificatePrivateKey": leaf.key}
    await concierge.put_secret(SIGNER, values, "Opaque")
    await concierge.until_failed(
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
            statuses = [p["status"].get("containerStatuses", ()) for p in pods]
            states = [each[0]["state"] for each in statuses if each]
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
