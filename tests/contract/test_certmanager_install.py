"""Installing cert-manager, and the time before its webhook answers.

Source: cert-manager.md 1.1, 1.2, 1.4, 4.1, 4.4 and 5.
"""

import base64
import re
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.contract.certmanager_lab import (
    CA,
    CONCIERGE,
    DEPLOYMENTS,
    LEASES,
    MANIFEST,
    MUTATING,
    NAMESPACE,
    PODS,
    SECRETS,
    VALIDATING,
    Lab,
    bare,
    cluster_issuer,
    installed,
    is_injected,
)
from tests.fakes.waiting import until
from tutor.sandbox import pki
from tutor.sandbox.kinds import GroupResource, Object, annotations_of
from tutor.sandbox.pace import INSTANT

_POST_CREATED = (
    "namespace/cert-manager unchanged\n"
    "clusterissuer.cert-manager.io/selfsigned-cluster-issuer created\n"
    "certificate.cert-manager.io/my-selfsigned-ca created\n"
    "clusterissuer.cert-manager.io/my-ca-issuer created\n"
    "certificate.cert-manager.io/impersonation-serving-cert created\n"
)
_CALL = (
    'Internal error occurred: failed calling webhook "webhook.cert-manager.io": failed to call '
    'webhook: Post "https://cert-manager-webhook.cert-manager.svc:443/mutate?timeout=10s": '
)
_SERVICES = GroupResource("", "services")
_CONFIGURATION = "cert-manager-webhook"


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncGenerator[Lab]:
    """cert-manager, installed and answering."""
    async with installed(tmp_path) as made:
        yield made


async def test_install_creates_46_objects_and_three_pods(tmp_path: Path) -> None:
    async with bare(tmp_path) as lab:
        ran = await lab.kubectl("apply", "--filename", str(MANIFEST))
        lines = ran.out.splitlines()
        assert (ran.code, len(lines)) == (0, 46)
        assert all(line.endswith(" created") for line in lines)
        await until(lambda: len(lab.client.list(PODS, NAMESPACE)) == 3)
        ran = await lab.kubectl(
            *("wait", "--for=condition=Available", "deployment", "--all"),
            *("-n", NAMESPACE, "--timeout=20s"),
        )
        assert ran.out.splitlines() == [
            "deployment.apps/cert-manager condition met",
            "deployment.apps/cert-manager-cainjector condition met",
            "deployment.apps/cert-manager-webhook condition met",
        ]


async def test_webhook_makes_its_ca_and_the_injector_hands_it_on(lab: Lab) -> None:
    secret = lab.client.get(SECRETS, NAMESPACE, "cert-manager-webhook-ca")
    assert secret["type"] == "Opaque"
    assert annotations_of(secret) == {"cert-manager.io/allow-direct-injection": "true"}
    assert "labels" not in secret["metadata"]
    assert sorted(secret["data"]) == ["ca.crt", "tls.crt", "tls.key"]
    assert secret["data"]["ca.crt"] == secret["data"]["tls.crt"]
    ca = pki.load_certificates(base64.b64decode(secret["data"]["ca.crt"]))[0]
    assert ca.subject.rfc4514_string() == "CN=cert-manager-webhook-ca"
    assert ca.not_valid_after_utc - ca.not_valid_before_utc == timedelta(days=365)
    assert base64.b64decode(secret["data"]["tls.key"]).startswith(b"-----BEGIN PRIVATE KEY-----")
    for kind in (MUTATING, VALIDATING):
        hook = lab.client.get(kind, "", _CONFIGURATION)["webhooks"][0]
        assert hook["clientConfig"]["caBundle"] == secret["data"]["ca.crt"]


async def test_leases_are_held_in_kube_system_and_events_tell_by_whom(lab: Lab) -> None:
    """Who holds them, writes them and tells of it: seen of the real programs by `make interop`."""
    controller, injector = "cert-manager-controller", "cert-manager-cainjector-leader-election"
    holders = {
        name: lab.client.get(LEASES, "kube-system", name)["spec"]["holderIdentity"]
        for name in (controller, injector)
    }
    identity = r"cert-manager-[0-9a-z-]+-external-cert-manager-controller"
    assert re.fullmatch(identity, holders[controller])
    assert re.fullmatch(r"cert-manager-cainjector-[0-9a-z-]+_[0-9a-f-]{36}", holders[injector])
    owners = {controller: "cert-manager-leader-election", injector: "cainjector"}
    sources = {controller: "cert-manager-leader-election", injector: holders[injector]}
    for name, holder in holders.items():
        assert lab.client.get(LEASES, "kube-system", name)["spec"]["leaseDurationSeconds"] == 60
        await until(lambda name=name: lab.events(name, "kube-system"))
        lease = lab.client.get(LEASES, "kube-system", name)
        assert [entry["manager"] for entry in lease["metadata"]["managedFields"]] == [owners[name]]
        assert lab.events(name, "kube-system") == [
            (sources[name], "LeaderElection", f"{holder} became leader")
        ]


async def test_installing_again_keeps_the_injected_ca(lab: Lab) -> None:
    ran = await lab.kubectl("apply", "--filename", str(MANIFEST))
    configured = [line for line in ran.out.splitlines() if line.endswith(" configured")]
    assert (ran.code, len(configured)) == (0, 6)
    await until(lambda: is_injected(lab))


async def test_post_is_refused_before_the_webhook_answers(tmp_path: Path) -> None:
    async with bare(tmp_path, replace(INSTANT, webhook_ready=3600.0)) as lab:
        await lab.kubectl("apply", "--filename", str(MANIFEST))
        await lab.kubectl("create", "namespace", CONCIERGE)
        ran = await lab.apply_post()
        service = lab.client.get(_SERVICES, NAMESPACE, "cert-manager-webhook")
        refused = f"dial tcp {service['spec']['clusterIP']}:443: connect: connection refused"
        path = lab.home / "self-signed-cert.yaml"
        line = f'Error from server (InternalError): error when creating "{path}": {_CALL}{refused}'
        assert ran.code == 1
        assert ran.out == "namespace/cert-manager unchanged\n"
        assert ran.err.splitlines() == [line] * 4


async def test_post_is_refused_while_the_ca_is_not_injected(lab: Lab) -> None:
    await lab.client.patch(
        DEPLOYMENTS, NAMESPACE, "cert-manager-cainjector", {"spec": {"replicas": 0}}
    )
    await until(lambda: len(lab.client.list(PODS, NAMESPACE)) == 2)
    await _set_bundle(lab, None)
    ran = await lab.apply(cluster_issuer("x", selfSigned={}))
    unknown = "tls: failed to verify certificate: x509: certificate signed by unknown authority"
    assert ran.err == (
        f'Error from server (InternalError): error when creating "STDIN": {_CALL}{unknown}\n'
    )


async def test_post_is_refused_with_a_hint_while_an_old_ca_is_in_place(lab: Lab) -> None:
    await lab.client.patch(
        DEPLOYMENTS, NAMESPACE, "cert-manager-cainjector", {"spec": {"replicas": 0}}
    )
    await until(lambda: len(lab.client.list(PODS, NAMESPACE)) == 2)
    other = pki.new_authority(
        "cert-manager-webhook-ca", now=lab.client.now(), lifetime=timedelta(days=1)
    )
    await _set_bundle(lab, base64.b64encode(other.pem.encode()).decode())
    ran = await lab.apply(cluster_issuer("x", selfSigned={}))
    assert ran.err.endswith(
        "x509: certificate signed by unknown authority (possibly because of "
        '"x509: ECDSA verification failure" while trying to verify candidate authority '
        'certificate "cert-manager-webhook-ca")\n'
    )


async def _set_bundle(lab: Lab, bundle: str | None) -> None:
    def change(obj: Object) -> Object:
        config = obj["webhooks"][0]["clientConfig"]
        config.pop("caBundle", None)
        if bundle is not None:
            config["caBundle"] = bundle
        return obj

    for kind in (MUTATING, VALIDATING):
        await lab.client.change(kind, "", _CONFIGURATION, change)


async def test_bundle_that_somebody_took_away_is_injected_again(lab: Lab) -> None:
    await _set_bundle(lab, None)
    await until(lambda: is_injected(lab))


async def test_new_ca_is_served_and_injected(lab: Lab) -> None:
    old = lab.client.get(SECRETS, NAMESPACE, "cert-manager-webhook-ca")["data"]["ca.crt"]
    await lab.client.delete(SECRETS, NAMESPACE, "cert-manager-webhook-ca")

    def is_new() -> bool:
        secret = lab.client.find(SECRETS, NAMESPACE, "cert-manager-webhook-ca")
        hook = lab.client.get(MUTATING, "", _CONFIGURATION)["webhooks"][0]
        bundle = hook["clientConfig"]["caBundle"]
        return secret is not None and secret["data"]["ca.crt"] == bundle != old

    await until(is_new)
    await until(lambda: is_injected(lab))
    ran = await lab.apply(cluster_issuer("x", selfSigned={}))
    assert ran.out == "clusterissuer.cert-manager.io/x created\n"


async def test_secret_that_does_not_allow_it_is_not_injected(lab: Lab) -> None:
    change = {"metadata": {"annotations": {"cert-manager.io/allow-direct-injection": None}}}
    await lab.client.patch(SECRETS, NAMESPACE, "cert-manager-webhook-ca", change)
    await _set_bundle(lab, None)

    await lab.until_logged("refusing to inject CA", "cert-manager-cainjector")
    assert not is_injected(lab)


async def test_configurations_that_outlive_their_service_refuse_everything(lab: Lab) -> None:
    await lab.client.delete(_SERVICES, NAMESPACE, "cert-manager-webhook")
    ran = await lab.apply(cluster_issuer("x", selfSigned={}))
    assert "failed to call webhook: " in ran.err
    assert ran.err.endswith('service "cert-manager-webhook" not found\n')


async def test_post_is_applied_twice_with_one_change_each_time(lab: Lab) -> None:
    first = await lab.apply_post()
    assert (first.code, first.out) == (0, _POST_CREATED)
    await lab.until_ready()
    before = lab.certificate()["metadata"]
    second = await lab.apply_post()
    *unchanged, last = second.out.splitlines()
    assert all(line.endswith(" unchanged") for line in unchanged)
    assert last == "certificate.cert-manager.io/impersonation-serving-cert configured"
    await lab.until_ready()
    after = lab.certificate()["metadata"]
    assert after["generation"] == before["generation"]


async def test_post_without_the_concierges_namespace_fails_at_its_last_document(
    tmp_path: Path,
) -> None:
    async with installed(tmp_path) as lab:
        await lab.client.delete(GroupResource("", "namespaces"), "", CONCIERGE)
        await until(lambda: not lab.client.find(GroupResource("", "namespaces"), "", CONCIERGE))
        ran = await lab.apply_post()
        assert len(ran.out.splitlines()) == 4
        path = lab.home / "self-signed-cert.yaml"
        assert ran.err == (
            f'Error from server (NotFound): error when creating "{path}": '
            f'namespaces "{CONCIERGE}" not found\n'
        )


async def test_post_without_cert_manager_names_what_is_missing(tmp_path: Path) -> None:
    async with bare(tmp_path) as lab:
        ran = await lab.apply_post()
        path = lab.home / "self-signed-cert.yaml"
        assert ran.code == 1
        assert ran.out == "namespace/cert-manager created\n"
        assert ran.err.splitlines()[:2] == [
            (
                f'resource mapping not found for name: "selfsigned-cluster-issuer" namespace: "" '
                f'from "{path}": no matches for kind "ClusterIssuer" in version '
                '"cert-manager.io/v1"'
            ),
            "ensure CRDs are installed first",
        ]


async def test_logs_are_those_of_the_real_programs(lab: Lab) -> None:
    await lab.issued()
    lines = await lab.log()
    wanted = (
        'cert-manager/certificates-trigger "msg"="Certificate must be re-issued" '
        f'"key"="{NAMESPACE}/{CA}" "message"="Issuing certificate as Secret does not exist" '
        '"reason"="DoesNotExist"'
    )
    assert any(line.endswith(wanted) and "trigger_controller.go:194]" in line for line in lines)
    assert any("conditions.go:203] Setting lastTransitionTime for Certificate" in x for x in lines)
    text = 'setup.go:48] cert-manager/clusterissuers/setup "msg"="error getting signing CA TLS'
    assert any(text in line for line in lines)
    webhook = await lab.log("cert-manager-webhook")
    assert any("Updated cert-manager webhook TLS certificate" in line for line in webhook)


async def test_programs_end_with_their_pods_and_begin_anew(lab: Lab) -> None:
    await lab.client.patch(DEPLOYMENTS, NAMESPACE, "cert-manager", {"spec": {"replicas": 0}})
    await until(lambda: len(lab.client.list(PODS, NAMESPACE)) == 2)

    def holder() -> str:
        lease = lab.client.get(LEASES, "kube-system", "cert-manager-controller")
        return lease["spec"]["holderIdentity"]

    await until(lambda: not holder())
    ran = await lab.apply_post()
    assert ran.code == 0, ran.err
    shown = await lab.kubectl("get", "certificate", "-n", CONCIERGE)
    assert shown.out.splitlines()[1].split()[:2] == [
        "impersonation-serving-cert",
        "impersonation-proxy-tls-serving-cert",
    ]
    await lab.client.patch(DEPLOYMENTS, NAMESPACE, "cert-manager", {"spec": {"replicas": 1}})
    await lab.until_ready()
