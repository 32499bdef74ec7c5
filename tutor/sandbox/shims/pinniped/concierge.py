"""What the Concierge's API groups are called, and how to name them.

Source: pinniped v0.25.0, internal/groupsuffix and pkg/conciergeclient.
"""

from __future__ import annotations

import re

from tutor.sandbox.shims.pinniped.api import Resource

KINDS = {"webhook": "WebhookAuthenticator", "jwt": "JWTAuthenticator"}
_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_LONGEST = 253


def suffix_problem(suffix: str) -> str:
    """Why this API group suffix cannot be, "" for a good one."""
    problems: list[str] = []
    if "." not in suffix:
        problems.append("must contain '.'")
    if len(suffix) > _LONGEST:
        problems.append(f"must be no more than {_LONGEST} characters")
    if not re.fullmatch(_SUBDOMAIN, suffix):
        problems.append(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, "
            "'-' or '.', and must start and end with an alphanumeric character "
            f"(e.g. 'example.com', regex used for validation is '{_SUBDOMAIN}')"
        )
    return problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]" if problems else ""


def authentication_group(suffix: str) -> str:
    """The group of the authenticators."""
    return f"authentication.concierge.{suffix}"


def authenticators(kind: str, suffix: str) -> Resource:
    """The collection of `webhook` or `jwt` authenticators."""
    return Resource(authentication_group(suffix), f"{kind}authenticators")


def credential_issuers(suffix: str) -> Resource:
    """The collection of CredentialIssuers."""
    return Resource(f"config.concierge.{suffix}", "credentialissuers")


def token_credential_requests(suffix: str) -> Resource:
    """Where a token is exchanged for a certificate."""
    return Resource(f"login.concierge.{suffix}", "tokencredentialrequests")


def who_am_i_requests(suffix: str) -> Resource:
    """Where a caller asks who it is."""
    return Resource(f"identity.concierge.{suffix}", "whoamirequests")
