"""What happens to certificates after they were issued. Source: cert-manager.md 3.6, 3.7, 3.10."""

import base64
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.contract.certmanager_lab import (
    CA,
    CA_ISSUER,
    CA_SECRET,
    CERTIFICATES,
    CONCIERGE,
    ISSUERS,
    LEAF,
    LEAF_SECRET,
    NAMESPACE,
    REQUESTS,
    SECRETS,
    Lab,
    certificate_of,
    cluster_issuer,
    conditions,
    installed,
)
from tests.fakes.waiting import until
from tutor.sandbox import pki
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.kinds import Object, annotations_of, name_of
from tutor.sandbox.pki import Pair

_SELF = {"name": "self", "kind": "ClusterIssuer", "group": "cert-manager.io"}
_NAME = "c"


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncGenerator[Lab]:
    """One certificate of a self-signed issuer, issued: quicker than those of the post."""
    async with installed(tmp_path) as made:
        ran = await made.apply(cluster_issuer("self", selfSigned={}), _certificate())
        assert ran.code == 0, ran.err
        await made.until_ready(_NAME)
        yield made


def _certificate(name: str = _NAME, **spec: Any) -> Object:
    base: Object = {
        "secretName": "s",
        "dnsNames": ["a.local"],
        "privateKey": {"algorithm": "ECDSA"},
        "issuerRef": _SELF,
    }
    return certificate_of(name, CONCIERGE, **(base | spec))


def _revision(lab: Lab, name: str = _NAME) -> int:
    return lab.certificate(name).get("status", {}).get("revision", 0)


async def _reissued(lab: Lab, revision: int = 2) -> None:
    await until(lambda: _revision(lab) == revision)
    await lab.until_ready(_NAME)


async def _put(lab: Lab, **values: str | None) -> None:
    """Change values of the Secret; None takes one away."""
    data = {
        key.replace("_", "."): None if value is None else base64.b64encode(value.encode()).decode()
        for key, value in values.items()
    }
    await lab.client.patch(SECRETS, CONCIERGE, "s", {"data": data})


async def _spec(lab: Lab, **change: Any) -> None:
    await lab.client.patch(CERTIFICATES, CONCIERGE, _NAME, {"spec": change})


async def test_deleted_secret_is_issued_again_with_a_new_key(lab: Lab) -> None:
    old = lab.x509("s")
    await lab.client.delete(SECRETS, CONCIERGE, "s")
    await _reissued(lab)
    new = lab.x509("s")
    assert new.serial_number != old.serial_number
    assert new.public_key() != old.public_key()
    requests = lab.requests()
    assert [annotations_of(r)["cert-manager.io/certificate-revision"] for r in requests] == [
        "1",
        "2",
    ]


async def test_junk_in_the_certificate_is_issued_again_with_the_same_key(lab: Lab) -> None:
    old = lab.x509("s")
    await _put(lab, tls_crt="junk")
    await _reissued(lab)
    assert lab.x509("s").public_key() == old.public_key()
    messages = lab.messages(_NAME)
    assert 'Reusing private key stored in existing Secret resource "s"' in messages
    assert (
        "Issuing certificate as Secret contains an invalid key-pair: "
        "tls: failed to find any PEM data in certificate input"
    ) in messages


async def test_another_key_that_fits_is_taken_over(lab: Lab) -> None:
    key = pki.new_key()
    await _put(lab, tls_key=pki.key_pem(key))
    await _reissued(lab)
    assert lab.x509("s").public_key() == key.public_key()


async def test_unusable_key_is_replaced(lab: Lab) -> None:
    await _put(lab, tls_key="junk")
    await _reissued(lab)
    assert (
        'Failed to decode private key stored in Secret "s" - generating new key'
    ) in lab.messages(_NAME)


async def test_edited_ca_is_left_alone(lab: Lab) -> None:
    await _put(lab, ca_crt="junk")
    planned = lab.certificate(_NAME)["status"]["renewalTime"]
    await _spec(lab, renewBefore="24h")
    await until(lambda: lab.certificate(_NAME)["status"]["renewalTime"] > planned)
    assert _revision(lab) == 1
    assert lab.data("ca.crt", "s") == "junk"


async def test_edited_issuer_annotation_is_issued_again_while_ready(lab: Lab) -> None:
    change = {"metadata": {"annotations": {"cert-manager.io/issuer-name": "x"}}}
    await lab.client.patch(SECRETS, CONCIERGE, "s", change)
    await _reissued(lab)
    text = "Issuing certificate as Secret was previously issued by ClusterIssuer.cert-manager.io/x"
    assert text in lab.messages(_NAME)


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"dnsNames": ["b.local"]}, "[spec.dnsNames]"),
        ({"commonName": "n", "isCA": True}, "[spec.commonName spec.isCA]"),
    ],
)
async def test_changed_spec_is_issued_again_with_the_same_key(
    lab: Lab, change: Object, fields: str
) -> None:
    old = lab.x509("s")
    await _spec(lab, **change)
    await _reissued(lab)
    text = f"Fields on existing CertificateRequest resource not up to date: {fields}"
    assert text in lab.messages(_NAME)
    assert lab.x509("s").public_key() == old.public_key()


async def test_other_issuer_is_asked_when_the_spec_names_it(lab: Lab) -> None:
    await lab.apply(cluster_issuer("other", selfSigned={}))
    await _spec(lab, issuerRef={"name": "other"})
    await _reissued(lab)
    assert annotations_of(lab.secret("s") or {})["cert-manager.io/issuer-name"] == "other"
    text = "Issuing certificate as Secret was previously issued by ClusterIssuer.cert-manager.io/"
    assert f"{text}self" in lab.messages(_NAME)


async def test_other_key_size_is_stuck_until_the_key_may_change(lab: Lab) -> None:
    await _spec(lab, privateKey={"size": 384})
    text = "Existing private key is not up to date for spec: [spec.privateKey.size]"
    place = (CONCIERGE, _NAME)
    await lab.until_condition(CERTIFICATES, place, "Issuing", ("True", "SecretMismatch", text))
    stuck = (
        'User intervention required: existing private key in Secret "s" does not match '
        "requirements on Certificate resource, mismatching fields: [spec.privateKey.size], but "
        "cert-manager cannot create new private key as the Certificate's "
        ".spec.privateKey.rotationPolicy is unset or set to Never. To allow cert-manager to create "
        "a new private key you can set .spec.privateKey.rotationPolicy to 'Always' (this will "
        "result in the private key being regenerated every time a cert is renewed) "
    )
    await until(lambda: stuck in lab.messages(_NAME))
    assert conditions(lab.certificate(_NAME))["Ready"][0] == "True"
    await _spec(lab, privateKey={"rotationPolicy": "Always"})
    await _reissued(lab)
    assert pki.load_key(lab.data("tls.key", "s")).public_key() == lab.x509("s").public_key()


async def test_key_is_made_anew_each_time_with_rotation(lab: Lab) -> None:
    await _spec(lab, privateKey={"rotationPolicy": "Always"})
    old = lab.x509("s")
    await _spec(lab, dnsNames=["b.local"])
    await _reissued(lab)
    assert lab.x509("s").public_key() != old.public_key()


async def test_other_secret_name_leaves_the_old_secret_behind(lab: Lab) -> None:
    await _spec(lab, secretName="t")
    await _reissued(lab)
    assert lab.secret("s") is not None
    assert lab.data("tls.crt", "t")


async def test_deleted_certificate_leaves_its_secret_and_is_adopted_when_it_returns(
    lab: Lab,
) -> None:
    await lab.client.delete(CERTIFICATES, CONCIERGE, _NAME)
    await until(lambda: not lab.requests())
    old = lab.x509("s")
    await lab.apply(_certificate())
    await lab.until_ready(_NAME)
    assert lab.x509("s") == old
    assert "revision" not in lab.certificate(_NAME)["status"]
    assert not lab.requests()


async def test_deleted_request_is_not_made_again(lab: Lab) -> None:
    await lab.client.delete(REQUESTS, CONCIERGE, name_of(lab.requests()[0]))
    await _put(lab, extra="x")
    await until(lambda: not lab.requests())
    await lab.until_ready(_NAME)
    assert _revision(lab) == 1


async def test_two_certificates_with_one_secret_take_turns_once(lab: Lab) -> None:
    await lab.apply(_certificate("d", dnsNames=["b.local"]))
    await until(lambda: _revision(lab, "d") == 1)
    text = "Existing issued Secret is not up to date for spec: [spec.dnsNames]"
    assert text in lab.messages("d")
    await lab.until_ready(_NAME)
    assert _revision(lab) == 1


async def test_secret_is_mended_without_a_new_certificate(lab: Lab) -> None:
    old = lab.x509("s")
    label = "controller.cert-manager.io/fao"
    await lab.client.patch(SECRETS, CONCIERGE, "s", {"metadata": {"labels": {label: None}}})
    await until(lambda: (lab.secret("s") or {})["metadata"].get("labels") == {label: "true"})
    template = {"labels": {"a": "b"}, "annotations": {"c": "d"}}
    await _spec(lab, secretTemplate=template)
    await until(lambda: annotations_of(lab.secret("s") or {}).get("c") == "d")
    assert (lab.secret("s") or {})["metadata"]["labels"] == {label: "true", "a": "b"}
    await lab.client.patch(SECRETS, CONCIERGE, "s", {"metadata": {"labels": {"mine": "x"}}})
    await _spec(lab, secretTemplate=None)
    kept = {label: "true", "mine": "x"}
    await until(lambda: (lab.secret("s") or {})["metadata"]["labels"] == kept)
    assert lab.x509("s") == old
    assert _revision(lab) == 1


async def test_secret_is_applied_by_the_issuing_controller(lab: Lab) -> None:
    entries = (lab.secret("s") or {})["metadata"]["managedFields"]
    assert [(entry["manager"], entry["operation"]) for entry in entries] == [
        ("cert-manager-certificates-issuing", "Apply")
    ]


async def test_old_requests_go_where_the_spec_limits_them(lab: Lab) -> None:
    await _spec(lab, revisionHistoryLimit=1)
    await lab.client.delete(SECRETS, CONCIERGE, "s")
    await _reissued(lab)
    await until(lambda: len(lab.requests()) == 1)
    key = "cert-manager.io/certificate-revision"
    assert annotations_of(lab.requests()[0])[key] == "2"


async def test_manual_renewal_is_an_issuance_like_any_other(lab: Lab) -> None:
    def trigger(obj: Object) -> Object:
        reason, message = "ManuallyTriggered", "Certificate re-issuance manually triggered"
        condition = {"type": "Issuing", "status": "True", "reason": reason, "message": message}
        obj["status"]["conditions"].append(condition)
        return obj

    await lab.client.change(CERTIFICATES, CONCIERGE, _NAME, trigger, "status")
    await _reissued(lab)


async def test_temporary_certificate_is_there_while_the_real_one_is_awaited(lab: Lab) -> None:
    waiting = _certificate("w", secretName="w", issuerRef={"name": "none", **_kind()})
    waiting["metadata"]["annotations"] = {"cert-manager.io/issue-temporary-certificate": "true"}
    await lab.apply(waiting)
    await until(lambda: lab.data("tls.crt", "w"))
    await until(lambda: "Issued temporary certificate" in lab.messages("w"))
    assert lab.x509("w").issuer.rfc4514_string() == "CN=cert-manager.local"


def _kind() -> Object:
    return {"kind": "ClusterIssuer", "group": "cert-manager.io"}


async def test_approved_request_cannot_be_denied_any_more(lab: Lab) -> None:
    denial = {"type": "Denied", "status": "True", "reason": "r", "message": "m"}

    def deny(obj: Object) -> Object:
        obj["status"]["conditions"] = [denial]
        return obj

    request = name_of(lab.requests()[0])
    with pytest.raises(ApiError) as caught:
        await lab.client.change(REQUESTS, CONCIERGE, request, deny, "status")
    assert caught.value.message == (
        'admission webhook "webhook.cert-manager.io" denied the request: '
        "status.conditions: Forbidden: 'Approved' condition may not be modified once set"
    )


async def test_key_that_is_not_the_cas_fails_the_issuance(lab: Lab) -> None:
    authority = pki.new_authority("ca", now=lab.client.now(), lifetime=timedelta(days=365))
    pair = Pair(authority.pem, pki.key_pem(pki.new_key()))
    await _create_ca(lab, pair)
    issuer = cluster_issuer("ca", ca={"secretName": "broken"})
    reference = {"name": "ca", **_kind()}
    await lab.apply(issuer, _certificate("w", secretName="w", issuerRef=reference))
    why = (
        "Error signing certificate: error creating x509 certificate: "
        "x509: provided PrivateKey doesn't match parent's PublicKey"
    )
    text = f"The certificate request has failed to complete and will be retried: {why}"
    place = (CONCIERGE, "w")
    await lab.until_condition(CERTIFICATES, place, "Issuing", ("False", "Failed", text))
    status = lab.certificate("w")["status"]
    assert status["failedIssuanceAttempts"] == 1
    assert "lastFailureTime" in status
    await until(lambda: text in lab.messages("w"))
    good = Pair(authority.pem, pki.key_pem(authority.key))
    await _create_ca(lab, good)
    await _change(lab, "w", dnsNames=["b.local"])
    await lab.until_ready("w")
    assert "failedIssuanceAttempts" not in lab.certificate("w")["status"]


async def _create_ca(lab: Lab, pair: Pair) -> None:
    values = {"tls.crt": pair.certificate, "tls.key": pair.key}
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    if lab.client.find(SECRETS, NAMESPACE, "broken"):
        await lab.client.patch(SECRETS, NAMESPACE, "broken", {"data": data})
        return
    meta = {"name": "broken", "namespace": NAMESPACE}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": "Opaque"}
    await lab.client.create({**secret, "data": data})


async def _change(lab: Lab, name: str, **spec: Any) -> None:
    await lab.client.patch(CERTIFICATES, CONCIERGE, name, {"spec": spec})


async def test_new_ca_of_the_same_name_leaves_its_leaves_behind(tmp_path: Path) -> None:
    async with installed(tmp_path) as lab:
        await lab.issued()
        old = lab.data("ca.crt")
        await lab.client.delete(SECRETS, NAMESPACE, CA_SECRET)
        await until(lambda: lab.data("tls.crt", CA_SECRET, NAMESPACE) not in ("", old))
        await lab.until_ready(CA, NAMESPACE)
        assert lab.data("ca.crt") == old
        assert _revision(lab, LEAF) == 1
        new = lab.x509(CA_SECRET, NAMESPACE)
        assert new.subject == lab.x509().issuer
        assert not pki.is_issued_by(lab.x509(), new)
        await lab.until_condition(
            ISSUERS, ("", CA_ISSUER), "Ready", ("True", "KeyPairVerified", "Signing CA verified")
        )
        await lab.client.delete(SECRETS, CONCIERGE, LEAF_SECRET)
        await until(lambda: _revision(lab, LEAF) == 2)
        assert pki.is_issued_by(lab.x509(), lab.x509(CA_SECRET, NAMESPACE))
