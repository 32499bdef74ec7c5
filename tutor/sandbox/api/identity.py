"""Who is asking: client certificates, tokens, and acting as somebody else.

Sources: kube-apiserver's authentication (x509, service account tokens) and impersonation filter;
messages as recorded from v1.36.
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from tutor.sandbox import pki
from tutor.sandbox.api import jws
from tutor.sandbox.api.builtin.reading import part, text
from tutor.sandbox.api.remembered import Remembered
from tutor.sandbox.api.request import ANONYMOUS, Request, User
from tutor.sandbox.api.status import unauthorized
from tutor.sandbox.kinds import Object, labels_of

AUTHENTICATED = "system:authenticated"
SERVICE_ACCOUNT_PREFIX = "system:serviceaccount:"
CREDENTIAL_ID = "authentication.kubernetes.io/credential-id"
LEGACY_ISSUER = "kubernetes/serviceaccount"
LEGACY_WARNING = (
    "Use tokens from the TokenRequest API or manually created secret-based tokens instead of "
    "auto-generated secret-based tokens."
)
_CLAIM = "kubernetes.io"
_LEGACY = "kubernetes.io/serviceaccount/"
_INVALID_SINCE = "kubernetes.io/legacy-token-invalid-since"
_LEEWAY = timedelta(minutes=1)
_MOST_KNOWN = 256
"""Chains of certificates that are remembered."""
_EXTRA_SPACE = (
    "the provided Authorization header contains extra space before the bearer token, and is ignored"
)
_INVALID = "invalid bearer token"
_INVALIDATED = "service account token has been invalidated"
_BAD_SIGNATURE = "go-jose/go-jose: error in cryptographic primitive"

Lookup = Callable[[str, str, str], Object | None]
"""(plural, namespace, name) of a core object -> the object, or None."""


@dataclass(frozen=True, slots=True)
class Authenticated:
    """A user, and the warnings that go with how they came."""

    user: User
    warnings: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Token:
    """A token that could be read, or why it could not."""

    who: Authenticated | None
    error: str = ""


class TokenAuthority:
    """Makes and reads the tokens of service accounts."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, issuer: str, lookup: Lookup) -> None:
        self._key = key
        self._issuer = issuer
        self._lookup = lookup
        self._claims: dict[str, dict[str, Any]] = {}

    @property
    def audience(self) -> str:
        """The audience of the API server itself."""
        return self._issuer

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        """What verifies the tokens."""
        return self._key.public_key()

    @property
    def issuer(self) -> str:
        """The `iss` of the tokens."""
        return self._issuer

    def published(self) -> tuple[Object, Object]:
        """The documents of OpenID discovery: the configuration and the key set."""
        configuration = {
            "issuer": self._issuer,
            "jwks_uri": f"{self._issuer}/openid/v1/jwks",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        }
        return configuration, {"keys": [jws.public_jwk(self.public_key)]}

    def issue(
        self,
        account: Object,
        *,
        now: datetime,
        lifetime: timedelta,
        token_id: str,
        audiences: Sequence[str] = (),
        bound: Object | None = None,
        node: Object | None = None,
    ) -> str:
        """A bound token.

        `bound` is a Pod, Secret or Node that must stay alive, `node` the one a bound pod is on.
        """
        meta = account["metadata"]
        private: dict[str, Any] = {"namespace": meta["namespace"]}
        if node is not None:
            private["node"] = _ref(node)
        if bound is not None:
            private[bound["kind"].lower()] = _ref(bound)
        private["serviceaccount"] = {"name": meta["name"], "uid": meta["uid"]}
        issued = int(now.timestamp())
        claims = {
            "aud": list(audiences) or [self._issuer],
            "exp": issued + int(lifetime.total_seconds()),
            "iat": issued,
            "iss": self._issuer,
            "jti": token_id,
            _CLAIM: private,
            "nbf": issued,
            "sub": f"{SERVICE_ACCOUNT_PREFIX}{meta['namespace']}:{meta['name']}",
        }
        return jws.sign_token(self._key, claims)

    def issue_legacy(self, account: Object, secret: str) -> str:
        """A token for a Secret of type kubernetes.io/service-account-token; it never expires."""
        meta = account["metadata"]
        claims = {
            "iss": LEGACY_ISSUER,
            f"{_LEGACY}namespace": meta["namespace"],
            f"{_LEGACY}secret.name": secret,
            f"{_LEGACY}service-account.name": meta["name"],
            f"{_LEGACY}service-account.uid": meta["uid"],
            "sub": f"{SERVICE_ACCOUNT_PREFIX}{meta['namespace']}:{meta['name']}",
        }
        return jws.sign_token(self._key, claims)

    def read(self, token: str, now: datetime, audiences: Sequence[str] = ()) -> Token:
        """Whose token this is.

        `audiences` are those that would do; the API server's own when empty.
        """
        claims = self._verified(token)
        if claims is None:
            tampered = jws.claims_of(token).get("iss") in (self._issuer, LEGACY_ISSUER)
            return _refused(_BAD_SIGNATURE) if tampered else Token(None, _INVALID)
        issuer = claims.get("iss")
        if issuer not in (self._issuer, LEGACY_ISSUER):
            return Token(None, _INVALID)
        wanted = list(audiences) or [self._issuer]
        own = claims.get("aud") or [self._issuer]
        shared = tuple(audience for audience in own if audience in wanted)
        if not shared:
            return _refused(
                f"token audiences {_go_strings(own)} is invalid for the target audiences"
                f" {_go_strings(wanted)}"
            )
        if issuer == LEGACY_ISSUER:
            return self._legacy(claims, token, shared)
        if now > datetime.fromtimestamp(claims.get("exp", 0), UTC) + _LEEWAY:
            return _refused("service account token has expired")
        return self._bound(claims, shared, now)

    def _verified(self, token: str) -> dict[str, Any] | None:
        if token not in self._claims:
            claims = jws.read_token(self._key.public_key(), token)
            if claims is None:
                return None
            if len(self._claims) > 1_000:
                self._claims.clear()
            self._claims[token] = claims
        return self._claims[token]

    def _bound(self, claims: dict[str, Any], audiences: tuple[str, ...], now: datetime) -> Token:
        private = claims.get(_CLAIM, {})
        namespace = private.get("namespace", "")
        account = private.get("serviceaccount", {})
        name = account.get("name", "")
        found = self._lookup("serviceaccounts", namespace, name)
        if found is None:
            return _refused(f'serviceaccounts "{name}" not found')
        uid = found["metadata"]["uid"]
        if uid != account.get("uid"):
            return _refused(f"service account UID ({uid}) does not match claim ({account['uid']})")
        if _is_gone(found, now):
            return _refused(f"service account {namespace}/{name} has been deleted")
        extra: dict[str, tuple[str, ...]] = {CREDENTIAL_ID: (f"JTI={claims.get('jti', '')}",)}
        for kind in ("secret", "pod", "node"):
            ref = private.get(kind)
            if ref is None:
                continue
            # The node of a token that is bound to a pod is told and not looked at.
            if (kind != "node" or "pod" not in private) and (
                problem := self._problem(kind, namespace, ref, now)
            ):
                return _refused(problem)
            if kind != "secret":
                extra[f"authentication.kubernetes.io/{kind}-name"] = (ref["name"],)
                if ref.get("uid"):
                    extra[f"authentication.kubernetes.io/{kind}-uid"] = (ref["uid"],)
        user = service_account_user(namespace, name, uid)
        return Token(Authenticated(replace(user, extra=extra), audiences=audiences))

    def _problem(self, kind: str, namespace: str, ref: Object, now: datetime) -> str:
        """Why a token that is bound to an object is not good any more; empty if it is."""
        where = "" if kind == "node" else namespace
        found = self._lookup(f"{kind}s", where, ref["name"])
        if found is None:
            return _INVALIDATED
        uid = found["metadata"]["uid"]
        if uid != ref["uid"]:
            return (
                f"{kind} UID ({uid}) does not match service account {kind} ref claim ({ref['uid']})"
            )
        return _INVALIDATED if _is_gone(found, now) else ""

    def _legacy(self, claims: dict[str, Any], token: str, audiences: tuple[str, ...]) -> Token:
        namespace = claims.get(f"{_LEGACY}namespace", "")
        name = claims.get(f"{_LEGACY}service-account.name", "")
        secret_name = claims.get(f"{_LEGACY}secret.name", "")
        secret = self._lookup("secrets", namespace, secret_name)
        if secret is None or secret["metadata"].get("deletionTimestamp"):
            return _refused("Token has been invalidated")
        if _from_base64(text(part(secret, "data"), "token")) != token:
            return _refused("Token does not match server's copy")
        account = self._lookup("serviceaccounts", namespace, name)
        if account is None:
            return _refused(f'serviceaccounts "{name}" not found')
        if account["metadata"].get("deletionTimestamp"):
            return _refused(f"ServiceAccount {namespace}/{name} has been deleted")
        uid, claimed = account["metadata"]["uid"], claims.get(f"{_LEGACY}service-account.uid")
        if uid != claimed:
            return _refused(f"ServiceAccount UID ({uid}) does not match claim ({claimed})")
        if _INVALID_SINCE in labels_of(secret):
            return _refused(
                f"the token in secret {namespace}/{secret_name} for service account"
                f" {namespace}/{name} has been marked invalid. Use tokens from the TokenRequest API"
                " or manually created secret-based tokens, or remove the"
                f" '{_INVALID_SINCE}' label from the secret to temporarily allow use of this token"
            )
        listed = any(ref.get("name") == secret_name for ref in account.get("secrets") or ())
        warnings = (LEGACY_WARNING,) if listed else ()
        user = service_account_user(namespace, name, uid)
        return Token(Authenticated(user, warnings, audiences))


def _ref(obj: Object) -> Object:
    meta = obj["metadata"]
    return {field: meta[field] for field in ("name", "uid") if meta.get(field)}


def _refused(why: str) -> Token:
    """What no authenticator takes, with the complaint of the one that knows it."""
    return Token(None, f"[{_INVALID}, {why}]")


def _is_gone(obj: Object, now: datetime) -> bool:
    """Whether an object has been marked for deletion, and longer ago than clocks differ."""
    stamp = obj["metadata"].get("deletionTimestamp")
    return bool(stamp) and datetime.fromisoformat(stamp) < now - _LEEWAY


def _from_base64(text: str) -> str:
    return base64.b64decode(text).decode(errors="replace")


def _go_strings(values: Sequence[str]) -> str:
    return "[" + " ".join(f'"{value}"' for value in values) + "]"


def _bearer(authorization: str) -> tuple[str, tuple[str, ...]]:
    """The token of a header, empty without one, and what to warn of."""
    scheme, *rest = authorization.split(" ", 2)
    if scheme.lower() != "bearer" or not rest:
        return "", ()
    ignored = (_EXTRA_SPACE,) if not rest[0] and len(rest) > 1 else ()
    return rest[0], ignored


def service_account_user(namespace: str, name: str, uid: str = "") -> User:
    """The user that a service account is."""
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", AUTHENTICATED)
    return User(name=f"{SERVICE_ACCOUNT_PREFIX}{namespace}:{name}", groups=groups, uid=uid)


@dataclass(frozen=True, slots=True)
class _Vouched:
    """The holder of a chain, as long as all certificates involved are valid."""

    user: User
    roots: tuple[x509.Certificate, ...]
    since: datetime
    until: datetime


class Authenticator:
    """Tells who a request comes from."""

    def __init__(
        self, client_roots: Callable[[], Sequence[x509.Certificate]], tokens: TokenAuthority
    ) -> None:
        self._roots = client_roots
        self._known: dict[bytes, _Vouched] = {}
        self._encoded = Remembered(_encoded)
        self.tokens = tokens

    def authenticate(self, request: Request) -> Authenticated:
        """The user of a request: the first credential that holds.

        Raises:
            ApiError: 401 when a credential was given and none holds.
        """
        refused = False
        token, warnings = _bearer(request.header("authorization").strip())
        if request.peer_chain:
            user = self._holder(request.peer_chain, request.received)
            if user is not None:
                return Authenticated(user, warnings)
            refused = True
        if token:
            found = self.tokens.read(token, request.received)
            if found.who is not None:
                return found.who
            refused = True
        if refused:
            raise unauthorized()
        return Authenticated(ANONYMOUS, warnings)

    def _holder(self, chain: tuple[x509.Certificate, ...], now: datetime) -> User | None:
        """Who shows a chain of certificates; None when it does not hold.

        Signatures are looked at once, and again when the roots or what is valid have changed.
        """
        roots = tuple(self._roots())
        encoded = self._encoded(chain)
        known = self._known.get(encoded)
        if known is not None and known.roots == roots and known.since <= now <= known.until:
            return known.user
        if pki.why_not_client(chain, roots, now) is not None:
            return None
        user = _certificate_user(chain[0])
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        involved = (*chain, *roots)
        since = max(each.not_valid_before_utc for each in involved)
        until = min(each.not_valid_after_utc for each in involved)
        self._known[encoded] = _Vouched(user, roots, since, until)
        return user


def _encoded(chain: tuple[x509.Certificate, ...]) -> bytes:
    return b"".join(each.public_bytes(Encoding.DER) for each in chain)


def _certificate_user(certificate: x509.Certificate) -> User:
    name, groups = pki.identity_of(certificate)
    digest = certificate.fingerprint(hashes.SHA256()).hex()
    extra = {CREDENTIAL_ID: (f"X509SHA256={digest}",)}
    return User(name=name, groups=with_authenticated(groups), extra=extra)


def with_authenticated(groups: Sequence[str]) -> tuple[str, ...]:
    """The groups of a user who proved who they are."""
    return tuple(groups) if AUTHENTICATED in groups else (*groups, AUTHENTICATED)
