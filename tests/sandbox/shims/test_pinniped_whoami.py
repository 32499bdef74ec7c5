"""`pinniped whoami` and credential plugins. Source: pinniped v0.25.0, client-go v0.27.4."""

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from shim_concierge import WHOAMI, b64
from shim_pki import Authority
from shim_servers import Reply, WebServer
from shim_world import Cluster, Run

ASK = ("whoami", "--kubeconfig=admin.yaml")
FAILED = "Error: could not complete WhoAmIRequest"
API = "client.authentication.k8s.io/v1beta1"


def rewrite(
    home: Path, *, user: dict[str, Any] | None = None, cluster: dict[str, Any] | None = None
) -> None:
    """Change the user or the cluster of `admin.yaml`."""
    content = yaml.safe_load((home / "admin.yaml").read_text())
    if user is not None:
        content["users"][0]["user"] = user
    content["clusters"][0]["cluster"].update(cluster or {})
    (home / "admin.yaml").write_text(yaml.safe_dump(content))


def script(home: Path, code: str) -> str:
    """An executable Python script in the home folder."""
    path = home / "plugin"
    path.write_text(f"#!{sys.executable}\nimport json, os, sys\n{code}\n")
    path.chmod(0o755)
    return "./plugin"


def printing(status: object, version: str = API) -> str:
    """A script that prints a credential with this status."""
    return f"print({json.dumps(json.dumps({'apiVersion': version, 'status': status}))})"


def test_whoami_prints_cluster_and_user(cluster: Cluster, pinniped: Run) -> None:
    cluster.concierge.replies[WHOAMI] = [
        Reply(201, {"status": {"kubernetesUserInfo": {"user": user}}})
        for user in ({"username": "u", "groups": ["a", "b"]}, {"username": "u"})
    ]
    head = f"Current cluster info:\n\nName: kind-kind-with-contour\nURL: {cluster.url}\n\n"
    assert pinniped(*ASK).out == f"{head}Current user info:\n\nUsername: u\nGroups: a, b\n"
    assert pinniped(*ASK).out.endswith("Groups: \n")
    request = cluster.server.requests[0]
    assert request.headers["Authorization"] == "Bearer admin"
    assert request.headers["User-Agent"].startswith("pinniped/v0.25.0 (")
    assert json.loads(request.body)["kind"] == "WhoAmIRequest"


def test_whoami_prints_json_and_yaml(cluster: Cluster, pinniped: Run) -> None:
    user = {"groups": ["g"], "username": "pinny", "extra": {"k": ["v"]}}
    reply = Reply(201, {"status": {"kubernetesUserInfo": {"user": user}}})
    cluster.concierge.replies[WHOAMI] = [reply, reply]
    assert pinniped(*ASK, "-o", "json").out == (
        """\
{
  "kind": "WhoAmIRequest",
  "apiVersion": "identity.concierge.pinniped.dev/v1alpha1",
  "metadata": {
    "creationTimestamp": null
  },
  "spec": {},
  "status": {
    "kubernetesUserInfo": {
      "user": {
        "username": "pinny",
        "groups": [
          "g"
        ],
        "extra": {
          "k": [
            "v"
          ]
        }
      }
    }
  }
}"""
    )
    assert pinniped(*ASK, "--output=yaml").out == (
        """\
apiVersion: identity.concierge.pinniped.dev/v1alpha1
kind: WhoAmIRequest
metadata:
  creationTimestamp: null
spec: {}
status:
  kubernetesUserInfo:
    user:
      extra:
        k:
        - v
      groups:
      - g
      username: pinny
"""
    )


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        (
            Reply(404, "404 page not found", kind="text/plain"),
            (
                f"{FAILED} (is the Pinniped WhoAmI API running and healthy?): "
                "the server could not find the requested resource "
                "(post whoamirequests.identity.concierge.pinniped.dev)"
            ),
        ),
        (
            Reply(503, "service unavailable", kind="text/plain"),
            (
                f"{FAILED}: the server is currently unable to handle the request "
                "(post whoamirequests.identity.concierge.pinniped.dev)"
            ),
        ),
        (
            Reply(401, {"kind": "Status", "status": "Failure", "message": "Unauthorized"}),
            f"{FAILED}: Unauthorized",
        ),
    ],
)
def test_whoami_that_fails_says_why(
    reply: Reply, text: str, cluster: Cluster, pinniped: Run
) -> None:
    cluster.concierge.replies[WHOAMI] = [reply]
    assert pinniped(*ASK) == (1, "", f"{text}\n")


def test_whoami_refuses_an_output_format_after_asking(cluster: Cluster, pinniped: Run) -> None:
    assert pinniped(*ASK, "-ox").err == (
        'Error: could not write output: unknown output format: "x"\n'
    )
    assert cluster.paths() == [WHOAMI]


def test_whoami_without_kubeconfig_says_there_is_none(pinniped: Run) -> None:
    assert pinniped("whoami").err == (
        "Error: could not configure Kubernetes client: invalid configuration: no configuration has "
        "been provided, try setting KUBERNETES_MASTER environment variable\n"
    )
    assert pinniped("whoami", "--kubeconfig=x").err == (
        "Error: could not configure Kubernetes client: stat x: no such file or directory\n"
    )


def test_whoami_presents_client_certificates_from_data_and_files(
    pinniped: Run, authority: Authority, home: Path, tmp_path: Path, cluster: Cluster
) -> None:
    issued = authority.issue(common="pinny", client=True)
    (home / "c.pem").write_text(issued.certificate)
    (home / "k.pem").write_text(issued.key)
    (home / "ca.pem").write_text(authority.pem)
    served = authority.issue(["127.0.0.1"])
    respond = cluster.concierge.respond
    with WebServer(respond, served, tmp_path, clients=authority.pem) as server:
        data = {
            "client-certificate-data": b64(issued.certificate),
            "client-key-data": b64(issued.key),
        }
        rewrite(home, user=data, cluster={"server": server.url})
        out = pinniped(*ASK).out
        assert "Username: pinny\nGroups: group-for-mtls, system:authenticated\n" in out
        files = {"client-certificate": "c.pem", "client-key": "k.pem"}
        authorities = {"certificate-authority-data": "", "certificate-authority": "ca.pem"}
        rewrite(home, user=files, cluster=authorities)
        assert "Username: pinny\n" in pinniped(*ASK).out
        rewrite(home, user={})
        assert pinniped(*ASK).err.endswith("remote error: tls: certificate required\n")


@pytest.mark.parametrize(
    ("user", "headers"),
    [
        ({"tokenFile": "t"}, {"Authorization": "Bearer from-file"}),
        ({"username": "a", "password": "b"}, {"Authorization": "Basic YTpi"}),
        (
            {"token": "x", "as": "other", "as-groups": ["g"]},
            {"Authorization": "Bearer x", "Impersonate-User": "other", "Impersonate-Group": "g"},
        ),
    ],
)
def test_whoami_identifies_the_user_as_the_kubeconfig_says(
    user: dict[str, Any], headers: dict[str, str], cluster: Cluster, pinniped: Run, home: Path
) -> None:
    (home / "t").write_text("from-file\n")
    rewrite(home, user=user)
    assert pinniped(*ASK).code == 0
    sent = cluster.server.requests[0].headers
    assert {name: sent.get(name) for name in headers} == headers


def test_whoami_verifies_the_name_that_the_kubeconfig_wants(
    cluster: Cluster, pinniped: Run, home: Path
) -> None:
    rewrite(home, cluster={"tls-server-name": "x.local"})
    assert pinniped(*ASK).err == (
        f'{FAILED}: Post "{cluster.url}{WHOAMI}": tls: failed to verify certificate: x509: '
        "certificate is not valid for any names, but wanted to match x.local\n"
    )
    rewrite(home, cluster={"insecure-skip-tls-verify": True, "certificate-authority-data": ""})
    assert pinniped(*ASK).code == 0


def test_whoami_trusts_the_systems_authorities_where_none_are_named(
    cluster: Cluster, pinniped: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rewrite(home, cluster={"certificate-authority-data": ""})
    assert "certificate signed by unknown authority" in pinniped(*ASK).err
    (home / "roots.pem").write_text(cluster.concierge.authority.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(home / "roots.pem"))
    assert pinniped(*ASK).code == 0


def test_whoami_runs_the_plugin_with_cluster_info_and_environment(
    cluster: Cluster, pinniped: Run, home: Path, authority: Authority
) -> None:
    code = "\n".join(
        [
            "info = json.loads(os.environ['KUBERNETES_EXEC_INFO'])",
            "json.dump([sys.argv[1:], os.environ['MINE'], info], open('seen.json', 'w'))",
            printing({"token": "abc"}),
        ]
    )
    plugin = {
        "apiVersion": API,
        "command": script(home, code),
        "args": ["one", "two"],
        "env": [{"name": "MINE", "value": "v"}],
        "provideClusterInfo": True,
    }
    rewrite(home, user={"exec": plugin})
    assert pinniped(*ASK).code == 0
    assert cluster.server.requests[0].headers["Authorization"] == "Bearer abc"
    told = {
        "server": cluster.url,
        "certificate-authority-data": b64(authority.pem),
        "config": None,
    }
    assert json.loads((home / "seen.json").read_text()) == [
        ["one", "two"],
        "v",
        {
            "kind": "ExecCredential",
            "apiVersion": API,
            "spec": {"cluster": told, "interactive": False},
        },
    ]


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("sys.exit(3)", "exec: executable {plugin} failed with exit code 3"),
        ("os.kill(os.getpid(), 9)", "exec: executable {plugin} failed with exit code -1"),
        (
            "print('hello')",
            (
                "decoding stdout: couldn't get version/kind; json parse error: "
                "json: cannot unmarshal "
                "string into Go value of type struct {{ APIVersion string "
                '"json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }}'
            ),
        ),
        (
            "pass",
            (
                f"exec plugin is configured to use API version {API}, "
                "plugin returned version client.authentication.k8s.io/__internal"
            ),
        ),
        (
            printing({}, "client.authentication.k8s.io/v1"),
            (
                f"exec plugin is configured to use API version {API}, "
                "plugin returned version client.authentication.k8s.io/v1"
            ),
        ),
        (printing(None), "exec plugin didn't return a status field"),
        (printing({}), "exec plugin didn't return a token or cert/key pair"),
        (
            printing({"clientKeyData": "x"}),
            "exec plugin returned only certificate or key, not both",
        ),
        (
            printing({"clientKeyData": "x", "clientCertificateData": "y"}),
            (
                "failed parsing client key/certificate: "
                "tls: failed to find any PEM data in certificate input"
            ),
        ),
    ],
)
def test_whoami_whose_plugin_fails_says_how(
    code: str, text: str, cluster: Cluster, pinniped: Run, home: Path
) -> None:
    rewrite(home, user={"exec": {"apiVersion": API, "command": script(home, code)}})
    assert pinniped(*ASK).err == (
        f'{FAILED}: Post "{cluster.url}{WHOAMI}": getting credentials: '
        f"{text.format(plugin=home / 'plugin')}\n"
    )


def test_whoami_whose_plugin_is_missing_gives_the_hint_only_for_a_bare_name(
    cluster: Cluster, pinniped: Run, home: Path
) -> None:
    start = f'{FAILED}: Post "{cluster.url}{WHOAMI}": getting credentials: exec: '
    plugin = {"apiVersion": API, "command": "no-such-plugin", "installHint": "HINT"}
    rewrite(home, user={"exec": plugin})
    err = pinniped(*ASK).err
    assert err.startswith(f"{start}executable no-such-plugin not found\n\n")
    assert err.endswith("\n\nHINT\n")
    rewrite(home, user={"exec": {**plugin, "command": "/no/such"}})
    assert pinniped(*ASK).err == f"{start}fork/exec /no/such: no such file or directory\n"


def test_whoami_as_the_user_of_a_generated_kubeconfig_uses_the_certificate(
    cluster: Cluster, pinniped: Run, home: Path, authority: Authority, tmp_path: Path
) -> None:
    folder = Path(__file__).resolve().parents[3] / "tutor" / "sandbox" / "shims" / "pinniped"
    wrapper = home / "pinniped"
    command = shlex.join([sys.executable, "-I", str(folder)])
    wrapper.write_text(f'#!/bin/sh\nTUTOR_SHIM_PATH={wrapper} exec {command} "$@"\n')
    wrapper.chmod(0o755)
    served = authority.issue(["127.0.0.1"])
    with WebServer(cluster.concierge.respond, served, tmp_path, clients=authority.pem) as proxy:
        login = [
            "login",
            "static",
            "--enable-concierge",
            "--concierge-authenticator-name=local-user-authenticator",
            "--concierge-authenticator-type=webhook",
            f"--concierge-endpoint={cluster.url}",
            f"--concierge-ca-bundle-data={b64(authority.pem)}",
        ]
        plugin = {"apiVersion": API, "command": str(wrapper), "provideClusterInfo": True}
        good = {**plugin, "args": [*login, "--token=pinny:password123"]}
        rewrite(home, user={"exec": good}, cluster={"server": proxy.url})
        assert "Username: pinny\n" in pinniped(*ASK).out
        bad = {**plugin, "args": [*login, "--token=pinny:wrong"]}
        rewrite(home, user={"exec": bad})
        assert pinniped(*ASK).err.endswith(
            f"getting credentials: exec: executable {wrapper} failed with exit code 1\n"
        )
