"""The exchange of a token for a client certificate at the Concierge.

Source: pinniped v0.25.0, pkg/conciergeclient.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from tutor.sandbox.shims import gotext, tree
from tutor.sandbox.shims.flags import UsageError, Values
from tutor.sandbox.shims.pinniped import concierge, pem
from tutor.sandbox.shims.pinniped.api import ApiError, Client
from tutor.sandbox.shims.pinniped.exchange import Server
from tutor.sandbox.shims.pinniped.execinfo import STATUS_FIELDS

_SECONDS = 30
_FAILED = "could not complete Concierge credential exchange"


class TokenExchange(NamedTuple):
    """Where to exchange a token, for which authenticator; `roots` is PEM, "" for the system's."""

    endpoint: str
    roots: str
    kind: str
    name: str
    suffix: str

    def login(self, token: str) -> dict[str, Any]:
        """The status of an ExecCredential.

        Raises:
            UsageError: with the real command's sentence.
        """
        resource = concierge.token_credential_requests(self.suffix)
        request = {
            "kind": "TokenCredentialRequest",
            "apiVersion": f"{resource.group}/{resource.version}",
            "metadata": {"creationTimestamp": None},
            "spec": {
                "token": token,
                "authenticator": {
                    "apiGroup": concierge.authentication_group(self.suffix),
                    "kind": concierge.KINDS[self.kind.lower()],
                    "name": self.name,
                },
            },
            "status": {},
        }
        anonymous = Client(Server(self.endpoint, roots=self.roots or None), ())
        try:
            answer = anonymous.create(resource, request, seconds=_SECONDS)
        except ApiError as error:
            raise UsageError(f"{_FAILED}: could not login: {error}") from None
        message = tree.at(answer, "status", "message")
        if message is not None:
            raise UsageError(f"{_FAILED}: login failed: {message}")
        credential = tree.mapping(tree.at(answer, "status", "credential"))
        if not credential:
            raise UsageError(f"{_FAILED}: login failed: unknown cause")
        return {field: credential[field] for field in STATUS_FIELDS if credential.get(field)}


def from_flags(flags: Values) -> TokenExchange:
    """What the flags of a login say.

    Raises:
        UsageError: they are incomplete or wrong; the first fault is named, as by the real command.
    """
    found = TokenExchange(
        flags.text("concierge-endpoint"),
        "",
        flags.text("concierge-authenticator-type"),
        flags.text("concierge-authenticator-name"),
        flags.text("concierge-api-group-suffix"),
    )
    roots, roots_problem = _roots(flags.text("concierge-ca-bundle-data"))
    problem = _endpoint_problem(found.endpoint) or roots_problem or _authenticator_problem(found)
    if not problem and (wrong := concierge.suffix_problem(found.suffix)):
        problem = f"invalid API group suffix: {wrong}"
    if problem:
        raise UsageError(f"invalid Concierge parameters: {problem}")
    return found._replace(roots=roots)


def _endpoint_problem(endpoint: str) -> str:
    if not endpoint:
        return "endpoint must not be empty"
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):", endpoint)
    if scheme is None and ":" in endpoint.partition("/")[0]:
        reason = "first path segment in URL cannot contain colon"
        return f"invalid endpoint URL: parse {gotext.quote(endpoint)}: {reason}"
    found = scheme.group(1).lower() if scheme else ""
    port = re.match(r"[^:/]+://(?:[^/@]*@)?(?:\[[^\]/]*\]|[^:/\[\]]*)(:[^/?#]*)", endpoint)
    if port and not re.fullmatch(r":\d*", port.group(1)):
        reason = f"invalid port {gotext.quote(port.group(1))} after host"
        return f"invalid endpoint URL: parse {gotext.quote(endpoint)}: {reason}"
    return "" if found == "https" else f'invalid endpoint scheme "{found}" (must be "https")'


def _roots(data: str) -> tuple[str, str]:
    """The CA bundle in PEM, and what is wrong with it."""
    try:
        roots = gotext.decode_base64(data).decode("utf-8", "replace")
    except ValueError as error:
        return "", f"invalid CA bundle data: {error}"
    if roots and not pem.certificates(roots):
        return "", "invalid CA bundle data: no certificates found"
    return roots, ""


def _authenticator_problem(exchange: TokenExchange) -> str:
    if not exchange.name:
        return "authenticator name must not be empty"
    if exchange.kind.lower() in concierge.KINDS:
        return ""
    supported = 'supported values are "webhook" and "jwt"'
    return f"invalid authenticator type: {gotext.quote(exchange.kind)}, {supported}"
