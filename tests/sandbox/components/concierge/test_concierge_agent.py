"""Source: pinniped.md 1.4.3 and 3.10."""

import json
from typing import Any

import pytest
from concierge_world import NAMESPACE, Object, config

from tutor.sandbox.components.concierge.encoding import encode_base64
from tutor.sandbox.components.concierge.signing.template import (
    agent_deployment,
    brought_up_to,
    candidates,
    cluster_info,
    flag_of,
    newest_running,
    read_printed,
    selects_otherwise,
)
from tutor.sandbox.components.concierge.sync import SyncError
from tutor.sandbox.kinds import thaw

KUBECONFIG = """
apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: Q0E=
    server: https://kind-with-contour-control-plane:6443
  name: ""
"""


def manager(*flags: str, **spec: Any) -> Object:
    container = {
        "name": "kube-controller-manager",
        "command": ["kube-controller-manager", *flags],
        "volumeMounts": [{"name": "k8s-certs", "mountPath": "/etc/kubernetes/pki"}],
    }
    return {
        "metadata": {"name": "kube-controller-manager-node", "namespace": "kube-system"},
        "spec": {
            "containers": [container],
            "volumes": [{"name": "k8s-certs", "hostPath": {"path": "/etc/kubernetes/pki"}}],
            "nodeName": "node",
            "hostNetwork": True,
            "tolerations": [{"effect": "NoExecute", "operator": "Exists"}],
            **spec,
        },
    }


def pod(name: str, phase: str, created: str = "2023-08-09T18:30:00Z") -> Object:
    return {
        "metadata": {"name": name, "namespace": NAMESPACE, "creationTimestamp": created},
        "status": {"phase": phase},
    }


def test_agent_is_made_after_the_controller_manager():
    made = agent_deployment(
        config(),
        NAMESPACE,
        manager(
            "--cluster-signing-cert-file=/etc/kubernetes/pki/ca.crt",
            "--cluster-signing-key-file=/etc/kubernetes/pki/ca.key",
        ),
    )
    assert made["metadata"] == {
        "name": "pinniped-concierge-kube-cert-agent",
        "namespace": NAMESPACE,
        "labels": {"app": "pinniped-concierge"},
    }
    spec = made["spec"]
    assert spec["replicas"] == 1
    assert spec["minReadySeconds"] == 10
    assert spec["selector"] == {"matchLabels": {"kube-cert-agent.pinniped.dev": "v3"}}
    assert spec["template"]["metadata"]["labels"] == {"kube-cert-agent.pinniped.dev": "v3"}
    template = spec["template"]["spec"]
    assert template["nodeName"] == "node"
    assert template["hostNetwork"] is True
    assert template["automountServiceAccountToken"] is False
    assert template["terminationGracePeriodSeconds"] == 0
    (container,) = template["containers"]
    assert container["command"] == ["pinniped-concierge-kube-cert-agent", "sleep"]
    assert container["env"] == [
        {"name": "CERT_PATH", "value": "/etc/kubernetes/pki/ca.crt"},
        {"name": "KEY_PATH", "value": "/etc/kubernetes/pki/ca.key"},
    ]
    assert container["resources"] == {
        "limits": {"cpu": "20m", "memory": "32Mi"},
        "requests": {"cpu": "0", "memory": "32Mi"},
    }


@pytest.mark.parametrize(
    ("flags", "value"),
    [
        (["--x=1"], "1"),
        (["--x", "1"], "1"),
        (["--y=2", "--x=1"], "1"),
        (["--x"], "fallback"),
        ([], "fallback"),
    ],
)
def test_flag_is_read_from_the_command(flags: list[str], value: str):
    assert flag_of(manager(*flags), "x", "fallback") == value


def test_deployment_that_was_defaulted_is_left_alone():
    wanted = agent_deployment(config(), NAMESPACE, manager())
    existing = thaw(wanted)
    existing["spec"]["strategy"] = {"type": "RollingUpdate"}
    existing["spec"]["template"]["spec"]["dnsPolicy"] = "ClusterFirst"
    existing["metadata"]["labels"]["other"] = "x"
    assert brought_up_to(existing, wanted) is None


def test_deployment_that_differs_is_brought_back():
    wanted = agent_deployment(config(), NAMESPACE, manager())
    existing = thaw(wanted)
    existing["spec"]["replicas"] = 0
    existing["metadata"]["labels"] = {"other": "x"}
    new = brought_up_to(existing, wanted)
    assert new is not None
    assert new["spec"] == wanted["spec"]
    assert new["metadata"]["labels"] == {"other": "x", "app": "pinniped-concierge"}


def test_deployment_with_another_selector_has_to_be_made_again():
    wanted = agent_deployment(config(), NAMESPACE, manager())
    existing = thaw(wanted)
    assert not selects_otherwise(existing, wanted)
    existing["spec"]["selector"]["matchLabels"]["app"] = "x"
    assert selects_otherwise(existing, wanted)


def test_newest_running_pod_is_chosen():
    later = "2023-08-09T18:31:00Z"
    pods = [pod("b", "Running"), pod("c", "Running"), pod("d", "Pending", later)]
    found = newest_running(pods)
    assert found is not None
    assert found["metadata"]["name"] == "b"
    newest = newest_running([*pods, pod("z", "Running", later)])
    assert newest is not None
    assert newest["metadata"]["name"] == "z"
    assert newest_running([pod("d", "Pending")]) is None


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 candidates"), (1, "1 candidate"), (2, "2 candidates")]
)
def test_candidates_are_counted(count: int, text: str):
    assert candidates([pod("x", "Pending")] * count) == text


def test_cluster_info_gives_server_and_ca():
    found = cluster_info({"data": {"kubeconfig": KUBECONFIG}}, None)
    assert found == ("https://kind-with-contour-control-plane:6443", "Q0E=")


def test_cluster_info_server_can_be_overridden():
    assert cluster_info({"data": {"kubeconfig": KUBECONFIG}}, "https://x")[0] == "https://x"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({}, 'missing "kubeconfig" key'),
        ({"kubeconfig": "clusters: ["}, 'key "kubeconfig" does not contain a valid kubeconfig'),
        ({"kubeconfig": "x"}, 'key "kubeconfig" does not contain a valid kubeconfig'),
        ({"kubeconfig": "{}"}, 'kubeconfig in key "kubeconfig" does not contain any clusters'),
    ],
)
def test_cluster_info_that_cannot_be_read_says_why(data: dict[str, str], text: str):
    with pytest.raises(SyncError) as refused:
        cluster_info({"data": data}, None)
    assert str(refused.value) == text


def test_printed_key_is_decoded():
    printed = json.dumps({"tls.crt": encode_base64("c"), "tls.key": encode_base64("k")})
    assert read_printed(printed, pod("p", "Running")) == (b"c", b"k")


@pytest.mark.parametrize(
    ("printed", "text"),
    [
        ("x", "failed to decode signing cert/key JSON from agent pod pinniped-concierge/p: "),
        (
            '{"tls.crt":"%"}',
            (
                "failed to decode signing cert base64 from agent pod pinniped-concierge/p:"
                " illegal base64 data at input byte 0"
            ),
        ),
        (
            '{"tls.crt":"","tls.key":"%"}',
            (
                "failed to decode signing key base64 from agent pod pinniped-concierge/p:"
                " illegal base64 data at input byte 0"
            ),
        ),
    ],
)
def test_printed_key_that_cannot_be_read_says_why(printed: str, text: str):
    with pytest.raises(SyncError) as refused:
        read_printed(printed, pod("p", "Running"))
    assert str(refused.value).startswith(text)
