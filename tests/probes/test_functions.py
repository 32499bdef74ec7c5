import base64
import json
from datetime import UTC, datetime, timedelta

import bcrypt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from tutor.probes import functions
from tutor.probes.functions import Unreadable

BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def certificate(subject: str, issuer: str, key: ec.EllipticCurvePrivateKey) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    by = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(by)
        .public_key(key.public_key())
        .serial_number(0xABCDEF)
        .not_valid_before(BEGAN)
        .not_valid_after(BEGAN + timedelta(days=90))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("a.test")]), critical=False)
        .sign(key, SHA256())
    )
    return built.public_bytes(Encoding.PEM).decode()


KEY = ec.generate_private_key(ec.SECP256R1())
CA = certificate("my-ca", "my-ca", KEY)


def test_x509_gives_plain_data() -> None:
    told = functions.x509(CA)
    assert json.loads(json.dumps(told)) == told
    assert {key: told[key] for key in told if key not in {"pem", "sha256"}} == {
        "subject": "CN=my-ca",
        "issuer": "CN=my-ca",
        "commonName": "my-ca",
        "serial": "abcdef",
        "notBefore": "2026-01-02T03:04:05Z",
        "notAfter": "2026-04-02T03:04:05Z",
        "isCA": True,
        "selfSigned": True,
        "dnsNames": ["a.test"],
        "ipAddresses": [],
        "usages": [],
        "keyAlgorithm": "ECDSA-256",
        "signatureAlgorithm": "ECDSA-SHA256",
    }
    assert told["pem"] == CA
    assert len(told["sha256"]) == 64


def test_pem_takes_base64_and_pem_alike() -> None:
    encoded = base64.b64encode(CA.encode()).decode()
    assert functions.pem(encoded) == CA
    assert functions.pem(CA) == CA
    assert functions.pem(encoded + "\n") == CA


def test_signed_by_tells_the_signer_from_another_of_the_same_name() -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    leaf = certificate("leaf", "my-ca", KEY)
    impostor = certificate("my-ca", "my-ca", other)
    assert functions.signed_by(leaf, CA)
    assert not functions.signed_by(leaf, impostor)
    assert functions.signed_by(leaf, impostor + CA)


def test_bcrypt_matches_only_the_right_word() -> None:
    hashed = bcrypt.hashpw(b"password123", bcrypt.gensalt(4)).decode()
    assert functions.bcrypt_matches(hashed, "password123")
    assert not functions.bcrypt_matches(hashed, "password124")


def test_b64d_gives_bytes_when_they_are_not_text() -> None:
    assert functions.b64d("//4=") == b"\xff\xfe"
    assert functions.b64d("Z3LDtsOfZQ==") == "größe"


def test_yaml_keeps_dates_as_text_and_large_numbers_within_reach() -> None:
    text = "a: 2026-01-02\nb: 99999999999999999999\n1: x\nc: [1.5, yes]\n"
    assert functions.from_yaml(text) == {
        "a": "2026-01-02",
        "b": "99999999999999999999",
        "1": "x",
        "c": [1.5, True],
    }


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 10)}]\n" for n in range(8)
)


@pytest.mark.parametrize(
    "text", [BOMB, "a: [", "a: !!python/name:os.x y", "a: b: c", "[" * 100_000]
)
def test_yaml_that_cannot_be_read_says_so(text: str) -> None:
    with pytest.raises(Unreadable, match="not YAML"):
        functions.from_yaml(text)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "nope"])
def test_json_that_cannot_be_read_says_so(text: str) -> None:
    with pytest.raises(Unreadable, match="not JSON"):
        functions.from_json(text)


@given(st.text(max_size=80) | st.just(CA).map(lambda pem: pem.replace("B", "C", 3)))
def test_any_text_is_a_certificate_or_unreadable(text: str) -> None:
    with pytest.raises(Unreadable):
        functions.x509(text)


@pytest.mark.parametrize(
    ("one", "sign", "other"),
    [("1", ">", "999m"), ("1Ki", ">", "1k"), ("1e3", "=", "1k"), ("0.5", "<", "600m")],
)
def test_quantities_compare_by_their_amount(one: str, sign: str, other: str) -> None:
    found = functions.compare(functions.quantity(one), functions.quantity(other))
    assert found == {"<": -1, "=": 0, ">": 1}[sign]
