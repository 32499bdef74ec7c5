"""`pinniped login static` and its cache. Source: pinniped v0.25.0, cmd/pinniped."""

import base64
import datetime as dt
import fcntl
import hashlib
import json
import stat
from pathlib import Path

import pytest
import yaml
from shim_concierge import LOGINS, b64, credential, status
from shim_pki import Authority
from shim_servers import Reply, Request
from shim_world import Cluster, Run

from tutor.clock import SystemClock
from tutor.sandbox.shims.pinniped import cache

CACHE = ".config/pinniped/credentials.yaml"
WARNING = (
    "Use tokens from the TokenRequest API or manually created secret-based tokens "
    "instead of auto-generated secret-based tokens."
)


def line(cluster: Cluster, *extra: str, token: str = "pinny:password123") -> list[str]:
    """The command line that the generated kubeconfig holds."""
    return [
        "login",
        "static",
        "--enable-concierge",
        "--concierge-api-group-suffix=pinniped.dev",
        "--concierge-authenticator-name=local-user-authenticator",
        "--concierge-authenticator-type=webhook",
        f"--concierge-endpoint={cluster.url}",
        f"--concierge-ca-bundle-data={b64(cluster.concierge.authority.pem)}",
        f"--token={token}",
        *extra,
    ]


def asked(request: Request) -> dict[str, object]:
    """What a login sent."""
    found: dict[str, object] = json.loads(request.body)
    return found


def test_login_exchanges_the_token_for_a_certificate(cluster: Cluster, pinniped: Run) -> None:
    outcome = pinniped(*line(cluster))
    request = cluster.server.requests[0]
    assert (request.method, request.path) == ("POST", LOGINS)
    assert "Authorization" not in request.headers
    assert asked(request) == {
        "kind": "TokenCredentialRequest",
        "apiVersion": "login.concierge.pinniped.dev/v1alpha1",
        "metadata": {"creationTimestamp": None},
        "spec": {
            "token": "pinny:password123",
            "authenticator": {
                "apiGroup": "authentication.concierge.pinniped.dev",
                "kind": "WebhookAuthenticator",
                "name": "local-user-authenticator",
            },
        },
        "status": {},
    }
    assert outcome.out.startswith(
        '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1",'
        '"spec":{"interactive":false},"status":{"expirationTimestamp":"2199-08-09T18:35:00Z",'
        '"clientCertificateData":"-----BEGIN CERTIFICATE-----\\n'
    )
    assert outcome.out.count("\n") == 1
    assert (outcome.code, outcome.err) == (0, "")


def test_login_with_another_group_suffix_names_its_groups(cluster: Cluster, pinniped: Run) -> None:
    path = LOGINS.replace("pinniped.dev", "walrus.example")
    cluster.concierge.replies[path] = [Reply(201, {"status": {"message": "no"}})]
    outcome = pinniped(*line(cluster, "--concierge-api-group-suffix=walrus.example"))
    assert outcome.err.endswith("login failed: no\n")
    spec = asked(cluster.server.requests[0])["spec"]
    assert isinstance(spec, dict)
    assert spec["authenticator"]["apiGroup"] == "authentication.concierge.walrus.example"  # pyright: ignore[reportUnknownVariableType]


def test_login_without_concierge_hands_the_token_on_and_caches_nothing(
    pinniped: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = (
        '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1",'
        '"spec":{"interactive":false},"status":{"token":"test-token"}}\n'
    )
    assert pinniped("login", "static", "--token", "test-token").out == expected
    monkeypatch.setenv("T", "test-token")
    assert pinniped("login", "static", "--token", "x", "--token-env", "T").out == expected
    assert not (home / CACHE).exists()


def test_login_escapes_a_token_as_go_does(pinniped: Run) -> None:
    assert r'"token":"\u003ca\u0026b\u003e' in pinniped("login", "static", "--token", "<a&b>").out


INVALID = "invalid Concierge parameters: "
GOOD = ["--concierge-endpoint=https://127.0.0.1:1", "--concierge-authenticator-name=n"]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "one of --token or --token-env must be set"),
        (["--token-env=NOPE"], '--token-env variable "NOPE" is not set'),
        (["--token-env=EMPTY"], '--token-env variable "EMPTY" is empty'),
        (["--token=x", "--enable-concierge"], INVALID + "endpoint must not be empty"),
        (
            ["--token=x", "--enable-concierge", "--concierge-endpoint=http://x"],
            INVALID + 'invalid endpoint scheme "http" (must be "https")',
        ),
        (
            ["--token=x", "--enable-concierge", "--concierge-endpoint=1.2.3.4:5"],
            INVALID
            + 'invalid endpoint URL: parse "1.2.3.4:5": '
            + "first path segment in URL cannot contain colon",
        ),
        (
            ["--token=x", "--enable-concierge", "--concierge-endpoint=https://x:abc"],
            INVALID + 'invalid endpoint URL: parse "https://x:abc": invalid port ":abc" after host',
        ),
        (
            ["--token=x", "--enable-concierge", *GOOD, "--concierge-ca-bundle-data=a!"],
            INVALID + "invalid CA bundle data: illegal base64 data at input byte 1",
        ),
        (
            ["--token=x", "--enable-concierge", *GOOD, "--concierge-ca-bundle-data=aGVsbG8="],
            INVALID + "invalid CA bundle data: no certificates found",
        ),
        (
            ["--token=x", "--enable-concierge", GOOD[0]],
            INVALID + "authenticator name must not be empty",
        ),
        (
            ["--token=x", "--enable-concierge", *GOOD],
            INVALID + 'invalid authenticator type: "", supported values are "webhook" and "jwt"',
        ),
        (
            [
                "--token=x",
                "--enable-concierge",
                *GOOD,
                "--concierge-authenticator-type=JWT",
                "--concierge-api-group-suffix=.x",
            ],
            INVALID
            + "invalid API group suffix: a lowercase RFC 1123 subdomain must consist of lower case "
            "alphanumeric characters, '-' or '.', and must start and end with an alphanumeric "
            "character (e.g. 'example.com', regex used for validation is "
            r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
        ),
    ],
)
def test_login_with_wrong_parameters_says_which(
    arguments: list[str], text: str, pinniped: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMPTY", "")
    outcome = pinniped("login", "static", *arguments)
    assert outcome == (1, "", f"Error: {text}\n")


EXCHANGE = "could not complete Concierge credential exchange: "
WHAT = "(post tokencredentialrequests.login.concierge.pinniped.dev)"


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        (
            Reply(404, "404 page not found", kind="text/plain"),
            f"could not login: the server could not find the requested resource {WHAT}",
        ),
        (
            Reply(503, "service unavailable", kind="text/plain"),
            f"could not login: the server is currently unable to handle the request {WHAT}",
        ),
        (
            Reply(400, "Client sent an HTTP request to an HTTPS server.", kind="text/plain"),
            f"could not login: the server rejected our request for an unknown reason {WHAT}",
        ),
        (status(422, "Invalid", ".login is invalid"), "could not login: .login is invalid"),
        (
            Reply(200, "<html>", kind="text/html"),
            (
                "could not login: couldn't get version/kind; json parse error: "
                "invalid character '<' looking for beginning of value"
            ),
        ),
        (Reply(201, {"status": {}}), "login failed: unknown cause"),
        (
            Reply(201, {"status": {"message": "authentication failed"}}),
            "login failed: authentication failed",
        ),
    ],
)
def test_login_that_the_cluster_refuses_says_it_as_the_real_one(
    reply: Reply, text: str, cluster: Cluster, pinniped: Run, home: Path
) -> None:
    cluster.concierge.replies[LOGINS] = [reply]
    assert pinniped(*line(cluster)) == (1, "", f"Error: {EXCHANGE}{text}\n")
    assert not (home / CACHE).exists()


def test_login_with_an_authority_that_did_not_sign_names_the_request(
    cluster: Cluster, pinniped: Run
) -> None:
    wrong = f"--concierge-ca-bundle-data={b64(Authority('other').pem)}"
    outcome = pinniped(*line(cluster, wrong))
    assert outcome.err == (
        f'Error: {EXCHANGE}could not login: Post "{cluster.url}{LOGINS}": '
        "tls: failed to verify certificate: x509: certificate signed by unknown authority\n"
    )


def test_login_waits_as_long_as_the_server_asks(cluster: Cluster, pinniped: Run) -> None:
    busy = Reply(429, "later", {"Retry-After": "0"}, "text/plain")
    cluster.concierge.replies[LOGINS] = [busy, busy]
    assert pinniped(*line(cluster)).code == 0
    assert len(cluster.server.requests) == 3


def test_login_logs_the_servers_warnings(cluster: Cluster, pinniped: Run) -> None:
    good = cluster.concierge.authority.issue(common="pinny", client=True)
    cluster.concierge.replies[LOGINS] = [
        Reply(201, {"status": {"credential": credential(good)}}, {"Warning": f'299 - "{WARNING}"'})
    ]
    err = pinniped(*line(cluster)).err
    assert err.endswith(f"  rest/warnings.go:70  {WARNING}\n\n")


def test_login_debug_log_follows_the_exchange_and_the_cache(
    cluster: Cluster, pinniped: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PINNIPED_DEBUG", "true")
    first = [text.split("  ", 1)[1] for text in pinniped(*line(cluster)).err.splitlines()]
    assert first == [
        (
            "pinniped-login  cmd/login_static.go:159  "
            "exchanging static token for cluster credential  "
            f'{{"endpoint": "{cluster.url}", "authenticator type": "webhook", '
            '"authenticator name": "local-user-authenticator"}'
        ),
        "pinniped-login  cmd/login_static.go:168  exchanged static token for cluster credential",
    ]
    second = pinniped(*line(cluster)).err
    assert second.endswith("cmd/login_static.go:152  using cached cluster credential.\n")


def test_login_is_cached_by_arguments_token_and_cluster(
    cluster: Cluster, pinniped: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = pinniped(*line(cluster))
    cluster.concierge.passwords.clear()
    assert pinniped(*line(cluster)).out == first.out
    assert len(cluster.server.requests) == 1
    assert pinniped(*line(cluster, "--credential-cache=")).code == 1
    info = {"spec": {"cluster": {"server": "https://x", "config": None}}}
    monkeypatch.setenv("KUBERNETES_EXEC_INFO", json.dumps(info))
    assert pinniped(*line(cluster)).code == 1
    monkeypatch.delenv("KUBERNETES_EXEC_INFO")
    (home / CACHE).unlink()
    assert pinniped(*line(cluster)).code == 1


def test_login_cache_file_is_private_and_shaped_as_the_real_one(
    cluster: Cluster, pinniped: Run, home: Path
) -> None:
    pinniped(*line(cluster))
    file = home / CACHE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert (file.parent / "credentials.yaml.lock").exists()
    text = file.read_text()
    assert text.startswith(
        'apiVersion: config.supervisor.pinniped.dev/v1alpha1\ncredentials:\n- creationTimestamp: "'
    )
    assert "    clientCertificateData: |\n      -----BEGIN CERTIFICATE-----\n" in text
    written = yaml.safe_load(text)
    assert written["kind"] == "CredentialCache"
    named = json.dumps(
        {"args": line(cluster), "token": "pinny:password123", "cluster": None},
        separators=(",", ":"),
    )
    assert written["credentials"][0]["key"] == hashlib.sha256(f"{named}\n".encode()).hexdigest()


def test_login_cache_honours_xdg_config_home(
    cluster: Cluster, pinniped: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "xdg"))
    pinniped(*line(cluster))
    assert (home / "xdg/pinniped/credentials.yaml").exists()


@pytest.mark.parametrize("content", ["", "{", "- a", "kind: CredentialCache", "\x00"])
def test_login_replaces_a_corrupt_cache(
    content: str, cluster: Cluster, pinniped: Run, home: Path
) -> None:
    (home / CACHE).parent.mkdir(parents=True)
    (home / CACHE).write_text(content)
    assert pinniped(*line(cluster)).code == 0
    assert len(yaml.safe_load((home / CACHE).read_text())["credentials"]) == 1


def stamp(moment: dt.datetime) -> str:
    """A moment as the cache writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    ("created", "expires", "kept"),
    [(-1, 5, True), (-1, -1, False), (-61, 5, False), (-1, None, False)],
)
def test_cache_drops_what_is_expired_old_or_endless(
    created: int, expires: int | None, kept: bool, home: Path
) -> None:
    now = SystemClock().now()
    held: dict[str, str] = {"token": "x"}
    if expires is not None:
        held["expirationTimestamp"] = stamp(now + dt.timedelta(minutes=expires))
    entry = {
        "key": "k",
        "creationTimestamp": stamp(now + dt.timedelta(minutes=created)),
        "lastUsedTimestamp": stamp(now),
        "credential": held,
    }
    path = home / "c.yaml"
    kind = {"apiVersion": "config.supervisor.pinniped.dev/v1alpha1", "kind": "CredentialCache"}
    path.write_text(yaml.safe_dump({**kind, "credentials": [entry]}))
    assert (cache.get(str(path), "k") is not None) is kept
    assert len(yaml.safe_load(path.read_text())["credentials"]) == int(kept)


def test_cache_held_by_another_process_is_gone_without(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "_LOCK_S", 0.02)
    path = home / "c.yaml"
    path.write_text("")
    with (home / "c.yaml.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        cache.put(str(path), "k", {"token": "x"})
    assert path.read_text() == ""


def test_cache_key_counts_the_cluster_as_the_real_one_encodes_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = {"config": None, "certificate-authority-data": "QQ==", "server": "https://x?a&b"}
    monkeypatch.setenv("KUBERNETES_EXEC_INFO", json.dumps({"spec": {"cluster": told}}))
    named = (
        r'{"args":["a"],"token":"t","cluster":{"server":"https://x?a\u0026b",'
        '"certificate-authority-data":"QQ==","config":null}}\n'
    )
    assert cache.key(["a"], "t") == hashlib.sha256(named.encode()).hexdigest()


def test_login_reads_a_bundle_with_line_breaks_in_its_base64(
    cluster: Cluster, pinniped: Run
) -> None:
    wrapped = base64.encodebytes(cluster.concierge.authority.pem.encode()).decode()
    assert pinniped(*line(cluster, f"--concierge-ca-bundle-data={wrapped}")).code == 0
