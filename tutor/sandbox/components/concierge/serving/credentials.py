"""Who a request comes from, by what it brings along.

Source: pinniped.md 4.2; apiserver's delegating authentication (request headers of a front proxy,
client certificates), in the order in which it tries them.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from cryptography import x509

from tutor.sandbox import pki
from tutor.sandbox.api.identity import with_authenticated
from tutor.sandbox.api.request import Request, User
from tutor.sandbox.components.concierge.reading import part
from tutor.sandbox.kinds import Object

BEARER = "bearer"


class Refused(Exception):
    """A credential that does not hold: the request is not anonymous, it is unauthorized."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontProxy:
    """Whom to believe when it says who the user is."""

    roots: tuple[x509.Certificate, ...] = ()
    names: tuple[str, ...] = ()
    """Common names that may; any when empty."""
    user_headers: tuple[str, ...] = ()
    group_headers: tuple[str, ...] = ()
    extra_prefixes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What kube-system's `extension-apiserver-authentication` says."""

    client_bundle: str = ""
    """PEM of the CAs of clients."""
    front_bundle: str = ""
    """PEM of the CAs of front proxies."""
    front_proxy: FrontProxy = FrontProxy()


def trust_of(config_map: Object | None) -> Trust:
    """Read the ConfigMap; without it nobody is trusted."""
    data: Mapping[str, str] = part(config_map, "data")
    bundle = data.get("requestheader-client-ca-file") or ""

    def listed(key: str) -> tuple[str, ...]:
        value: Any = json.loads(data.get(key) or "[]")
        return tuple(value)

    return Trust(
        client_bundle=data.get("client-ca-file") or "",
        front_bundle=bundle,
        front_proxy=FrontProxy(
            roots=certificates(bundle),
            names=listed("requestheader-allowed-names"),
            user_headers=listed("requestheader-username-headers"),
            group_headers=listed("requestheader-group-headers"),
            extra_prefixes=listed("requestheader-extra-headers-prefix"),
        ),
    )


def certificates(bundle: str) -> tuple[x509.Certificate, ...]:
    """The certificates of a bundle; none of one that cannot be read."""
    try:
        return tuple(pki.load_certificates(bundle)) if bundle else ()
    except ValueError:
        return ()


def front_proxy_user(request: Request, front: FrontProxy) -> User | None:
    """The user whom a front proxy names; None when it names nobody, or there is none.

    Raises:
        Refused: The certificate is not that of a front proxy.
    """
    if not request.peer_chain or not front.roots:
        return None
    why = pki.why_not_client(request.peer_chain, front.roots, request.received)
    if why:
        raise Refused(why)
    common_name = pki.identity_of(request.peer_chain[0])[0]
    if front.names and common_name not in front.names:
        raise Refused(f"x509: subject with cn={common_name} is not in the allowed list")
    name = _first(request, front.user_headers)
    if not name:
        return None
    groups = [
        value for header in front.group_headers for value in request.header_values(header.lower())
    ]
    extra = _extra(request, front.extra_prefixes)
    return User(name=name, groups=tuple(groups), extra=extra)


def _first(request: Request, headers: Sequence[str]) -> str:
    values = (request.header(header.lower()) for header in headers)
    return next((value for value in values if value), "")


def _extra(request: Request, prefixes: Sequence[str]) -> dict[str, tuple[str, ...]]:
    extra: dict[str, tuple[str, ...]] = {}
    for prefix in (prefix.lower() for prefix in prefixes):
        for header, value in request.headers:
            if header.startswith(prefix):
                key = unquote(header.removeprefix(prefix).lower())
                extra[key] = (*extra.get(key, ()), value)
    return extra


def certificate_user(
    chain: Sequence[x509.Certificate], roots: Sequence[x509.Certificate], now: datetime
) -> User | None:
    """The user of a client certificate; None without one, or without a common name.

    Raises:
        Refused: None of the roots vouches for it.
    """
    if not chain:
        return None
    why = pki.why_not_client(chain, roots, now)
    if why:
        raise Refused(why)
    name, groups = pki.identity_of(chain[0])
    return User(name=name, groups=with_authenticated(groups)) if name else None


def bearer_token(request: Request) -> str:
    """The bearer token, empty without one."""
    scheme, _, token = request.header("authorization").strip().partition(" ")
    return token.strip() if scheme.lower() == BEARER else ""


def reviewed_user(review: Object) -> User:
    """The user in an answered TokenReview; raises Refused for a token that nobody issued."""
    status = part(review, "status")
    if not status.get("authenticated"):
        raise Refused(status.get("error") or "invalid bearer token")
    user = part(status, "user")
    extra = {key: tuple(values) for key, values in part(user, "extra").items()}
    groups = with_authenticated(user.get("groups") or ())
    return User(
        name=user.get("username") or "", uid=user.get("uid") or "", groups=groups, extra=extra
    )
