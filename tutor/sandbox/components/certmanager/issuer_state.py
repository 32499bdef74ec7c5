"""Whether an issuer can issue: its Ready condition, and what is told of it.

Source: cert-manager v1.12.3, pkg/issuer/{ca,selfsigned}/setup.go; cert-manager.md 3.2, 3.3.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cryptography import x509

from tutor.sandbox.api.status import go_quote
from tutor.sandbox.components.certmanager.conditions import Condition
from tutor.sandbox.components.certmanager.pem import InvalidData, decode_chain, decode_key
from tutor.sandbox.components.certmanager.policies import secret_value
from tutor.sandbox.components.certmanager.signing import is_ca
from tutor.sandbox.kinds import Object, name_of, namespace_of
from tutor.sandbox.pki import PrivateKey

TYPES = ("acme", "ca", "vault", "selfSigned", "venafi")
"""In the order in which the real program asks."""
_NOT_SIMULATED = {"acme": "ACME servers", "vault": "Vault", "venafi": "Venafi"}
_KEY_PAIR = "Error getting keypair for CA issuer: "
_SETUP = "Error initializing issuer: "


class Told(NamedTuple):
    """An event."""

    severity: str
    reason: str
    message: str


class Logged(NamedTuple):
    """An error line of the log: its place, its message, and the error (None for none)."""

    place: str
    message: str
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What looking at an issuer came to."""

    condition: Condition
    events: Sequence[Told] = ()
    log: Logged | None = None
    error: str | None = None
    """Why it is worth another try; None when it is not."""


def issuer_type(spec: Mapping[str, object]) -> str | None:
    """The type of an issuer, None when it has none."""
    return next((name for name in TYPES if spec.get(name) is not None), None)


def set_up(kind: str, spec: Object, namespace: str, secret: Object | None) -> Setup:
    """Judge an issuer of a known type. `secret` is a CA issuer's, in `namespace`."""
    if kind == "selfSigned":
        return Setup(condition=Condition("Ready", "True", "IsReady"))
    if kind == "ca":
        return _set_up_ca(spec["ca"]["secretName"], namespace, secret)
    why = (
        f"This is the tutor's sandbox, and it does not simulate {_NOT_SIMULATED[kind]}: "
        "use an issuer of type selfSigned or ca"
    )
    told = Told("Warning", "ErrInitIssuer", f"{_SETUP}{why}")
    return Setup(condition=Condition("Ready", "False", "NotSimulated", why), events=[told])


def _set_up_ca(name: str, namespace: str, secret: Object | None) -> Setup:
    place = "setup.go:48", "error getting signing CA TLS certificate"
    try:
        certificate = _certificates(secret, namespace, name, "no data")[0]
        place = "setup.go:57", "error getting signing CA private key"
        _key(secret, namespace, name, "no data")
    except InvalidData as error:
        text = f"{_KEY_PAIR}{error}"
        return Setup(
            condition=Condition("Ready", "False", "ErrGetKeyPair", text),
            events=[
                Told("Warning", "ErrGetKeyPair", text),
                Told("Warning", "ErrInitIssuer", f"{_SETUP}{error}"),
            ],
            log=Logged(*place, str(error)),
            error=str(error),
        )
    if not is_ca(certificate):
        text = f"{_KEY_PAIR}certificate is not a CA"
        return Setup(
            condition=Condition("Ready", "False", "ErrInvalidKeyPair", text),
            events=[Told("Warning", "ErrInvalidKeyPair", text)],
            log=Logged("setup.go:67", "signing certificate is not a CA", None),
        )
    text = "Signing CA verified"
    return Setup(
        condition=Condition("Ready", "True", "KeyPairVerified", text),
        events=[Told("Normal", "KeyPairVerified", text)],
    )


def not_found(name: str) -> str:
    """What cert-manager's caches say of a Secret that is not there."""
    return f"secret {go_quote(name)} not found"


def _present(secret: Object | None, name: str) -> Object:
    if secret is None:
        raise InvalidData(not_found(name))
    return secret


def _value(secret: Object, place: str, key: str, absent: str) -> bytes:
    data: Object = secret.get("data") or {}
    if key not in data:
        raise InvalidData(f"{absent} for {go_quote(key)} in secret '{place}'")
    return secret_value(secret, key)


def _certificates(
    secret: Object | None, namespace: str, name: str, absent: str
) -> list[x509.Certificate]:
    found = _present(secret, name)
    return decode_chain(_value(found, f"{namespace}/{name}", "tls.crt", absent))


def _key(secret: Object | None, namespace: str, name: str, absent: str) -> PrivateKey:
    found = _present(secret, name)
    return decode_key(_value(found, f"{namespace}/{name}", "tls.key", absent))


def key_of(secret: Object) -> PrivateKey:
    """The key in a Secret; raises InvalidData."""
    return _key(secret, namespace_of(secret), name_of(secret), "no data")


def signing_chain(secret: Object) -> tuple[list[x509.Certificate], PrivateKey]:
    """The certificates of a CA, its own first and its `ca.crt` last, and its key.

    Raises:
        InvalidData: Something is missing or malformed.
    """
    namespace, name = namespace_of(secret), name_of(secret)
    key = _key(secret, namespace, name, "no private key data")
    chain = _certificates(secret, namespace, name, "no certificate data")
    above = secret_value(secret, "ca.crt")
    if above:
        chain.append(decode_chain(above)[0])
    return chain, key
