"""Signed tokens, as pure functions of keys and claims.

Sources: RFC 7515 (compact JWS) with RFC 7518's ES256, RFC 7517 (keys).
"""

import base64
import json
from typing import Any, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

_COORDINATE_BYTES = 32


def _b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unb64url(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _json_object(text: str) -> dict[str, Any]:
    value: Any = json.loads(_unb64url(text))
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - the text is wrong, not a type of ours
    return cast("dict[str, Any]", value)


def key_id(key: ec.EllipticCurvePublicKey) -> str:
    """The `kid` of a signing key: the hash of its encoding, as Kubernetes makes it."""
    encoded = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    digest = hashes.Hash(hashes.SHA256())
    digest.update(encoded)
    return _b64url(digest.finalize())


def public_jwk(key: ec.EllipticCurvePublicKey) -> dict[str, Any]:
    """A key that verifies tokens, as a JSON Web Key (RFC 7517)."""
    numbers = key.public_numbers()
    x, y = (_b64url(n.to_bytes(_COORDINATE_BYTES, "big")) for n in (numbers.x, numbers.y))
    return {
        "use": "sig",
        "kty": "EC",
        "kid": key_id(key),
        "crv": "P-256",
        "alg": "ES256",
        "x": x,
        "y": y,
    }


def sign_token(key: ec.EllipticCurvePrivateKey, claims: dict[str, Any]) -> str:
    """A JWT, signed with ES256."""
    header = {"alg": "ES256", "kid": key_id(key.public_key())}
    parts = [json.dumps(part, separators=(",", ":")).encode() for part in (header, claims)]
    signed = ".".join(_b64url(part) for part in parts)
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    raw = r.to_bytes(_COORDINATE_BYTES, "big") + s.to_bytes(_COORDINATE_BYTES, "big")
    return f"{signed}.{_b64url(raw)}"


def read_token(key: ec.EllipticCurvePublicKey, token: str) -> dict[str, Any] | None:
    """The claims of a JWT that `key` signed; None when it is anything else.

    Times and audiences are for the caller to judge.
    """
    try:
        signed, _, signature = token.rpartition(".")
        header, claims = (_json_object(part) for part in signed.split("."))
        raw = _unb64url(signature)
    except (ValueError, RecursionError):
        return None
    if header.get("alg") != "ES256" or len(raw) != 2 * _COORDINATE_BYTES:
        return None
    encoded = encode_dss_signature(
        int.from_bytes(raw[:_COORDINATE_BYTES], "big"),
        int.from_bytes(raw[_COORDINATE_BYTES:], "big"),
    )
    try:
        key.verify(encoded, signed.encode(), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return None
    return claims


def claims_of(token: str) -> dict[str, Any]:
    """What a JWT claims, whoever signed it; nothing when it is none."""
    try:
        header, claims, _ = token.split(".")
        _json_object(header)
        return _json_object(claims)
    except (ValueError, RecursionError):
        return {}
