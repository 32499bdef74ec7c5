"""Source: pinniped.md 1.4.1 and 4.10."""

from datetime import datetime, timedelta

import pytest
from concierge_world import NOW
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from tutor.sandbox import pki
from tutor.sandbox.components.concierge.certificates import (
    HUNDRED_YEARS,
    CertificateNames,
    authority_texts,
    new_authority,
    new_serving,
    new_user,
    serves,
)
from tutor.sandbox.components.concierge.holder import Holder, InvalidPair
from tutor.sandbox.pki import Pair

CA = new_authority("Pinniped Impersonation Proxy Signer CA", NOW, timedelta(days=365))
BACK = timedelta(minutes=5)


def read(pair: Pair) -> x509.Certificate:
    (certificate,) = pki.load_certificates(pair.certificate)
    return certificate


def extensions(certificate: x509.Certificate) -> list[tuple[str, bool]]:
    return [(type(e.value).__name__, e.critical) for e in certificate.extensions]


def test_ca_has_the_extensions_and_times_of_the_reference():
    certificate = CA.certificate
    assert certificate.subject.rfc4514_string() == "CN=Pinniped Impersonation Proxy Signer CA"
    assert certificate.not_valid_before_utc == NOW - BACK
    assert certificate.not_valid_after_utc == NOW + timedelta(days=365)
    assert extensions(certificate) == [
        ("KeyUsage", True),
        ("ExtendedKeyUsage", False),
        ("BasicConstraints", True),
        ("SubjectKeyIdentifier", False),
    ]
    assert authority_texts(CA)[1].startswith("-----BEGIN EC PRIVATE KEY-----")


def test_serving_certificate_has_no_subject_and_critical_names():
    pair = new_serving(CA, CertificateNames(host="h"), NOW, HUNDRED_YEARS)
    certificate = read(pair)
    assert not list(certificate.subject)
    assert extensions(certificate) == [
        ("ExtendedKeyUsage", False),
        ("BasicConstraints", True),
        ("AuthorityKeyIdentifier", False),
        ("SubjectAlternativeName", True),
    ]
    assert pair.key.startswith("-----BEGIN PRIVATE KEY-----")


def test_user_certificate_is_short_and_only_for_clients():
    certificate = read(new_user(CA, "pinny", ["group-for-mtls"], NOW))
    assert certificate.subject.rfc4514_string() == "CN=pinny,O=group-for-mtls"
    assert certificate.not_valid_before_utc == NOW - BACK
    assert certificate.not_valid_after_utc == NOW + timedelta(minutes=5)
    assert extensions(certificate) == [
        ("ExtendedKeyUsage", False),
        ("BasicConstraints", True),
        ("AuthorityKeyIdentifier", False),
    ]
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_groups_come_back_as_a_der_set():
    certificate = read(new_user(CA, "pinny", ["zebra", "ab", "aa"], NOW))
    assert pki.identity_of(certificate) == ("pinny", ("aa", "ab", "zebra"))


def pair(names: CertificateNames, now: datetime = NOW) -> Pair:
    return new_serving(CA, names, now, timedelta(days=1))


NAMES = CertificateNames(host="h")
OTHER_CA = new_authority("Pinniped Impersonation Proxy Signer CA", NOW, timedelta(days=1))


@pytest.mark.parametrize(
    ("made", "will_do"),
    [
        (pair(NAMES), True),
        (pair(CertificateNames(host="i")), False),
        (pair(CertificateNames(addresses=("10.96.1.2",))), False),
        (new_serving(OTHER_CA, NAMES, NOW, timedelta(days=1)), False),
        (Pair(pair(NAMES).certificate, pair(NAMES).key), False),
        (Pair("x", pair(NAMES).key), False),
        (new_serving(CA, NAMES, NOW - timedelta(days=2), timedelta(days=1)), False),
    ],
    ids=["good", "another host", "an address", "another CA", "another key", "no PEM", "expired"],
)
def test_generated_certificate_will_do_only_if_everything_fits(made: Pair, will_do: bool):
    assert serves(made.certificate.encode(), made.key.encode(), CA, NAMES, NOW) is will_do


def test_generated_certificate_for_addresses_will_do_for_them():
    names = CertificateNames(addresses=("10.96.1.2", "fd00::2"))
    made = pair(names)
    assert serves(made.certificate.encode(), made.key.encode(), CA, names, NOW)


def test_holder_keeps_its_pair_when_another_is_refused():
    holder = Holder("impersonation-proxy-signing-cert", is_ca=True)
    certificate, key = authority_texts(CA)
    holder.load(certificate.encode(), key.encode())
    leaf = pair(NAMES)
    with pytest.raises(InvalidPair) as refused:
        holder.load(leaf.certificate.encode(), leaf.key.encode())
    assert str(refused.value) == (
        "impersonation-proxy-signing-cert: attempt to set x509 cert with unexpected IsCA=false"
    )
    assert holder.bundle == certificate
    holder.clear()
    assert holder.authority is None
