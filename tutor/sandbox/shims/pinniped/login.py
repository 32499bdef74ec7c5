"""`pinniped login static`: a credential plugin that exchanges a token for a client certificate.

Source: pinniped v0.25.0, cmd/pinniped/cmd/login_static.go and pkg/conciergeclient.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

from tutor.sandbox.shims import gotext
from tutor.sandbox.shims.cobra import Invocation
from tutor.sandbox.shims.flags import UsageError, Values
from tutor.sandbox.shims.pinniped import cache, log
from tutor.sandbox.shims.pinniped.execinfo import STATUS_FIELDS, compact


def run(invocation: Invocation) -> int:
    """Print an ExecCredential; the result is the exit code.

    Raises:
        UsageError: with the real command's sentence.
    """
    flags = invocation.flags
    if not flags.text("token") and not flags.text("token-env"):
        raise UsageError("one of --token or --token-env must be set")
    if kept := _cached(flags):
        _debug(152, "using cached cluster credential.")
        return _give(kept)
    if not flags.truth("enable-concierge"):
        return _give({"token": _token(flags)})
    from tutor.sandbox.shims.pinniped import token_exchange

    exchange = token_exchange.from_flags(flags)
    token = _token(flags)
    fields = {
        "endpoint": exchange.endpoint,
        "authenticator type": exchange.kind,
        "authenticator name": exchange.name,
    }
    _debug(159, "exchanging static token for cluster credential", fields)
    credential = exchange.login(token)
    _debug(168, "exchanged static token for cluster credential")
    if path := flags.text("credential-cache"):
        cache.put(path, cache.key(sys.argv[1:], token), credential)
    return _give(credential)


def _cached(flags: Values) -> dict[str, Any] | None:
    """The credential that the same command line got before.

    Looked up before the parameters are checked, which costs most of a login: a command line that
    got a credential was correct.
    """
    path = flags.text("credential-cache")
    variable = flags.text("token-env")
    token = os.environ.get(variable) if variable else flags.text("token")
    if not path or not token or not os.path.exists(path):
        return None
    return cache.get(path, cache.key(sys.argv[1:], token))


def _debug(line: int, message: str, fields: Mapping[str, object] | None = None) -> None:
    if os.environ.get("PINNIPED_DEBUG") == "true":
        log.line(f"cmd/login_static.go:{line}", message, fields, logger="pinniped-login")


def _give(status: dict[str, Any]) -> int:
    credential = {
        "kind": "ExecCredential",
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "spec": {"interactive": False},
        "status": {field: status[field] for field in STATUS_FIELDS if status.get(field)},
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
