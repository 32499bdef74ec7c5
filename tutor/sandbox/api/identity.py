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

from tutor.sandbox import pki
from tutor.sandbox.api import jws
from tutor.sandbox.api.request import ANONYMOUS, Request, User
from tutor.sandbox.api.status import unauthorized
from tutor.sandbox.kinds import Object

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
    ) -> str:
        """A bound token. `bound` is a Pod, Secret or Node that must stay alive."""
        meta = account["metadata"]
        private: dict[str, Any] = {"namespace": meta["namespace"]}
        if bound is not None:
            name = bound["kind"].lower()
            private[name] = {"name": bound["metadata"]["name"], "uid": bound["metadata"]["uid"]}
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
            return Token(None, "invalid bearer token")
        if claims.get("iss") == LEGACY_ISSUER:
            return self._legacy(claims, token)
        if claims.get("iss") != self._issuer:
            return Token(None, "invalid bearer token")
        wanted = list(audiences) or [self._issuer]
        shared = tuple(a for a in claims.get("aud", ()) if a in wanted)
        if not shared:
            return Token(
                None,
                f"[invalid bearer token, token audiences {_go_strings(claims.get('aud', []))} is"
                f" invalid for the target audiences {_go_strings(wanted)}]",
            )
        if now >= datetime.fromtimestamp(claims.get("exp", 0), UTC):
            return Token(None, "[invalid bearer token, service account token has expired]")
        return self._bound(claims, shared)

    def _verified(self, token: str) -> dict[str, Any] | None:
        if token not in self._claims:
            claims = jws.read_token(self._key.public_key(), token)
            if claims is None:
                return None
            if len(self._claims) > 1_000:
                self._claims.clear()
            self._claims[token] = claims
        return self._claims[token]

    def _bound(self, claims: dict[str, Any], audiences: tuple[str, ...]) -> Token:
        private = claims.get(_CLAIM, {})
        namespace = private.get("namespace", "")
        account = private.get("serviceaccount", {})
        found = self._lookup("serviceaccounts", namespace, account.get("name", ""))
        if found is None or found["metadata"]["uid"] != account.get("uid"):
            return Token(None, "[invalid bearer token, service account token has been invalidated]")
        extra: dict[str, tuple[str, ...]] = {CREDENTIAL_ID: (f"JTI={claims.get('jti', '')}",)}
        for name, plural in (("pod", "pods"), ("secret", "secrets"), ("node", "nodes")):
            ref = private.get(name)
            if ref is None:
                continue
            where = "" if name == "node" else namespace
            alive = self._lookup(plural, where, ref["name"])
            if name != "node" and (alive is None or alive["metadata"]["uid"] != ref["uid"]):
                text = "[invalid bearer token, service account token has been invalidated]"
                return Token(None, text)
            extra[f"authentication.kubernetes.io/{name}-name"] = (ref["name"],)
            extra[f"authentication.kubernetes.io/{name}-uid"] = (ref["uid"],)
        user = service_account_user(namespace, account["name"], account["uid"])
        return Token(Authenticated(replace(user, extra=extra), audiences=audiences))

    def _legacy(self, claims: dict[str, Any], token: str) -> Token:
        namespace = claims.get(f"{_LEGACY}namespace", "")
        name = claims.get(f"{_LEGACY}service-account.name", "")
        secret_name = claims.get(f"{_LEGACY}secret.name", "")
        secret = self._lookup("secrets", namespace, secret_name)
        account = self._lookup("serviceaccounts", namespace, name)
        stored = (secret or {}).get("data", {}).get("token", "")
        uid = claims.get(f"{_LEGACY}service-account.uid")
        if account is None or not stored or account["metadata"]["uid"] != uid:
            return Token(None, "[invalid bearer token, Token has been invalidated]")
        if _from_base64(stored) != token:
            return Token(None, "[invalid bearer token, Token does not match server's copy]")
        listed = any(ref.get("name") == secret_name for ref in account.get("secrets") or ())
        warnings = (LEGACY_WARNING,) if listed else ()
        user = service_account_user(namespace, name, account["metadata"]["uid"])
        return Token(Authenticated(user, warnings, (self._issuer,)))


def _from_base64(text: str) -> str:
    return base64.b64decode(text).decode(errors="replace")


def _go_strings(values: Sequence[str]) -> str:
    return "[" + " ".join(f'"{value}"' for value in values) + "]"


def service_account_user(namespace: str, name: str, uid: str = "") -> User:
    """The user that a service account is."""
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", AUTHENTICATED)
    return User(name=f"{SERVICE_ACCOUNT_PREFIX}{namespace}:{name}", groups=groups, uid=uid)


class Authenticator:
    """Tells who a request comes from."""

    def __init__(
        self, client_roots: Callable[[], Sequence[x509.Certificate]], tokens: TokenAuthority
    ) -> None:
        self._roots = client_roots
        self.tokens = tokens

    def authenticate(self, request: Request) -> Authenticated:
        """The user of a request: the first credential that holds.

        Raises:
            ApiError: 401 when a credential was given and none holds.
        """
        refused = False
        if request.peer_chain:
            now = request.received
            if pki.why_not_client(request.peer_chain, self._roots(), now) is None:
                return Authenticated(_certificate_user(request.peer_chain[0]))
            refused = True
        authorization = request.header("authorization")
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() == "bearer" and token.strip():
            found = self.tokens.read(token.strip(), request.received)
            if found.who is not None:
                return found.who
            refused = True
        if refused:
            raise unauthorized()
        return Authenticated(ANONYMOUS)


def _certificate_user(certificate: x509.Certificate) -> User:
    name, groups = pki.identity_of(certificate)
    digest = certificate.fingerprint(hashes.SHA256()).hex()
    extra = {CREDENTIAL_ID: (f"X509SHA256={digest}",)}
    return User(name=name, groups=with_authenticated(groups), extra=extra)


def with_authenticated(groups: Sequence[str]) -> tuple[str, ...]:
    """The groups of a user who proved who they are."""
    return tuple(groups) if AUTHENTICATED in groups else (*groups, AUTHENTICATED)
