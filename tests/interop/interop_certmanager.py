"""cert-manager's real controller, webhook and CA injector against the sandbox's API server.

Everything is done twice, in a sandbox with our cert-manager and in one with the real programs of
the lesson's version in its place, and must come to the same.
"""

from collections.abc import Generator
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.contract.certmanager_lab import (
    CA,
    CA_ISSUER,
    CA_SECRET,
    CONCIERGE,
    HOST,
    LEAF,
    LEAF_SECRET,
    NAMESPACE,
    certificate_of,
    changed_document,
    cluster_issuer,
    documents,
)
from tests.interop.programs import CERT_MANAGER
from tests.interop.rules import Object, told, without_owners
from tests.interop.worlds import MANIFESTS, PATIENCE, Pair, World, built, free_ports, world
from tutor.sandbox import pki

pytestmark = pytest.mark.timeout(600)

KINDS = "clusterissuers,issuers,certificates,certificaterequests"
HOOKS = "validatingwebhookconfigurations,mutatingwebhookconfigurations"
RACES = ("WaitingForApproval",)
"""Events of whoever looks at a request before the approver has: which they are is a race."""
MANIFEST = MANIFESTS / "certmanager" / "manifests" / "cert-manager.yaml"


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Generator[Pair]:
    """Two sandboxes with cert-manager's objects and the Concierge's namespace."""
    program = built(CERT_MANAGER)
    (port,) = free_ports(1)
    folder = tmp_path_factory.mktemp("cert-manager")
    peer = f"{NAMESPACE}/cert-manager-webhook={port}"
    flags = ("--without", "cert-manager", "--peer", peer)
    with world(folder / "ours") as ours, world(folder / "theirs", *flags) as theirs:
        pair = Pair(ours, theirs)
        pair.play("create", "namespace", CONCIERGE)
        assert pair.play("apply", "--filename", str(MANIFEST)).exit == 0
        _start(theirs, program, port)
        available = ("--for=condition=Available", "deployment", "--all", "-n", NAMESPACE)
        assert pair.play("wait", *available, PATIENCE).exit == 0
        injected = "--for=jsonpath={.webhooks[0].clientConfig.caBundle}"
        assert pair.play("wait", injected, HOOKS, "--all", PATIENCE).exit == 0
        yield pair


def _start(theirs: World, program: Path, port: int) -> None:
    reach = ("--kubeconfig", str(theirs.kubeconfig))
    theirs.start(program, "controller", *reach, "controller")
    theirs.start(program, "cainjector", *reach, "cainjector")
    theirs.start(program, "webhook", *reach, "--secure-port", str(port), "webhook")


def apply(both: Pair, *objects: Object) -> None:
    """Apply objects in both."""
    ran = both.play("apply", "-f", "-", stdin=yaml.safe_dump_all(objects))
    assert ran.exit == 0, ran.err


def states(found: World) -> list[Object]:
    """Every object of cert-manager's kinds."""
    return [without_owners(obj) for obj in found.objects(KINDS, "-A")]


def settled(found: list[Object]) -> bool:
    """Whether nothing is being issued any more."""
    conditions = [c for obj in found for c in obj.get("status", {}).get("conditions", ())]
    return bool(conditions) and not any(c["type"] == "Issuing" for c in conditions)


def secrets(found: World) -> list[Object]:
    """The Secrets that cert-manager makes."""
    return [
        obj
        for namespace in (NAMESPACE, CONCIERGE)
        for obj in found.objects("secrets", "-n", namespace)
    ]


def events(found: World) -> set[tuple[str, ...]]:
    """What is told about cert-manager's objects and leases."""
    kinds = ("Certificate", "CertificateRequest", "ClusterIssuer", "Issuer", "Lease")
    listed = found.objects("events", "-A")
    return {
        told(e) for e in listed if e["involvedObject"]["kind"] in kinds and e["reason"] not in RACES
    }


def certificates(found: World) -> list[str]:
    """The certificates in Secrets, in the words of what a reader would look at."""
    return [
        _in_words(pki.load_certificates(_data(found, secret, namespace))[0])
        for secret, namespace in ((CA_SECRET, NAMESPACE), (LEAF_SECRET, CONCIERGE))
    ]


def _data(found: World, secret: str, namespace: str) -> str:
    path = r"go-template={{index .data `tls.crt` | base64decode}}"
    return found.kubectl("get", "secret", secret, "-n", namespace, "-o", path).out


def _in_words(certificate: x509.Certificate) -> str:
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey)
    lasts = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    skipped = (x509.SubjectKeyIdentifier, x509.AuthorityKeyIdentifier)
    extensions = [
        f"{e.oid.dotted_string} {e.critical}"
        + ("" if isinstance(e.value, skipped) else f" {e.value!r}")
        for e in certificate.extensions
    ]
    return "\n".join(
        [
            f"{certificate.subject.rfc4514_string()} by {certificate.issuer.rfc4514_string()}",
            f"{lasts} {certificate.signature_algorithm_oid} {type(key).__name__} {key.key_size}",
            *extensions,
        ]
    )


async def test_both_install_and_inject_the_webhook_s_authority(both: Pair) -> None:
    await both.same(lambda found: found.objects(HOOKS))
    await both.same(lambda found: found.objects("secrets", "-n", NAMESPACE))
    await both.same(lambda found: found.objects("leases", "-n", "kube-system"))


async def test_both_webhooks_refuse_in_the_same_words(both: Pair) -> None:
    by = {"name": CA_ISSUER, "kind": "ClusterIssuer"}
    for spec in (
        {},
        {"secretName": "x", "issuerRef": by},
        {"secretName": "x", "dnsNames": ["a.b"], "issuerRef": {"name": "x", "kind": "Nobody"}},
        {"secretName": "x", "dnsNames": ["a.b"], "issuerRef": {"name": ""}},
        {"secretName": "x", "dnsNames": ["a.b"], "issuerRef": by, "duration": "1m"},
        {"secretName": "x", "dnsNames": ["a.b"], "issuerRef": by, "renewBefore": "1s"},
        {"secretName": "x", "dnsNames": ["a.b"], "issuerRef": by, "usages": ["flying"]},
        {"secretName": "x", "commonName": "x" * 65, "issuerRef": by},
        {"secretName": "x", "dnsNames": ["a.b"], "issuerRef": by, "privateKey": {"size": 1}},
        {"secretName": "x", "ipAddresses": ["nowhere"], "issuerRef": by},
    ):
        wrong = certificate_of("wrong", CONCIERGE, **spec)
        assert both.play("apply", "-f", "-", stdin=yaml.safe_dump(wrong)).exit == 1
    for spec in ({}, {"selfSigned": {}, "ca": {"secretName": "x"}}, {"ca": {"secretName": ""}}):
        wrong = cluster_issuer("wrong", **spec)
        assert both.play("apply", "-f", "-", stdin=yaml.safe_dump(wrong)).exit == 1


async def test_both_issue_what_the_post_asks_for(both: Pair) -> None:
    apply(both, *documents())
    found = await both.same(states, lambda found: len(found) == 6 and settled(found))
    ready = {c["status"] for obj in found for c in obj["status"]["conditions"]}
    assert ready == {"True"}
    await both.same(secrets)
    await both.same(events)
    await both.same(certificates)
    both.play("get", KINDS, "-A")
    both.play("get", KINDS, "-A", "-o", "wide")


async def test_both_make_a_secret_again_that_was_deleted(both: Pair) -> None:
    apply(both, *documents())
    await both.same(states, settled)
    both.play("delete", "secret", LEAF_SECRET, "-n", CONCIERGE)
    await both.same(secrets, lambda found: any(s["metadata"]["name"] == LEAF_SECRET for s in found))
    await both.same(states, settled)
    await both.same(events)


async def test_both_issue_again_for_other_names(both: Pair) -> None:
    apply(both, *documents())
    await both.same(states, settled)
    changed = changed_document(LEAF, lambda obj: obj["spec"].update(dnsNames=[HOST, "more.local"]))
    apply(both, changed)

    def has_both(found: list[str]) -> bool:
        return "more.local" in found[1]

    await both.same(certificates, has_both)
    await both.same(states, settled)
    await both.same(secrets)
    await both.same(events)


async def test_both_wait_for_an_issuer_that_is_not_there(both: Pair) -> None:
    spec = {"secretName": "later", "dnsNames": ["a.b"], "issuerRef": {"name": "later"}}
    apply(both, certificate_of("later", CONCIERGE, **spec))

    def is_told(found: set[tuple[str, ...]]) -> bool:
        return any("IssuerNotFound" in event for event in found)

    await both.same(events, is_told)
    await both.same(states)
    place: Object = {"metadata": {"name": "later", "namespace": CONCIERGE}, "kind": "Issuer"}
    apply(both, cluster_issuer("later", selfSigned={}) | place)
    await both.same(states, settled)
    await both.same(secrets)
    both.play("delete", "certificate/later", "issuer/later", "-n", CONCIERGE)
    await both.same(states)
    await both.same(secrets)


async def test_both_lose_a_ca_and_find_it_again(both: Pair) -> None:
    apply(both, *documents())
    await both.same(states, settled)
    both.play("delete", "certificate", CA, "-n", NAMESPACE)
    both.play("delete", "secret", CA_SECRET, "-n", NAMESPACE)

    def is_lost(found: list[Object]) -> bool:
        return any(
            c["reason"] == "ErrGetKeyPair" for obj in found for c in obj["status"]["conditions"]
        )

    await both.same(states, is_lost)
    apply(both, *documents())
    await both.same(states, settled)
    await both.same(secrets)
