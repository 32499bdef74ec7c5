"""The `pinniped` command tree and its dispatch. What a command needs is imported when it runs.

Source: pinniped v0.25.0, cmd/pinniped/cmd.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from tutor.sandbox.shims import cobra, completion, flags
from tutor.sandbox.shims.cobra import Command, Invocation, no_arguments
from tutor.sandbox.shims.pinniped import options

_COMMIT = "c7b49d9b93d9f293f81f270054e9f67c2ba7f181"


def main(arguments: Sequence[str]) -> int:
    """Run one command line; the result is the exit code."""
    root = tree()
    try:
        command, rest = cobra.find(root, arguments)
    except flags.UsageError as error:
        _note(f"Error: {error}")
        _note(f"Run '{root.name} --help' for usage.")
        return 1
    try:
        return cobra.execute(command, rest, _note)
    except flags.UsageError as error:
        _note(f"Error: {error}")
        return 1
    except KeyboardInterrupt:
        return 130


def _note(line: str) -> None:
    print(line, file=sys.stderr)


def tree() -> Command:
    """All commands."""
    get = Command("get", "Gets one of [kubeconfig]", children=[_get_kubeconfig()])
    login = Command(
        "login", "Authenticates with one of [oidc, static]", children=[_static(), _oidc()]
    )
    version = Command(
        "version", "Print the version of this Pinniped CLI", run=_version, rule=no_arguments
    )
    return Command(
        "pinniped",
        "Log in to Kubernetes clusters that run Pinniped",
        long="The Pinniped CLI is the client-side binary for use with Pinniped-enabled Kubernetes "
        "clusters\n\nFind more information at: https://pinniped.dev",
        children=[
            completion.command(),
            get,
            cobra.help_command(_unknown_topic),
            login,
            version,
            _whoami(),
        ],
    )


def _unknown_topic(root: Command, words: Sequence[str]) -> int:
    named = " ".join(f"`{word}`" for word in words)
    _note(f"Unknown help topic [{named}]")
    print(root.usage(), end="", file=sys.stderr)
    return 0


def _version(_invocation: Invocation) -> int:
    machine = os.uname().machine
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)
    system = "darwin" if sys.platform == "darwin" else "linux"
    print(
        'version.Info{Major:"0", Minor:"25", GitVersion:"v0.25.0", '
        f'GitCommit:"{_COMMIT}", GitTreeState:"clean", BuildDate:"2023-08-09T20:00:00Z", '
        f'GoVersion:"go1.20.7", Compiler:"gc", Platform:"{system}/{machine}"}}'
    )
    return 0


def _get_kubeconfig() -> Command:
    def run(invocation: Invocation) -> int:
        from tutor.sandbox.shims.pinniped import generate

        return generate.run(invocation)

    return Command(
        "kubeconfig",
        "Generate a Pinniped-based kubeconfig for a cluster",
        run=run,
        rule=no_arguments,
        flags=[*options.concierge(), *options.oidc(), *options.kubeconfig(), *options.output()],
    )


def _static() -> Command:
    def run(invocation: Invocation) -> int:
        from tutor.sandbox.shims.pinniped import login

        return login.run(invocation)

    return Command(
        "static [--token TOKEN] [--token-env TOKEN_NAME]",
        "Login using a static token",
        long="Login using a static token\n\n"
        "This is what the kubeconfigs of `pinniped get kubeconfig` run. It prints a credential\n"
        "for kubectl and other clients that know client-go credential plugins.",
        run=run,
        rule=no_arguments,
        flags=[
            *options.login(),
            flags.text("token", "Static token to present during login"),
            flags.text("token-env", "Environment variable containing a static token"),
        ],
    )


def _oidc() -> Command:
    def run(invocation: Invocation) -> int:
        from tutor.sandbox.shims.pinniped import login

        return login.oidc(invocation)

    return Command(
        "oidc --issuer ISSUER",
        "Login using an OpenID Connect provider",
        run=run,
        rule=no_arguments,
        required=["issuer"],
        flags=[
            *options.login(),
            flags.text("ca-bundle-data", "Base64-encoded CA bundle of the issuer"),
            flags.text("client-id", "OpenID Connect client ID", default="pinniped-cli"),
            flags.text("issuer", "OpenID Connect issuer URL"),
            flags.number("listen-port", "TCP port for localhost listener", bits=16, signed=False),
            flags.text("request-audience", "Audience of the token to ask for"),
            flags.texts("scopes", "OpenID Connect scopes to request", default=options.SCOPES),
            flags.text("session-cache", "Path to session cache file"),
            flags.switch("skip-browser", "Skip opening the browser (just print the URL)"),
            flags.text("upstream-identity-provider-flow", "Flow of the identity provider"),
            flags.text("upstream-identity-provider-name", "Name of the identity provider"),
            flags.text("upstream-identity-provider-type", "Type of the identity provider"),
        ],
    )


def _whoami() -> Command:
    def run(invocation: Invocation) -> int:
        from tutor.sandbox.shims.pinniped import whoami

        return whoami.run(invocation)

    return Command(
        "whoami",
        "Print information about the current user",
        run=run,
        rule=no_arguments,
        flags=[
            options.suffix("api-group-suffix"),
            *options.kubeconfig(),
            flags.text(
                "output",
                "Output format (e.g., 'yaml', 'json', 'text')",
                short="o",
                default="text",
            ),
        ],
    )
