"""`pinniped login static`: a credential plugin that exchanges a token for a client certificate.

Source: pinniped v0.25.0, cmd/pinniped/cmd/login_static.go and pkg/conciergeclient.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

from tutor.sandbox.shims import gotext, tree
from tutor.sandbox.shims.cobra import Invocation
from tutor.sandbox.shims.flags import UsageError, Values
from tutor.sandbox.shims.pinniped import cache, concierge, log, pem
from tutor.sandbox.shims.pinniped.api import ApiError, Client, compact
from tutor.sandbox.shims.pinniped.exchange import Server

_FIELDS = ("expirationTimestamp", "token", "clientCertificateData", "clientKeyData")
_SECONDS = 30


class Exchange(NamedTuple):
    """Where to exchange a token, and for which authenticator."""

    endpoint: str
    roots: str
    kind: str
    name: str
    suffix: str


def run(invocation: Invocation) -> int:
    """Print an ExecCredential; the result is the exit code.

    Raises:
        UsageError: with the real command's sentence.
    """
    flags = invocation.flags
    if not flags.text("token") and not flags.text("token-env"):
        raise UsageError("one of --token or --token-env must be set")
    exchange = _exchange(flags) if flags.truth("enable-concierge") else None
    token = _token(flags)
    path = flags.text("credential-cache")
    name = cache.key(sys.argv[1:], token) if path else ""
    if path and (kept := cache.get(path, name)):
        _debug(152, "using cached cluster credential.")
        return _give(kept)
    if exchange is None:
        return _give({"token": token})
    fields = {
        "endpoint": exchange.endpoint,
        "authenticator type": exchange.kind,
        "authenticator name": exchange.name,
    }
    _debug(159, "exchanging static token for cluster credential", fields)
    credential = _login(exchange, token)
    _debug(168, "exchanged static token for cluster credential")
    if path:
        cache.put(path, name, credential)
    return _give(credential)


def _debug(line: int, message: str, fields: Mapping[str, object] | None = None) -> None:
    if os.environ.get("PINNIPED_DEBUG") == "true":
        log.line(f"cmd/login_static.go:{line}", message, fields, logger="pinniped-login")


def _give(status: dict[str, Any]) -> int:
    credential = {
        "kind": "ExecCredential",
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "spec": {"interactive": False},
        "status": {field: status[field] for field in _FIELDS if status.get(field)},
    }
    print(compact(credential))
    return 0


def _token(flags: Values) -> str:
    variable = flags.text("token-env")
    if not variable:
        return flags.text("token")
    token = os.environ.get(variable)
    if token is None:
        raise UsageError(f"--token-env variable {gotext.quote(variable)} is not set")
    if not token:
        raise UsageError(f"--token-env variable {gotext.quote(variable)} is empty")
    return token


def _exchange(flags: Values) -> Exchange:
    endpoint = flags.text("concierge-endpoint")
    problem = _endpoint_problem(endpoint)
    roots = ""
    if not problem:
        try:
            roots = gotext.decode_base64(flags.text("concierge-ca-bundle-data")).decode(
                "utf-8", "replace"
            )
            if roots and not pem.certificates(roots):
                problem = "invalid CA bundle data: no certificates found"
        except ValueError as error:
            problem = f"invalid CA bundle data: {error}"
    kind, name = (
        flags.text("concierge-authenticator-type"),
        flags.text("concierge-authenticator-name"),
    )
    if not problem and not name:
        problem = "authenticator name must not be empty"
    if not problem and kind.lower() not in concierge.KINDS:
        supported = 'supported values are "webhook" and "jwt"'
        problem = f"invalid authenticator type: {gotext.quote(kind)}, {supported}"
    suffix = flags.text("concierge-api-group-suffix")
    if not problem and (wrong := concierge.suffix_problem(suffix)):
        problem = f"invalid API group suffix: {wrong}"
    if problem:
        raise UsageError(f"invalid Concierge parameters: {problem}")
    return Exchange(endpoint, roots, kind, name, suffix)


def _endpoint_problem(endpoint: str) -> str:
    if not endpoint:
        return "endpoint must not be empty"
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):", endpoint)
    if scheme is None and ":" in endpoint.partition("/")[0]:
        reason = "first path segment in URL cannot contain colon"
        return f"invalid endpoint URL: parse {gotext.quote(endpoint)}: {reason}"
    found = scheme.group(1).lower() if scheme else ""
    return "" if found == "https" else f'invalid endpoint scheme "{found}" (must be "https")'


def _login(exchange: Exchange, token: str) -> dict[str, Any]:
    resource = concierge.token_credential_requests(exchange.suffix)
    request = {
        "kind": "TokenCredentialRequest",
        "apiVersion": f"{resource.group}/{resource.version}",
        "metadata": {"creationTimestamp": None},
        "spec": {
            "token": token,
            "authenticator": {
                "apiGroup": concierge.authentication_group(exchange.suffix),
                "kind": concierge.KINDS[exchange.kind.lower()],
                "name": exchange.name,
            },
        },
        "status": {},
    }
    failed = "could not complete Concierge credential exchange"
    anonymous = Client(Server(exchange.endpoint, roots=exchange.roots or None), ())
    try:
        answer = anonymous.create(resource, request, seconds=_SECONDS)
    except ApiError as error:
        raise UsageError(f"{failed}: could not login: {error}") from None
    message = tree.at(answer, "status", "message")
    if message is not None:
        raise UsageError(f"{failed}: login failed: {message}")
    credential = tree.mapping(tree.at(answer, "status", "credential"))
    if not credential:
        raise UsageError(f"{failed}: login failed: unknown cause")
    return {field: credential[field] for field in _FIELDS if credential.get(field)}


def oidc(_invocation: Invocation) -> int:
    """`pinniped login oidc`, which this build does not have.

    Raises:
        UsageError: always.
    """
    raise UsageError(
        "this pinniped does not do OpenID Connect logins: make a kubeconfig with "
        "`pinniped get kubeconfig --static-token ...`, "
        "or install pinniped from https://get.pinniped.dev/cli"
    )
