"""The two certificates of the post, from kubectl apply to what TLS clients make of them.

Source: cert-manager.md 3.2 to 3.9, 4.2, 4.3.
"""

import asyncio
import base64
import re
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.contract.certmanager_lab import (
    CA,
    CA_ISSUER,
    CA_SECRET,
    CONCIERGE,
    EVENTS,
    HOST,
    ISSUERS,
    LEAF,
    LEAF_SECRET,
    NAMESPACE,
    PODS,
    SECRETS,
    Lab,
    certificate_of,
    cluster_issuer,
    conditions,
    installed,
    moment,
)
from tests.fakes.waiting import until
from tutor.sandbox import pki
from tutor.sandbox.kinds import Object, annotations_of, labels_of, name_of
from tutor.sandbox.pace import INSTANT

pytestmark = pytest.mark.asyncio(loop_scope="module")

_NOT_THERE = f'Error getting keypair for CA issuer: secret "{CA_SECRET}" not found'
_SUFFIX = "[bcdfghjklmnpqrstvwxz2456789]{5}"
_SIGNERS = ("acme", "ca", "selfsigned", "vault", "venafi")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lab(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Lab]:
    """The two certificates of the post, issued; for those who only look."""
    async with installed(tmp_path_factory.mktemp("lab")) as made:
        await made.issued()
        yield made


async def test_events_of_a_certificate_tell_its_story(lab: Lab) -> None:
    events = lab.events(CA, NAMESPACE)
    assert [(source, reason) for source, reason, _ in events] == [
        ("cert-manager-certificates-trigger", "Issuing"),
        ("cert-manager-certificates-key-manager", "Generated"),
        ("cert-manager-certificates-request-manager", "Requested"),
        ("cert-manager-certificates-issuing", "Issuing"),
    ]
    texts = [message for _, _, message in events]
    assert texts[0] == "Issuing certificate as Secret does not exist"
    key = rf'Stored new private key in temporary Secret resource "{CA}-{_SUFFIX}"'
    assert re.fullmatch(key, texts[1])
    request = rf'Created new CertificateRequest resource "{CA}-{_SUFFIX}"'
    assert re.fullmatch(request, texts[2])
    assert texts[3] == "The certificate has been successfully issued"


async def test_events_name_no_reporting_controller(lab: Lab) -> None:
    """cert-manager v1.12.3 is built with client-go 0.27, which does not do so yet."""
    found = [
        e for e in lab.client.list(EVENTS, NAMESPACE) if "cert-manager" in e["source"]["component"]
    ]
    assert {event["reportingComponent"] for event in found} == {""}


async def test_events_of_a_request_come_from_every_signer(lab: Lab) -> None:
    request = name_of(_leaf_request(lab))
    events = lab.events(request)
    waiting = sorted(source for source, reason, _ in events if reason == "WaitingForApproval")
    assert waiting == [f"cert-manager-certificaterequests-issuer-{name}" for name in _SIGNERS]
    told = {(source.rpartition("requests-")[2], reason) for source, reason, _ in events}
    assert ("approver", "cert-manager.io") in told
    assert ("issuer-ca", "CertificateIssued") in told


def _leaf_request(lab: Lab) -> Object:
    return next(r for r in lab.requests() if name_of(r).startswith(f"{LEAF}-"))


async def test_issuer_tells_how_it_waited_for_its_secret(lab: Lab) -> None:
    shown = await lab.kubectl("describe", "clusterissuer", CA_ISSUER)
    lines = [line.split(maxsplit=2) for line in shown.out.splitlines()[-3:]]
    assert [words[1] for words in lines] == ["ErrGetKeyPair", "ErrInitIssuer", "KeyPairVerified"]
    assert re.search(
        rf"\(x\d over .*cert-manager-clusterissuers +{re.escape(_NOT_THERE)}", shown.out
    )
    assert re.search(r"KeyPairVerified +\d+s \(x\d+ over \d+s\)", shown.out)


async def test_settled_certificate_has_nothing_left_of_its_issuance(lab: Lab) -> None:
    for name, namespace in ((CA, NAMESPACE), (LEAF, CONCIERGE)):
        await until(lambda n=name, ns=namespace: _is_settled(lab, n, ns))
        status = lab.certificate(name, namespace)["status"]
        text = "Certificate is up to date and has not expired"
        assert conditions({"status": status}) == {"Ready": ("True", "Ready", text)}
        assert sorted(status) == ["conditions", "notAfter", "notBefore", "renewalTime", "revision"]
        assert status["revision"] == 1
        mark = {"cert-manager.io/next-private-key": "true"}
        assert not lab.client.list(SECRETS, namespace, mark)


def _is_settled(lab: Lab, name: str, namespace: str) -> bool:
    return "nextPrivateKeySecretName" not in lab.certificate(name, namespace)["status"]


async def test_renewal_is_planned_as_the_specs_say(lab: Lab) -> None:
    for name, namespace, days in ((CA, NAMESPACE, 60), (LEAF, CONCIERGE, 75)):
        status = lab.certificate(name, namespace)["status"]
        start = moment(status["notBefore"])
        assert moment(status["notAfter"]) - start == timedelta(days=90)
        assert moment(status["renewalTime"]) - start == timedelta(days=days)


async def test_secrets_hold_keys_in_their_encoding_and_the_same_ca(lab: Lab) -> None:
    ca = lab.data("tls.crt", CA_SECRET, NAMESPACE)
    assert ca == lab.data("ca.crt", CA_SECRET, NAMESPACE) == lab.data("ca.crt")
    assert lab.data("tls.crt").count("BEGIN CERTIFICATE") == 1
    assert lab.data("tls.key", CA_SECRET, NAMESPACE).startswith("-----BEGIN EC PRIVATE KEY-----\n")
    assert lab.data("tls.key").startswith("-----BEGIN RSA PRIVATE KEY-----\n")
    key = pki.load_key(lab.data("tls.key"))
    assert isinstance(key, rsa.RSAPrivateKey)
    assert key.key_size == 2048
    ca_key = pki.load_key(lab.data("tls.key", CA_SECRET, NAMESPACE))
    assert isinstance(ca_key, ec.EllipticCurvePrivateKey)
    assert lab.x509().public_key() == key.public_key()


async def test_secret_says_what_it_is(lab: Lab) -> None:
    secret = lab.secret()
    assert secret is not None
    assert secret["type"] == "kubernetes.io/tls"
    assert "ownerReferences" not in secret["metadata"]
    assert labels_of(secret) == {"controller.cert-manager.io/fao": "true"}
    annotations = annotations_of(secret)
    assert annotations["cert-manager.io/alt-names"] == HOST
    assert annotations["cert-manager.io/subject-organizations"] == "Pinniped"
    assert annotations["cert-manager.io/common-name"] == ""


async def test_openssl_trusts_the_leaf_through_the_ca(lab: Lab) -> None:
    ca, leaf = lab.home / "ca.pem", lab.home / "leaf.pem"
    ca.write_text(lab.data("ca.crt"))
    leaf.write_text(lab.data("tls.crt"))
    words = ("verify", "-CAfile", str(ca), "-verify_hostname", HOST, str(leaf))
    process = await asyncio.create_subprocess_exec(
        "openssl", *words, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert out.decode() == f"{leaf}: OK\n"


async def test_request_is_recorded_as_the_reference_prints_it(lab: Lab) -> None:
    request = _leaf_request(lab)
    pod = next(
        pod
        for pod in lab.client.list(PODS, NAMESPACE)
        if labels_of(pod)["app.kubernetes.io/component"] == "controller"
    )
    spec = request["spec"]
    assert spec["username"] == "system:serviceaccount:cert-manager:cert-manager"
    assert spec["groups"] == [
        "system:serviceaccounts",
        "system:serviceaccounts:cert-manager",
        "system:authenticated",
    ]
    assert spec["extra"] == {
        "authentication.kubernetes.io/pod-name": [name_of(pod)],
        "authentication.kubernetes.io/pod-uid": [pod["metadata"]["uid"]],
    }
    assert (spec["duration"], spec["usages"]) == ("2160h0m0s", ["server auth"])
    assert "isCA" not in spec
    assert base64.b64decode(request["status"]["certificate"]).decode() == lab.data("tls.crt")
    assert base64.b64decode(request["status"]["ca"]).decode() == lab.data("ca.crt")
    assert list(conditions(request)) == ["Approved", "Ready"]
    ca_request = lab.requests(NAMESPACE)[0]["spec"]
    assert ca_request["isCA"] is True
    assert not {"duration", "usages"} & set(ca_request)


async def test_get_prints_what_the_reference_shows(lab: Lab) -> None:
    shown = await lab.kubectl("get", "certificaterequest", "-A")
    header, *rows = [line.split() for line in shown.out.splitlines()]
    columns = "NAMESPACE NAME APPROVED DENIED READY ISSUER REQUESTOR AGE"
    assert " ".join(header) == columns
    for issuer in ("selfsigned-cluster-issuer", CA_ISSUER):
        wanted = ["True", "True", issuer, "system:serviceaccount:cert-manager:cert-manager"]
        assert wanted in [row[2:6] for row in rows]
    shown = await lab.kubectl("get", "clusterissuer", "-o", "wide")
    assert shown.out.splitlines()[1].split()[:5] == [CA_ISSUER, "True", "Signing", "CA", "verified"]
    shown = await lab.kubectl("get", "cert-manager", "-A", "-o", "name")
    names = {f"certificate.cert-manager.io/{name}" for name in (CA, LEAF)}
    assert names <= set(shown.out.split())
    shown = await lab.kubectl("get", "secret", "-n", NAMESPACE, CA_SECRET)
    assert shown.out.splitlines()[1].split()[:3] == [CA_SECRET, "kubernetes.io/tls", "3"]


async def test_jsonpath_of_the_post_prints_the_ca_in_one_line(lab: Lab) -> None:
    words = ("get", "secret", CA_SECRET, "-n", NAMESPACE, "-o")
    shown = await lab.kubectl(*words, r"jsonpath={.data.ca\.crt}")
    assert shown.out.startswith("LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1J")
    assert not shown.out.endswith("\n")
    shown = await lab.kubectl(*words, "jsonpath={.data.ca.crt}")
    assert (shown.code, shown.out) == (0, "")


async def test_describe_prints_the_certificate_as_the_reference_shows(lab: Lab) -> None:
    shown = await lab.kubectl("describe", "certificate", "-n", CONCIERGE, LEAF)
    for line in (
        "Annotations:  <none>",
        "  Duration:  2160h0m0s",
        "  Renew Before:  360h0m0s",
        "      Pinniped",
        "    server auth",
        "    Algorithm:   RSA",
    ):
        assert f"{line}\n" in shown.out, line
    assert "Is CA" not in shown.out


async def test_wait_returns_when_the_certificate_is_ready(lab: Lab) -> None:
    words = ("wait", "--for=condition=Ready", f"certificate/{LEAF}", "-n", CONCIERGE)
    ran = await lab.kubectl(*words, "--timeout=60s")
    assert ran.out == f"certificate.cert-manager.io/{LEAF} condition met\n"


async def test_pending_leaf_shows_why_only_on_its_request(tmp_path: Path) -> None:
    async with installed(tmp_path, replace(INSTANT, issuer_retry=3600.0)) as lab:
        await lab.apply_post()
        await lab.until_ready(CA, NAMESPACE)
        text = "Referenced issuer does not have a Ready status condition"
        await lab.until_request(("False", "Pending", text))
        await lab.until_condition(
            ISSUERS, ("", CA_ISSUER), "Ready", ("False", "ErrGetKeyPair", _NOT_THERE)
        )
        shown = await lab.kubectl("get", "certificate", "-n", CONCIERGE, "-o", "wide")
        header, row = (re.split(r"  +", line) for line in shown.out.splitlines())
        assert header == ["NAME", "READY", "SECRET", "ISSUER", "STATUS", "AGE"]
        text = "Issuing certificate as Secret does not exist"
        assert row[:5] == [LEAF, "False", LEAF_SECRET, CA_ISSUER, text]
        found = lab.certificate()
        assert list(conditions(found)) == ["Ready", "Issuing"]
        assert found["status"]["nextPrivateKeySecretName"].startswith(f"{LEAF}-")


@pytest.mark.parametrize(
    ("private", "prefix"),
    [
        ({"algorithm": "Ed25519"}, "-----BEGIN PRIVATE KEY-----"),
        ({"algorithm": "ECDSA", "size": 384, "encoding": "PKCS8"}, "-----BEGIN PRIVATE KEY-----"),
        ({"algorithm": "ECDSA", "size": 521}, "-----BEGIN EC PRIVATE KEY-----"),
    ],
)
async def test_every_kind_of_key_is_issued(
    tmp_path: Path, private: dict[str, object], prefix: str
) -> None:
    async with installed(tmp_path) as lab:
        made = certificate_of(
            "c",
            secretName="s",
            dnsNames=["a.local"],
            commonName="a",
            privateKey=private,
            issuerRef={"name": "self", "kind": "ClusterIssuer"},
        )
        ran = await lab.apply(cluster_issuer("self", selfSigned={}), made)
        assert ran.code == 0, ran.err
        await lab.until_ready("c")
        assert lab.data("tls.key", "s").startswith(prefix)
        assert lab.data("tls.crt", "s") == lab.data("ca.crt", "s")
        assert annotations_of(lab.secret("s") or {})["cert-manager.io/issuer-group"] == ""


async def test_namespaced_issuers_and_intermediates_make_a_chain(lab: Lab) -> None:
    middle = certificate_of(
        "middle",
        isCA=True,
        commonName="middle",
        secretName="middle",
        privateKey={"algorithm": "ECDSA"},
        issuerRef={"name": CA_ISSUER, "kind": "ClusterIssuer"},
    )
    issuer = {
        "apiVersion": "cert-manager.io/v1",
        "kind": "Issuer",
        "metadata": {"name": "middle", "namespace": CONCIERGE},
        "spec": {"ca": {"secretName": "middle"}},
    }
    leaf = certificate_of(
        "below",
        secretName="below",
        dnsNames=["b.local"],
        privateKey={"algorithm": "ECDSA"},
        issuerRef={"name": "middle"},
    )
    ran = await lab.apply(middle, issuer, leaf)
    assert ran.code == 0, ran.err
    await lab.until_ready("below")
    chain = pki.load_certificates(lab.data("tls.crt", "below"))
    assert [c.subject.rfc4514_string() for c in chain] == ["", "CN=middle"]
    assert lab.data("ca.crt", "below") == lab.data("ca.crt", CA_SECRET, NAMESPACE)
