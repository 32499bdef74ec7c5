"""`pinniped get kubeconfig`: write a kubeconfig whose user logs in through the Concierge.

Source: pinniped v0.25.0, cmd/pinniped/cmd/kubeconfig.go; the numbers are its log lines.
"""

from __future__ import annotations

import binascii
import os
import sys
import time
from typing import Any, NamedTuple

from tutor.sandbox.shims import gotext, tree, yamltext
from tutor.sandbox.shims.cobra import Invocation
from tutor.sandbox.shims.flags import UsageError, Values
from tutor.sandbox.shims.pinniped import client, concierge, dial, discovery, kubeconfig, pem
from tutor.sandbox.shims.pinniped.discovery import say
from tutor.sandbox.shims.pinniped.exchange import Server, exchange

_EXEC_VERSION = "client.authentication.k8s.io/v1beta1"
_PING_S = 10.0


class Concierge(NamedTuple):
    """Where to log in: the frontend's endpoint and CA (PEM), the authenticator, its OIDC issuer."""

    endpoint: str
    roots: str
    kind: str
    name: str
    issuer: str


class Source(NamedTuple):
    """The entries of the kubeconfig that the new one is made from."""

    cluster: dict[str, Any]
    cluster_name: str
    context_name: str
    user_name: str


def run(invocation: Invocation) -> int:
    """Write the kubeconfig; the result is the exit code.

    Raises:
        UsageError: with the real command's sentence.
    """
    flags = invocation.flags
    path = flags.text("output")
    if not path:
        sys.stdout.write(_generate(flags))
        return 0
    # Opened first: as with `>`, a failure leaves an empty file.
    try:
        file = open(path, "w", encoding="utf-8")  # noqa: SIM115  (closed below)
    except OSError as error:
        reason = kubeconfig.go_reason(error)
        raise UsageError(f"could not open output file: open {path}: {reason}") from None
    with file:
        file.write(_generate(flags))
    return 0


def _generate(flags: Values) -> str:
    deadline = time.monotonic() + flags.number("timeout") / 1e9
    suffix = flags.text("concierge-api-group-suffix")
    if problem := concierge.suffix_problem(suffix):
        raise UsageError(f"invalid API group suffix: {problem}")
    source, caller = _source(flags)
    cluster = dict(source.cluster)
    arguments: list[str] = []
    issuer = flags.text("oidc-issuer")
    if not flags.truth("no-concierge"):
        try:
            found = _discover(flags, caller, cluster, suffix, deadline)
        except dial.DeadlineExceeded as error:
            raise UsageError(str(error)) from None
        data = binascii.b2a_base64(found.roots.encode("utf-8"), newline=False).decode("ascii")
        arguments = _concierge_arguments(flags, found, suffix, data)
        cluster |= {"server": found.endpoint, "certificate-authority-data": data}
        if not data:
            del cluster["certificate-authority-data"]
        issuer = found.issuer
    config = _config(flags, source, cluster, _login_arguments(flags, arguments, issuer))
    if not flags.truth("skip-validation"):
        try:
            _validate(cluster, deadline)
        except dial.DeadlineExceeded as error:
            raise UsageError(str(error)) from None
    return yamltext.dump(config)


def _source(flags: Values) -> tuple[Source, client.UserClient]:
    try:
        config = kubeconfig.load(flags.text("kubeconfig"))
    except kubeconfig.ConfigError as error:
        raise UsageError(f"could not load --kubeconfig: {error}") from None
    wanted = flags.text("kubeconfig-context")
    context_name = wanted or config.current
    context = config.contexts.get(context_name)
    missing = ""
    cluster_name, user_name = "", ""
    if context is None:
        missing = f"no such context {gotext.quote(context_name)}"
    else:
        cluster_name, user_name = tree.text(context.get("cluster")), tree.text(context.get("user"))
        if cluster_name not in config.clusters:
            missing = f"no such cluster {gotext.quote(cluster_name)}"
        elif user_name not in config.users:
            missing = f"no such user {gotext.quote(user_name)}"
    if missing:
        raise UsageError(f"could not load --kubeconfig/--kubeconfig-context: {missing}")
    try:
        caller = client.build(kubeconfig.client(config, wanted))
    except kubeconfig.ConfigError as error:
        raise UsageError(f"could not configure Kubernetes client: {error}") from None
    source = Source(config.clusters[cluster_name], cluster_name, context_name, user_name)
    return source, caller


def _discover(
    flags: Values, caller: client.UserClient, cluster: dict[str, Any], suffix: str, deadline: float
) -> Concierge:
    issuer = discovery.credential_issuer(
        caller,
        flags.text("concierge-credential-issuer"),
        suffix,
        wait=not flags.truth("concierge-skip-wait"),
        deadline=deadline,
    )
    kind = flags.text("concierge-authenticator-type")
    name = flags.text("concierge-authenticator-name")
    found_kind, authenticator = discovery.authenticator(caller, kind, name, suffix)
    mode = flags.text("concierge-mode")
    offered = discovery.frontend(issuer, mode)
    if not mode:
        if offered["type"] == discovery.TOKEN_API:
            say(423, "discovered Concierge operating in TokenCredentialRequest API mode")
        else:
            say(426, "discovered Concierge operating in impersonation proxy mode")
    endpoint, roots = _frontend(flags, offered, cluster)
    if not kind and not name:
        kind, name = found_kind, tree.text(tree.at(authenticator, "metadata", "name"))
        line = 484 if kind == "jwt" else 476
        say(line, f"discovered {concierge.KINDS[kind]}", name=name)
    oidc = flags.text("oidc-issuer")
    if found_kind == "jwt":
        _discover_oidc(flags, authenticator)
        oidc = oidc or tree.text(tree.at(authenticator, "spec", "issuer"))
    return Concierge(endpoint, roots, kind, name, oidc)


def _frontend(flags: Values, offered: dict[str, Any], cluster: dict[str, Any]) -> tuple[str, str]:
    """Endpoint and CA of the frontend, where no flag names them.

    In TokenCredentialRequest mode they are the kubeconfig's, not those of the status.
    """
    proxy = offered["type"] == discovery.IMPERSONATION
    info = tree.mapping(offered.get("impersonationProxyInfo"))
    endpoint = flags.text("concierge-endpoint")
    if not endpoint:
        endpoint = tree.text(info.get("endpoint") if proxy else cluster.get("server"))
        say(439, "discovered Concierge endpoint", endpoint=endpoint)
    roots = "\n".join(flags.texts("concierge-ca-bundle"))
    if not roots:
        data = cluster.get("certificate-authority-data")
        data = info.get("certificateAuthorityData") if proxy else data
        try:
            roots = gotext.decode_base64(tree.text(data)).decode("utf-8", "replace")
        except ValueError as error:
            raise UsageError(f"autodiscovered Concierge CA bundle is invalid: {error}") from None
        count = len(pem.certificates(roots))
        say(454, "discovered Concierge certificate authority bundle", roots=count)
    return endpoint, roots


def _discover_oidc(flags: Values, authenticator: dict[str, Any]) -> None:
    """Say what a JWTAuthenticator tells; the login itself is refused later."""
    spec = tree.mapping(authenticator.get("spec"))
    if not flags.text("oidc-issuer"):
        say(491, "discovered OIDC issuer", issuer=tree.text(spec.get("issuer")))
    if not flags.text("oidc-request-audience"):
        say(497, "discovered OIDC audience", audience=tree.text(spec.get("audience")))
    data = tree.text(tree.at(spec, "tls", "certificateAuthorityData"))
    if flags.texts("oidc-ca-bundle") or not data:
        return
    try:
        roots = gotext.decode_base64(data).decode("utf-8", "replace")
    except ValueError as error:
        name = tree.text(tree.at(authenticator, "metadata", "name"))
        raise UsageError(
            f"tried to autodiscover --oidc-ca-bundle, but JWTAuthenticator {name} has invalid "
            f"spec.tls.certificateAuthorityData: {error}"
        ) from None
    say(508, "discovered OIDC CA bundle", roots=len(pem.certificates(roots)))


def _concierge_arguments(flags: Values, found: Concierge, suffix: str, data: str) -> list[str]:
    arguments = [
        "--enable-concierge",
        f"--concierge-api-group-suffix={suffix}",
        f"--concierge-authenticator-name={found.name}",
        f"--concierge-authenticator-type={found.kind}",
        f"--concierge-endpoint={found.endpoint}",
        f"--concierge-ca-bundle-data={data}",
    ]
    if "credential-cache" in flags.changed:
        arguments.append(f"--credential-cache={flags.text('credential-cache')}")
    return arguments


def _login_arguments(flags: Values, arguments: list[str], issuer: str) -> list[str]:
    """The command line of the credential plugin.

    Raises:
        UsageError: no static token was given, or two.
    """
    token, variable = flags.text("static-token"), flags.text("static-token-env")
    if token and variable:
        raise UsageError("only one of --static-token and --static-token-env can be specified")
    if not token and not variable:
        if not issuer:
            raise UsageError("could not autodiscover --oidc-issuer and none was provided")
        raise UsageError(
            f"this pinniped does not do OpenID Connect logins, which issuer {issuer} asks for: "
            "give --static-token or --static-token-env, "
            "or install pinniped from https://get.pinniped.dev/cli"
        )
    last = f"--token={token}" if token else f"--token-env={variable}"
    return ["login", "static", *arguments, last]


def _config(
    flags: Values, source: Source, cluster: dict[str, Any], arguments: list[str]
) -> dict[str, Any]:
    suffix = flags.text("generated-name-suffix")
    cluster_name, user_name = source.cluster_name + suffix, source.user_name + suffix
    context_name = source.context_name + suffix
    plugin = {
        "apiVersion": _EXEC_VERSION,
        "args": arguments,
        "command": os.environ.get("TUTOR_SHIM_PATH") or os.path.realpath(sys.argv[0]),
        "env": [],
        "installHint": flags.text("install-hint"),
        "provideClusterInfo": True,
    }
    if not plugin["installHint"]:
        del plugin["installHint"]
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "preferences": {},
        "clusters": [{"name": cluster_name, "cluster": cluster}],
        "contexts": [
            {"name": context_name, "context": {"cluster": cluster_name, "user": user_name}}
        ],
        "current-context": context_name,
        "users": [{"name": user_name, "user": {"exec": plugin}}],
    }


def _validate(cluster: dict[str, Any], deadline: float) -> None:
    """Try the cluster until it answers.

    Raises:
        UsageError: the new kubeconfig has no usable CA.
        DeadlineExceeded: it never did.
    """
    data = tree.text(cluster.get("certificate-authority-data"))
    roots = gotext.decode_base64(data).decode("utf-8", "replace")
    if not pem.certificates(roots):
        raise UsageError("invalid kubeconfig (no certificateAuthorityData)")
    url = tree.text(cluster.get("server"))
    started = time.monotonic()
    if not _ping(url, roots, deadline):
        say(701, "validated connection to the cluster")
        return
    say(
        705,
        "could not immediately connect to the cluster but it may be initializing, "
        "will retry until timeout",
    )
    attempts = 0
    while True:
        attempts += 1
        started = discovery.beat(started, deadline)
        problem = _ping(url, roots, deadline)
        if not problem:
            say(716, "validated connection to the cluster", attempts=attempts)
            return
        left = discovery.remaining(deadline)
        retrying = "could not connect to cluster, retrying..."
        say(719, retrying, error=problem, attempts=attempts, remaining=left)


def _ping(url: str, roots: str, deadline: float) -> str:
    """Why the cluster does not answer, "" when it does."""
    server = Server(url, roots=roots)
    until = min(deadline, time.monotonic() + _PING_S)
    agent = [("User-Agent", "Go-http-client/1.1")]
    try:
        answer = exchange(server, "GET", url, headers=agent, deadline=until)
    except dial.BodyBroken:
        return ""
    except dial.TransportError as error:
        return f"Get {gotext.quote(url)}: {error}"
    return f"unexpected status code {answer.code}" if answer.code >= 500 else ""
