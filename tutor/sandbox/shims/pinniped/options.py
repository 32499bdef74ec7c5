"""The flags of the pinniped commands, in groups.

Source: pinniped v0.25.0, cmd/pinniped/cmd.
"""

from __future__ import annotations

import os

from tutor.sandbox.shims import flags, gotext

_INSTALL_HINT = (
    "The pinniped CLI does not appear to be installed.  "
    "See https://get.pinniped.dev/cli for more details"
)
SCOPES = ("offline_access", "openid", "pinniped:request-audience", "username", "groups")
_MODES = ("TokenCredentialRequestAPI", "ImpersonationProxy")
_TEN_MINUTES = 600_000_000_000
_BUNDLE = "Path to TLS certificate authority bundle (PEM format, optional, can be repeated)"


def _read_bundle(path: str) -> list[str]:
    """Read a CA bundle as its flag is read; of several flags the texts are joined."""
    from tutor.sandbox.shims.pinniped import pem

    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError as error:
        reason = (error.strerror or "").lower()
        raise ValueError(f"could not read CA bundle path: open {path}: {reason}") from None
    if not pem.certificates(text):
        raise ValueError(f"failed to load any CA certificates from {gotext.quote(path)}")
    return [text]


def _bundle(name: str, description: str) -> flags.Flag:
    return flags.Flag(name, description, kind="path", default=[], read=_read_bundle)


def _read_mode(text: str) -> str:
    if not text:
        return ""
    for mode in _MODES:
        if text.lower() == mode.lower():
            return mode
    raise ValueError(f"invalid mode {gotext.quote(text)}, valid modes are {' and '.join(_MODES)}")


def kubeconfig() -> list[flags.Flag]:
    """Which kubeconfig to start from."""
    return [
        flags.text(
            "kubeconfig", "Path to kubeconfig file", default=os.environ.get("KUBECONFIG", "")
        ),
        flags.text(
            "kubeconfig-context", "Kubeconfig context name (default: current active context)"
        ),
    ]


def _namespace() -> flags.Flag:
    return flags.text(
        "concierge-namespace",
        "Namespace in which the Concierge was installed",
        default="pinniped-concierge",
        deprecated="not needed anymore",
    )


def suffix(name: str) -> flags.Flag:
    """The API group suffix, under the name that the command has for it."""
    return flags.text(name, "Concierge API group suffix", default="pinniped.dev")


def concierge() -> list[flags.Flag]:
    """How `get kubeconfig` finds the Concierge."""
    return [
        _namespace(),
        suffix("concierge-api-group-suffix"),
        flags.text(
            "concierge-authenticator-name", "Concierge authenticator name (default: autodiscover)"
        ),
        flags.text(
            "concierge-authenticator-type",
            "Concierge authenticator type (e.g., 'webhook', 'jwt') (default: autodiscover)",
        ),
        _bundle("concierge-ca-bundle", f"{_BUNDLE} to use when connecting to the Concierge"),
        flags.text(
            "concierge-credential-issuer",
            "Concierge CredentialIssuer object to use for autodiscovery (default: autodiscover)",
        ),
        flags.text("concierge-endpoint", "API base for the Concierge endpoint"),
        flags.Flag(
            "concierge-mode",
            "Concierge mode of operation",
            kind="mode",
            shown=_MODES[0],
            read=_read_mode,
        ),
        flags.switch(
            "concierge-skip-wait",
            "Skip waiting for any pending Concierge strategies to become ready (default: false)",
        ),
        flags.text("credential-cache", "Path to cluster-specific credentials cache"),
        flags.switch(
            "no-concierge",
            "Generate a configuration which does not use the Concierge, "
            "but sends the credential to the cluster directly",
        ),
    ]


def oidc() -> list[flags.Flag]:
    """OpenID Connect, which is parsed and then refused."""
    upstream = "The {} of the upstream identity provider used during login with a Supervisor"
    return [
        _bundle("oidc-ca-bundle", _BUNDLE),
        flags.text(
            "oidc-client-id",
            "OpenID Connect client ID (default: autodiscover)",
            default="pinniped-cli",
        ),
        flags.switch("oidc-debug-session-cache", "Log the session cache's work", hidden=True),
        flags.text("oidc-issuer", "OpenID Connect issuer URL (default: autodiscover)"),
        flags.number(
            "oidc-listen-port",
            "TCP port for localhost listener (authorization code flow only)",
            bits=16,
            signed=False,
        ),
        flags.text(
            "oidc-request-audience",
            "Request a token with an alternate audience using RFC8693 token exchange",
        ),
        flags.texts("oidc-scopes", "OpenID Connect scopes to request during login", default=SCOPES),
        flags.text("oidc-session-cache", "Path to OpenID Connect session cache file"),
        flags.switch(
            "oidc-skip-browser",
            "During OpenID Connect login, skip opening the browser (just print the URL)",
        ),
        flags.switch("oidc-skip-listen", "Do not listen on localhost", hidden=True),
        flags.text(
            "upstream-identity-provider-flow",
            "The type of client flow to use with the upstream identity provider during login "
            "with a Supervisor (e.g. 'cli_password', 'browser_authcode')",
        ),
        flags.text("upstream-identity-provider-name", upstream.format("name")),
        flags.text(
            "upstream-identity-provider-type",
            f"{upstream.format('type')} (e.g. 'oidc', 'ldap', 'activedirectory')",
        ),
    ]


def output() -> list[flags.Flag]:
    """What `get kubeconfig` writes, and how long it tries."""
    instead = "Instead of doing an OIDC-based login,"
    return [
        flags.text(
            "generated-name-suffix",
            "Suffix to append to generated cluster, context, user kubeconfig entries",
            default="-pinniped",
        ),
        flags.text(
            "install-hint",
            "This text is shown to the user when the pinniped CLI is not installed.",
            default=_INSTALL_HINT,
        ),
        flags.text("output", "Output file path (default: stdout)", short="o"),
        flags.switch("skip-validation", "Skip final validation of the kubeconfig (default: false)"),
        flags.text("static-token", f"{instead} specify a static token"),
        flags.text("static-token-env", f"{instead} read a static token from the environment"),
        flags.duration("timeout", "Timeout for autodiscovery and validation", default=_TEN_MINUTES),
    ]


def _cache_file() -> str:
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return os.path.join(base, "pinniped", "credentials.yaml")


def login() -> list[flags.Flag]:
    """What both logins share."""
    return [
        _namespace(),
        suffix("concierge-api-group-suffix"),
        flags.text("concierge-authenticator-name", "Concierge authenticator name"),
        flags.text(
            "concierge-authenticator-type",
            "Concierge authenticator type (e.g., 'webhook', 'jwt')",
        ),
        flags.text("concierge-ca-bundle-data", "CA bundle to use when connecting to the Concierge"),
        flags.text("concierge-endpoint", "API base for the Concierge endpoint"),
        flags.text(
            "credential-cache",
            'Path to cluster-specific credentials cache ("" disables the cache)',
            default=_cache_file(),
        ),
        flags.switch("enable-concierge", "Use the Concierge to login"),
    ]
