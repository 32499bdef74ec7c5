"""The pinniped command line: help and mistakes. Source: pinniped v0.25.0, cmd/pinniped."""

import shutil
import subprocess
from pathlib import Path

import pytest
from shim_world import Run

from tutor.sandbox.shims import completion
from tutor.sandbox.shims.pinniped import cli

GET_FLAGS = """\
      --concierge-api-group-suffix string        Concierge API group suffix (default "pinniped.dev")
      --concierge-authenticator-name string      Concierge authenticator name (default: autodiscover)
      --concierge-authenticator-type string      Concierge authenticator type (e.g., 'webhook', 'jwt') (default: autodiscover)
      --concierge-ca-bundle path                 Path to TLS certificate authority bundle (PEM format, optional, can be repeated) to use when connecting to the Concierge
      --concierge-credential-issuer string       Concierge CredentialIssuer object to use for autodiscovery (default: autodiscover)
      --concierge-endpoint string                API base for the Concierge endpoint
      --concierge-mode mode                      Concierge mode of operation (default TokenCredentialRequestAPI)
      --concierge-skip-wait                      Skip waiting for any pending Concierge strategies to become ready (default: false)
      --credential-cache string                  Path to cluster-specific credentials cache
      --generated-name-suffix string             Suffix to append to generated cluster, context, user kubeconfig entries (default "-pinniped")
  -h, --help                                     help for kubeconfig
      --install-hint string                      This text is shown to the user when the pinniped CLI is not installed. (default "The pinniped CLI does not appear to be installed.  See https://get.pinniped.dev/cli for more details")
      --kubeconfig string                        Path to kubeconfig file
      --kubeconfig-context string                Kubeconfig context name (default: current active context)
      --no-concierge                             Generate a configuration which does not use the Concierge, but sends the credential to the cluster directly
      --oidc-ca-bundle path                      Path to TLS certificate authority bundle (PEM format, optional, can be repeated)
      --oidc-client-id string                    OpenID Connect client ID (default: autodiscover) (default "pinniped-cli")
      --oidc-issuer string                       OpenID Connect issuer URL (default: autodiscover)
      --oidc-listen-port uint16                  TCP port for localhost listener (authorization code flow only)
      --oidc-request-audience string             Request a token with an alternate audience using RFC8693 token exchange
      --oidc-scopes strings                      OpenID Connect scopes to request during login (default [offline_access,openid,pinniped:request-audience,username,groups])
      --oidc-session-cache string                Path to OpenID Connect session cache file
      --oidc-skip-browser                        During OpenID Connect login, skip opening the browser (just print the URL)
  -o, --output string                            Output file path (default: stdout)
      --skip-validation                          Skip final validation of the kubeconfig (default: false)
      --static-token string                      Instead of doing an OIDC-based login, specify a static token
      --static-token-env string                  Instead of doing an OIDC-based login, read a static token from the environment
      --timeout duration                         Timeout for autodiscovery and validation (default 10m0s)
      --upstream-identity-provider-flow string   The type of client flow to use with the upstream identity provider during login with a Supervisor (e.g. 'cli_password', 'browser_authcode')
      --upstream-identity-provider-name string   The name of the upstream identity provider used during login with a Supervisor
      --upstream-identity-provider-type string   The type of the upstream identity provider used during login with a Supervisor (e.g. 'oidc', 'ldap', 'activedirectory')
"""  # noqa: E501  (a help page is as wide as it is)
WHOAMI_FLAGS = """\
      --api-group-suffix string     Concierge API group suffix (default "pinniped.dev")
  -h, --help                        help for whoami
      --kubeconfig string           Path to kubeconfig file
      --kubeconfig-context string   Kubeconfig context name (default: current active context)
  -o, --output string               Output format (e.g., 'yaml', 'json', 'text') (default "text")
"""
STATIC_FLAGS = """\
      --concierge-api-group-suffix string     Concierge API group suffix (default "pinniped.dev")
      --concierge-authenticator-name string   Concierge authenticator name
      --concierge-authenticator-type string   Concierge authenticator type (e.g., 'webhook', 'jwt')
      --concierge-ca-bundle-data string       CA bundle to use when connecting to the Concierge
      --concierge-endpoint string             API base for the Concierge endpoint
      --credential-cache string               Path to cluster-specific credentials cache ("" disables the cache) (default "{home}/.config/pinniped/credentials.yaml")
      --enable-concierge                      Use the Concierge to login
  -h, --help                                  help for static
      --token string                          Static token to present during login
      --token-env string                      Environment variable containing a static token
"""  # noqa: E501  (a help page is as wide as it is)
ROOT = """\
The Pinniped CLI is the client-side binary for use with Pinniped-enabled Kubernetes clusters

Find more information at: https://pinniped.dev

Usage:
  pinniped [command]

Available Commands:
  completion  Generate the autocompletion script for the specified shell
  get         Gets one of [kubeconfig]
  help        Help about any command
  login       Authenticates with one of [oidc, static]
  version     Print the version of this Pinniped CLI
  whoami      Print information about the current user

Flags:
  -h, --help   help for pinniped

Use "pinniped [command] --help" for more information about a command.
"""
GET = """\
Gets one of [kubeconfig]

Usage:
  pinniped get [command]

Available Commands:
  kubeconfig  Generate a Pinniped-based kubeconfig for a cluster

Flags:
  -h, --help   help for get

Use "pinniped get [command] --help" for more information about a command.
"""


@pytest.mark.parametrize("line", [[], ["--help"], ["-h"], ["help"]])
def test_pinniped_alone_shows_its_help(line: list[str], pinniped: Run) -> None:
    assert pinniped(*line) == (0, ROOT, "")


@pytest.mark.parametrize(
    "line", [["get"], ["get", "-h"], ["help", "get"], ["get", "kubeconfg"], ["get", "-h", "x"]]
)
def test_pinniped_get_shows_its_help_even_for_an_unknown_word(
    line: list[str], pinniped: Run
) -> None:
    assert pinniped(*line) == (0, GET, "")


@pytest.mark.parametrize(
    ("line", "flags"),
    [
        (["get", "kubeconfig"], GET_FLAGS),
        (["whoami"], WHOAMI_FLAGS),
        (["login", "static"], STATIC_FLAGS),
    ],
)
def test_pinniped_help_lists_the_flags(
    line: list[str], flags: str, pinniped: Run, home: Path
) -> None:
    expected = flags.replace("{home}", str(home))
    for asked in ([*line, "--help"], ["help", *line]):
        outcome = pinniped(*asked)
        assert outcome.out.partition("\nFlags:\n")[2] == expected
        assert outcome.code == 0
    assert f"Usage:\n  pinniped {' '.join(line)} " in outcome.out


def test_pinniped_version_is_a_go_value(pinniped: Run) -> None:
    out = pinniped("version").out
    assert out.startswith(
        'version.Info{Major:"0", Minor:"25", GitVersion:"v0.25.0", '
        'GitCommit:"c7b49d9b93d9f293f81f270054e9f67c2ba7f181", GitTreeState:"clean", BuildDate:"'
    )
    assert ', GoVersion:"go1.20.7", Compiler:"gc", Platform:"' in out


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (["foo"], 'unknown command "foo" for "pinniped"\nRun \'pinniped --help\' for usage.'),
        (
            ["whoam"],
            (
                'unknown command "whoam" for "pinniped"\n\nDid you mean this?\n\twhoami\n\n'
                "Run 'pinniped --help' for usage."
            ),
        ),
        (
            ["log"],
            (
                'unknown command "log" for "pinniped"\n\nDid you mean this?\n\tlogin\n\n'
                "Run 'pinniped --help' for usage."
            ),
        ),
        (["whoami", "extra-arg"], 'unknown command "extra-arg" for "pinniped whoami"'),
        (["whoami", "--foo"], "unknown flag: --foo"),
        (["--foo"], "unknown flag: --foo"),
        (["-z"], "unknown shorthand flag: 'z' in -z"),
        (["get", "-x", "kubeconfig"], "unknown shorthand flag: 'x' in -x"),
        (
            ["get", "kubeconfig", "--concierge-mode"],
            "flag needs an argument: --concierge-mode",
        ),
        (["get", "kubeconfig", "-o"], "flag needs an argument: 'o' in -o"),
        (["whoami", "---x"], "bad flag syntax: ---x"),
        (
            ["get", "kubeconfig", "--oidc-listen-port=99999"],
            (
                'invalid argument "99999" for "--oidc-listen-port" flag: '
                'strconv.ParseUint: parsing "99999": value out of range'
            ),
        ),
        (
            ["get", "kubeconfig", "--no-concierge=x"],
            (
                'invalid argument "x" for "--no-concierge" flag: '
                'strconv.ParseBool: parsing "x": invalid syntax'
            ),
        ),
        (["login", "oidc"], 'required flag(s) "issuer" not set'),
        (["completion", "bash", "extra"], 'unknown command "extra" for "pinniped completion bash"'),
    ],
)
def test_pinniped_command_line_that_is_wrong_is_told_as_cobra_does(
    line: list[str], text: str, pinniped: Run
) -> None:
    assert pinniped(*line) == (1, "", f"Error: {text}\n")


def test_pinniped_help_for_an_unknown_topic_shows_the_usage(pinniped: Run) -> None:
    outcome = pinniped("help", "foo")
    assert outcome == (
        0,
        "",
        "Unknown help topic [`foo`]\n" + ROOT.partition("pinniped.dev\n\n")[2],
    )


def test_pinniped_notes_a_deprecated_flag(pinniped: Run) -> None:
    outcome = pinniped("login", "static", "--concierge-namespace=x", "--token=t")
    assert outcome.err == "Flag --concierge-namespace has been deprecated, not needed anymore\n"
    assert outcome.code == 0


def test_pinniped_oidc_login_says_what_to_do_instead(pinniped: Run) -> None:
    err = pinniped("login", "oidc", "--issuer=https://x").err
    assert "does not do OpenID Connect logins" in err
    assert "--static-token" in err


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash on this machine")
@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("", "completion get help login version whoami --help"),
        ("w", "whoami"),
        ("get ku", "kubeconfig"),
        ("get kubeconfig --static-token-", "--static-token-env"),
    ],
)
def test_pinniped_completion_works_in_bash(typed: str, offered: str, tmp_path: Path) -> None:
    script = tmp_path / "completion.bash"
    script.write_text(completion.script(cli.tree(), "bash"))
    words = ["pinniped", *typed.split(" ")]
    listed = " ".join(f"'{word}'" for word in words)
    program = (
        f"source {script}; COMP_WORDS=({listed}); COMP_CWORD={len(words) - 1}; "
        '_pinniped_complete; echo "${COMPREPLY[*]}"'
    )
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == offered


def test_pinniped_completion_for_zsh_names_every_command() -> None:
    script = completion.script(cli.tree(), "zsh")
    assert script.startswith("#compdef pinniped\n")
    assert '("pinniped login static") compadd -- ' in script
