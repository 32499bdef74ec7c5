"""cert-manager has the rights of its accounts, and nothing but its objects to remember by.

Source: cert-manager.md 1.1, 1.4, 2.6, 3.5.
"""

import base64
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from tests.contract.certmanager_lab import (
    CERTIFICATES,
    CONCIERGE,
    ISSUERS,
    NAMESPACE,
    REQUESTS,
    SECRETS,
    Lab,
    bare,
    certificate_of,
    cluster_issuer,
    conditions,
    installed,
    is_injected,
)
from tests.fakes.waiting import until
from tutor.sandbox import pki
from tutor.sandbox.components.certmanager.conditions import Setter
from tutor.sandbox.components.certmanager.controller import (
    certificate_controllers,
    issuer_controllers,
)
from tutor.sandbox.components.certmanager.controllers.base import Around, Controller
from tutor.sandbox.components.certmanager.klog import Klog
from tutor.sandbox.controllers.resources import place_of
from tutor.sandbox.kinds import GroupResource, Object, name_of
from tutor.sandbox.pace import INSTANT

_BINDINGS = GroupResource("rbac.authorization.k8s.io", "clusterrolebindings")


@pytest.fixture
def certificate() -> Object:
    """A Certificate of the issuer `self`."""
    return certificate_of(
        "c",
        secretName="s",
        dnsNames=["a.local"],
        privateKey={"algorithm": "ECDSA"},
        issuerRef={"name": "self", "kind": "ClusterIssuer"},
    )


async def test_without_the_right_to_approve_requests_wait(
    tmp_path: Path, certificate: Object
) -> None:
    async with installed(tmp_path) as lab:
        binding = "cert-manager-controller-approve:cert-manager-io"
        await lab.client.delete(_BINDINGS, "", binding)
        await lab.apply(cluster_issuer("self", selfSigned={}), certificate)
        await lab.until_logged(
            'user \\"system:serviceaccount:cert-manager:cert-manager\\" does not have permissions '
            "to set approved/denied conditions for issuer {self ClusterIssuer "
        )
        assert conditions(lab.requests()[0]) == {}


async def test_without_the_right_to_ask_nobody_may_approve(
    tmp_path: Path, certificate: Object
) -> None:
    async with installed(tmp_path) as lab:
        await lab.client.delete(_BINDINGS, "", "cert-manager-webhook:subjectaccessreviews")
        await lab.apply(cluster_issuer("self", selfSigned={}), certificate)
        await lab.until_logged("does not have permissions to set approved/denied conditions")


async def test_right_that_comes_back_is_used_again(tmp_path: Path, certificate: Object) -> None:
    async with installed(tmp_path) as lab:
        name = "cert-manager-controller-certificates"
        binding = lab.client.get(_BINDINGS, "", name)
        await lab.client.delete(_BINDINGS, "", name)
        await lab.apply(cluster_issuer("self", selfSigned={}), certificate)
        await lab.until_logged('User \\"system:serviceaccount:cert-manager:cert-manager\\" cannot')
        shown = await lab.kubectl("get", "certificate", "-n", CONCIERGE)
        assert shown.out.splitlines()[1].split()[:2] == ["c", "s"]
        meta = {"name": name}
        kept = {key: binding[key] for key in ("apiVersion", "kind", "roleRef", "subjects")}
        await lab.client.create(kept | {"metadata": meta})
        await lab.until_ready("c")


async def test_cluster_that_is_started_again_goes_on_where_it_was(
    tmp_path: Path, certificate: Object
) -> None:
    async with installed(tmp_path) as lab:
        await lab.apply(cluster_issuer("self", selfSigned={}), certificate)
        await lab.until_ready("c")
        issued = lab.x509("s")
    async with bare(tmp_path) as lab:
        await until(lambda: is_injected(lab))
        assert lab.x509("s") == issued

        await lab.client.delete(SECRETS, CONCIERGE, "s")
        await until(lambda: lab.certificate("c")["status"].get("revision") == 2)


async def test_looking_twice_changes_nothing(tmp_path: Path, certificate: Object) -> None:
    async with installed(tmp_path) as lab:
        await lab.apply(
            cluster_issuer("self", selfSigned={}),
            certificate,
            certificate_of(
                "waits",
                secretName="w",
                dnsNames=["a.local"],
                issuerRef={"name": "none", "kind": "ClusterIssuer"},
            ),
        )
        await lab.until_ready("c")
        text = (
            'Referenced "ClusterIssuer" not found: clusterissuer.cert-manager.io "none" not found'
        )
        await lab.until_request(("False", "Pending", text))
        await until(lambda: "nextPrivateKeySecretName" not in lab.certificate("c")["status"])
        before = _versions(lab)
        for controller in _controllers(lab):
            for watch in controller.watches[:1]:
                for obj in lab.client.list(watch.resource):
                    await controller.reconcile(place_of(obj))
        assert _versions(lab) == before


def _controllers(lab: Lab) -> list[Controller]:
    klog = Klog(lambda _line: None, lab.client.now)
    around = Around(
        client=lab.client,
        klog=klog,
        pace=INSTANT,
        setter=Setter(klog, lab.client.now),
        cluster_namespace=NAMESPACE,
        not_simulated=lambda _what: None,
    )
    return [*certificate_controllers(around), *issuer_controllers(around)]


def _versions(lab: Lab) -> dict[tuple[str, str], str]:
    return {
        (str(kind), f"{obj['metadata'].get('namespace')}/{name_of(obj)}"): (
            obj["metadata"]["resourceVersion"]
        )
        for kind in (CERTIFICATES, REQUESTS, ISSUERS, SECRETS)
        for obj in lab.client.list(kind)
    }


async def test_certificate_is_renewed_when_its_time_has_come(
    tmp_path: Path, certificate: Object
) -> None:
    """A certificate two thirds of whose life are over, as it is after a long sleep."""
    async with installed(tmp_path) as lab:
        await lab.apply(cluster_issuer("self", selfSigned={}), certificate)
        await lab.until_ready("c")
        old = _aged(lab)
        data = {"tls.crt": old, "ca.crt": old}
        await lab.client.patch(SECRETS, CONCIERGE, "s", {"data": data})
        await until(lambda: lab.certificate("c")["status"].get("revision") == 2)
        told = [text for text in lab.messages("c") if text.startswith("Renewing certificate as")]
        assert len(told) == 1
        assert 'Reusing private key stored in existing Secret resource "s"' in lab.messages("c")


def _aged(lab: Lab) -> str:
    """Base64 of the certificate of Secret `s`, as it would be had it been issued long ago."""
    key = pki.load_key(lab.data("tls.key", "s"))
    issued = lab.x509("s")
    start = lab.client.now() - timedelta(days=80)
    extensions = [(found.value, found.critical) for found in issued.extensions]
    old = pki.build(
        subject=x509.Name([]),
        issuer=x509.Name([]),
        public_key=key.public_key(),
        signer=key,
        not_before=start,
        not_after=start + timedelta(days=90),
        extensions=extensions,
    )
    return base64.b64encode(pki.certificate_pem(old).encode()).decode()
