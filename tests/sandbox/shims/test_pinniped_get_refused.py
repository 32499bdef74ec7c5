"""When `pinniped get kubeconfig` fails. Source: pinniped v0.25.0, cmd/pinniped."""

from pathlib import Path

import pytest
from shim_concierge import ISSUERS, named, signing, status
from shim_get import PLAIN
from shim_servers import Reply
from shim_world import Cluster, Run

FOUND = "failed to list CredentialIssuer objects for autodiscovery: "


@pytest.mark.parametrize(
    ("arguments", "last"),
    [
        (
            ["--kubeconfig=./no/such"],
            "could not load --kubeconfig: stat ./no/such: no such file or directory",
        ),
        (
            ["--kubeconfig-context=invalid"],
            'could not load --kubeconfig/--kubeconfig-context: no such context "invalid"',
        ),
        (["--kubeconfig="], 'could not load --kubeconfig/--kubeconfig-context: no such context ""'),
        (["--concierge-api-group-suffix=x"], "invalid API group suffix: must contain '.'"),
        (
            ["--concierge-credential-issuer=x"],
            'credentialissuers.config.concierge.pinniped.dev "x" not found',
        ),
        (
            ["--concierge-authenticator-type=webhok", "--concierge-authenticator-name=x"],
            'invalid authenticator type "webhok", supported values are "webhook" and "jwt"',
        ),
        (
            ["--concierge-authenticator-type=Webhook", "--concierge-authenticator-name=x"],
            'webhookauthenticators.authentication.concierge.pinniped.dev "x" not found',
        ),
        (
            ["--concierge-authenticator-type=jwt", "--concierge-authenticator-name=x"],
            'jwtauthenticators.authentication.concierge.pinniped.dev "x" not found',
        ),
        (
            ["--concierge-mode=impersonation-proxy"],
            (
                'invalid argument "impersonation-proxy" for "--concierge-mode" flag: invalid '
                'mode "impersonation-proxy", valid modes are TokenCredentialRequestAPI and '
                "ImpersonationProxy"
            ),
        ),
        (
            ["--concierge-mode=impersonationproxy"],
            (
                "could not find successful Concierge strategy matching "
                "--concierge-mode=ImpersonationProxy"
            ),
        ),
        (
            ["--concierge-ca-bundle=./x"],
            (
                'invalid argument "./x" for "--concierge-ca-bundle" flag: could not read CA '
                "bundle path: open ./x: no such file or directory"
            ),
        ),
        (
            ["--concierge-ca-bundle=admin.yaml"],
            (
                'invalid argument "admin.yaml" for "--concierge-ca-bundle" flag: failed to '
                'load any CA certificates from "admin.yaml"'
            ),
        ),
        (
            ["--static-token-env=T"],
            "only one of --static-token and --static-token-env can be specified",
        ),
        (["--static-token="], "could not autodiscover --oidc-issuer and none was provided"),
        (
            ["-o", "/no/such/x"],
            "could not open output file: open /no/such/x: no such file or directory",
        ),
        (
            ["--timeout", "5"],
            'invalid argument "5" for "--timeout" flag: time: missing unit in duration "5"',
        ),
        (["extra"], 'unknown command "extra" for "pinniped get kubeconfig"'),
    ],
)
def test_kubeconfig_that_cannot_be_made_says_why(
    arguments: list[str], last: str, cluster: Cluster, pinniped: Run
) -> None:
    cluster.concierge.offer(signing())
    outcome = pinniped(*PLAIN, *arguments)
    assert outcome.err.splitlines()[-1] == f"Error: {last}"
    assert (outcome.code, outcome.out) == (1, "")


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        (
            Reply(404, "404 page not found", kind="text/plain"),
            FOUND
            + (
                "the server could not find the requested resource (get "
                "credentialissuers.config.concierge.pinniped.dev)"
            ),
        ),
        (
            status(403, "Forbidden", 'credentialissuers is forbidden: User "pinny" cannot list'),
            FOUND + 'credentialissuers is forbidden: User "pinny" cannot list',
        ),
        (
            Reply(503, "service unavailable", kind="text/plain"),
            FOUND
            + (
                "the server is currently unable to handle the request (get "
                "credentialissuers.config.concierge.pinniped.dev)"
            ),
        ),
        (
            Reply(500, "oh", kind="text/plain"),
            FOUND
            + (
                'an error on the server ("oh") has prevented the request from succeeding (get '
                "credentialissuers.config.concierge.pinniped.dev)"
            ),
        ),
        (
            Reply(418, ""),
            FOUND
            + (
                "the server responded with the status code 418 but did not return more "
                "information (get credentialissuers.config.concierge.pinniped.dev)"
            ),
        ),
        (Reply(200, {"items": []}), "no CredentialIssuers were found"),
        (
            Reply(200, {"items": [named("a"), named("b")]}),
            (
                "multiple CredentialIssuers were found, so the --concierge-credential-issuer "
                "flag must be specified"
            ),
        ),
    ],
)
def test_kubeconfig_when_the_cluster_refuses_says_it_as_client_go(
    reply: Reply, text: str, cluster: Cluster, pinniped: Run
) -> None:
    cluster.concierge.replies[ISSUERS] = [reply]
    assert pinniped(*PLAIN).err == f"Error: {text}\n"


def test_kubeconfig_when_nothing_listens_names_the_request(
    cluster: Cluster, pinniped: Run, home: Path
) -> None:
    text = (home / "admin.yaml").read_text().replace(cluster.url, "https://127.0.0.1:1")
    (home / "admin.yaml").write_text(text)
    assert pinniped(*PLAIN).err == (
        f'Error: {FOUND}Get "https://127.0.0.1:1{ISSUERS}": '
        "dial tcp 127.0.0.1:1: connect: connection refused\n"
    )
