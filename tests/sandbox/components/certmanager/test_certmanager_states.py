"""What issuers and requests come to, and what is stored. Source: cert-manager.md 3.1 to 3.7."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tutor.sandbox import pki
from tutor.sandbox.components.certmanager.conditions import Condition, with_condition
from tutor.sandbox.components.certmanager.csr import make_request
from tutor.sandbox.components.certmanager.issuer_state import Told, issuer_type, set_up
from tutor.sandbox.components.certmanager.request_state import (
    Step,
    issuer_missing,
    pending,
    sign_itself,
    sign_with_ca,
)
from tutor.sandbox.components.certmanager.signing import self_sign, template_of
from tutor.sandbox.kinds import Object
from tutor.sandbox.pki import PrivateKey

NOW = datetime(2026, 11, 23, 22, 50, 1, tzinfo=UTC)
_NAME = "self-signed-ca-for-kind-testing"
_CA: Object = {"ca": {"secretName": _NAME}}


def _request(key: PrivateKey, **spec: Any) -> Object:
    wanted = {"commonName": "a", **spec}
    csr = base64.b64encode(make_request(wanted, key).encode()).decode()
    asked = {"issuerRef": {"name": "i", "kind": "ClusterIssuer"}, "request": csr}
    if "isCA" in spec:
        asked["isCA"] = spec["isCA"]
    return {
        "kind": "CertificateRequest",
        "metadata": {
            "name": "r",
            "namespace": "ns",
            "annotations": {"cert-manager.io/private-key-secret-name": "next"},
        },
        "spec": asked,
    }


def _secret(name: str, **data: bytes) -> Object:
    encoded = {
        key.replace("_", "."): base64.b64encode(value).decode() for key, value in data.items()
    }
    return {"metadata": {"name": name, "namespace": "cert-manager"}, "data": encoded}


def _pair(*, is_ca: bool = True) -> tuple[bytes, bytes]:
    key = pki.new_key()
    made = self_sign(template_of(_request(key, isCA=is_ca)), key, NOW)
    return pki.certificate_pem(made).encode(), pki.key_pem(key, "PKCS1").encode()


def test_self_signed_issuer_is_ready_without_a_message() -> None:
    found = set_up("selfSigned", {"selfSigned": {}}, "", None)
    assert found.condition == Condition("Ready", "True", "IsReady")
    assert not found.events


_GET = "Error getting keypair for CA issuer: "


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (None, f'secret "{_NAME}" not found'),
        ({}, f"no data for \"tls.crt\" in secret 'cert-manager/{_NAME}'"),
        ({"tls_crt": b"junk"}, "error decoding certificate PEM block"),
        ({"tls_crt": _pair()[0]}, f"no data for \"tls.key\" in secret 'cert-manager/{_NAME}'"),
        ({"tls_crt": _pair()[0], "tls_key": b"junk"}, "error decoding private key PEM block"),
    ],
)
def test_ca_issuer_without_a_usable_secret_tries_again(data: Any, why: str) -> None:
    secret = None if data is None else _secret(_NAME, **data)
    found = set_up("ca", _CA, "cert-manager", secret)
    assert found.condition == Condition("Ready", "False", "ErrGetKeyPair", f"{_GET}{why}")
    assert list(found.events) == [
        Told("Warning", "ErrGetKeyPair", f"{_GET}{why}"),
        Told("Warning", "ErrInitIssuer", f"Error initializing issuer: {why}"),
    ]
    assert found.error == why


def test_ca_issuer_with_a_leaf_waits_for_a_change() -> None:
    certificate, key = _pair(is_ca=False)
    secret = _secret(_NAME, tls_crt=certificate, tls_key=key)
    found = set_up("ca", _CA, "cert-manager", secret)
    text = f"{_GET}certificate is not a CA"
    assert found.condition == Condition("Ready", "False", "ErrInvalidKeyPair", text)
    assert list(found.events) == [Told("Warning", "ErrInvalidKeyPair", text)]
    assert found.error is None


def test_ca_issuer_tells_every_time_that_its_ca_is_good() -> None:
    certificate, key = _pair()
    secret = _secret(_NAME, tls_crt=certificate, tls_key=key)
    found = set_up("ca", _CA, "cert-manager", secret)
    text = "Signing CA verified"
    assert found.condition == Condition("Ready", "True", "KeyPairVerified", text)
    assert list(found.events) == [Told("Normal", "KeyPairVerified", text)]


@pytest.mark.parametrize("kind", ["acme", "vault", "venafi"])
def test_issuer_that_is_not_simulated_says_so(kind: str) -> None:
    found = set_up(kind, {kind: {}}, "", None)
    assert (found.condition.status, found.condition.reason) == ("False", "NotSimulated")
    assert "selfSigned or ca" in found.condition.message
    assert found.error is None


def test_issuer_type_is_the_first_that_is_there() -> None:
    assert issuer_type({"selfSigned": {}, "ca": {}}) == "ca"
    assert issuer_type({}) is None


def test_missing_issuer_is_named_with_its_kind() -> None:
    request = _request(pki.new_key())
    text = (
        'Referenced "ClusterIssuer" not found: '
        'clusterissuer.cert-manager.io "my-ca-issuer" not found'
    )
    request["spec"]["issuerRef"]["name"] = "my-ca-issuer"
    assert issuer_missing(request).condition.message == text
    request["spec"]["issuerRef"].pop("kind")
    text = 'Referenced "Issuer" not found: issuer.cert-manager.io "my-ca-issuer" not found'
    assert issuer_missing(request).condition.message == text


def test_waiting_is_told_once() -> None:
    request = _request(pki.new_key())
    first = pending(request, "IssuerNotReady", "m")
    assert list(first.events) == [Told("Normal", "IssuerNotReady", "m")]
    condition = {"type": "Ready", "status": "False", "reason": "Pending", "message": "m"}
    again = pending(request | {"status": {"conditions": [condition]}}, "IssuerNotReady", "m")
    assert not again.events
    assert again.condition == first.condition


def _signed_by_ca(secret: Object | None) -> Step:
    place = ("cert-manager", _NAME)
    return sign_with_ca(_request(pki.new_key()), {"secretName": _NAME}, place, secret, NOW)


@pytest.mark.parametrize(
    ("secret", "reason", "message"),
    [
        (
            None,
            "Pending",
            f'Referenced secret cert-manager/{_NAME} not found: secret "{_NAME}" not found',
        ),
        (
            _secret(_NAME),
            "Pending",
            (
                f"Failed to parse signing CA keypair from secret cert-manager/{_NAME}: "
                f"no private key data for \"tls.key\" in secret 'cert-manager/{_NAME}'"
            ),
        ),
        (
            _secret(_NAME, tls_crt=_pair()[0], tls_key=_pair()[1]),
            "Failed",
            (
                "Error signing certificate: error creating x509 certificate: "
                "x509: provided PrivateKey doesn't match parent's PublicKey"
            ),
        ),
    ],
)
def test_ca_that_cannot_sign_says_why(secret: Object | None, reason: str, message: str) -> None:
    step = _signed_by_ca(secret)
    assert step.condition == Condition("Ready", "False", reason, message)
    assert step.has_failed == (reason == "Failed")


def test_ca_signs_with_its_root_above() -> None:
    certificate, key = _pair()
    step = _signed_by_ca(_secret(_NAME, tls_crt=certificate, tls_key=key, ca_crt=certificate))
    text = "Certificate fetched from issuer successfully"
    assert step.condition == Condition("Ready", "True", "Issued", text)
    assert list(step.events) == [Told("Normal", "CertificateIssued", text)]
    assert step.issued is not None
    assert step.issued.ca.encode() == certificate
    assert step.issued.chain.count("BEGIN CERTIFICATE") == 1


def test_self_signed_issuer_needs_the_key_of_the_request() -> None:
    key = pki.new_key()
    request = _request(key)
    missing = sign_itself(request, {}, None, NOW)
    assert missing.condition.message == (
        'Referenced secret ns/next not found: secret "next" not found'
    )
    other = _secret("next", tls_key=pki.key_pem(pki.new_key()).encode())
    wrong = sign_itself(request, {}, other, NOW)
    assert wrong.condition.message == (
        "Error generating certificate template: CSR not signed by referenced private key"
    )
    good = sign_itself(request, {}, _secret("next", tls_key=pki.key_pem(key).encode()), NOW)
    assert good.issued is not None
    assert good.issued.chain == good.issued.ca


def test_self_signed_certificate_without_a_subject_is_warned_of() -> None:
    key = pki.new_key()
    request = _request(key, commonName="", dnsNames=["a"])
    step = sign_itself(request, {}, _secret("next", tls_key=pki.key_pem(key).encode()), NOW)
    assert [told.reason for told in step.events] == ["BadConfig", "CertificateIssued"]
    assert step.issued is not None
    assert not pki.load_certificates(step.issued.chain)[0].issuer.rdns


def test_condition_keeps_its_place_and_moves_its_time_only_with_its_status() -> None:
    first = with_condition([], Condition("Issuing", "True", "a", "m"), NOW, 1)
    both = with_condition(first, Condition("Ready", "False", "b"), NOW, 1)
    later = NOW + timedelta(hours=1)
    same = with_condition(both, Condition("Issuing", "True", "c"), later, 2)
    assert [c["type"] for c in same] == ["Issuing", "Ready"]
    assert same[0] == {
        "type": "Issuing",
        "status": "True",
        "reason": "c",
        "lastTransitionTime": "2026-11-23T22:50:01Z",
        "observedGeneration": 2,
    }
    other = with_condition(same, Condition("Issuing", "False", "c"), later, 2)
    assert other[0]["lastTransitionTime"] == "2026-11-23T23:50:01Z"
