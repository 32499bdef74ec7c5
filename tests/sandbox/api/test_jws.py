"""Signed tokens: what one key signs, only that key accepts, and nothing else does."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from tutor.sandbox.api import jws

KEY = ec.generate_private_key(ec.SECP256R1())
CLAIMS = {"iss": "here", "sub": "jane", "nested": {"aud": ["a", "b"]}}


def part(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def test_token_is_read_back_by_its_key_and_by_no_other() -> None:
    token = jws.sign_token(KEY, CLAIMS)
    assert jws.read_token(KEY.public_key(), token) == CLAIMS
    other = ec.generate_private_key(ec.SECP256R1())
    assert jws.read_token(other.public_key(), token) is None


def test_token_has_the_form_that_the_published_key_verifies() -> None:
    header, claims, signature = jws.sign_token(KEY, CLAIMS).split(".")
    published = jws.public_jwk(KEY.public_key())
    said = json.loads(base64.urlsafe_b64decode(header + "=="))
    assert said == {"alg": "ES256", "kid": published["kid"]}
    x, y = (
        int.from_bytes(base64.urlsafe_b64decode(published[name] + "=="), "big") for name in "xy"
    )
    key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    raw = base64.urlsafe_b64decode(signature + "==")
    assert len(raw) == 64
    encoded = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    key.verify(encoded, f"{header}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))


def test_token_whose_claims_were_exchanged_is_refused() -> None:
    header, _, signature = jws.sign_token(KEY, CLAIMS).split(".")
    forged = f"{header}.{part(CLAIMS | {'sub': 'root'})}.{signature}"
    assert jws.read_token(KEY.public_key(), forged) is None


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS256", ""])
def test_token_of_another_algorithm_is_refused(algorithm: str) -> None:
    _, claims, signature = jws.sign_token(KEY, CLAIMS).split(".")
    for tail in (signature, ""):
        token = f"{part({'alg': algorithm})}.{claims}.{tail}"
        assert jws.read_token(KEY.public_key(), token) is None


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b.c",
        f"{part([])}.{part({})}.{part('x' * 64)}",
        f"{part({'alg': 'ES256'})}.{part([])}.{part('x' * 64)}",
        f"{part({'alg': 'ES256'})}.{part({})}.{part('x' * 63)}",
        f"{part({'alg': 'ES256'})}.{part({})}.{'=' * 8}",
        f"{part({'alg': 'ES256'})}.{part('{')}.{part('x' * 64)}",
        f"{part({'alg': 'ES256'})}.{part('[' * 100_000)}.{part('x' * 64)}",
        f"{part({'alg': 'ES256'})}.{part({})}.{part({})}.{part('x' * 64)}",
        "ü.ü.ü",
    ],
)
def test_what_is_no_token_is_refused(token: str) -> None:
    assert jws.read_token(KEY.public_key(), token) is None


@given(st.integers(0, 10_000), st.characters(codec="ascii"))
def test_token_with_any_character_exchanged_is_not_read_as_something_else(
    place: int, char: str
) -> None:
    token = jws.sign_token(KEY, CLAIMS)
    place %= len(token)
    changed = token[:place] + char + token[place + 1 :]
    assert jws.read_token(KEY.public_key(), changed) in (None, CLAIMS)


def test_key_ids_tell_keys_apart() -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    assert jws.key_id(KEY.public_key()) == jws.key_id(KEY.public_key())
    assert jws.key_id(KEY.public_key()) != jws.key_id(other.public_key())
