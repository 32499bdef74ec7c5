"""When a certificate is issued, ready, or mended. Source: cert-manager.md 3.5, 3.6, 3.9, 3.10."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest

from tutor.sandbox import pki
from tutor.sandbox.api.deletion import timestamp
from tutor.sandbox.components.certmanager.backoff import delay_after_failure
from tutor.sandbox.components.certmanager.csr import make_request
from tutor.sandbox.components.certmanager.policies import (
    POST_ISSUANCE,
    READINESS,
    TRIGGER,
    Gathered,
    Verdict,
    first_verdict,
)
from tutor.sandbox.components.certmanager.signing import self_sign, template_of
from tutor.sandbox.components.certmanager.target import Issued, target_secret
from tutor.sandbox.kinds import Object, thaw
from tutor.sandbox.pki import PrivateKey

NOW = datetime(2026, 11, 23, 22, 50, 1, tzinfo=UTC)
_SPEC: Object = {
    "secretName": "s",
    "dnsNames": ["a.local"],
    "commonName": "a",
    "issuerRef": {"name": "i", "kind": "ClusterIssuer", "group": "cert-manager.io"},
    "privateKey": {"algorithm": "ECDSA"},
}


@cache
def _key(name: str = "") -> PrivateKey:
    del name
    return pki.new_key()


def _certificate(**change: Any) -> Object:
    return {
        "kind": "Certificate",
        "metadata": {"name": "c", "namespace": "ns", "uid": "u"},
        "spec": {**_SPEC, **change},
    }


def _request(**change: Any) -> Object:
    spec = {**_SPEC, **change}
    copied = {n: spec[n] for n in ("isCA", "usages", "duration", "issuerRef") if n in spec}
    csr = base64.b64encode(make_request(spec, _key()).encode()).decode()
    return {"metadata": {}, "spec": {**copied, "request": csr}}


def _secret(certificate: Object | None = None) -> Object:
    signed = self_sign(template_of(_request()), _key(), NOW)
    pem = pki.certificate_pem(signed).encode()
    issued = Issued(key=pki.key_pem(_key()).encode(), certificate=pem, ca=pem)
    return target_secret(None, certificate or _certificate(), issued)


def _with_data(**change: bytes | None) -> Object:
    secret = thaw(_secret())
    for key, value in change.items():
        name = key.replace("_", ".")
        if value is None:
            del secret["data"][name]
        else:
            secret["data"][name] = base64.b64encode(value).decode()
    return secret


def _gathered(certificate: Object | None = None, **more: Any) -> Gathered:
    found = {"secret": _secret(), "current": _request(), **more}
    return Gathered(certificate=certificate or _certificate(), **found)


_PAIR = "Issuing certificate as Secret contains an invalid key-pair: "
_LACKS = "Issuing certificate as Secret does not contain "


def test_certificate_that_fits_is_left_alone() -> None:
    assert first_verdict(TRIGGER, _gathered(), NOW) is None
    assert first_verdict(READINESS, _gathered(), NOW) is None
    assert first_verdict(POST_ISSUANCE, _gathered(), NOW) is None


@pytest.mark.parametrize(
    ("secret", "expected"),
    [
        (None, Verdict("DoesNotExist", "Issuing certificate as Secret does not exist")),
        ({"metadata": {}}, Verdict("MissingData", f"{_LACKS}any data")),
        (_with_data(tls_key=b""), Verdict("MissingData", f"{_LACKS}a private key")),
        (_with_data(tls_crt=None), Verdict("MissingData", f"{_LACKS}a certificate")),
        (
            _with_data(tls_crt=b"junk"),
            Verdict(
                "InvalidKeyPair", f"{_PAIR}tls: failed to find any PEM data in certificate input"
            ),
        ),
        (
            _with_data(tls_key=pki.key_pem(_key("other")).encode()),
            Verdict("InvalidKeyPair", f"{_PAIR}tls: private key does not match public key"),
        ),
        (
            _with_data(tls_key=b"junk"),
            Verdict("InvalidKeyPair", f"{_PAIR}tls: failed to find any PEM data in key input"),
        ),
    ],
)
def test_damaged_secret_is_issued_again_and_not_ready(
    secret: Object | None, expected: Verdict
) -> None:
    given = _gathered(secret=secret)
    assert first_verdict(TRIGGER, given, NOW) == expected
    assert first_verdict(READINESS, given, NOW) == expected


def test_edited_ca_goes_unnoticed() -> None:
    for secret in (_with_data(ca_crt=b"junk"), _with_data(ca_crt=None)):
        assert first_verdict(TRIGGER, _gathered(secret=secret), NOW) is None


def _changed(*fields: str) -> str:
    listed = " ".join(fields)
    return f"Fields on existing CertificateRequest resource not up to date: [{listed}]"


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"dnsNames": ["b.local"]}, ["spec.dnsNames"]),
        ({"commonName": "b", "isCA": True}, ["spec.commonName", "spec.isCA"]),
        ({"subject": {"organizations": ["o"]}}, ["spec.subject.organizations"]),
        ({"subject": {"provinces": ["p"]}}, ["spec.subject.postCodes"]),
        (
            {"ipAddresses": ["1.1.1.1"], "uris": ["x:y"], "emailAddresses": ["a@b"]},
            ["spec.ipAddresses", "spec.uris", "spec.emailAddresses"],
        ),
        ({"usages": ["server auth"]}, ["spec.usages"]),
    ],
)
def test_changed_spec_is_issued_again_and_not_ready(change: Object, fields: list[str]) -> None:
    given = _gathered(_certificate(**change))
    expected = Verdict("RequestChanged", _changed(*fields))
    assert first_verdict(TRIGGER, given, NOW) == expected
    assert first_verdict(READINESS, given, NOW) == expected


@pytest.mark.parametrize(
    ("had", "has", "expected"),
    [
        ("1h0m0s", "2h0m0s", Verdict("RequestChanged", _changed("spec.duration"))),
        ("1h0m0s", "1h0m0s", None),
    ],
)
def test_duration_counts_when_both_sides_have_one(
    had: str, has: str, expected: Verdict | None
) -> None:
    given = _gathered(_certificate(duration=has), current=_request(duration=had))
    assert first_verdict(READINESS, given, NOW) == expected


def test_duration_that_comes_or_goes_waits_for_the_renewal() -> None:
    given = _gathered(_certificate(duration="1h0m0s"))
    assert first_verdict(TRIGGER, given, NOW) is None


def test_other_issuer_is_told_by_each_in_its_own_words() -> None:
    given = _gathered(_certificate(issuerRef={"name": "j"}))
    text = "Issuing certificate as Secret was previously issued by ClusterIssuer.cert-manager.io/i"
    assert first_verdict(TRIGGER, given, NOW) == Verdict("IncorrectIssuer", text)
    assert first_verdict(READINESS, given, NOW) == Verdict(
        "RequestChanged", _changed("spec.issuerRef")
    )


def test_edited_issuer_annotation_is_issued_again_but_stays_ready() -> None:
    secret = thaw(_secret())
    secret["metadata"]["annotations"]["cert-manager.io/issuer-name"] = "x"
    given = _gathered(secret=secret)
    text = "Issuing certificate as Secret was previously issued by ClusterIssuer.cert-manager.io/x"
    assert first_verdict(TRIGGER, given, NOW) == Verdict("IncorrectIssuer", text)
    assert first_verdict(READINESS, given, NOW) is None


@pytest.mark.parametrize(
    ("private", "field"),
    [
        ({"algorithm": "ECDSA", "size": 384}, "spec.privateKey.size"),
        ({"algorithm": "RSA"}, "spec.privateKey.algorithm"),
    ],
)
def test_key_of_another_kind_is_issued_again_but_stays_ready(private: Object, field: str) -> None:
    given = _gathered(_certificate(privateKey=private))
    text = f"Existing private key is not up to date for spec: [{field}]"
    assert first_verdict(TRIGGER, given, NOW) == Verdict("SecretMismatch", text)
    assert first_verdict(READINESS, given, NOW) is None


def test_key_encoding_and_renewal_time_are_no_reason() -> None:
    for change in ({"privateKey": {"algorithm": "ECDSA", "encoding": "PKCS8"}}, {}):
        given = _gathered(_certificate(renewBefore="1h0m0s", **change))
        assert first_verdict(TRIGGER, given, NOW) is None


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({}, None),
        ({"dnsNames": ["a"], "commonName": "a.local"}, None),
        ({"dnsNames": ["b.local"]}, "[spec.dnsNames]"),
        ({"commonName": "b"}, "[spec.commonName]"),
    ],
)
def test_without_its_request_the_certificate_is_compared_loosely(
    change: Object, fields: str | None
) -> None:
    given = _gathered(_certificate(**change), current=None)
    verdict = first_verdict(TRIGGER, given, NOW)
    if fields is None:
        assert verdict is None
    else:
        text = f"Existing issued Secret is not up to date for spec: {fields}"
        assert verdict == Verdict("SecretMismatch", text)


def test_certificate_is_renewed_when_two_thirds_of_its_life_are_over() -> None:
    certificate = _certificate() | {"status": {"renewalTime": "2027-01-22T22:50:01Z"}}
    given, due = _gathered(certificate), NOW + timedelta(days=60)
    assert first_verdict(TRIGGER, given, due - timedelta(seconds=1)) is None
    text = "Renewing certificate as renewal was scheduled at 2027-01-22 22:50:01 +0000 UTC"
    assert first_verdict(TRIGGER, given, due) == Verdict("Renewing", text)
    assert first_verdict(READINESS, given, due) is None


def test_certificate_is_not_ready_after_its_end() -> None:
    end = NOW + timedelta(days=90)
    assert first_verdict(READINESS, _gathered(), end) is None
    text = "Certificate expired on Sun, 21 Feb 2027 22:50:01 UTC"
    assert first_verdict(READINESS, _gathered(), end + timedelta(seconds=1)) == Verdict(
        "Expired", text
    )


@pytest.mark.parametrize(
    ("labels", "template", "reason"),
    [
        ({}, None, "SecretBaseLabelsMissing"),
        (
            {"controller.cert-manager.io/fao": "true"},
            {"labels": {"a": "b"}},
            "SecretTemplateMismatch",
        ),
        (
            {"controller.cert-manager.io/fao": "true", "a": "b"},
            {"labels": {"a": "b"}},
            "SecretTemplateMismatch",
        ),
        ({"controller.cert-manager.io/fao": "true", "a": "b"}, None, None),
    ],
)
def test_secret_is_mended_when_its_labels_are_gone(
    labels: Mapping[str, str], template: Object | None, reason: str | None
) -> None:
    secret = thaw(_secret())
    secret["metadata"]["labels"] = dict(labels)
    more = {"secretTemplate": template} if template else {}
    verdict = first_verdict(POST_ISSUANCE, _gathered(_certificate(**more), secret=secret), NOW)
    assert (verdict.reason if verdict else None) == reason


def test_what_an_earlier_template_put_in_goes() -> None:
    secret = thaw(_secret())
    secret["metadata"]["labels"] |= {"a": "b", "theirs": "x"}
    labels: Object = {".": {}, "f:a": {}, "f:controller.cert-manager.io/fao": {}}
    secret["metadata"]["managedFields"] = [
        {
            "manager": "cert-manager-certificates-issuing",
            "fieldsV1": {"f:metadata": {"f:labels": labels}},
        }
    ]
    verdict = first_verdict(POST_ISSUANCE, _gathered(secret=secret), NOW)
    assert verdict == Verdict(
        "SecretTemplateMismatch",
        "SecretTemplate is nil, but Secret contains extra managed entries",
    )
    template = {"labels": {"a": "b"}}
    kept = _gathered(_certificate(secretTemplate=template), secret=secret)
    assert first_verdict(POST_ISSUANCE, kept, NOW) is None


@pytest.mark.parametrize(
    ("attempts", "passed", "left"),
    [
        (1, 0.0, 1.0),
        (1, 1.0, None),
        (2, 0.5, 1.5),
        (3, 0.0, 4.0),
        (6, 0.0, 32.0),
        (9, 0.0, 32.0),
        (None, 0.25, 0.75),
    ],
)
def test_failed_issuance_is_tried_again_later_each_time(
    attempts: int | None, passed: float, left: float | None
) -> None:
    status: Object = {"lastFailureTime": timestamp(NOW)}
    if attempts is not None:
        status["failedIssuanceAttempts"] = attempts
    given = _gathered(_certificate() | {"status": status}, next=_request())
    delay = delay_after_failure(given, NOW + timedelta(hours=passed))
    assert delay == (None if left is None else timedelta(hours=left))


def test_failed_issuance_is_tried_at_once_when_the_spec_has_changed() -> None:
    status = {"lastFailureTime": timestamp(NOW), "failedIssuanceAttempts": 1}
    certificate = _certificate(dnsNames=["b.local"]) | {"status": status}
    assert delay_after_failure(_gathered(certificate, next=_request()), NOW) is None
