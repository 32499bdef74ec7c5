"""kind's other commands. Source: recorded from kind v0.20.0."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from shim_servers import SandboxSocket
from shim_world import Run

NAME = "kind-with-contour"
NODE = f"{NAME}-control-plane"
FOUND = {
    "ca": "Q0E=",
    "server": "https://127.0.0.1:34135",
    "internal_server": f"https://{NODE}:6443",
    "client_certificate": "Q0VSVA==",
    "client_key": "S0VZ",
}


class Sandbox:
    """Some clusters."""

    def __init__(self) -> None:
        self.clusters = [NAME]

    def script(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        """Answer one request."""
        name = request.get("name")
        nodes = [NODE] if name in self.clusters else []
        match request["do"]:
            case "clusters":
                return [{"ok": True, "clusters": self.clusters}]
            case "kubeconfig" if not nodes:
                return [{"ok": False, "error": "unknown-cluster"}]
            case "kubeconfig":
                return [{"ok": True, "kubeconfig": FOUND}]
            case "delete-cluster":
                self.clusters = [cluster for cluster in self.clusters if cluster != name]
                return [{"ok": True, "nodes": nodes}]
            case _:
                return [{"ok": True, "nodes": nodes}]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A sandbox with one cluster."""
    scripted = Sandbox()
    with SandboxSocket(tmp_path / "sandbox.sock", scripted.script) as server:
        monkeypatch.setenv("TUTOR_SOCKET", str(server.path))
        yield scripted


BAD = "ERROR: invalid argument"
NUMBER = "strconv.ParseInt: parsing"
LOST = (
    "ERROR: could not locate any control plane nodes for cluster named 'kind'. "
    "Use the --name option to select a different cluster\n"
)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("get clusters", (0, f"{NAME}\n", "")),
        (f"get nodes --name {NAME}", (0, f"{NODE}\n", "")),
        ("get nodes -A", (0, f"{NODE}\n", "")),
        ("get nodes", (0, "", 'No kind nodes found for cluster "kind".\n')),
        ("get kubeconfig", (1, "", LOST)),
        ("export kubeconfig", (1, "", LOST)),
        ("export logs --name nope", (1, "", 'ERROR: unknown cluster "nope"\n')),
        ("delete cluster --name nope", (0, "", 'Deleting cluster "nope" ...\n')),
        ("delete cluster", (0, "", 'Deleting cluster "kind" ...\n')),
        ("delete clusters", (1, "", "ERROR: no cluster names provided\n")),
        (
            f"delete clusters {NAME} b",
            (0, "", f'Deleted nodes: ["{NODE}"]\nDeleted clusters: ["{NAME}" "b"]\n'),
        ),
        (
            "delete clusters --all",
            (0, "", f'Deleted nodes: ["{NODE}"]\nDeleted clusters: ["{NAME}"]\n'),
        ),
        ("version -q", (0, "0.20.0\n", "")),
        ("-q version", (0, "0.20.0\n", "")),
        ("--version", (0, "kind version 0.20.0\n", "")),
        ("create clstr", (1, "", 'ERROR: unknown command "clstr" for "kind create"\n')),
        ("create help", (1, "", 'ERROR: unknown command "help" for "kind create"\n')),
        ("get cluster", (1, "", 'ERROR: unknown command "cluster" for "kind get"\n')),
        (
            "create cluster extra",
            (1, "", 'ERROR: unknown command "extra" for "kind create cluster"\n'),
        ),
        ("create cluster --nam x", (1, "", "ERROR: unknown flag: --nam\n")),
        ("create cluster -n", (1, "", "ERROR: flag needs an argument: 'n' in -n\n")),
        ("create cluster -x", (1, "", "ERROR: unknown shorthand flag: 'x' in -x\n")),
        (
            "create cluster --wait 5",
            (1, "", f'{BAD} "5" for "--wait" flag: time: missing unit in duration "5"\n'),
        ),
        (
            "-v x version",
            (1, "", f'{BAD} "x" for "-v, --verbosity" flag: {NUMBER} "x": invalid syntax\n'),
        ),
        ("export logs a b", (1, "", "ERROR: accepts at most 1 arg(s), received 2\n")),
        ("load docker-image", (1, "", "ERROR: a list of image names is required\n")),
        ("load image-archive", (1, "", "ERROR: name of image archive is required\n")),
    ],
)
@pytest.mark.usefixtures("world")
def test_kind_answers_as_the_real_one(line: str, expected: tuple[int, str, str], kind: Run) -> None:
    assert kind(*line.split()) == expected


def test_kind_version_names_go_and_platform(kind: Run) -> None:
    out = kind("version").out
    assert out.startswith("kind v0.20.0 go1.20.4 ")
    assert kind("--loglevel", "debug", "version") == (
        0,
        out,
        "WARNING: --loglevel is deprecated, please switch to -v and -q!\n",
    )


def test_kind_without_clusters_says_so(world: Sandbox, kind: Run) -> None:
    world.clusters = []
    assert kind("get", "clusters") == (0, "", "No kind clusters found.\n")
    assert kind("get", "nodes", "-A") == (0, "", "No kind nodes for any cluster.\n")
    assert kind("delete", "clusters", "-A") == (0, "", "Deleted clusters: []\n")
    assert kind("-q", "get", "clusters") == (0, "", "")


@pytest.mark.usefixtures("world")
def test_kind_takes_the_name_from_the_environment(
    kind: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIND_CLUSTER_NAME", NAME)
    assert kind("get", "nodes").out == f"{NODE}\n"
    assert kind("get", "nodes", "--name", "other").out == ""


@pytest.mark.usefixtures("world")
def test_kind_prints_a_kubeconfig_and_an_empty_line(kind: Run) -> None:
    out = kind("get", "kubeconfig", "--name", NAME).out
    assert out.endswith("\n\n")
    assert "    server: https://127.0.0.1:34135\n" in out
    assert list(yaml.safe_load(out)) == [
        "apiVersion",
        "clusters",
        "contexts",
        "current-context",
        "kind",
        "preferences",
        "users",
    ]
    out = kind("get", "kubeconfig", "--name", NAME, "--internal").out
    assert f"    server: https://{NODE}:6443\n" in out


@pytest.mark.usefixtures("world")
def test_kind_exports_a_kubeconfig_and_delete_takes_it_out_again(kind: Run, home: Path) -> None:
    outcome = kind("export", "kubeconfig", "--name", NAME, "--kubeconfig", "k")
    assert outcome == (0, "", f'Set kubectl context to "kind-{NAME}"\n')
    assert yaml.safe_load((home / "k").read_text())["current-context"] == f"kind-{NAME}"
    outcome = kind("delete", "cluster", "--name", NAME, "--kubeconfig", "k")
    assert outcome == (
        0,
        "",
        f'Deleting cluster "{NAME}" ...\nDeleted nodes: ["{NODE}"]\n',
    )
    assert (home / "k").read_text() == "apiVersion: v1\nkind: Config\npreferences: {}\n"


@pytest.mark.usefixtures("world")
def test_kind_delete_leaves_kubeconfigs_without_the_cluster_alone(kind: Run, home: Path) -> None:
    text = "# mine\nclusters: []\ncurrent-context: other\n"
    (home / "k").write_text(text)
    kind("delete", "cluster", "--name", NAME, "--kubeconfig", "k")
    assert (home / "k").read_text() == text


def test_kind_delete_with_a_broken_kubeconfig_deletes_all_the_same(
    world: Sandbox, kind: Run, home: Path
) -> None:
    (home / "k").write_text("a: [")
    problem = (
        "failed to read kubeconfig to remove KIND entry: "
        "yaml: line 1: did not find expected node content"
    )
    assert kind("delete", "cluster", "--name", NAME, "--kubeconfig", "k") == (
        1,
        "",
        (
            f'Deleting cluster "{NAME}" ...\nfailed to update kubeconfig: {problem}\n'
            f'Deleted nodes: ["{NODE}"]\nERROR: failed to delete cluster "{NAME}": {problem}\n'
        ),
    )
    assert world.clusters == []


@pytest.mark.usefixtures("world")
def test_kind_exports_the_logs_that_there_are_and_says_so(kind: Run, home: Path) -> None:
    outcome = kind("export", "logs", "--name", NAME, "logs")
    assert outcome.out == "logs\n"
    assert outcome.err.startswith(f'Exporting logs for cluster "{NAME}" to:\nWARNING: ')
    assert (home / "logs" / "kind-version.txt").read_text().startswith("kind v0.20.0 ")


@pytest.mark.parametrize(
    "line", ["load docker-image x", "load image-archive x", "build node-image"]
)
@pytest.mark.usefixtures("world")
def test_kind_says_what_the_sandbox_does_not_do(line: str, kind: Run) -> None:
    outcome = kind(*line.split())
    assert outcome.code == 1
    assert outcome.err.startswith("ERROR: the sandbox runs no containers")


HELP = """\
kind creates and manages local Kubernetes clusters using Docker container 'nodes'

Usage:
  kind [command]

Available Commands:
"""


def test_kind_shows_its_help_for_nothing_and_for_unknown_words(kind: Run) -> None:
    for line in ([], ["foo"], ["--help"], ["help"], ["help", "foo"]):
        outcome = kind(*line)
        assert outcome.out.startswith(HELP)
        assert (outcome.code, outcome.err) == (0, "")
        assert ("      --version           version for kind\n" in outcome.out) is (
            line[:1] != ["help"]
        )


def test_kind_create_alone_shows_its_help_and_fails(kind: Run) -> None:
    outcome = kind("create")
    assert outcome.out.startswith("Creates one of local Kubernetes cluster (cluster)\n\nUsage:\n")
    assert (outcome.code, outcome.err) == (1, "ERROR: Subcommand is required\n")


def test_kind_create_cluster_help_lists_the_flags(kind: Run) -> None:
    assert kind("create", "cluster", "--help").out == (
        """\
Creates a local Kubernetes cluster using Docker container 'nodes'

Usage:
  kind create cluster [flags]

Flags:
      --config string       path to a kind config file
  -h, --help                help for cluster
      --image string        node docker image to use for booting the cluster
      --kubeconfig string   sets kubeconfig path instead of $KUBECONFIG or $HOME/.kube/config
  -n, --name string         cluster name, overrides KIND_CLUSTER_NAME, config (default kind)
      --retain              retain nodes for debugging when cluster creation fails
      --wait duration       wait for control plane node to be ready (default 0s)

Global Flags:
      --loglevel string   DEPRECATED: see -v instead
  -q, --quiet             silence all stderr output
  -v, --verbosity int32   info log verbosity, higher value produces more output
"""
    )
