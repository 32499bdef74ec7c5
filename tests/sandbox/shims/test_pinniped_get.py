"""`pinniped get kubeconfig` against a Concierge. Source: pinniped v0.25.0, cmd/pinniped."""

import time
from pathlib import Path

import pytest
import yaml
from shim_concierge import ISSUERS, b64, impersonation, named, signing
from shim_get import HOST, PLAIN, POST, logged
from shim_pki import Authority
from shim_servers import Proxy, Reply, WebServer
from shim_world import Cluster, Run

from tutor.sandbox.shims.pinniped import discovery


def test_kubeconfig_for_the_posts_command_has_the_posts_log_and_yaml(
    cluster: Cluster, pinniped: Run, authority: Authority
) -> None:
    ca = b64(authority.pem)
    cluster.concierge.offer(signing(), impersonation(cluster.url, authority.pem))
    outcome = pinniped(*POST)
    assert logged(outcome) == [
        '591  discovered CredentialIssuer  {"name": "pinniped-concierge-config"}',
        f'439  discovered Concierge endpoint  {{"endpoint": "{cluster.url}"}}',
        '454  discovered Concierge certificate authority bundle  {"roots": 1}',
        "701  validated connection to the cluster",
    ]
    assert outcome.out == (
        f"""\
apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: {ca}
    server: {cluster.url}
  name: kind-kind-with-contour-pinniped
contexts:
- context:
    cluster: kind-kind-with-contour-pinniped
    user: kind-kind-with-contour-pinniped
  name: kind-kind-with-contour-pinniped
current-context: kind-kind-with-contour-pinniped
kind: Config
preferences: {{}}
users:
- name: kind-kind-with-contour-pinniped
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      args:
      - login
      - static
      - --enable-concierge
      - --concierge-api-group-suffix=pinniped.dev
      - --concierge-authenticator-name=local-user-authenticator
      - --concierge-authenticator-type=webhook
      - --concierge-endpoint={cluster.url}
      - --concierge-ca-bundle-data={ca}
      - --token=pinny:password123
      command: /usr/local/bin/pinniped
      env: []
      installHint: The pinniped CLI does not appear to be installed.  See https://get.pinniped.dev/cli
        for more details
      provideClusterInfo: true
"""
    )
    assert outcome.code == 0


def test_kubeconfig_without_mode_takes_the_first_strategy_and_the_admins_server(
    cluster: Cluster, pinniped: Run, authority: Authority
) -> None:
    cluster.concierge.offer(signing(), impersonation("https://other", authority.pem))
    outcome = pinniped(*PLAIN)
    assert logged(outcome)[1:] == [
        "423  discovered Concierge operating in TokenCredentialRequest API mode",
        f'439  discovered Concierge endpoint  {{"endpoint": "{cluster.url}"}}',
        '454  discovered Concierge certificate authority bundle  {"roots": 1}',
        '476  discovered WebhookAuthenticator  {"name": "local-user-authenticator"}',
        "701  validated connection to the cluster",
    ]
    assert "--concierge-authenticator-type=webhook" in outcome.out


def test_kubeconfig_without_mode_says_when_only_impersonation_works(
    cluster: Cluster, pinniped: Run, authority: Authority
) -> None:
    cluster.concierge.offer(
        signing(status="Error", reason="CouldNotFetchKey"),
        impersonation(cluster.url, authority.pem),
    )
    lines = logged(pinniped(*PLAIN))
    assert lines[1] == "426  discovered Concierge operating in impersonation proxy mode"


def test_kubeconfig_of_the_credential_issuer_named_lists_nothing(
    cluster: Cluster, pinniped: Run
) -> None:
    cluster.concierge.offer(signing())
    outcome = pinniped(*PLAIN, "--concierge-credential-issuer=pinniped-concierge-config")
    assert outcome.code == 0
    assert not any(line.startswith("591") for line in logged(outcome))
    assert cluster.paths()[0] == f"{ISSUERS}/pinniped-concierge-config"


def test_kubeconfig_arguments_follow_the_flags(
    cluster: Cluster, pinniped: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "x")
    cluster.concierge.offer(signing())
    base = ("get", "kubeconfig", "--kubeconfig=admin.yaml", "--static-token-env=TOKEN")
    for extra, last in (
        (["--credential-cache="], ["--credential-cache=", "--token-env=TOKEN"]),
        (["--credential-cache=/c"], ["--credential-cache=/c", "--token-env=TOKEN"]),
    ):
        written = yaml.safe_load(pinniped(*base, *extra).out)
        assert written["users"][0]["user"]["exec"]["args"][-2:] == last


def test_kubeconfig_without_concierge_copies_the_cluster(
    cluster: Cluster, pinniped: Run, home: Path
) -> None:
    outcome = pinniped(*PLAIN, "--no-concierge", "-o", "out.yaml", "--generated-name-suffix=-x")
    assert logged(outcome) == ["701  validated connection to the cluster"]
    assert outcome.out == ""
    written = yaml.safe_load((home / "out.yaml").read_text())
    assert written["users"][0]["user"]["exec"]["args"] == [
        "login",
        "static",
        "--token=pinny:password123",
    ]
    assert written["current-context"] == "kind-kind-with-contour-x"
    assert written["clusters"][0]["cluster"]["server"] == cluster.url


@pytest.mark.usefixtures("cluster")
def test_kubeconfig_keeps_the_other_fields_of_the_cluster(pinniped: Run, home: Path) -> None:
    text = (home / "admin.yaml").read_text()
    (home / "admin.yaml").write_text(
        text.replace("    server:", "    tls-server-name: x.local\n    server:")
    )
    outcome = pinniped(*PLAIN, "--no-concierge", "--skip-validation")
    assert yaml.safe_load(outcome.out)["clusters"][0]["cluster"]["tls-server-name"] == "x.local"


def test_kubeconfig_in_a_cluster_named_by_an_environment_of_one_path(
    cluster: Cluster, pinniped: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.concierge.offer(signing())
    monkeypatch.setenv("KUBECONFIG", "admin.yaml")
    assert pinniped("get", "kubeconfig", "--static-token=x").code == 0
    assert '(default "admin.yaml")' in pinniped("get", "kubeconfig", "-h").out
    monkeypatch.setenv("KUBECONFIG", "admin.yaml:b")
    outcome = pinniped("get", "kubeconfig", "--static-token=x")
    assert outcome.err == (
        "Error: could not load --kubeconfig: stat admin.yaml:b: no such file or directory\n"
    )


def test_kubeconfig_of_two_authenticators_lists_them(cluster: Cluster, pinniped: Run) -> None:
    cluster.concierge.offer(signing())
    cluster.concierge.jwts = [named("one")]
    assert logged(pinniped(*PLAIN))[1:] == [
        '634  found JWTAuthenticator  {"name": "one"}',
        '637  found WebhookAuthenticator  {"name": "local-user-authenticator"}',
        (
            "Error: multiple authenticators were found, so the "
            "--concierge-authenticator-type/--concierge-authenticator-name flags must be specified"
        ),
    ]
    cluster.concierge.jwts, cluster.concierge.webhooks = [], []
    assert logged(pinniped(*PLAIN))[-1] == "Error: no authenticators were found"


def test_kubeconfig_with_only_one_authenticator_flag_leaves_the_other_empty(
    cluster: Cluster, pinniped: Run
) -> None:
    cluster.concierge.offer(signing())
    outcome = pinniped(*PLAIN, "--concierge-authenticator-type=webhook")
    assert "--concierge-authenticator-name=\n" in outcome.out
    assert outcome.code == 0


def test_kubeconfig_without_a_working_strategy_lists_them(
    cluster: Cluster, pinniped: Run, authority: Authority
) -> None:
    disabled = impersonation("x", authority.pem, status="Error", reason="Disabled", message="m")
    cluster.concierge.offer(signing(), disabled)
    assert logged(pinniped(*POST))[1:] == [
        (
            '461  found CredentialIssuer strategy  {"type": "KubeClusterSigningCertificate", '
            '"status": "Success", "reason": "FetchedKey", '
            '"message": "key was fetched successfully"}'
        ),
        (
            '461  found CredentialIssuer strategy  {"type": "ImpersonationProxy", '
            '"status": "Error", "reason": "Disabled", "message": "m"}'
        ),
        (
            "Error: could not find successful Concierge strategy matching "
            "--concierge-mode=ImpersonationProxy"
        ),
    ]
    cluster.concierge.offer()
    assert logged(pinniped(*PLAIN))[1:] == ["Error: could not autodiscover --concierge-mode"]


def test_kubeconfig_waits_for_a_pending_strategy(
    cluster: Cluster, pinniped: Run, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "_PAUSE_S", 0.01)
    pending = impersonation("x", authority.pem, status="Pending", reason="Pending", message="m")
    waiting = named("pinniped-concierge-config", status={"strategies": [pending]})
    cluster.concierge.replies[ISSUERS] = [Reply(200, {"items": [waiting]})]
    cluster.concierge.offer(impersonation(cluster.url, authority.pem))
    lines = logged(pinniped(*POST))
    assert [line[:3] for line in lines] == ["591", "461", "393", "591", "439", "454", "701"]
    assert lines[2] == (
        "393  waiting for CredentialIssuer pending strategies to finish  "
        '{"attempts": 1, "remaining": "10m0s"}'
    )


def test_kubeconfig_stops_waiting_at_its_timeout(
    cluster: Cluster, pinniped: Run, authority: Authority
) -> None:
    cluster.concierge.offer(impersonation("x", authority.pem, status="Pending", reason="Pending"))
    outcome = pinniped(*POST, "--timeout=1ms")
    assert logged(outcome)[-1] == "Error: context deadline exceeded"
    assert pinniped(*POST, "--timeout=1ms", "--concierge-skip-wait").err.endswith(
        "--concierge-mode=ImpersonationProxy\n"
    )


def test_kubeconfig_retries_until_the_cluster_answers(
    cluster: Cluster, pinniped: Run, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "_PAUSE_S", 0.01)
    cluster.concierge.offer(impersonation(cluster.url, authority.pem))
    down = Reply(503, "no", kind="text/plain")
    cluster.concierge.replies["/"] = [down, down]
    assert logged(pinniped(*POST))[3:] == [
        (
            "705  could not immediately connect to the cluster but it may be initializing, "
            "will retry until timeout"
        ),
        (
            "719  could not connect to cluster, retrying...  "
            '{"error": "unexpected status code 503", '
            '"attempts": 1, "remaining": "10m0s"}'
        ),
        '716  validated connection to the cluster  {"attempts": 2}',
    ]


def test_kubeconfig_validation_goes_through_the_proxy_and_names_what_it_says(
    cluster: Cluster,
    pinniped: Run,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(discovery, "_PAUSE_S", 0.01)
    cluster.concierge.offer(impersonation(f"https://{HOST}", authority.pem))
    issued = authority.issue([HOST])
    with (
        WebServer(cluster.concierge.respond, issued, tmp_path) as front,
        Proxy({HOST: front.port}) as proxy,
    ):
        monkeypatch.setenv("HTTPS_PROXY", f"http://tutor:se%20cret@127.0.0.1:{proxy.port}")
        outcome = pinniped(*POST)
        assert logged(outcome)[-1] == "701  validated connection to the cluster"
        assert "Proxy-Authorization: Basic dHV0b3I6c2UgY3JldA==" in proxy.heads[0]
        assert [request.path for request in front.requests] == ["/"]
    with Proxy({}) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        outcome = pinniped(*POST, "--timeout=300ms")
        refusal = f"dial tcp: lookup {HOST}: no such host"
        assert rf'{{"error": "Get \"https://{HOST}\": {refusal}", "attempts": 1' in outcome.err
        assert logged(outcome)[-1] == "Error: context deadline exceeded"


def test_kubeconfig_with_a_key_for_a_ca_has_no_roots(
    cluster: Cluster, pinniped: Run, authority: Authority
) -> None:
    cluster.concierge.offer(impersonation(cluster.url, authority.issue().key))
    assert logged(pinniped(*POST))[-2:] == [
        '454  discovered Concierge certificate authority bundle  {"roots": 0}',
        "Error: invalid kubeconfig (no certificateAuthorityData)",
    ]


def test_kubeconfig_with_ca_bundles_of_its_own_joins_them(
    cluster: Cluster, pinniped: Run, authority: Authority, home: Path
) -> None:
    (home / "one.pem").write_text(Authority("other").pem)
    (home / "two.pem").write_text(authority.pem)
    cluster.concierge.offer(signing())
    outcome = pinniped(*PLAIN, "--concierge-ca-bundle=one.pem", "--concierge-ca-bundle", "two.pem")
    joined = b64((home / "one.pem").read_text() + "\n" + authority.pem)
    assert f"--concierge-ca-bundle-data={joined}" in outcome.out
    assert not any(line.startswith("454") for line in logged(outcome))


def test_kubeconfig_ticker_counts_missed_beats_once() -> None:
    now = time.monotonic()
    assert discovery.beat(now - 9.0, now + 60) == pytest.approx(now - 9.0 + 8.0)


def test_kubeconfig_for_an_oidc_issuer_says_what_to_do_instead(
    cluster: Cluster, pinniped: Run
) -> None:
    cluster.concierge.offer(signing())
    cluster.concierge.webhooks = []
    spec = {"issuer": "https://login.example", "audience": "me"}
    cluster.concierge.jwts = [named("oidc", spec=spec)]
    outcome = pinniped("get", "kubeconfig", "--kubeconfig=admin.yaml")
    assert logged(outcome)[-4:-1] == [
        '484  discovered JWTAuthenticator  {"name": "oidc"}',
        '491  discovered OIDC issuer  {"issuer": "https://login.example"}',
        '497  discovered OIDC audience  {"audience": "me"}',
    ]
    assert "does not do OpenID Connect logins" in outcome.err
    assert "--static-token" in outcome.err
    assert outcome.code == 1
