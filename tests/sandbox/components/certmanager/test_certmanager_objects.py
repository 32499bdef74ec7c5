"""What is stored, copied, logged and injected. Source: cert-manager.md 1.3, 1.4, 3.5, 3.7, 4.4."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

from tutor.sandbox import pki
from tutor.sandbox.components.certmanager.cainjector import TARGETS, injected, source_of
from tutor.sandbox.components.certmanager.controllers.requests import (
    failed_before,
    new_request,
    shortened,
    superfluous,
)
from tutor.sandbox.components.certmanager.csr import make_request
from tutor.sandbox.components.certmanager.flags import Flags
from tutor.sandbox.components.certmanager.klog import Klog
from tutor.sandbox.components.certmanager.lease import is_free, taken
from tutor.sandbox.components.certmanager.signing import self_sign, template_of
from tutor.sandbox.components.certmanager.target import Issued, target_secret
from tutor.sandbox.kinds import Object, thaw
from tutor.sandbox.pki import PrivateKey

NOW = datetime(2026, 11, 23, 22, 50, 1, tzinfo=UTC)


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


def _certificate(**spec: Any) -> Object:
    reference = {"name": "my-ca-issuer", "kind": "ClusterIssuer", "group": "cert-manager.io"}
    return {
        "apiVersion": "cert-manager.io/v1",
        "kind": "Certificate",
        "metadata": {
            "name": "impersonation-serving-cert",
            "namespace": "pinniped-concierge",
            "uid": "u",
            "labels": {"l": "1"},
            "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": "{}",
                "mine": "x",
            },
        },
        "spec": {"secretName": "s", "issuerRef": reference, "dnsNames": ["d.local"], **spec},
    }


def _issued(**spec: Any) -> Issued:
    key = pki.new_key()
    made = self_sign(template_of(_request(key, **spec)), key, NOW)
    pem = pki.certificate_pem(made).encode()
    return Issued(key=b"key", certificate=pem, ca=pem)


def test_secret_carries_the_annotations_of_the_reference() -> None:
    issued = _issued(
        commonName="",
        subject={"organizations": ["Pinniped", "a,b"]},
        dnsNames=["d.local", "e.local"],
    )
    secret = target_secret(None, _certificate(), issued)
    assert secret["type"] == "kubernetes.io/tls"
    assert sorted(secret["data"]) == ["ca.crt", "tls.crt", "tls.key"]
    assert secret["metadata"]["labels"] == {"controller.cert-manager.io/fao": "true"}
    assert secret["metadata"]["annotations"] == {
        "cert-manager.io/alt-names": "d.local,e.local",
        "cert-manager.io/certificate-name": "impersonation-serving-cert",
        "cert-manager.io/common-name": "",
        "cert-manager.io/ip-sans": "",
        "cert-manager.io/issuer-group": "cert-manager.io",
        "cert-manager.io/issuer-kind": "ClusterIssuer",
        "cert-manager.io/issuer-name": "my-ca-issuer",
        "cert-manager.io/subject-organizations": '"a,b",Pinniped',
        "cert-manager.io/uri-sans": "",
    }


def test_secret_that_is_there_keeps_its_type() -> None:
    certificate = _certificate(issuerRef={"name": "i"})
    new = target_secret({"type": "Opaque"}, certificate, _issued())
    annotations = new["metadata"]["annotations"]
    assert new["type"] == "Opaque"
    assert annotations["cert-manager.io/issuer-kind"] == "Issuer"
    assert annotations["cert-manager.io/issuer-group"] == ""
    assert "cert-manager.io/subject-organizations" not in annotations


def test_request_copies_what_is_the_certificates_own() -> None:
    request = new_request(_certificate(usages=["server auth"]), "csr", 2, "k-abcde")
    meta = request["metadata"]
    assert meta["generateName"] == "impersonation-serving-cert-"
    assert meta["labels"] == {"l": "1"}
    assert meta["annotations"] == {
        "mine": "x",
        "cert-manager.io/certificate-name": "impersonation-serving-cert",
        "cert-manager.io/certificate-revision": "2",
        "cert-manager.io/private-key-secret-name": "k-abcde",
    }
    assert sorted(request["spec"]) == ["issuerRef", "request", "usages"]


def test_long_name_is_cut_to_end_in_a_letter_or_digit() -> None:
    assert shortened("a" * 51) == "a" * 51
    assert shortened("a" * 50 + "--b") == "a" * 50


def test_request_that_failed_before_this_attempt_is_told_apart() -> None:
    failed: Object = {
        "status": {
            "failureTime": "2026-11-23T22:00:00Z",
            "conditions": [{"type": "Ready", "status": "False", "reason": "Failed"}],
        }
    }

    def issuing(since: str) -> Object:
        condition = {"type": "Issuing", "status": "True", "lastTransitionTime": since}
        return {"status": {"conditions": [condition]}}

    assert failed_before(failed, issuing("2026-11-23T22:00:01Z"))
    assert not failed_before(failed, issuing("2026-11-23T22:00:00Z"))
    assert not failed_before({"status": {}}, issuing("2026-11-23T22:00:01Z"))


def test_oldest_requests_beyond_the_limit_go() -> None:
    def numbered(number: int) -> Object:
        key = "cert-manager.io/certificate-revision"
        return {"metadata": {"name": f"r{number}", "annotations": {key: str(number)}}}

    found = superfluous([numbered(3), numbered(1), numbered(2)], 2)
    assert [request["metadata"]["name"] for request in found] == ["r1"]
    assert not superfluous([numbered(1)], 1)


def test_lease_is_free_when_its_holder_is_gone_for_long_enough() -> None:
    lease = taken({"metadata": {}}, "a", NOW)
    assert lease["spec"]["leaseTransitions"] == 0
    assert is_free(lease, "a", NOW)
    assert not is_free(lease, "b", NOW + timedelta(seconds=59))
    assert is_free(lease, "b", NOW + timedelta(seconds=61))
    assert taken(lease, "b", NOW)["spec"]["leaseTransitions"] == 1
    released = thaw(lease)
    released["spec"]["holderIdentity"] = ""
    assert is_free(released, "b", NOW)


def test_log_lines_have_the_form_of_the_reference() -> None:
    lines: list[str] = []
    klog = Klog(lines.append, lambda: NOW.replace(microsecond=123456)).named("cert-manager")
    pairs = {"key": "cert-manager/my-selfsigned-ca", "reason": "DoesNotExist", "message": "m"}
    text = "Certificate must be re-issued"
    klog.named("certificates-trigger").info("trigger_controller.go:194", text, pairs)
    klog.named("clusterissuers").named("setup").error("setup.go:48", "no", 'secret "x" not found')
    assert lines == [
        (
            "I1123 22:50:01.123456       1 trigger_controller.go:194] "
            'cert-manager/certificates-trigger "msg"="Certificate must be re-issued" '
            '"key"="cert-manager/my-selfsigned-ca" "message"="m" "reason"="DoesNotExist"'
        ),
        (
            "E1123 22:50:01.123456       1 setup.go:48] cert-manager/clusterissuers/setup "
            '"msg"="no" "error"="secret \\"x\\" not found"'
        ),
    ]


def test_flags_are_filled_from_the_environment() -> None:
    container = {
        "args": ["--name=$(POD_NAMESPACE)/x", "--hosts=a,b", "--hosts=$(NONE)"],
        "env": [
            {
                "name": "POD_NAMESPACE",
                "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}},
            }
        ],
    }
    flags = Flags(container, {"metadata": {"namespace": "cert-manager"}})
    assert flags.get("name") == "cert-manager/x"
    assert flags.all("hosts") == ["a", "b", "$(NONE)"]
    assert flags.get("absent", "default") == "default"


def test_injector_puts_the_ca_into_every_place_for_one() -> None:
    webhooks, _, service, definition = TARGETS
    annotations = {"cert-manager.io/inject-ca-from-secret": "ns/s"}
    hooks: Object = {
        "metadata": {"annotations": annotations},
        "webhooks": [{"clientConfig": {}}, {"clientConfig": {}}],
    }
    assert source_of(hooks) == ("cert-manager.io/inject-ca-from-secret", "ns", "s")
    made = injected(webhooks, hooks, "Q0E=")
    assert [hook["clientConfig"]["caBundle"] for hook in made["webhooks"]] == ["Q0E=", "Q0E="]
    assert injected(service, {"spec": {}}, "Q0E=") == {"spec": {"caBundle": "Q0E="}}
    plain: Object = {"spec": {"conversion": {"strategy": "None"}}}
    assert injected(definition, plain, "Q0E=") == plain
    assert source_of({"metadata": {}}) is None
