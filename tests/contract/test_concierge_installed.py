"""What the Concierge does by itself after it was installed on kind.

Source: pinniped.md 1.4, 3.1, 3.10, 7.1 (S6).
"""

import base64
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.contract.concierge_lab import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    ISSUER,
    ISSUERS,
    NAMESPACE,
    PODS,
    SECRETS,
    SERVICES,
    Lab,
    lab,
)
from tests.fakes.waiting import until
from tutor.sandbox import pki
from tutor.sandbox.kinds import GroupResource, Object
from tutor.sandbox.server.aggregation import API_SERVICES, is_available

pytestmark = pytest.mark.contract
LEASES = GroupResource("coordination.k8s.io", "leases")
AGENT = "pinniped-concierge-kube-cert-agent"
SIGNER = "pinniped-concierge-impersonation-proxy-signer-ca-certificate"
API = "pinniped-concierge-api-tls-serving-certificate"


@pytest.fixture
async def concierge(tmp_path: Path) -> AsyncGenerator[Lab]:
    async with lab(tmp_path) as found:
        yield found


async def test_status_comes_to_its_two_strategies_in_order(concierge: Lab):
    await until(lambda: concierge.strategy("SIGNING").get("reason") == "FetchedKey")
    await until(lambda: concierge.proxy()[0] == "Disabled")
    status = concierge.client.get(ISSUERS, "", ISSUER)["status"]
    ca = base64.b64encode(concierge.cluster.keys.ca.pem.encode()).decode()
    info = {
        "certificateAuthorityData": ca,
        "server": "https://kind-with-contour-control-plane:6443",
    }
    signing, proxy = status["strategies"]
    assert status["kubeConfigInfo"] == info
    assert signing["frontend"] == {
        "tokenCredentialRequestInfo": info,
        "type": "TokenCredentialRequestAPI",
    }
    assert signing["message"] == "key was fetched successfully"
    assert proxy["message"] == (
        "automatically determined that impersonation proxy should be disabled"
    )
    assert "frontend" not in proxy


async def test_objects_of_its_own_belong_to_the_deployment(concierge: Lab):
    await until(lambda: concierge.find(SECRETS, API))
    await until(lambda: concierge.find(SECRETS, SIGNER))
    await until(lambda: concierge.find(DEPLOYMENTS, AGENT))
    await until(lambda: concierge.find(LEASES, "pinniped-concierge"))
    deployment = concierge.client.get(DEPLOYMENTS, NAMESPACE, "pinniped-concierge")
    owner = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": "pinniped-concierge",
        "uid": deployment["metadata"]["uid"],
    }
    for resource, name in (
        (SECRETS, API),
        (SECRETS, SIGNER),
        (DEPLOYMENTS, AGENT),
        (LEASES, "pinniped-concierge"),
    ):
        found = concierge.client.get(resource, NAMESPACE, name)
        assert found["metadata"]["ownerReferences"] == [owner]


async def test_deployment_that_goes_takes_them_along(concierge: Lab):
    await until(lambda: concierge.find(SECRETS, SIGNER))
    await until(lambda: concierge.find(DEPLOYMENTS, AGENT))
    await concierge.client.delete(DEPLOYMENTS, NAMESPACE, "pinniped-concierge")
    await until(lambda: not concierge.find(SECRETS, SIGNER))
    await until(lambda: not concierge.find(DEPLOYMENTS, AGENT))
    await until(lambda: not concierge.client.list(PODS, NAMESPACE))


async def test_secrets_hold_what_the_reference_says(concierge: Lab):
    await until(lambda: concierge.find(SECRETS, API))
    await until(lambda: concierge.find(SECRETS, SIGNER))
    serving, signer = (concierge.client.get(SECRETS, NAMESPACE, n) for n in (API, SIGNER))
    assert sorted(serving["data"]) == [
        "caCertificate",
        "caCertificatePrivateKey",
        "tlsCertificateChain",
        "tlsPrivateKey",
    ]
    assert sorted(signer["data"]) == ["caCertificate", "caCertificatePrivateKey"]
    assert signer["type"] == serving["type"] == "Opaque"
    assert signer["metadata"]["labels"] == {"app": "pinniped-concierge"}
    (ca,) = pki.load_certificates(base64.b64decode(signer["data"]["caCertificate"]))
    assert ca.subject.rfc4514_string() == "CN=Pinniped Impersonation Proxy Signer CA"
    assert isinstance(ca.public_key(), ec.EllipticCurvePublicKey)


async def test_serving_secret_that_is_deleted_comes_back_and_the_api_with_it(concierge: Lab):
    await concierge.trust_local_users()
    await until(lambda: concierge.find(SECRETS, API))
    old = concierge.client.get(SECRETS, NAMESPACE, API)["data"]["caCertificate"]
    await concierge.client.delete(SECRETS, NAMESPACE, API)

    def service() -> Object:
        name = "v1alpha1.login.concierge.pinniped.dev"
        return concierge.client.get(API_SERVICES, "", name)

    def told() -> bool:
        secret = concierge.find(SECRETS, API)
        new = secret and secret["data"]["caCertificate"]
        return bool(new) and new != old and service()["spec"]["caBundle"] == new

    await until(told)
    await until(lambda: concierge.strategy("SIGNING").get("status") == "Success")
    await until(lambda: is_available(service()))
    reply = await concierge.login()
    assert reply.status == 201


async def test_kubectl_shows_the_columns_of_the_definition(concierge: Lab):
    await until(lambda: concierge.strategy("SIGNING").get("reason") == "FetchedKey")
    ran = await concierge.kubectl("get", "credentialissuers")
    header, line = ran.out.splitlines()
    assert header.split() == ["NAME", "PROXYMODE", "DEFAULTSTRATEGY", "AGE"]
    assert line.split()[:3] == [ISSUER, "auto", "KubeClusterSigningCertificate"]


async def test_log_begins_with_what_runs(concierge: Lab):
    await until(lambda: concierge.strategy("SIGNING").get("reason") == "FetchedKey")
    first = (await concierge.log())[0]
    assert first["message"] == "Running concierge"
    assert first["version"] == "v0.25.0"
    messages = await concierge.messages()
    assert "creating new deployment" in messages
    assert "successfully loaded signing key from agent pod into cache" in messages


async def test_nothing_is_written_once_everything_is_as_it_should(concierge: Lab):
    await until(lambda: concierge.strategy("SIGNING").get("reason") == "FetchedKey")
    await until(lambda: concierge.proxy()[0] == "Disabled")

    def versions() -> dict[str, str]:
        resources = (SECRETS, SERVICES, DEPLOYMENTS, CONFIG_MAPS)
        found = {
            f"{resource} {obj['metadata']['name']}": obj["metadata"]["resourceVersion"]
            for resource in resources
            for obj in concierge.client.list(resource, NAMESPACE)
        }
        issuer = concierge.client.get(ISSUERS, "", ISSUER)
        return found | {"issuer": issuer["metadata"]["resourceVersion"]}

    def synced() -> int:
        return sum(line["message"].startswith("added new webhook") for line in lines)

    await concierge.trust_local_users()
    lines: list[Object] = await concierge.log()
    await until(lambda: versions() == versions())
    before, start = versions(), synced()
    while synced() < start + 3:
        lines = await concierge.log()
    assert versions() == before
