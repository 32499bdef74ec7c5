"""What the cluster says about its Concierge: CredentialIssuer, authenticator, frontend.

Source: pinniped v0.25.0, cmd/pinniped/cmd/kubeconfig.go; the numbers are its log lines.
"""

from __future__ import annotations

import time
from typing import Any

from tutor.sandbox.shims import gotext, tree
from tutor.sandbox.shims.flags import UsageError
from tutor.sandbox.shims.pinniped import concierge, dial, log
from tutor.sandbox.shims.pinniped.api import ApiError, Resource
from tutor.sandbox.shims.pinniped.client import UserClient

TOKEN_API = "TokenCredentialRequestAPI"  # noqa: S105  (a mode's name)
IMPERSONATION = "ImpersonationProxy"
_PAUSE_S = 2.0


def say(line: int, message: str, /, **fields: object) -> None:
    """Write a log line of `get kubeconfig`."""
    log.line(f"cmd/kubeconfig.go:{line}", message, fields)


def remaining(deadline: float) -> str:
    """Time until a moment of the monotonic clock, to the second, as Go prints it."""
    seconds = round(deadline - time.monotonic())
    return gotext.format_duration(seconds * 1_000_000_000)


def beat(last: float, deadline: float) -> float:
    """Wait for the next beat of a two-second ticker, and return its moment.

    As with Go's ticker, beats that were missed count once.

    Raises:
        DeadlineExceeded: the deadline comes first.
    """
    now = time.monotonic()
    missed = int((now - last) // _PAUSE_S)
    due = last + _PAUSE_S * max(1, missed)
    if due >= deadline:
        time.sleep(max(0.0, deadline - now))
        raise dial.DeadlineExceeded
    time.sleep(max(0.0, due - now))
    return due


def credential_issuer(
    client: UserClient, name: str, suffix: str, *, wait: bool, deadline: float
) -> dict[str, Any]:
    """The CredentialIssuer; with `wait`, once none of its strategies is pending.

    Raises:
        UsageError: there is none, or more than one.
        DeadlineExceeded: a strategy stayed pending.
    """
    last = time.monotonic()
    while True:
        found = _find_issuer(client, name, suffix)
        pending = any(tree.at(strategy, "reason") == "Pending" for strategy in _strategies(found))
        if not wait or not pending:
            return found
        _list_strategies(found)
        say(
            393,
            "waiting for CredentialIssuer pending strategies to finish",
            attempts=1,
            remaining=remaining(deadline),
        )
        last = beat(last, deadline)


def _find_issuer(client: UserClient, name: str, suffix: str) -> dict[str, Any]:
    resource = concierge.credential_issuers(suffix)
    if name:
        return _one(client, resource, name)
    try:
        found = tree.items(client.get(resource).get("items"))
    except ApiError as error:
        what = "failed to list CredentialIssuer objects for autodiscovery"
        raise UsageError(f"{what}: {error}") from None
    if not found:
        raise UsageError("no CredentialIssuers were found")
    if len(found) > 1:
        raise UsageError(
            "multiple CredentialIssuers were found, so the --concierge-credential-issuer flag "
            "must be specified"
        )
    issuer = tree.mapping(found[0])
    say(591, "discovered CredentialIssuer", name=_name(issuer))
    return issuer


def _one(client: UserClient, resource: Resource, name: str) -> dict[str, Any]:
    try:
        return client.get(resource, name=name)
    except ApiError as error:
        raise UsageError(str(error)) from None


def _name(found: object) -> str:
    return tree.text(tree.at(found, "metadata", "name"))


def _strategies(issuer: dict[str, Any]) -> list[Any]:
    return tree.items(tree.at(issuer, "status", "strategies"))


def _list_strategies(issuer: dict[str, Any]) -> None:
    for strategy in _strategies(issuer):
        fields = {key: tree.at(strategy, key) for key in ("type", "status", "reason", "message")}
        say(461, "found CredentialIssuer strategy", **fields)


def authenticator(
    client: UserClient, kind: str, name: str, suffix: str
) -> tuple[str, dict[str, Any]]:
    """The authenticator named, or the only one there is, with its kind (`webhook` or `jwt`).

    Raises:
        UsageError: there is no such authenticator, or no single one.
    """
    if kind and name:
        if kind.lower() not in concierge.KINDS:
            quoted = gotext.quote(kind)
            raise UsageError(
                f'invalid authenticator type {quoted}, supported values are "webhook" and "jwt"'
            )
        return kind.lower(), _one(client, concierge.authenticators(kind.lower(), suffix), name)
    found: list[tuple[str, dict[str, Any]]] = []
    for each in ("jwt", "webhook"):
        try:
            listed = client.get(concierge.authenticators(each, suffix)).get("items")
        except ApiError as error:
            what = f"failed to list {concierge.KINDS[each]} objects for autodiscovery"
            raise UsageError(f"{what}: {error}") from None
        found += [(each, tree.mapping(item)) for item in tree.items(listed)]
    if not found:
        raise UsageError("no authenticators were found")
    if len(found) > 1:
        for each, item in found:
            say(634 if each == "jwt" else 637, f"found {concierge.KINDS[each]}", name=_name(item))
        raise UsageError(
            "multiple authenticators were found, so the "
            "--concierge-authenticator-type/--concierge-authenticator-name flags must be specified"
        )
    return found[0]


def frontend(issuer: dict[str, Any], mode: str) -> dict[str, Any]:
    """The first working frontend of this mode ("" for any).

    Raises:
        UsageError: there is none; the strategies are logged first.
    """
    for strategy in _strategies(issuer):
        offered = tree.mapping(tree.at(strategy, "frontend"))
        kind = offered.get("type")
        if tree.at(strategy, "status") != "Success" or kind not in (TOKEN_API, IMPERSONATION):
            continue
        if mode in ("", kind):
            return offered
    _list_strategies(issuer)
    if not mode:
        raise UsageError("could not autodiscover --concierge-mode")
    raise UsageError(
        f"could not find successful Concierge strategy matching --concierge-mode={mode}"
    )
