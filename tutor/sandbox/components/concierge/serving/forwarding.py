"""What the impersonation proxy sends on, and what it adds to answers.

Source: pinniped.md 4.5 to 4.8.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import quote

from tutor.sandbox.api.request import Answer, Request, User
from tutor.sandbox.api.status import go_json
from tutor.sandbox.components.concierge.serving import nested

SUFFIX = ".impersonation-proxy.concierge.pinniped.dev"
_ORIGINAL = f"original-user-info{SUFFIX}"
_KEY = re.compile(r"[a-z0-9/\-._]+")
_PLAIN_IN_HEADERS = "!#$&'*+-.^_`|~"
_NOT_PASSED = frozenset(
    {
        "authorization",
        "connection",
        "content-length",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "x-forwarded-for",
    }
)
SECURITY = (
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("X-Frame-Options", "DENY"),
    ("X-XSS-Protection", "1; mode=block"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("X-DNS-Prefetch-Control", "off"),
    ("Cache-Control", "no-cache,no-store,max-age=0,must-revalidate"),
    ("Pragma", "no-cache"),
    ("Expires", "0"),
)


class CannotActAs(Exception):
    """A user that cannot be told to the API server; the text is for the log."""


def passed_headers(request: Request) -> list[tuple[str, str]]:
    """The client's own headers that go on, and where the request comes from."""
    kept = [
        (name, value)
        for name, value in request.headers
        if name not in _NOT_PASSED
        and not name.startswith(nested.PREFIX)
        and not name.startswith("x-remote-")
    ]
    return [*kept, ("X-Forwarded-For", request.remote)] if request.remote else kept


def impersonation_headers(user: User, original: User | None) -> list[tuple[str, str]]:
    """How the API server is told to act as a user; `original` is who asked for that themselves.

    Raises:
        CannotActAs: For extras that headers cannot carry, or that only the proxy may use.
    """
    headers = [("Impersonate-User", user.name)]
    headers.extend(("Impersonate-Group", group) for group in user.groups)
    for key, values in _extras(user, original).items():
        name = f"Impersonate-Extra-{quote(key, safe=_PLAIN_IN_HEADERS)}"
        headers.extend((name, value) for value in values)
    return headers


def _extras(user: User, original: User | None) -> Mapping[str, Sequence[str]]:
    for key in user.extra:
        if not _KEY.fullmatch(key):
            raise CannotActAs(f"disallowed extra key seen: {key}")
        if key.endswith(SUFFIX):
            raise CannotActAs(f"disallowed extra key with reserved prefix seen: {key}")
    if original is None:
        return user.extra
    return {**user.extra, _ORIGINAL: (go_json(original.info()),)}


def secured(answer: Answer) -> Answer:
    """An answer with the headers that tell browsers to keep out, before its own."""
    own = [(name, value) for name, value in answer.headers if not _is_repeated(name, value)]
    return replace(answer, headers=(*SECURITY, *own))


def _is_repeated(name: str, value: str) -> bool:
    return any(name.lower() == n.lower() and value == v for n, v in SECURITY)
