"""The cluster's key: the agent that prints it, the strategy that tells of it, who signs without it.

Source: pinniped.md 1.4.3, 3.10, 4.10, 7.3 (20).
"""

import base64
import json
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from cryptography import x509

from tests.contract.concierge_lab import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    ISSUER,
    ISSUERS,
    NAMESPACE,
    PODS,
    Lab,
    lab,
)
from tests.fakes.waiting import until
from tutor.sandbox import pki
from tutor.sandbox.kinds import GroupResource, Object

pytestmark = pytest.mark.contract
AGENT = "pinniped-concierge-kube-cert-agent"
MANAGER = "kube-controller-manager-kind-with-contour-control-plane"
LEASES = GroupResource("coordination.k8s.io", "leases")
BINDINGS = GroupResource("rbac.authorization.k8s.io", "rolebindings")
FETCHED = ("FetchedKey", "key was fetched successfully")


@pytest.fixture
async def concierge(tmp_path: Path) -> AsyncGenerator[Lab]:
    async with lab(tmp_path) as found:
        await found.until_available()
        await until(lambda: signing(found) == FETCHED)
        yield found


def signing(concierge: Lab) -> tuple[str, str]:
    strategy = concierge.strategy("SIGNING")
    return strategy.get("reason", ""), strategy.get("message", "")


async def hide_manager(concierge: Lab) -> None:
    """No controller manager is visible any more, as on a managed cluster."""
    labels = {"metadata": {"labels": {"component": None}}}
    await concierge.client.patch(PODS, "kube-system", MANAGER, labels)


async def issuer_of_login(concierge: Lab) -> str:
    reply = await concierge.login()
    text = reply.body["status"]["credential"]["clientCertificateData"]
    certificates: list[x509.Certificate] = pki.load_certificates(text)
    return certificates[0].issuer.rfc4514_string()


async def test_agent_runs_where_the_controller_manager_does(concierge: Lab):
    found = concierge.client.get(DEPLOYMENTS, NAMESPACE, AGENT)
    ran = await concierge.kubectl(
        "get",
        "deployment",
        AGENT,
        "--namespace",
        NAMESPACE,
        "--output",
        "jsonpath={.spec.template.spec.containers[0].resources}",
    )
    assert json.loads(ran.out) == {
        "limits": {"cpu": "20m", "memory": "32Mi"},
        "requests": {"cpu": "0", "memory": "32Mi"},
    }
    assert found["metadata"]["labels"] == {"app": "pinniped-concierge"}
    (pod,) = agents(concierge)
    assert pod["spec"]["nodeName"] == "kind-with-contour-control-plane"
    assert pod["status"]["podIP"] == pod["status"]["hostIP"]
    assert "app" not in pod["metadata"]["labels"]


def agents(concierge: Lab) -> list[Object]:
    labels = {"kube-cert-agent.pinniped.dev": "v3"}
    return list(concierge.client.list(PODS, NAMESPACE, labels))


async def test_agent_that_is_changed_is_brought_back(concierge: Lab):
    await concierge.client.patch(DEPLOYMENTS, NAMESPACE, AGENT, {"spec": {"replicas": 3}})
    await until(
        lambda: concierge.client.get(DEPLOYMENTS, NAMESPACE, AGENT)["spec"]["replicas"] == 1
    )
    assert "updating existing deployment" in await concierge.messages()


async def test_agent_that_is_deleted_comes_back(concierge: Lab):
    old = concierge.client.get(DEPLOYMENTS, NAMESPACE, AGENT)["metadata"]["uid"]
    await concierge.client.delete(DEPLOYMENTS, NAMESPACE, AGENT)

    def is_new() -> bool:
        found = concierge.find(DEPLOYMENTS, AGENT)
        return found is not None and found["metadata"]["uid"] != old

    await until(is_new)
    await until(lambda: signing(concierge) == FETCHED)


async def test_key_outlives_the_controller_manager_until_a_restart(concierge: Lab):
    await concierge.trust_local_users()
    await concierge.until_logged("added new webhook authenticator")
    await concierge.as_in_the_post()
    await hide_manager(concierge)
    await until(
        lambda: (
            signing(concierge)
            == (
                "CouldNotFetchKey",
                "could not find a healthy kube-controller-manager pod (0 candidates)",
            )
        )
    )
    assert "frontend" not in concierge.strategy("SIGNING")
    assert concierge.client.get(ISSUERS, "", ISSUER)["status"]["kubeConfigInfo"]["server"] == (
        "https://kind-with-contour-control-plane:6443"
    )
    assert await issuer_of_login(concierge) == "CN=kubernetes"
    await concierge.restart()
    await concierge.until_available()
    await concierge.until_logged("added new webhook authenticator")
    await until(lambda: concierge.proxy()[0] == "Listening")
    assert await issuer_of_login(concierge) == "CN=Pinniped Impersonation Proxy Signer CA"
    pair = await concierge.pinny()
    reply = await concierge.ask_proxy("/", pair=pair)
    assert 'User "pinny" cannot get path "/"' in reply.message
    assert (await concierge.ask_api("/", pair=pair)).status == 401


async def test_login_without_any_key_fails(concierge: Lab):
    await concierge.trust_local_users()
    await hide_manager(concierge)
    await concierge.restart()
    await concierge.until_available()
    await concierge.until_logged("added new webhook authenticator")
    reply = await concierge.login()
    assert reply.body["status"] == {"message": "authentication failed"}


async def test_controller_manager_that_does_not_run_is_counted(concierge: Lab):
    await concierge.client.patch(
        PODS, "kube-system", MANAGER, {"status": {"phase": "Pending"}}, "status"
    )
    await until(
        lambda: (
            signing(concierge)[1]
            == "could not find a healthy kube-controller-manager pod (1 candidate)"
        )
    )


BAD_INFO = (
    "could not extract Kubernetes API endpoint info from kube-public/cluster-info configmap: "
)
NO_INFO = "failed to get kube-public/cluster-info configmap: "
CLUSTER_INFO: dict[str, str | None] = {
    'missing "kubeconfig" key': None,
    'key "kubeconfig" does not contain a valid kubeconfig': "clusters: [",
    'kubeconfig in key "kubeconfig" does not contain any clusters': "kind: Config",
}


async def test_cluster_info_that_cannot_be_read_is_named(concierge: Lab):
    for why, text in CLUSTER_INFO.items():
        change = {"data": {"kubeconfig": text}}
        await concierge.client.patch(CONFIG_MAPS, "kube-public", "cluster-info", change)
        expected = ("CouldNotGetClusterInfo", BAD_INFO + why)
        await until(lambda expected=expected: signing(concierge) == expected)
    await concierge.client.delete(CONFIG_MAPS, "kube-public", "cluster-info")
    gone = f'{NO_INFO}configmap "cluster-info" not found'
    await until(lambda: signing(concierge) == ("CouldNotGetClusterInfo", gone))


async def test_agent_out_of_reach_is_named(concierge: Lab):
    """Without its rights in the namespace the Concierge can neither exec nor update."""
    await concierge.client.delete(BINDINGS, NAMESPACE, "pinniped-concierge-aggregated-api-server")
    (pod,) = agents(concierge)
    await concierge.client.delete(PODS, NAMESPACE, pod["metadata"]["name"])
    account = "system:serviceaccount:pinniped-concierge:pinniped-concierge"

    def is_named() -> bool:
        reason, message = signing(concierge)
        prefix = f"could not exec into agent pod {NAMESPACE}/{AGENT}-"
        return (
            reason == "CouldNotFetchKey"
            and message.startswith(prefix)
            and f'User "{account}" cannot create resource "pods/exec"' in message
        )

    await until(is_named)


async def test_lease_changes_hands_with_the_oldest_pod(concierge: Lab):
    before = concierge.client.get(LEASES, NAMESPACE, "pinniped-concierge")["spec"]
    assert before["holderIdentity"] in names(concierge)
    assert before["leaseDurationSeconds"] == 137
    await concierge.restart()

    def is_held() -> bool:
        spec = concierge.client.get(LEASES, NAMESPACE, "pinniped-concierge")["spec"]
        return spec["holderIdentity"] in names(concierge) and spec["leaseTransitions"] > 0

    await until(is_held)


def names(concierge: Lab) -> list[str]:
    return [pod["metadata"]["name"] for pod in concierge.concierge_pods()]


async def test_ca_of_the_cluster_is_the_one_in_the_status(concierge: Lab):
    info = concierge.strategy("SIGNING")["frontend"]["tokenCredentialRequestInfo"]
    text = base64.b64decode(info["certificateAuthorityData"]).decode()
    assert text == concierge.cluster.keys.ca.pem
