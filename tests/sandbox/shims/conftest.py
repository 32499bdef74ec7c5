"""Where the commands run: a home of their own and nothing of the machine's environment."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from shim_concierge import FakeConcierge, b64
from shim_kind import EXPOSE, Sandbox
from shim_pki import Authority
from shim_servers import SandboxSocket, WebServer
from shim_world import Cluster, Outcome, Run

from tutor.sandbox.shims.kind import cli as kind_cli
from tutor.sandbox.shims.pinniped import cli

SETTINGS = (
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "NO_PROXY",
    "no_proxy",
    "KUBECONFIG",
    "KUBERNETES_EXEC_INFO",
    "PINNIPED_DEBUG",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "XDG_CONFIG_HOME",
    "TUTOR_SHIM_PATH",
    "TUTOR_SOCKET",
    "TUTOR_START",
    "KIND_CLUSTER_NAME",
    "NO_COLOR",
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, which is also the working folder."""
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("TUTOR_SHIM_PATH", "/usr/local/bin/pinniped")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def pinniped(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run pinniped in this process."""

    def run(*arguments: str) -> Outcome:
        monkeypatch.setattr("sys.argv", ["pinniped", *arguments])
        code = cli.main(arguments)
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run


@pytest.fixture
def kind(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run kind in this process."""

    def run(*arguments: str) -> Outcome:
        code = kind_cli.main(arguments)
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path) -> Iterator[Sandbox]:
    """A sandbox behind its socket."""
    scripted = Sandbox()
    (home / "kind-expose-port.yaml").write_text(EXPOSE)
    monkeypatch.setattr("random.choice", lambda choices: choices[0])  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    with SandboxSocket(tmp_path / "sandbox.sock", scripted.script) as server:
        monkeypatch.setenv("TUTOR_SOCKET", str(server.path))
        yield scripted


@pytest.fixture(scope="session")
def authority() -> Authority:
    """The CA that signed what the servers present."""
    return Authority()


@pytest.fixture
def cluster(authority: Authority, home: Path) -> Iterator[Cluster]:
    """A cluster with a Concierge; `admin.yaml` in the working folder leads to it."""
    concierge = FakeConcierge(authority)
    with WebServer(concierge.respond, authority.issue(["127.0.0.1"]), home.parent) as server:
        name = "kind-kind-with-contour"
        (home / "admin.yaml").write_text(
            f"""\
apiVersion: v1
kind: Config
current-context: {name}
clusters:
- name: {name}
  cluster:
    server: {server.url}
    certificate-authority-data: {b64(authority.pem)}
contexts:
- name: {name}
  context: {{cluster: {name}, user: {name}}}
users:
- name: {name}
  user: {{token: admin}}
"""
        )
        yield Cluster(concierge, server, "admin.yaml")
