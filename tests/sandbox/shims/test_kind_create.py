"""`kind create cluster`. Source: recorded from kind v0.20.0."""

import io
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from shim_kind import EXPOSE, KUBECONFIG, POST, SHOWN, Sandbox, passed
from shim_world import Run

from tutor.sandbox.shims.kind import config, sandbox


def test_create_for_the_posts_command_prints_and_writes_what_the_post_has(
    world: Sandbox, kind: Run, home: Path
) -> None:
    outcome = kind(*POST)
    lines = [line for step in SHOWN for line in (f" • {step}  ...", f" ✓ {step}")]
    assert outcome.err.split("\n") == [
        'Creating cluster "kind-with-contour" ...',
        *lines,
        'Set kubectl context to "kind-kind-with-contour"',
        "You can now use your cluster with:",
        "",
        (
            "kubectl cluster-info --context kind-kind-with-contour "
            "--kubeconfig kind-with-contour.kubeconfig.yaml"
        ),
        "",
        "Have a nice day! 👋",
        "",
    ]
    assert (outcome.code, outcome.out) == (0, "")
    file = home / "kind-with-contour.kubeconfig.yaml"
    assert file.read_text() == KUBECONFIG
    assert file.stat().st_mode & 0o777 == 0o600
    assert not (home / ".kube").exists()
    assert world.requests == [
        {"do": "nodes", "name": "kind-with-contour"},
        {
            "do": "create-cluster",
            "name": "kind-with-contour",
            "nodes": 1,
            "roles": ["control-plane"],
            "image": config.IMAGE,
            "wait_s": 0.0,
            "retain": False,
            "ports": [
                {"container": port, "host": port, "listen": "0.0.0.0", "protocol": "TCP"}
                for port in (80, 443)
            ],
            "networking": {},
        },
    ]


def test_create_alone_makes_kind_in_the_default_kubeconfig(
    world: Sandbox, kind: Run, home: Path
) -> None:
    outcome = kind("create", "cluster")
    assert "kubectl cluster-info --context kind-kind\n" in outcome.err
    written = yaml.safe_load((home / ".kube" / "config").read_text())
    assert written["current-context"] == "kind-kind"
    assert world.requests[1]["ports"] == []


def test_create_takes_its_name_from_flag_environment_and_file_in_that_order(
    world: Sandbox, kind: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "named.yaml").write_text(f"{EXPOSE}name: from-file\n")
    kind("create", "cluster", "--config=named.yaml")
    monkeypatch.setenv("KIND_CLUSTER_NAME", "from-environment")
    kind("create", "cluster", "--config=named.yaml")
    kind("create", "cluster", "--config=named.yaml", "-n", "from-flag")
    named = [request["name"] for request in world.requests if request["do"] == "create-cluster"]
    assert named == ["from-file", "from-environment", "from-flag"]


def test_create_reads_its_configuration_from_stdin(
    world: Sandbox, kind: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(EXPOSE.replace("control-plane", "worker")))
    assert kind("create", "cluster", "--config=-").err == (
        "ERROR: failed to create cluster: must have at least one control-plane node\n"
    )
    assert [request["do"] for request in world.requests] == ["nodes"]


def test_create_of_three_nodes_shows_three_boxes_and_asks_for_their_roles(
    world: Sandbox, kind: Run, home: Path
) -> None:
    (home / "three.yaml").write_text(f"{EXPOSE}- role: worker\n- role: worker\n")
    world.creation.insert(-1, {"step": "Joining worker nodes", "state": "start"})
    world.creation.insert(-1, {"step": "Joining worker nodes", "state": "done"})
    err = kind("create", "cluster", "--config=three.yaml", "--image=my/node:1@sha256:abc").err
    assert " ✓ Preparing nodes 📦 📦 📦 \n" in err
    assert " ✓ Joining worker nodes 🚜\n" in err
    assert "Ensuring node image (my/node:1) 🖼" in err
    assert world.requests[1]["roles"] == ["control-plane", "worker", "worker"]
    assert world.requests[1]["image"] == "my/node:1@sha256:abc"


@pytest.mark.parametrize(
    ("reply", "end"),
    [
        (
            {"step": "Waiting", "state": "done", "seconds": 15.2},
            [" ✓ Waiting ≤ 2m0s for control-plane = Ready ⏳", " • Ready after 15s 💚"],
        ),
        (
            {"step": "Waiting", "state": "failed"},
            [
                " ✗ Waiting ≤ 2m0s for control-plane = Ready ⏳",
                " • WARNING: Timed out waiting for Ready ⚠️",
            ],
        ),
    ],
)
def test_create_with_wait_shows_how_long_it_took(
    reply: dict[str, Any], end: list[str], world: Sandbox, kind: Run
) -> None:
    world.creation[-1:-1] = [{"step": "Waiting", "state": "start"}, reply]
    outcome = kind("create", "cluster", "--wait=2m")
    assert outcome.err.splitlines()[-8:-6] == end
    assert outcome.code == 0
    assert world.requests[1]["wait_s"] == 120.0


PORT = {"ok": False, "error": "port-in-use", "port": 443, "listen": "0.0.0.0", "api_port": 34135}
RUN = (
    "docker run --name kind-with-contour-control-plane "
    "--hostname kind-with-contour-control-plane --label io.x-k8s.kind.role=control-plane "
    "--privileged --security-opt seccomp=unconfined --security-opt apparmor=unconfined "
    "--tmpfs /tmp --tmpfs /run --volume /var --volume /lib/modules:/lib/modules:ro "
    "-e KIND_EXPERIMENTAL_CONTAINERD_SNAPSHOTTER --detach --tty "
    "--label io.x-k8s.kind.cluster=kind-with-contour --net kind --restart=on-failure:1 "
    "--init=false --cgroupns=private --publish=0.0.0.0:80:80/TCP --publish=0.0.0.0:443:443/TCP "
    "--publish=127.0.0.1:34135:6443/TCP -e KUBECONFIG=/etc/kubernetes/admin.conf "
    "kindest/node:v1.27.3"
    "@sha256:3966ac761ae0136263ffdb6cfd4db23ef8a83cba8a463690e98317add2c9ba72"
)


@pytest.mark.parametrize(
    ("holder", "cause"),
    [
        ("kind", "Bind for 0.0.0.0:443 failed: port is already allocated."),
        (
            "process",
            "Error starting userland proxy: listen tcp4 0.0.0.0:443: bind: address already in use.",
        ),
    ],
)
def test_create_on_a_port_in_use_says_what_docker_says(
    holder: str, cause: str, world: Sandbox, kind: Run, home: Path
) -> None:
    nodes = ["kind-with-contour-control-plane"]
    world.creation = [
        *passed("Ensuring node image"),
        {"step": "Preparing nodes", "state": "start"},
        {"step": "Preparing nodes", "state": "failed"},
        {**PORT, "holder": holder, "deleted": nodes},
    ]
    outcome = kind(*POST)
    container, endpoint = re.findall(r"[0-9a-f]{64}", outcome.err.partition("Output")[2])
    assert outcome.err.split("\n")[3:] == [
        " • Preparing nodes 📦   ...",
        " ✗ Preparing nodes 📦 ",
        'Deleted nodes: ["kind-with-contour-control-plane"]',
        f'ERROR: failed to create cluster: command "{RUN}" failed with error: exit status 125',
        "",
        f"Command Output: {container}",
        (
            "docker: Error response from daemon: driver failed programming external connectivity "
            f"on endpoint kind-with-contour-control-plane ({endpoint}): {cause}"
        ),
        "",
    ]
    assert outcome.code == 1
    assert not (home / "kind-with-contour.kubeconfig.yaml").exists()


def test_create_of_a_cluster_that_exists_says_nothing_else(world: Sandbox, kind: Run) -> None:
    world.existing = ["kind-with-contour-control-plane"]
    expected = (
        "ERROR: failed to create cluster: node(s) already exist for a cluster with the name "
        '"kind-with-contour"\n'
    )
    assert kind(*POST) == (1, "", expected)
    world.existing = []
    world.creation = [{"ok": False, "error": "exists"}]
    assert kind(*POST).err == f'Creating cluster "kind-with-contour" ...\n{expected}'


def test_create_that_the_sandbox_refuses_otherwise_says_its_message(
    world: Sandbox, kind: Run
) -> None:
    world.creation = [
        {"step": "Ensuring node image", "state": "start"},
        {"ok": False, "error": "full", "message": "/home: No space.", "next_action": "Free some."},
    ]
    assert kind("create", "cluster").err.splitlines()[-2:] == [
        " ✗ Ensuring node image (kindest/node:v1.27.3) 🖼",
        "ERROR: failed to create cluster: /home: No space. Free some.",
    ]


def test_create_says_which_settings_the_sandbox_ignores(
    world: Sandbox, kind: Run, home: Path
) -> None:
    (home / "more.yaml").write_text(
        f"{EXPOSE}  extraMounts: [{{hostPath: /x, containerPath: /y}}]\nfeatureGates: {{A: true}}\n"
    )
    err = kind("create", "cluster", "--config=more.yaml").err
    assert err.startswith("WARNING: the sandbox has no containers")
    assert "featureGates, extraMounts\n" in err
    assert len(world.requests) == 2


def test_create_quietly_writes_the_kubeconfig_and_no_word(
    world: Sandbox, kind: Run, home: Path
) -> None:
    assert kind("-q", *POST) == (0, "", "")
    assert (home / "kind-with-contour.kubeconfig.yaml").exists()
    world.existing = ["x"]
    assert kind("create", "cluster", "--quiet") == (1, "", "")


@pytest.mark.usefixtures("world")
def test_create_verbosely_says_where_the_image_is(kind: Run) -> None:
    assert kind("-v", "1", "create", "cluster").err.splitlines()[2:4] == [
        f"DEBUG: docker/images.go:58] Image: {config.IMAGE} present locally",
        " ✓ Ensuring node image (kindest/node:v1.27.3) 🖼",
    ]


def test_create_merges_into_an_existing_kubeconfig(
    world: Sandbox, kind: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "b").write_text(
        "apiVersion: v1\nkind: Config\npreferences: {colors: true}\ncurrent-context: x\n"
        "clusters:\n- {name: c, cluster: {server: 'https://a'}}\n"
        "users:\n- {name: kind-kind, user: {token: old}}\n- {name: u, user: {token: '123'}}\n"
    )
    monkeypatch.setenv("KUBECONFIG", "a:b")
    assert kind("create", "cluster").code == 0
    written = yaml.safe_load((home / "b").read_text())
    assert [entry["name"] for entry in written["clusters"]] == ["c", "kind-kind"]
    assert [entry["name"] for entry in written["users"]] == ["kind-kind", "u"]
    assert "client-key-data" in written["users"][0]["user"]
    assert written["preferences"] == {"colors": True}
    assert written["current-context"] == "kind-kind"
    assert not (home / "a").exists()
    assert not (home / "b.lock").exists()
    assert len(world.requests) == 2


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("a: [", "yaml: line 1: did not find expected node content"),
        (
            "- a",
            "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!seq into kubeconfig.Config",
        ),
    ],
)
@pytest.mark.usefixtures("world")
def test_create_into_a_broken_kubeconfig_leaves_it(
    content: str, text: str, kind: Run, home: Path
) -> None:
    (home / "k").write_text(content)
    err = kind("create", "cluster", "--kubeconfig=k").err
    assert err.endswith(
        f"ERROR: failed to create cluster: failed to get kubeconfig to merge: {text}\n"
    )
    assert (home / "k").read_text() == content


@pytest.mark.usefixtures("world")
def test_create_into_a_locked_kubeconfig_says_so(kind: Run, home: Path) -> None:
    (home / "k.lock").touch()
    assert kind("create", "cluster", "--kubeconfig=k").err.endswith(
        "ERROR: failed to create cluster: failed to lock config file: open k.lock: file exists\n"
    )


def test_create_without_a_sandbox_says_what_to_do(
    kind: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    err = kind("create", "cluster").err
    assert err.startswith("ERROR: no sandbox to make clusters in")
    assert 'eval "$(tutor sandbox env)"' in err
    monkeypatch.setenv("TUTOR_SOCKET", str(tmp_path / "none"))
    assert kind("create", "cluster").err.startswith("ERROR: the sandbox does not run: ")
    monkeypatch.setenv("TUTOR_START", "false --really")
    assert kind("create", "cluster").err == (
        "ERROR: the sandbox did not start: run `false --really` in a terminal to see why, "
        "then try again\n"
    )
    monkeypatch.setenv("TUTOR_START", "/no/such/command")
    assert kind("create", "cluster").err.startswith(
        "ERROR: cannot start the sandbox with `/no/such/command`: "
    )


LATE = """\
import socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
for _ in range(2):
    connection, _ = listener.accept()
    with connection:
        if connection.makefile().readline():
            connection.sendall(b'{"ok": true, "clusters": ["a"]}\\n')
"""


def test_create_starts_a_sandbox_that_does_not_run(
    kind: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "_POLL_S", 0.01)
    path, starter = tmp_path / "late.sock", tmp_path / "start.py"
    starter.write_text(LATE)
    monkeypatch.setenv("TUTOR_SOCKET", str(path))
    monkeypatch.setenv("TUTOR_START", f"'{sys.executable}' '{starter}' '{path}'")
    assert kind("get", "clusters") == (0, "a\n", "")


def test_create_when_the_sandbox_goes_away_says_what_to_do(world: Sandbox, kind: Run) -> None:
    world.creation = [{"step": "Preparing nodes", "state": "start"}]
    outcome = kind("create", "cluster")
    assert outcome.code == 1
    assert "the sandbox went away in the middle of an answer: `tutor sandbox status`" in outcome.err
