"""Strategies of a CredentialIssuer: what each controller reports, and how reports are merged.

Source: pinniped.md 3.1, 3.3 and 3.10.
"""

from collections.abc import Sequence
from datetime import datetime

from tutor.sandbox.api.deletion import timestamp
from tutor.sandbox.components.concierge.reading import part
from tutor.sandbox.kinds import Object

SIGNING = "KubeClusterSigningCertificate"
PROXY = "ImpersonationProxy"
_TOKEN_API = "TokenCredentialRequestAPI"  # noqa: S105 - the name of a frontend
_WEIGHTS = {SIGNING: 2, PROXY: 1}
_RETRIED = ("Conflict", "AlreadyExists")


def failed(kind: str, reason: str, message: str) -> Object:
    """A strategy that does not work."""
    return {"type": kind, "status": "Error", "reason": reason, "message": message}


def proxy_failed(message: str, api_reason: str) -> Object:
    """The proxy could not be set up; what another writer caused will pass."""
    reason = "Pending" if api_reason in _RETRIED else "ErrorDuringSetup"
    return failed(PROXY, reason, message)


def proxy_listens(endpoint: str, bundle: str) -> Object:
    """The proxy works. `bundle` is base64."""
    return {
        "type": PROXY,
        "status": "Success",
        "reason": "Listening",
        "message": "impersonation proxy is ready to accept client connections",
        "frontend": {
            "type": PROXY,
            "impersonationProxyInfo": {
                "endpoint": f"https://{endpoint}",
                "certificateAuthorityData": bundle,
            },
        },
    }


PROXY_WAITS = failed(
    PROXY, "Pending", "waiting for load balancer Service to be assigned IP or hostname"
)
PROXY_OFF = failed(
    PROXY, "Disabled", "impersonation proxy was explicitly disabled by configuration"
)
PROXY_NOT_NEEDED = failed(
    PROXY, "Disabled", "automatically determined that impersonation proxy should be disabled"
)


def key_fetched(server: str, bundle: str) -> Object:
    """The cluster's key is known. `bundle` is base64."""
    return {
        "type": SIGNING,
        "status": "Success",
        "reason": "FetchedKey",
        "message": "key was fetched successfully",
        "frontend": {
            "type": _TOKEN_API,
            "tokenCredentialRequestInfo": {"server": server, "certificateAuthorityData": bundle},
        },
    }


def merged(status: Object, strategy: Object, now: datetime) -> Object:
    """A CredentialIssuer's status with a strategy in its place.

    An entry that says the same as before keeps its time. What the TokenCredentialRequest API's
    frontend says is mirrored, and the mirror never cleared.
    """
    entries: list[Object] = list(status.get("strategies") or ())
    old = next((one for one in entries if one["type"] == strategy["type"]), None)
    new = {**strategy, "lastUpdateTime": timestamp(now)}
    if old is None:
        entries.append(new)
    elif _without_time(old) != _without_time(new):
        entries[entries.index(old)] = new
    result = {**status, "strategies": _sorted(entries)}
    frontend = part(strategy, "frontend")
    if frontend.get("type") == _TOKEN_API:
        result["kubeConfigInfo"] = dict(frontend["tokenCredentialRequestInfo"])
    return result


def _without_time(strategy: Object) -> Object:
    return {key: value for key, value in strategy.items() if key != "lastUpdateTime"}


def _sorted(entries: Sequence[Object]) -> list[Object]:
    return sorted(entries, key=lambda one: (-_WEIGHTS.get(one["type"], 0), one["type"]))
