"""The validating half of the webhook. Source: cert-manager.md 2.6."""

import base64
from typing import Any

import pytest

from tutor.sandbox import pki
from tutor.sandbox.components.certmanager.csr import make_request
from tutor.sandbox.components.certmanager.review import validate
from tutor.sandbox.components.certmanager.shape import recode
from tutor.sandbox.components.certmanager.structs import STRUCTS
from tutor.sandbox.kinds import Object

_GOOD: Object = {
    "secretName": "s",
    "issuerRef": {"name": "i", "kind": "ClusterIssuer"},
    "dnsNames": ["a.local"],
}
_SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    r"for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_NO_NAME = (
    'spec: Invalid value: "": at least one of commonName, dnsNames, uris ipAddresses, or '
    "emailAddresses must be set"
)
_LITERAL = (
    "spec.literalSubject: Forbidden: Feature gate LiteralCertificateSubject must be enabled on "
    "both webhook and controller to use the alpha `literalSubject` field"
)


class Signers:
    """Issuers that exist, and signers that may be approved for."""

    def __init__(self, *allowed: str) -> None:
        self._allowed = allowed

    def resource_of(self, group: str, kind: str) -> tuple[str, bool] | None:
        known = {"Issuer": ("issuers", True), "ClusterIssuer": ("clusterissuers", False)}
        return known.get(kind) if group == "cert-manager.io" else None

    def may_approve(self, requester: Object, signer: str) -> bool:
        del requester
        return signer in self._allowed


def _review(kind: str, new: Object, old: Object | None = None, subresource: str = "") -> Object:
    return {
        "uid": "u",
        "kind": {"group": "cert-manager.io", "version": "v1", "kind": kind},
        "resource": {
            "group": "cert-manager.io",
            "version": "v1",
            "resource": f"{kind.lower()}s",
        },
        "subResource": subresource,
        "operation": "UPDATE" if old else "CREATE",
        "userInfo": {"username": "ada", "groups": ["g"]},
        "object": new,
        "oldObject": old,
    }


def _object(kind: str, spec: Any, **more: Any) -> Object:
    whole = {"kind": kind, "metadata": {"name": "x", "namespace": "ns"}, "spec": spec, **more}
    return recode(whole, STRUCTS[kind])


def _refusal(kind: str, spec: Any) -> str | None:
    answer = validate(_review(kind, _object(kind, spec)), Signers())
    if answer["allowed"]:
        return None
    assert (answer["status"]["code"], answer["status"]["reason"]) == (406, "NotAcceptable")
    return answer["status"]["message"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({}, None),
        ({"isCA": True}, None),
        ({"dnsNames": ["not a host"]}, None),
        ({"secretName": ""}, "spec.secretName: Required value: must be specified"),
        (
            {"secretName": "My_Secret"},
            f'spec.secretName: Invalid value: "My_Secret": {_SUBDOMAIN}',
        ),
        ({"issuerRef": {}}, "spec.issuerRef.name: Required value: must be specified"),
        (
            {"issuerRef": {"name": "i", "kind": "clusterissuer"}},
            (
                'spec.issuerRef.kind: Invalid value: "clusterissuer": '
                "must be one of Issuer or ClusterIssuer"
            ),
        ),
        ({"issuerRef": {"name": "i", "kind": "x", "group": "certmanager.io"}}, None),
        ({"dnsNames": []}, _NO_NAME),
        ({"literalSubject": "CN=x"}, _LITERAL),
        (
            {"commonName": "c" * 65},
            "spec.commonName: Too long: must have at most 64 bytes",
        ),
        (
            {"ipAddresses": ["1.2.3"]},
            'spec.ipAddresses[0]: Invalid value: "1.2.3": invalid IP address',
        ),
        (
            {"emailAddresses": ["a@b.c", "x"]},
            (
                'spec.emailAddresses[1]: Invalid value: "x": '
                "invalid email address: mail: missing '@' or angle-addr"
            ),
        ),
        (
            {"emailAddresses": ["A <a@b.c>"]},
            (
                'spec.emailAddresses[0]: Invalid value: "A <a@b.c>": invalid email address: '
                "make sure the supplied value only contains the email address itself"
            ),
        ),
        (
            {"privateKey": {"size": 1024}},
            (
                "spec.privateKey.size: Invalid value: 1024: "
                "must be between 2048 & 8192 for rsa keyAlgorithm"
            ),
        ),
        (
            {"privateKey": {"algorithm": "ECDSA", "size": 2048}},
            'spec.privateKey.size: Unsupported value: 2048: supported values: "256", "384", "521"',
        ),
        ({"privateKey": {"algorithm": "Ed25519", "size": 7}}, None),
        (
            {"duration": "30m"},
            "spec.duration: Invalid value: 30m0s: certificate duration must be greater than 1h0m0s",
        ),
        (
            {"renewBefore": "1m"},
            (
                "spec.renewBefore: Invalid value: 1m0s: "
                "certificate renewBefore must be greater than 5m0s"
            ),
        ),
        (
            {"duration": "240h", "renewBefore": "360h"},
            (
                "spec.renewBefore: Invalid value: 360h0m0s: certificate duration 240h0m0s must be "
                "greater than renewBefore 360h0m0s"
            ),
        ),
        (
            {"renewBefore": "2160h"},
            (
                "spec.renewBefore: Invalid value: 2160h0m0s: certificate duration 2160h0m0s must "
                "be greater than renewBefore 2160h0m0s"
            ),
        ),
        (
            {"usages": ["serverAuth"]},
            'spec.usages[0]: Invalid value: "serverAuth": unknown keyusage',
        ),
        (
            {"revisionHistoryLimit": 0},
            "spec.revisionHistoryLimit: Invalid value: 0: must not be less than 1",
        ),
        (
            {"secretTemplate": {"annotations": {"cert-manager.io/x": "y"}}},
            (
                'spec.secretTemplate.annotations: Invalid value: "cert-manager.io/x": '
                "cert-manager.io/* annotations are not allowed"
            ),
        ),
        (
            {"additionalOutputFormats": [{"type": "DER"}]},
            (
                "spec.additionalOutputFormats: Forbidden: "
                "feature gate AdditionalCertificateOutputFormats must be enabled"
            ),
        ),
    ],
)
def test_certificate_is_judged(change: Object, message: str | None) -> None:
    assert _refusal("Certificate", {**_GOOD, **change}) == message


def test_empty_certificate_gets_every_complaint_in_order() -> None:
    assert _refusal("Certificate", {}) == (
        "[spec.secretName: Required value: must be specified, "
        f"spec.issuerRef.name: Required value: must be specified, {_NO_NAME}]"
    )


_NONE = "spec: Required value: at least one issuer must be configured"


@pytest.mark.parametrize("kind", ["Issuer", "ClusterIssuer"])
@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"selfSigned": {}}, None),
        ({"ca": {"secretName": "s"}}, None),
        ({}, _NONE),
        ({"selfSigned": None}, _NONE),
        (
            {"selfSigned": {}, "ca": {"secretName": "s"}},
            "spec.selfSigned: Forbidden: may not specify more than one issuer type",
        ),
        ({"ca": {}}, "spec.ca.secretName: Required value"),
        (
            {"ca": {"secretName": "s", "ocspServers": [""]}},
            (
                'spec.ca.ocspServer[0]: Invalid value: "": '
                "must be a valid URL, e.g., http://ocsp.int-x3.letsencrypt.org"
            ),
        ),
        (
            {"acme": {"server": "", "privateKeySecretRef": {"name": "k"}}},
            "spec.acme.server: Required value: acme server URL is a required field",
        ),
        (
            {"vault": {"server": "s", "path": "p"}},
            (
                "spec.vault.auth: Required value: "
                "please supply one of: appRole, kubernetes, tokenSecretRef"
            ),
        ),
        (
            {"venafi": {"zone": "z"}},
            "spec.venafi: Required value: please supply one of: tpp, cloud",
        ),
    ],
)
def test_issuer_is_judged(kind: str, spec: Any, message: str | None) -> None:
    assert _refusal(kind, spec) == message


def _csr(**spec: Any) -> str:
    pem = make_request({"dnsNames": ["a.local"], **spec}, pki.new_key())
    return base64.b64encode(pem.encode()).decode()


def _request(**change: Any) -> Object:
    spec = {
        "issuerRef": {"name": "i", "group": "cert-manager.io"},
        "request": _csr(),
        "username": "ada",
        "groups": ["g"],
    }
    return _object("CertificateRequest", {**spec, **change})


def _complaint(answer: Object) -> str | None:
    return None if answer["allowed"] else answer["status"]["message"]


def test_request_with_other_usages_than_its_csr_is_refused() -> None:
    new = _request(request=_csr(usages=["client auth"]), usages=["server auth"])
    complaint = _complaint(validate(_review("CertificateRequest", new), Signers()))
    assert complaint is not None
    assert complaint.startswith("spec.request: Invalid value: []byte{0x2d, 0x2d,")
    assert complaint.endswith(
        "csr key usages do not match specified usages, these should match if both are set: "
        '[[0]: "client auth" != "server auth"]'
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({}, None),
        ({"usages": ["server auth"], "request": _csr(usages=["server auth"])}, None),
        ({"request": ""}, "spec.request: Required value: must be specified"),
        (
            {"username": "root"},
            "spec.username: Forbidden: username identity must be that of the requester",
        ),
    ],
)
def test_new_request_is_judged(change: Object, message: str | None) -> None:
    answer = validate(_review("CertificateRequest", _request(**change)), Signers())
    assert _complaint(answer) == message


def test_request_cannot_change_after_creation() -> None:
    old, new = _request(), _request()
    new["spec"] |= {"isCA": True}
    old["metadata"]["annotations"] = {"cert-manager.io/certificate-name": "a"}
    new["metadata"]["annotations"] = {"cert-manager.io/certificate-name": "b"}
    new["spec"]["request"] = old["spec"]["request"]
    answer = validate(_review("CertificateRequest", new, old), Signers())
    assert _complaint(answer) == (
        "[metadata.annotations.cert-manager.io/certificate-name: Forbidden: "
        "cannot change cert-manager annotation after creation, "
        "spec: Forbidden: cannot change spec after creation]"
    )


_APPROVED = {"type": "Approved", "status": "True", "reason": "r", "message": "m"}


@pytest.mark.parametrize(
    ("reference", "signers", "message"),
    [
        ({"name": "i"}, Signers("issuers.cert-manager.io/*"), None),
        ({"name": "i"}, Signers("issuers.cert-manager.io/ns.i"), None),
        (
            {"name": "i", "kind": "ClusterIssuer"},
            Signers("clusterissuers.cert-manager.io/i"),
            None,
        ),
        (
            {"name": "i", "kind": "ClusterIssuer", "group": "cert-manager.io"},
            Signers("issuers.cert-manager.io/*"),
            (
                'status.conditions: Forbidden: user "ada" does not have permissions to set '
                "approved/denied conditions for issuer {i ClusterIssuer cert-manager.io}"
            ),
        ),
        (
            {"name": "my-ca", "kind": "ClusterIssuer", "group": "certmanager.io"},
            Signers(),
            (
                "spec.issuerRef: Forbidden: referenced signer resource does not exist: "
                "{my-ca ClusterIssuer certmanager.io}"
            ),
        ),
    ],
)
def test_approval_takes_rights_on_the_signer(
    reference: Object, signers: Signers, message: str | None
) -> None:
    old = _request(issuerRef=reference)
    new = {**old, "status": {"conditions": [_APPROVED]}}
    answer = validate(_review("CertificateRequest", new, old, "status"), signers)
    assert _complaint(answer) == message


def test_approval_cannot_be_taken_back() -> None:
    old = {**_request(), "status": {"conditions": [_APPROVED]}}
    new = {**old, "status": {"conditions": [{**_APPROVED, "status": "False"}]}}
    answer = validate(_review("CertificateRequest", new, old, "status"), Signers())
    assert _complaint(answer) == (
        "[status.conditions: Forbidden: 'Approved' condition may not be modified once set, "
        'status.conditions.Approved: Invalid value: "False": '
        '"Approved" condition may only be set to True]'
    )


def test_complaint_that_is_found_twice_is_told_once() -> None:
    old, new = _request(), _request()
    new["spec"] = old["spec"]
    old["metadata"]["annotations"] = {"cert-manager.io/x": "1"}
    new["metadata"]["annotations"] = {"cert-manager.io/x": "2"}
    complaint = _complaint(validate(_review("CertificateRequest", new, old), Signers()))
    assert complaint is not None
    assert complaint.count("cert-manager.io/x") == 1
