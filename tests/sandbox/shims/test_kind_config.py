"""Configuration files that kind refuses. Source: recorded from kind v0.20.0."""

from pathlib import Path

import pytest
from shim_world import Run

HEAD = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n"
DECODE = "unable to decode config: yaml: unmarshal errors:\n"
WHICH = "could not determine kind / apiVersion for config: "


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("", "unknown apiVersion: "),
        ("404: Not Found", "unknown apiVersion: "),
        (
            "Not Found",
            (
                f"{WHICH}yaml: unmarshal errors:\n"
                "  line 1: cannot unmarshal !!str `Not Found` into encoding.typeMeta"
            ),
        ),
        ("a: b: c", f"{WHICH}yaml: mapping values are not allowed in this context"),
        (
            "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha3",
            "unknown apiVersion: kind.x-k8s.io/v1alpha3",
        ),
        (
            "kind: Clusterz\napiVersion: kind.x-k8s.io/v1alpha4",
            "unknown kind Clusterz for apiVersion: kind.x-k8s.io/v1alpha4",
        ),
        (
            (
                f"{HEAD}nodes:\n- role: control-plane\n  extraPortMapping:\n  - containerPort: "
                "80\nfoo: 1\n"
            ),
            (
                f"{DECODE}  line 5: field extraPortMapping not found in type v1alpha4.Node\n"
                "  line 7: field foo not found in type v1alpha4.Cluster"
            ),
        ),
        (
            (
                f"{HEAD}nodes:\n- extraPortMappings:\n  - containerPort: abc\n    hostPort: "
                "'80'\n    bogus: x\n"
            ),
            (
                f"{DECODE}  line 5: cannot unmarshal !!str `abc` into int32\n"
                "  line 6: cannot unmarshal !!str `80` into int32\n"
                "  line 7: field bogus not found in type v1alpha4.PortMappingAlias"
            ),
        ),
        (
            f"{HEAD}nodes: x\nname: [a]\n",
            (
                f"{DECODE}  line 3: cannot unmarshal !!str `x` into []v1alpha4.Node\n"
                "  line 4: cannot unmarshal !!seq into string"
            ),
        ),
        (
            f"{HEAD}nodes:\n- role: worker\n  role: control-plane\n",
            f'{DECODE}  line 5: mapping key "role" already defined at line 4',
        ),
        (
            f"{HEAD}featureGates: {{a: b}}\nnodes:\n- kubeadmConfigPatches: x\n- role: {{a: b}}\n",
            (
                f"{DECODE}  line 3: cannot unmarshal !!str `b` into bool\n"
                "  line 5: cannot unmarshal !!str `x` into []string\n"
                "  line 6: cannot unmarshal !!map into v1alpha4.NodeRole"
            ),
        ),
        (
            f"{HEAD}nodes:\n- extraPortMappings:\n  - protocol: FOO\n",
            'unable to decode config: Unknown PortMappingProtocol: "FOO"',
        ),
        (
            f"{HEAD}nodes:\n- extraMounts:\n  - propagation: X\n",
            'unable to decode config: Unknown MountPropagation: "X"',
        ),
        (
            f"{HEAD}nodes:\n- extraPortMappings:\n  - hostPort: 80\n  - hostPort: 80\n",
            (
                "invalid configuration for node 0: invalid portMapping: port mapping with same "
                "listen address, port and protocol already configured: <nil>:80/"
            ),
        ),
        (
            (
                f"{HEAD}nodes:\n- extraPortMappings:\n"
                "  - {hostPort: 80, listenAddress: 127.0.0.1, protocol: tcp}\n"
                "  - {hostPort: 80, listenAddress: 0.0.0.0, protocol: TCP}\n"
            ),
            (
                "invalid configuration for node 0: invalid portMapping: port mapping with same "
                "listen address, port and protocol already configured: 0.0.0.0:80/TCP"
            ),
        ),
        (
            f"{HEAD}nodes:\n- extraPortMappings:\n  - {{containerPort: 70000, hostPort: -5}}\n",
            (
                "invalid configuration for node 0: [invalid hostPort: invalid port number: -5, "
                "invalid containerPort: invalid port number: 70000]"
            ),
        ),
        (
            f"{HEAD}name: Foo_1\nnodes:\n- role: x\n",
            (
                "['Foo_1' is not a valid cluster name, cluster names must match `^[a-z0-9.-]+$`, "
                'invalid configuration for node 0: "x" is not a valid node role, '
                "must have at least one control-plane node]"
            ),
        ),
        (
            f"{HEAD}networking: {{apiServerPort: 99999, podSubnet: foo, kubeProxyMode: x}}\n",
            (
                "[invalid apiServerPort: invalid port number: 99999, "
                "invalid pod subnet failed to parse "
                'cidr value:"foo" with error: invalid CIDR address: foo, invalid kubeProxyMode: x]'
            ),
        ),
    ],
)
@pytest.mark.usefixtures("world")
def test_create_with_a_wrong_configuration_says_what_kind_says(
    content: str, text: str, kind: Run, home: Path
) -> None:
    (home / "c.yaml").write_text(content)
    outcome = kind("create", "cluster", "--config=c.yaml")
    assert outcome == (1, "", f"ERROR: failed to create cluster: {text}\n")


@pytest.mark.usefixtures("world")
def test_create_with_a_configuration_that_is_not_there_says_so(kind: Run) -> None:
    failed = "ERROR: failed to create cluster: error reading file: "
    for path, text in (
        ("kind-x.yaml", "open kind-x.yaml: no such file or directory"),
        ("/", "read /: is a directory"),
    ):
        assert kind("create", "cluster", f"--config={path}").err == f"{failed}{text}\n"
