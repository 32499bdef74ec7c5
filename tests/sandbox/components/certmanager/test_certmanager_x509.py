"""What is signed, byte for byte where that matters. Source: cert-manager.md 3.7, 3.8, 3.9."""

import base64
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from tutor.sandbox import pki
from tutor.sandbox.components.certmanager.csr import make_request, read_request
from tutor.sandbox.components.certmanager.pem import InvalidData, decode_key, why_no_pair
from tutor.sandbox.components.certmanager.signing import (
    Bundle,
    bundle,
    renewal_time,
    self_sign,
    sign,
    template_of,
    temporary_certificate,
)
from tutor.sandbox.kinds import Object
from tutor.sandbox.pki import Authority, PrivateKey

NOW = datetime(2026, 11, 23, 22, 50, 1, 500_000, tzinfo=UTC)
_KEY_USAGE, _EXTENDED, _BASIC = "2.5.29.15", "2.5.29.37", "2.5.29.19"
_SUBJECT_KEY, _AUTHORITY_KEY, _NAMES, _CRL = "2.5.29.14", "2.5.29.35", "2.5.29.17", "2.5.29.31"
_OCSP = "1.3.6.1.5.5.7.1.1"
_CA: Object = {"commonName": "my-selfsigned-ca", "isCA": True}
_LEAF: Object = {
    "subject": {"organizations": ["Pinniped"]},
    "dnsNames": ["impersonation-proxy-mtls.local"],
    "usages": ["server auth"],
    "duration": "2160h0m0s",
}


def _request(spec: Object, key: PrivateKey) -> Object:
    copied = {name: spec[name] for name in ("isCA", "usages", "duration") if name in spec}
    encoded = base64.b64encode(make_request(spec, key).encode()).decode()
    return {"metadata": {}, "spec": {**copied, "request": encoded}}


def _authority(algorithm: str = "ECDSA", size: int = 256, spec: Object | None = None) -> Authority:
    key = pki.new_key(algorithm, size)
    return Authority(self_sign(template_of(_request(spec or _CA, key)), key, NOW), key)


def _leaf(authority: Authority, spec: Object | None = None) -> x509.Certificate:
    return sign(template_of(_request(spec or _LEAF, pki.new_key())), authority, NOW)


def _extensions(certificate: x509.Certificate) -> list[tuple[str, bool]]:
    return [(found.oid.dotted_string, found.critical) for found in certificate.extensions]


def _openssl(arguments: Sequence[str], text: str) -> str:
    made = subprocess.run(
        ["openssl", *arguments], input=text, capture_output=True, text=True, check=True
    )
    return made.stdout


def test_ca_certificate_is_as_go_makes_it() -> None:
    certificate = _authority().certificate
    assert _extensions(certificate) == [(_KEY_USAGE, True), (_BASIC, True), (_SUBJECT_KEY, False)]
    assert certificate.extensions[0].value.public_bytes().hex() == "030202a4"
    assert certificate.subject == certificate.issuer
    assert certificate.not_valid_before_utc == NOW.replace(microsecond=0)
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc == timedelta(days=90)
    assert 0 < certificate.serial_number < 1 << 128
    text = _openssl(["x509", "-noout", "-text"], pki.certificate_pem(certificate))
    assert "Version: 3 (0x2)" in text
    assert "ecdsa-with-SHA256" in text
    assert "Digital Signature, Key Encipherment, Certificate Sign" in text
    assert "CA:TRUE\n" in text


def test_name_is_a_printable_string_where_it_can_be() -> None:
    pem = pki.certificate_pem(_authority().certificate)
    assert "PRINTABLESTRING   :my-selfsigned-ca" in _openssl(["asn1parse"], pem)
    spec = {**_CA, "commonName": "c*d"}
    pem = pki.certificate_pem(_authority(spec=spec).certificate)
    assert "UTF8STRING        :c*d" in _openssl(["asn1parse"], pem)


def test_leaf_of_the_post_is_as_go_makes_it() -> None:
    authority = _authority()
    leaf = _leaf(authority)
    assert _extensions(leaf) == [
        (_EXTENDED, False),
        (_BASIC, True),
        (_AUTHORITY_KEY, False),
        (_NAMES, False),
    ]
    ca_id = authority.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    own = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert own.key_identifier == ca_id.value.digest
    assert leaf.subject.rfc4514_string() == "O=Pinniped"
    assert leaf.issuer.rfc4514_string() == "CN=my-selfsigned-ca"


def test_leaf_verifies_with_openssl(tmp_path: Any) -> None:
    authority = _authority()
    ca, leaf = tmp_path / "ca.pem", tmp_path / "leaf.pem"
    ca.write_text(authority.pem)
    leaf.write_text(pki.certificate_pem(_leaf(authority)))
    at = str(int(NOW.timestamp()) + 60)
    host = "impersonation-proxy-mtls.local"
    command = ["verify", "-attime", at, "-CAfile", str(ca), "-verify_hostname", host, str(leaf)]
    assert _openssl(command, "").endswith(": OK\n")


@pytest.mark.parametrize(
    ("algorithm", "size", "name"),
    [
        ("ECDSA", 256, "ecdsa-with-SHA256"),
        ("ECDSA", 384, "ecdsa-with-SHA384"),
        ("ECDSA", 521, "ecdsa-with-SHA512"),
        ("RSA", 2048, "sha256WithRSAEncryption"),
        ("Ed25519", 0, "ED25519"),
    ],
)
def test_signature_follows_the_signing_key(algorithm: str, size: int, name: str) -> None:
    leaf = _leaf(_authority(algorithm, size))
    text = _openssl(["x509", "-noout", "-text"], pki.certificate_pem(leaf))
    assert f"Signature Algorithm: {name}" in text


@pytest.mark.parametrize(
    ("spec", "extensions"),
    [
        ({"dnsNames": ["a"]}, [(_KEY_USAGE, True), (_BASIC, True), (_NAMES, True)]),
        (
            {"commonName": "a", "usages": ["signing", "client auth"]},
            [(_KEY_USAGE, True), (_EXTENDED, False), (_BASIC, True)],
        ),
        (
            {"commonName": "a", "isCA": True, "usages": ["server auth"]},
            [(_KEY_USAGE, True), (_EXTENDED, False), (_BASIC, True), (_SUBJECT_KEY, False)],
        ),
        (
            {"commonName": "a", "usages": ["key agreement", "encipher only"]},
            [(_KEY_USAGE, True), (_BASIC, True)],
        ),
    ],
)
def test_extensions_follow_the_spec(spec: Object, extensions: list[tuple[str, bool]]) -> None:
    key = pki.new_key()
    certificate = self_sign(template_of(_request(spec, key)), key, NOW)
    assert _extensions(certificate) == extensions


def test_subject_has_gos_order_and_shared_sets() -> None:
    subject = {
        "organizations": ["b", "a"],
        "countries": ["DE"],
        "serialNumber": "7",
        "postalCodes": ["1"],
    }
    certificate = _leaf(_authority(), {"commonName": "n", "subject": subject, "dnsNames": ["d"]})
    assert certificate.subject.rfc4514_string() in (
        "2.5.4.5=7,CN=n,2.5.4.17=1,O=a+O=b,C=DE",
        "2.5.4.5=7,CN=n,2.5.4.17=1,O=b+O=a,C=DE",
    )


def test_names_of_every_kind_come_in_gos_order() -> None:
    spec = {
        "uris": ["spiffe://x"],
        "emailAddresses": ["a@b.c"],
        "ipAddresses": ["::1", "1.2.3.4"],
        "dnsNames": ["d"],
    }
    certificate = _leaf(_authority(), spec)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [type(name).__name__ for name in names] == [
        "DNSName",
        "RFC822Name",
        "IPAddress",
        "IPAddress",
        "UniformResourceIdentifier",
    ]


@pytest.mark.parametrize(
    ("spec", "bits"),
    [
        (_LEAF, "03020000"),
        (_CA, "030202a4"),
        ({"commonName": "a", "usages": ["decipher only", "key agreement"]}, "0303070880"),
    ],
)
def test_request_carries_usages_even_without_any(spec: Object, bits: str) -> None:
    csr = x509.load_pem_x509_csr(make_request(spec, pki.new_key()).encode())
    value = bytes.fromhex(bits)
    not_critical = bytes.fromhex("0603551d0f04") + bytes((len(value),)) + value
    assert not_critical in csr.public_bytes(Encoding.DER)
    assert not any(e.oid.dotted_string == _BASIC for e in csr.extensions)


def test_request_is_read_back_as_it_was_asked() -> None:
    found = read_request(make_request(_LEAF, pki.new_key("ECDSA", 384)).encode())
    assert found.is_signed
    assert found.names.dns == ("impersonation-proxy-mtls.local",)
    assert found.subject.values("organizations") == ["Pinniped"]
    assert found.usages.names() == ["server auth"]


def test_request_can_do_without_usages() -> None:
    made = make_request({"commonName": "a", "encodeUsagesInRequest": False}, pki.new_key())
    assert not x509.load_pem_x509_csr(made.encode()).extensions


def test_chain_leaves_the_root_out() -> None:
    authority = _authority()
    leaf = _leaf(authority)
    made = bundle(leaf, [authority.certificate, authority.certificate])
    assert made == Bundle(pki.certificate_pem(leaf), authority.pem)


def test_chain_goes_through_intermediates() -> None:
    root = _authority()
    key = pki.new_key()
    wanted = _request({"commonName": "middle", "isCA": True}, key)
    middle = Authority(sign(template_of(wanted), root, NOW), key)
    leaf = _leaf(middle)
    made = bundle(leaf, [middle.certificate, root.certificate])
    assert made == Bundle(pki.certificate_pem(leaf) + middle.pem, root.pem)


def test_chain_that_does_not_hold_together_is_refused() -> None:
    authority = _authority()
    with pytest.raises(InvalidData, match="certificate chain is malformed or broken"):
        bundle(_leaf(authority), [authority.certificate, _authority().certificate])


def test_key_of_another_ca_does_not_sign() -> None:
    authority = Authority(_authority().certificate, pki.new_key())
    with pytest.raises(InvalidData) as caught:
        _leaf(authority)
    assert str(caught.value) == (
        "error creating x509 certificate: "
        "x509: provided PrivateKey doesn't match parent's PublicKey"
    )


def test_temporary_certificate_is_signed_by_nobody_known() -> None:
    key = pki.new_key("RSA", 2048)
    made = pki.load_certificates(temporary_certificate(_LEAF, key, NOW))[0]
    assert made.issuer.rfc4514_string() == "CN=cert-manager.local"
    assert made.subject.rfc4514_string() == "2.5.4.5=1234567890,O=Pinniped"
    assert made.public_key() == key.public_key()


@pytest.mark.parametrize(
    ("renew_before", "days"),
    [(None, 60), ("360h0m0s", 75), ("720h", 60), ("2160h", 60), ("9999h", 60)],
)
def test_renewal_is_a_third_of_life_or_what_is_asked_before_the_end(
    renew_before: str | None, days: int
) -> None:
    certificate = _authority().certificate
    assert renewal_time(certificate, renew_before) == certificate.not_valid_before_utc + timedelta(
        days=days
    )


def _pem(algorithm: str = "ECDSA", size: int = 0) -> tuple[bytes, bytes]:
    authority = _authority(algorithm, size)
    return authority.pem.encode(), pki.key_pem(authority.key, "PKCS1").encode()


def test_key_encodings_are_those_of_the_spec() -> None:
    key = pki.new_key("RSA")
    assert pki.key_pem(key, "PKCS1").startswith("-----BEGIN RSA PRIVATE KEY-----\n")
    assert pki.key_pem(key).startswith("-----BEGIN PRIVATE KEY-----\n")
    assert pki.key_pem(pki.new_key(), "PKCS1").startswith("-----BEGIN EC PRIVATE KEY-----\n")
    assert pki.key_pem(pki.new_key("Ed25519"), "PKCS1").startswith("-----BEGIN PRIVATE KEY-----\n")
    assert isinstance(decode_key(pki.key_pem(pki.new_key()).encode()), ec.EllipticCurvePrivateKey)


def test_pair_that_is_none_says_what_go_says() -> None:
    certificate, key = _pem()
    other = _pem()[1]
    rsa_key = pki.key_pem(pki.new_key("RSA")).encode()
    found = {
        (certificate, key): None,
        (b"junk", key): "tls: failed to find any PEM data in certificate input",
        (certificate, b"junk"): "tls: failed to find any PEM data in key input",
        (certificate, other): "tls: private key does not match public key",
        (certificate, rsa_key): "tls: private key type does not match public key type",
        (certificate, certificate): (
            "tls: found a certificate rather than a key in the PEM for the private key"
        ),
        (key, key): (
            "tls: failed to find certificate PEM data in certificate input, but did find a "
            "private key; PEM inputs may have been switched"
        ),
    }
    assert {pair: why_no_pair(*pair) for pair in found} == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("junk", "error decoding private key PEM block"),
        (
            "-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----\n",
            "unknown private key type: CERTIFICATE",
        ),
    ],
)
def test_key_that_is_none_says_what_cert_manager_says(text: str, message: str) -> None:
    with pytest.raises(InvalidData, match=message):
        decode_key(text.encode())


def test_sizes_are_those_that_the_reference_measured() -> None:
    authority = _authority()
    assert len(authority.pem) in (562, 566, 570)
    assert len(pki.key_pem(authority.key, "PKCS1")) == 227
    certificate = sign(template_of(_request(_LEAF, pki.new_key("RSA"))), authority, NOW)
    assert 885 <= len(pki.certificate_pem(certificate)) <= 900


def test_places_for_revocation_come_last() -> None:
    authority = _authority()
    template = template_of(_request(_LEAF, pki.new_key()))
    made = sign(
        type(template)(
            subject=template.subject,
            public_key=template.public_key,
            names=template.names,
            usages=template.usages,
            is_ca=False,
            lifetime=template.lifetime,
            crl_points=["http://crl"],
            ocsp_servers=["http://ocsp"],
        ),
        authority,
        NOW,
    )
    assert [oid for oid, _ in _extensions(made)][-3:] == [_OCSP, _NAMES, _CRL]
