"""The install manifests against the reference: what kubectl prints, what runs, who may what."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from manifest_files import (
    INSTALLED,
    Object,
    apply_line,
    find,
    manifest,
    objects,
    reference,
    section,
)

KUBECTL = Path(sys.executable).with_name("kubectl")


def table_lines(text: str) -> list[str]:
    """`kind.group/name` from the first code span of each numbered table row."""
    return re.findall(r"^\| \d+ \| `([^`]+)` ", text, re.MULTILINE)


def screen_lines(text: str) -> list[str]:
    """`kind.group/name` from the lines that end in `created`."""
    return re.findall(r"^(\S+/\S+) created$", text, re.MULTILINE)


def container(item: Object, name: str) -> Object:
    spec = item["spec"]["template"]["spec"]
    (found,) = [
        each
        for each in [*spec["containers"], *spec.get("initContainers", [])]
        if each["name"] == name
    ]
    return found


def command_line(item: Object, name: str) -> str:
    each = container(item, name)
    return " ".join([*each.get("command", []), *each.get("args", [])])


@pytest.mark.parametrize(
    ("name", "source", "heading"),
    [
        ("certmanager/cert-manager.yaml", "cert-manager.md", "### 1.1"),
        ("contour/contour.yaml", "contour-and-kind.md", "### 1.2"),
    ],
)
def test_manifest_when_applied_prints_the_table_of_the_reference(
    name: str, source: str, heading: str
) -> None:
    expected = table_lines(section(reference(source), heading))
    assert expected
    assert [apply_line(item) for item in objects(name)] == expected


@pytest.mark.parametrize(
    ("name", "heading"),
    [
        ("localuser/install-local-user-authenticator.yaml", "### 1.1 "),
        ("concierge/install-pinniped-concierge-crds.yaml", "### 1.2 "),
        ("concierge/install-pinniped-concierge-resources.yaml", "### 1.3 "),
    ],
)
def test_manifest_when_applied_prints_the_screen_of_the_reference(name: str, heading: str) -> None:
    expected = screen_lines(section(reference("pinniped.md"), heading))
    assert expected
    assert [apply_line(item) for item in objects(name)] == expected


@pytest.mark.parametrize("name", INSTALLED)
def test_manifest_when_kubectl_reads_it_then_it_finds_the_same_objects(name: str) -> None:
    command = [KUBECTL, "label", "--local", "--filename", manifest(name), "seen=yes", "-o", "name"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == [apply_line(item) for item in objects(name)]


@pytest.mark.parametrize("name", INSTALLED)
def test_manifest_namespaces_are_made_by_it_or_by_the_files_before_it(name: str) -> None:
    made = {
        item["metadata"]["name"]
        for each in INSTALLED[: INSTALLED.index(name) + 1]
        for item in objects(each)
        if item["kind"] == "Namespace"
    }
    used = {item["metadata"].get("namespace", "default") for item in objects(name)}
    assert used <= made | {"default", "kube-system", "kube-public"}


@pytest.mark.parametrize("name", INSTALLED)
def test_role_bindings_bind_what_is_there(name: str) -> None:
    near = [item for each in INSTALLED if each.split("/")[0] in name for item in objects(each)]
    there = {
        (item["kind"], item["metadata"]["name"], item["metadata"].get("namespace", ""))
        for item in near
    }
    for item in objects(name):
        if item["kind"] not in {"ClusterRoleBinding", "RoleBinding"}:
            continue
        role = item["roleRef"]
        namespace = item["metadata"]["namespace"] if role["kind"] == "Role" else ""
        if role["name"] not in {
            "system:auth-delegator",
            "extension-apiserver-authentication-reader",
        }:
            assert (role["kind"], role["name"], namespace) in there
        for subject in item["subjects"]:
            if subject["kind"] == "ServiceAccount":
                assert ("ServiceAccount", subject["name"], subject["namespace"]) in there


def test_cert_manager_containers_run_what_the_reference_says() -> None:
    rows = re.findall(
        r"^\| `(cert-manager\S*)` \| `(\S+)` \| `(\S+)` \| (.+?) \| (.+?) \| ",
        section(reference("cert-manager.md"), "### 1.3"),
        re.MULTILINE,
    )
    assert len(rows) == 3
    for deployment, name, image, args, ports in rows:
        each = container(find("certmanager/cert-manager.yaml", "Deployment", deployment), name)
        assert each["image"] == image
        assert each["args"] == re.findall(r"`([^`]+)`", args)
        seen = [(port["name"], port["containerPort"]) for port in each.get("ports", [])]
        assert seen == [
            (port, int(number)) for port, number in re.findall(r"`(\S+)` (\d+)/TCP", ports)
        ]


def test_cert_manager_webhook_probes_are_those_of_the_reference() -> None:
    webhook = find("certmanager/cert-manager.yaml", "Deployment", "cert-manager-webhook")
    each = container(webhook, "cert-manager-webhook")
    liveness, readiness = each["livenessProbe"], each["readinessProbe"]
    assert liveness["httpGet"] == {"path": "/livez", "port": 6080, "scheme": "HTTP"}
    assert (liveness["initialDelaySeconds"], liveness["periodSeconds"]) == (60, 10)
    assert readiness["httpGet"] == {"path": "/healthz", "port": 6080, "scheme": "HTTP"}
    assert (readiness["initialDelaySeconds"], readiness["periodSeconds"]) == (5, 5)


def test_cert_manager_when_applied_again_differs_where_the_reference_says() -> None:
    """Six objects are not stored as written, so kubectl calls them configured (1.2)."""
    name = "certmanager/cert-manager.yaml"
    config = find(name, "ConfigMap", "cert-manager-webhook")
    assert config["data"] is None
    blank = {
        item["metadata"]["name"]
        for item in objects(name)
        if "subjects" in item and item["subjects"][0].get("apiGroup") == ""
    }
    assert blank == {
        "cert-manager-webhook:subjectaccessreviews",
        "cert-manager:leaderelection",
        "cert-manager-webhook:dynamic-serving",
    }
    for kind in ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"):
        (hook,) = find(name, kind, "cert-manager-webhook")["webhooks"]
        assert "scope" not in hook["rules"][0]
        assert "caBundle" not in hook["clientConfig"]


def test_contour_containers_run_what_the_reference_says() -> None:
    text = section(reference("contour-and-kind.md"), "### 1.3")
    name = "contour/contour.yaml"
    job = find(name, "Job", "contour-certgen-v1.25.2")
    deployment = find(name, "Deployment", "contour")
    daemon_set = find(name, "DaemonSet", "envoy")
    assert f"`{command_line(job, 'contour')}`" in text
    assert f"`{command_line(deployment, 'contour')}`" in text
    shown = command_line(daemon_set, "envoy").removeprefix("envoy ")
    assert f"args `{shown}`" in text
    for item, each in ((job, "contour"), (deployment, "contour"), (daemon_set, "envoy")):
        assert f"image `{container(item, each)['image']}`" in text


def test_envoy_takes_the_host_ports_that_kind_maps() -> None:
    daemon_set = find("contour/contour.yaml", "DaemonSet", "envoy")
    ports = container(daemon_set, "envoy")["ports"]
    assert [(port["name"], port["containerPort"], port["hostPort"]) for port in ports] == [
        ("http", 8080, 80),
        ("https", 8443, 443),
    ]
    mappings = objects("contour/kind-expose-port.yaml")[0]["nodes"][0]["extraPortMappings"]
    assert [each["containerPort"] for each in mappings] == [80, 443]
    assert [each["hostPort"] for each in mappings] == [80, 443]
    assert {each["listenAddress"] for each in mappings} == {"0.0.0.0"}


def test_kind_configuration_is_as_long_as_the_one_people_download() -> None:
    assert manifest("contour/kind-expose-port.yaml").stat().st_size == 237


def test_contour_probes_are_those_of_the_reference() -> None:
    name = "contour/contour.yaml"
    contour = container(find(name, "Deployment", "contour"), "contour")
    assert contour["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": 8000}
    assert contour["readinessProbe"] == {
        "tcpSocket": {"port": 8001},
        "initialDelaySeconds": 15,
        "periodSeconds": 10,
    }
    envoy = container(find(name, "DaemonSet", "envoy"), "envoy")
    assert envoy["readinessProbe"] == {
        "httpGet": {"path": "/ready", "port": 8002},
        "initialDelaySeconds": 3,
        "periodSeconds": 4,
    }


def test_contour_definitions_ask_for_what_the_server_does_not_keep() -> None:
    """So that a second apply says configured for the five of them (contour-and-kind.md 1.2)."""
    for item in objects("contour/contour.yaml"):
        if item["kind"] == "CustomResourceDefinition":
            assert item["spec"]["preserveUnknownFields"] is False


def test_pinniped_images_carry_tag_and_digest() -> None:
    image = re.compile(
        r"projects\.registry\.vmware\.com/pinniped/pinniped-server:v0\.25\.0@sha256:[0-9a-f]{64}"
    )
    resources = "concierge/install-pinniped-concierge-resources.yaml"
    deployment = find(resources, "Deployment", "pinniped-concierge")
    concierge = container(deployment, "pinniped-concierge")["image"]
    config = find(resources, "ConfigMap", "pinniped-concierge-config")["data"]["pinniped.yaml"]
    local = find(
        "localuser/install-local-user-authenticator.yaml", "Deployment", "local-user-authenticator"
    )
    assert image.fullmatch(concierge)
    assert yaml.safe_load(config)["kubeCertAgent"]["image"] == concierge
    assert container(local, "local-user-authenticator")["image"] == concierge


def test_concierge_configuration_holds_the_values_of_the_reference() -> None:
    config = find(
        "concierge/install-pinniped-concierge-resources.yaml",
        "ConfigMap",
        "pinniped-concierge-config",
    )
    seen = yaml.safe_load(config["data"]["pinniped.yaml"])
    rows = re.findall(
        r"^\| `([\w.]+)` \| `?([^`|(]+?)`?(?: \(.*)? \|$",
        section(reference("pinniped.md"), "#### 1.3.1"),
        re.MULTILINE,
    )
    assert len(rows) >= 14
    for path, value in rows:
        found: Any = seen
        for key in path.split("."):
            found = found[key]
        if path != "kubeCertAgent.image":
            assert found == yaml.safe_load(value), path


def test_concierge_probes_are_those_of_the_reference() -> None:
    deployment = find(
        "concierge/install-pinniped-concierge-resources.yaml", "Deployment", "pinniped-concierge"
    )
    each = container(deployment, "pinniped-concierge")
    get = {"path": "/healthz", "port": 10250, "scheme": "HTTPS"}
    assert each["livenessProbe"]["httpGet"] == get
    assert each["readinessProbe"]["httpGet"] == get
    assert each["livenessProbe"]["failureThreshold"] == 5
    assert each["readinessProbe"]["failureThreshold"] == 3
    assert each["env"] == []
