"""Certificate signing requests. Source: Kubernetes reference, "Certificates and CSRs"."""

import base64
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from tests.fakes.cluster import Api, now, obj
from tutor.sandbox import pki
from tutor.sandbox.component import ClusterFacts
from tutor.sandbox.controllers.signing import CertificateRequests, lifetime_of
from tutor.sandbox.kinds import Object
from tutor.sandbox.pace import INSTANT

PATH = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
CLIENT = "kubernetes.io/kube-apiserver-client"
KUBELET = "kubernetes.io/kube-apiserver-client-kubelet"
KUBELET_USAGES = ("digital signature", "key encipherment", "client auth")


def controller(api: Api) -> CertificateRequests:
    authority = api.parts.keys.ca
    facts = ClusterFacts(
        name="n", node="", pace=INSTANT, authority=authority, ca_bundle=authority.pem, now=now
    )
    return CertificateRequests(api.client, facts)


def request(
    signer: str = CLIENT,
    usages: tuple[str, ...] = ("client auth",),
    *,
    name: str = "jane",
    group: str = "devs",
    hosts: tuple[str, ...] = (),
    **spec: Any,
) -> Object:
    key = pki.new_key()
    builder = x509.CertificateSigningRequestBuilder().subject_name(pki.subject_of(name, [group]))
    if hosts:
        builder = builder.add_extension(pki.alternative_names(hosts), critical=False)
    asked = builder.sign(key, pki.signing_hash(key))
    pem = asked.public_bytes(serialization.Encoding.PEM)
    whole: Object = {
        "request": base64.b64encode(pem).decode(),
        "signerName": signer,
        "usages": list(usages),
    }
    version = "certificates.k8s.io/v1"
    return obj("CertificateSigningRequest", "r", version=version, spec=whole | spec)


async def approved(api: Api) -> Object:
    """Approve the request and let the controller look at it; its status."""
    found = (await api.get(f"{PATH}/r")).body
    condition = {"type": "Approved", "status": "True", "reason": "Test", "message": "good"}
    found["status"] = {"conditions": [condition]}
    assert (await api.ask("PUT", f"{PATH}/r/approval", found)).status == 200
    return await looked_at(api)


async def looked_at(api: Api) -> Object:
    await controller(api).reconcile("r")
    return (await api.get(f"{PATH}/r")).body["status"]


def conditions(status: Object) -> dict[str, str]:
    return {c["type"]: c["message"] for c in status.get("conditions", ())}


async def test_approved_request_is_signed_by_the_cluster(api: Api) -> None:
    await api.make(PATH, request(expirationSeconds=3600))
    assert "certificate" not in await looked_at(api)
    status = await approved(api)
    (certificate,) = pki.load_certificates(base64.b64decode(status["certificate"]))
    assert pki.is_issued_by(certificate, api.parts.keys.ca.certificate)
    assert pki.identity_of(certificate) == ("jane", ("devs",))
    whole = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert whole == timedelta(minutes=65)
    before = api.store.revision
    await looked_at(api)
    assert api.store.revision == before


@pytest.mark.parametrize(
    ("usages", "why"),
    [
        (("server auth",), "invalid usage for client certificate: server auth"),
        (
            ("digital signature",),
            "missing required usage for client certificate: client auth",
        ),
    ],
)
async def test_request_for_the_wrong_purpose_fails(
    api: Api, usages: tuple[str, ...], why: str
) -> None:
    await api.make(PATH, request(usages=usages))
    status = await approved(api)
    assert conditions(status)["Failed"] == why
    assert "certificate" not in status


async def test_request_for_another_signer_is_left_alone(api: Api) -> None:
    await api.make(PATH, request("example.org/signer"))
    status = await approved(api)
    assert list(conditions(status)) == ["Approved"]


async def test_kubelet_that_may_gets_its_certificate_unasked(api: Api) -> None:
    rule = {
        "apiGroups": ["certificates.k8s.io"],
        "resources": ["certificatesigningrequests/nodeclient"],
        "verbs": ["create"],
    }
    rbac = "rbac.authorization.k8s.io/v1"
    await api.make(
        f"/apis/{rbac}/clusterroles", obj("ClusterRole", "x", version=rbac, rules=[rule])
    )
    binding = obj("ClusterRoleBinding", "x", version=rbac)
    binding |= {
        "roleRef": {"apiGroup": rbac.partition("/")[0], "kind": "ClusterRole", "name": "x"},
        "subjects": [{"apiGroup": rbac.partition("/")[0], "kind": "Group", "name": "boot"}],
    }
    await api.make(f"/apis/{rbac}/clusterrolebindings", binding)
    asked = request(KUBELET, KUBELET_USAGES, name="system:node:n", group="system:nodes")
    user = ("someone", "boot", "system:masters")
    await api.make(PATH, asked, user=user)
    told = conditions(await looked_at(api))
    assert told == {
        "Approved": "Auto approving kubelet client certificate after SubjectAccessReview."
    }
    assert "certificate" in await looked_at(api)


@pytest.mark.parametrize(
    ("signer", "change", "why"),
    [
        (KUBELET, {"group": "devs"}, "subject organization is not system:nodes"),
        (KUBELET, {"hosts": ("n.example.org",)}, "DNS subjectAltNames are not allowed"),
        (KUBELET, {"name": "n"}, "subject common name does not begin with system:node:"),
        ("kubernetes.io/kubelet-serving", {}, "DNS or IP subjectAltName is required"),
        (
            "kubernetes.io/kubelet-serving",
            {"hosts": ("n.example.org",)},
            "usages did not match [digital signature key encipherment server auth]",
        ),
    ],
)
async def test_kubelet_certificates_have_their_rules(
    api: Api, signer: str, change: dict[str, Any], why: str
) -> None:
    given: dict[str, Any] = {"name": "system:node:n", "group": "system:nodes"} | change
    await api.make(PATH, request(signer, KUBELET_USAGES, **given))
    assert conditions(await approved(api))["Failed"] == why


def test_lifetime_is_as_asked_within_bounds() -> None:
    assert lifetime_of(None) == lifetime_of(10**9) == timedelta(days=365)
    assert lifetime_of(1) == timedelta(minutes=10)
    assert lifetime_of(3600) == timedelta(hours=1)
