"""The templates of the objects that a kind cluster starts with."""

import re
import string

import pytest
import yaml
from manifest_files import COMPONENTS, Object, apply_line, documents, manifest, reference, section

from tutor.sandbox.components import kindnode

PATCH = "node-ready.yaml"
FILES = sorted(path.name for path in (COMPONENTS / "kindnode/manifests").glob("*.yaml"))
TEMPLATES = [name for name in FILES if name != PATCH]


def placeholders(file: str) -> set[str]:
    return set(re.findall(r"\$\{(\w+)\}", manifest(f"kindnode/{file}").read_text()))


def filled(file: str) -> list[Object]:
    """The objects of a template, with its placeholders in lower case for values."""
    pem = '"-----BEGIN CERTIFICATE-----\\nMIIB\\n-----END CERTIFICATE-----\\n"'
    values = {name: pem if name.endswith("_PEM") else name.lower() for name in placeholders(file)}
    return documents(string.Template(manifest(f"kindnode/{file}").read_text()).substitute(values))


def test_kindnode_placeholders_are_listed_in_its_docstring() -> None:
    listed = set(re.findall(r"`([A-Z][A-Z_]+)`", kindnode.__doc__ or ""))
    assert listed == set().union(*(placeholders(file) for file in FILES))


@pytest.mark.parametrize("file", TEMPLATES)
def test_kindnode_template_when_filled_in_holds_objects(file: str) -> None:
    items = filled(file)
    assert items
    for item in items:
        assert apply_line(item)
        assert "$" not in item["metadata"]["name"]


def test_kindnode_pods_are_those_of_the_reference() -> None:
    """Deployments and daemon sets show by the prefix of their pods (contour-and-kind.md 4.6)."""
    text = section(reference("contour-and-kind.md"), "### 4.6")
    shown = set(re.findall(r"^kube-system +(\S+)|^local-path-storage +(\S+)", text, re.MULTILINE))
    pods = {"".join(pair) for pair in shown}
    assert len(pods) == 9
    items = [
        item
        for file in TEMPLATES
        for item in filled(file)
        if item["kind"] in {"DaemonSet", "Deployment", "Pod"}
    ]
    names = [item["metadata"]["name"].removesuffix("-node") for item in items]
    assert len(names) == 8
    for name in names:
        assert any(pod.startswith(name + "-") for pod in pods), name
    for pod in pods:
        assert any(pod.startswith(name + "-") for name in names), pod


def test_controller_manager_pod_has_what_the_kube_cert_agent_copies() -> None:
    """pinniped.md 1.4.3."""
    (pod,) = [
        item
        for item in filled("staticpods.yaml")
        if item["metadata"]["labels"]["component"] == "kube-controller-manager"
    ]
    spec = pod["spec"]
    assert spec["hostNetwork"] is True
    assert spec["nodeName"] == "node"
    assert spec["tolerations"] == [{"effect": "NoExecute", "operator": "Exists"}]
    command = spec["containers"][0]["command"]
    assert "--cluster-signing-cert-file=/etc/kubernetes/pki/ca.crt" in command
    assert "--cluster-signing-key-file=/etc/kubernetes/pki/ca.key" in command
    mounts = {mount["name"]: mount["mountPath"] for mount in spec["containers"][0]["volumeMounts"]}
    paths = {volume["name"]: volume["hostPath"]["path"] for volume in spec["volumes"]}
    assert mounts == paths
    assert mounts["k8s-certs"] == "/etc/kubernetes/pki"


def test_cluster_info_names_the_server_that_the_concierge_advertises() -> None:
    """pinniped.md 3.10."""
    (config,) = [
        item
        for item in filled("kubeadm.yaml")
        if item["kind"] == "ConfigMap" and item["metadata"]["name"] == "cluster-info"
    ]
    (cluster,) = yaml.safe_load(config["data"]["kubeconfig"])["clusters"]
    assert cluster["cluster"] == {
        "certificate-authority-data": "ca_data",
        "server": "https://node:6443",
    }


def test_node_when_ready_has_lost_its_taint() -> None:
    (node_object,) = filled("node.yaml")
    (patch,) = filled(PATCH)
    before = {each["type"]: each["status"] for each in node_object["status"]["conditions"]}
    after = {each["type"]: each["status"] for each in patch["status"]["conditions"]}
    assert list(before) == list(after)
    assert [kind for kind in before if before[kind] != after[kind]] == ["Ready"]
    assert after["Ready"] == "True"
    assert patch["spec"]["taints"] is None
