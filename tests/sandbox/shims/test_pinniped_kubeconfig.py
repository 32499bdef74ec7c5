"""Which kubeconfigs are refused, and how. Source: recorded from client-go v0.27.4's clientcmd."""

from pathlib import Path

import pytest
import yaml
from shim_pki import Authority
from shim_world import Run

from tutor.sandbox.shims.pinniped import kubeconfig

OK = """\
apiVersion: v1
kind: Config
clusters:
- {name: c, cluster: {server: "https://127.0.0.1:1"}}
contexts:
- {name: x, context: {cluster: c, user: u}}
current-context: x
users:
- {name: u, user: {}}
"""
INVALID = "invalid configuration: "
NOTHING = INVALID + (
    "no configuration has been provided, try setting KUBERNETES_MASTER environment variable"
)
NO_OBJECT = (
    "couldn't get version/kind; json parse error: json: cannot unmarshal string into Go value of "
    'type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; '
    'Kind string "json:\\"kind,omitempty\\"" }'
)
V1BETA1 = "apiVersion: client.authentication.k8s.io/v1beta1"


def cluster(extra: str) -> str:
    """The good kubeconfig with more in its cluster."""
    return OK.replace('"https://127.0.0.1:1"', f'"https://127.0.0.1:1", {extra}')


def user(fields: str) -> str:
    """The good kubeconfig with another user."""
    return OK.replace("user: {}", f"user: {{{fields}}}")


FIELD = 'error loading config file "k": json: cannot unmarshal {} into Go struct field {}'


@pytest.mark.parametrize(
    ("content", "found", "field"),
    [
        (
            OK.replace("name: c,", "name: 5,"),
            "number",
            "NamedCluster.clusters.name of type string",
        ),
        ("clusters: [x]", "string", "Config.clusters of type v1.NamedCluster"),
        ("clusters: {}", "object", "Config.clusters of type []v1.NamedCluster"),
        ("current-context: 5", "number", "Config.current-context of type string"),
        (
            cluster("certificate-authority-data: 5"),
            "number",
            "Cluster.clusters.cluster.certificate-authority-data of type []uint8",
        ),
        (
            cluster("insecure-skip-tls-verify: x"),
            "string",
            "Cluster.clusters.cluster.insecure-skip-tls-verify of type bool",
        ),
        (
            user("exec: {args: [5]}"),
            "number",
            "ExecConfig.users.user.exec.args of type string",
        ),
        (
            user("exec: {env: [{name: 5}]}"),
            "number",
            "ExecEnvVar.users.user.exec.env.name of type string",
        ),
        (
            user("as-user-extra: {a: b}"),
            "string",
            "AuthInfo.users.user.as-user-extra of type []string",
        ),
        (
            OK.replace("user: u}", "user: [u]}"),
            "array",
            "Context.contexts.context.user of type string",
        ),
    ],
)
def test_kubeconfig_with_a_value_of_another_type_names_the_field(
    content: str, found: str, field: str, pinniped: Run, home: Path
) -> None:
    (home / "k").write_text(content)
    expected = f"Error: could not configure Kubernetes client: {FIELD.format(found, field)}\n"
    assert pinniped("whoami", "--kubeconfig=k").err == expected


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("", NOTHING),
        ("kind: Config", NOTHING),
        (
            "foo: [",
            'error loading config file "k": yaml: line 1: did not find expected node content',
        ),
        (
            'Wed, 9 Aug  x  {"a": "b"}\napiVersion: v1\n',
            'error loading config file "k": yaml: did not find expected key',
        ),
        (
            "a: b\nc: d: e\n",
            (
                'error loading config file "k": yaml: line 2: mapping values are not allowed '
                "in this context"
            ),
        ),
        ("a: *x\n", "error loading config file \"k\": yaml: unknown anchor 'x' referenced"),
        ("hello", f'error loading config file "k": {NO_OBJECT}'),
        (
            "kind: Pod\napiVersion: v1",
            (
                'error loading config file "k": no kind "Pod" is registered for version "v1" '
                'in scheme "pkg/runtime/scheme.go:100"'
            ),
        ),
        (
            'clusters: "x"',
            (
                'error loading config file "k": json: cannot unmarshal string into Go struct '
                "field Config.clusters of type []v1.NamedCluster"
            ),
        ),
        (
            cluster("certificate-authority-data: '!!'"),
            'error loading config file "k": illegal base64 data at input byte 0',
        ),
        (
            OK.replace("current-context: x", "current-context: nope"),
            INVALID
            + "[context was not found for specified context: nope, cluster has no server defined]",
        ),
        (OK.replace("cluster: c,", "cluster: z,"), NOTHING),
        (OK.replace("https://127.0.0.1:1", ""), INVALID + 'no server found for cluster "c"'),
        (
            cluster("proxy-url: foo"),
            INVALID
            + (
                'invalid \'proxy-url\' "foo" for cluster "c": unsupported scheme "", must be '
                "http, https, or socks5"
            ),
        ),
        (
            cluster("certificate-authority: no.pem"),
            INVALID
            + (
                "unable to read certificate-authority {home}/no.pem for c due to open "
                "{home}/no.pem: no such file or directory"
            ),
        ),
        (
            cluster("certificate-authority: k, certificate-authority-data: YQ=="),
            INVALID
            + (
                "certificate-authority-data and certificate-authority are both specified for "
                "c. certificate-authority-data will override."
            ),
        ),
        (
            cluster("certificate-authority-data: aGVsbG8="),
            "unable to load root certificates: unable to parse bytes as PEM block",
        ),
        (
            cluster("certificate-authority-data: aGVsbG8=, insecure-skip-tls-verify: true"),
            "specifying a root certificates file with the insecure flag is not allowed",
        ),
        (
            user("client-certificate: a.pem, client-key: b.pem"),
            INVALID
            + (
                "[unable to read client-cert {home}/a.pem for u due to open {home}/a.pem: no "
                "such file or directory, unable to read client-key {home}/b.pem for u due to "
                "open {home}/b.pem: no such file or directory]"
            ),
        ),
        (
            user("client-certificate-data: aGVsbG8="),
            INVALID
            + (
                "client-key-data or client-key must be specified for u to use the clientCert "
                "authentication method."
            ),
        ),
        (
            user("client-certificate-data: aGVsbG8=, client-key-data: aGVsbG8="),
            "tls: failed to find any PEM data in certificate input",
        ),
        (user("tokenFile: no.token"), "open {home}/no.token: no such file or directory"),
        (
            user("token: a, username: b"),
            INVALID
            + (
                "more than one authentication method found for u; found [token basicAuth], "
                "only one is allowed"
            ),
        ),
        (user("auth-provider: {name: gcp}"), 'no Auth Provider found for name "gcp"'),
        (
            user('exec: {command: "true"}'),
            INVALID
            + (
                "[apiVersion must be specified for u to use exec authentication plugin, "
                "interactiveMode must be specified for u to use exec authentication plugin]"
            ),
        ),
        (
            user("exec: {" + V1BETA1 + "}"),
            INVALID + "command must be specified for u to use exec authentication plugin",
        ),
        (
            user("exec: {command: x, " + V1BETA1 + ", interactiveMode: Y}"),
            INVALID + 'invalid interactiveMode for u: "Y"',
        ),
        (
            user('exec: {command: "true", apiVersion: client.authentication.k8s.io/v1alpha1}'),
            'exec plugin: invalid apiVersion "client.authentication.k8s.io/v1alpha1"',
        ),
    ],
)
def test_kubeconfig_that_is_wrong_is_refused_as_client_go_does(
    content: str, text: str, pinniped: Run, home: Path
) -> None:
    (home / "k").write_text(content)
    outcome = pinniped("whoami", "--kubeconfig=k")
    expected = text.replace("{home}", str(home))
    assert outcome.err == f"Error: could not configure Kubernetes client: {expected}\n"


def test_kubeconfig_of_an_unknown_context_is_refused(pinniped: Run, home: Path) -> None:
    (home / "k").write_text(OK)
    err = pinniped("whoami", "--kubeconfig=k", "--kubeconfig-context=zz").err
    assert err == 'Error: could not configure Kubernetes client: context "zz" does not exist\n'


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("cluster: c,", "cluster: z,", 'no such cluster "z"'),
        ("user: u}", "user: z}", 'no such user "z"'),
    ],
)
def test_kubeconfig_without_the_contexts_entries_makes_no_other(
    old: str, new: str, text: str, pinniped: Run, home: Path
) -> None:
    (home / "k").write_text(OK.replace(old, new))
    err = pinniped("get", "kubeconfig", "--kubeconfig=k", "--static-token=x").err
    assert err == f"Error: could not load --kubeconfig/--kubeconfig-context: {text}\n"


def test_kubeconfig_of_a_folder_cannot_be_read(pinniped: Run) -> None:
    assert pinniped("get", "kubeconfig", "--kubeconfig=.", "--static-token=x").err == (
        'Error: could not load --kubeconfig: error loading config file ".": '
        "read .: is a directory\n"
    )


def test_kubeconfigs_of_the_environment_are_merged_and_the_first_wins(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "a").write_text(OK.replace("current-context: x", "current-context: ''"))
    (home / "b").write_text(OK.replace("127.0.0.1:1", "other").replace("name: u", "name: v"))
    monkeypatch.setenv("KUBECONFIG", "a:missing:b")
    found = kubeconfig.load("")
    assert found.clusters["c"]["server"] == "https://127.0.0.1:1"
    assert set(found.users) == {"u", "v"}
    assert found.current == "x"


def test_kubeconfig_of_the_home_is_the_default_and_its_paths_are_its_own(
    home: Path, monkeypatch: pytest.MonkeyPatch, authority: Authority
) -> None:
    folder = home / ".kube"
    folder.mkdir()
    (folder / "ca.pem").write_text(authority.pem)
    (folder / "config").write_text(cluster("certificate-authority: ca.pem"))
    monkeypatch.chdir("/")
    assert kubeconfig.load("").clusters["c"]["certificate-authority"] == str(folder / "ca.pem")


def test_kubeconfig_plugin_with_a_path_is_beside_its_file(home: Path) -> None:
    (home / "d").mkdir()
    content = yaml.safe_load(OK)
    content["users"][0]["user"] = {"exec": {"command": "../bin/x"}}
    (home / "d" / "k").write_text(yaml.safe_dump(content))
    assert kubeconfig.load("d/k").users["u"]["exec"]["command"] == str(home / "bin" / "x")
