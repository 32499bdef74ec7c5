"""Keys, certificates and who is let in with them, held against OpenSSL where it has an opinion."""

import ipaddress
import shutil
import ssl
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tutor.sandbox import pki
from tutor.sandbox.pki import CLIENT_AUTH, SERVER_AUTH, Authority, Pair

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
EXPIRED = "x509: certificate has expired or is not yet valid"
UNKNOWN = "x509: certificate signed by unknown authority"
INCOMPATIBLE = "x509: certificate specifies an incompatible key usage"


def root(
    name: str = "root",
    *,
    lifetime: timedelta = 10 * DAY,
    backdate: timedelta = DAY,
    key: pki.PrivateKey | None = None,
) -> Authority:
    return pki.new_authority(name, now=NOW, lifetime=lifetime, backdate=backdate, key=key)


def below(
    parent: Authority,
    name: str,
    *,
    ca: bool = True,
    path_length: int | None = None,
    lifetime: timedelta = 9 * DAY,
    extended: Sequence[x509.ObjectIdentifier] = (),
    usages: Sequence[str] = ("key_cert_sign",),
    key: pki.PrivateKey | None = None,
) -> Authority:
    """An authority that another one signed."""
    signer = key or pki.new_key()
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=ca, path_length=path_length), True)
    ]
    if usages:
        extensions.append((pki.key_usage(usages), True))
    if extended:
        extensions.append((x509.ExtendedKeyUsage(extended), False))
    made = pki.build(
        subject=pki.subject_of(name),
        issuer=parent.certificate.subject,
        public_key=signer.public_key(),
        signer=parent.key,
        not_before=NOW - DAY,
        not_after=NOW + lifetime,
        extensions=extensions,
    )
    return Authority(made, signer)


def client(
    by: Authority, extended: Sequence[x509.ObjectIdentifier] = (CLIENT_AUTH,)
) -> x509.Certificate:
    name = pki.subject_of("jane", ["dev"])
    pair = pki.issue(by, subject=name, now=NOW, lifetime=DAY, extended=extended)
    return pki.load_certificates(pair.certificate)[0]


def why(*chain: x509.Certificate, roots: Sequence[Authority], now: datetime = NOW) -> str | None:
    return pki.why_not_client(chain, [each.certificate for each in roots], now)


def test_client_certificate_of_a_root_is_let_in_and_of_another_not() -> None:
    ours, foreign = root(), root()
    assert why(client(ours), roots=[ours]) is None
    assert why(client(foreign), roots=[ours]) == UNKNOWN
    assert why(client(foreign), roots=[ours, foreign]) is None
    assert why(client(ours), roots=[]) == UNKNOWN


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (NOW - timedelta(minutes=6), EXPIRED),
        (NOW - timedelta(minutes=5), None),
        (NOW + DAY, None),
        (NOW + DAY + timedelta(seconds=1), EXPIRED),
    ],
)
def test_client_certificate_is_good_between_its_times_and_not_outside(
    moment: datetime, expected: str | None
) -> None:
    ours = root()
    assert why(client(ours), roots=[ours], now=moment) == expected


@pytest.mark.parametrize(
    ("extended", "expected"),
    [
        ((CLIENT_AUTH,), None),
        ((CLIENT_AUTH, SERVER_AUTH), None),
        ((ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,), None),
        ((SERVER_AUTH,), INCOMPATIBLE),
        ((ExtendedKeyUsageOID.CODE_SIGNING,), INCOMPATIBLE),
    ],
)
def test_client_certificate_needs_the_usage(
    extended: Sequence[x509.ObjectIdentifier], expected: str | None
) -> None:
    ours = root()
    assert why(client(ours, extended=extended), roots=[ours]) == expected


def test_certificate_without_extended_usages_is_good_for_everything() -> None:
    ours = root()
    leaf = below(ours, "jane", ca=False)
    assert why(leaf.certificate, roots=[ours]) is None


def test_authority_below_another_is_followed_in_any_order_and_needed() -> None:
    ours = root()
    first = below(ours, "first")
    second = below(first, "second")
    leaf = client(second)
    assert why(leaf, first.certificate, second.certificate, roots=[ours]) is None
    assert why(leaf, second.certificate, first.certificate, roots=[ours]) is None
    assert why(leaf, second.certificate, roots=[ours]) == UNKNOWN
    assert why(leaf, second.certificate, roots=[first]) is None


def test_trusted_certificate_itself_is_let_in() -> None:
    ours = root()
    leaf = client(ours)
    assert pki.why_not_client([leaf], [leaf], NOW) is None


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, None),
        ({"ca": False}, UNKNOWN),
        ({"usages": ("digital_signature",)}, UNKNOWN),
        ({"usages": ()}, None),
        ({"lifetime": -DAY / 2}, UNKNOWN),
        ({"extended": (SERVER_AUTH,)}, INCOMPATIBLE),
        ({"extended": (CLIENT_AUTH,)}, None),
    ],
)
def test_authority_in_between_must_be_one_that_may(
    options: dict[str, Any], expected: str | None
) -> None:
    ours = root()
    between = below(ours, "between", **options)
    assert why(client(between), between.certificate, roots=[ours]) == expected


def test_path_length_limits_how_many_authorities_may_be_below() -> None:
    ours = root()
    strict = below(ours, "strict", path_length=0)
    deeper = below(strict, "deeper")
    assert why(client(strict), strict.certificate, roots=[ours]) is None
    leaf = client(deeper)
    assert why(leaf, deeper.certificate, strict.certificate, roots=[ours]) == UNKNOWN


def test_root_that_has_expired_vouches_for_nobody() -> None:
    old = root(lifetime=DAY / 2)
    leaf = client(old)
    assert why(leaf, roots=[old]) is None
    assert why(leaf, roots=[old], now=NOW + DAY * 3 / 4) == UNKNOWN


def test_same_name_and_another_key_is_another_authority() -> None:
    ours, pretender = root("kubernetes"), root("kubernetes")
    assert not pki.is_issued_by(client(pretender), ours.certificate)
    assert pki.is_issued_by(client(ours), ours.certificate)


def test_many_authorities_that_vouch_for_each_other_are_looked_at_once_each() -> None:
    """Without that, this would take longer than the universe is old."""
    key = pki.new_key()
    ring = root("ring", key=key)
    circle = [below(ring, "ring", key=key).certificate for _ in range(25)]
    leaf = client(Authority(circle[0], key))
    assert why(leaf, *circle, roots=[root()]) == UNKNOWN


def test_openssl_agrees_about_chains(tmp_path: Path) -> None:
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("needs the openssl command")
    ours, foreign = root(), root("foreign")
    good = below(ours, "good")
    no_ca = below(ours, "no ca", ca=False)
    short = below(ours, "short", path_length=0)
    deep = below(short, "deep")
    cases: list[tuple[Authority, list[Authority]]] = [
        (ours, []),
        (foreign, []),
        (good, [good]),
        (good, []),
        (no_ca, [no_ca]),
        (deep, [deep, short]),
    ]
    (tmp_path / "root.pem").write_text(ours.pem)
    for signer, between in cases:
        for extended in (CLIENT_AUTH, SERVER_AUTH):
            leaf = client(signer, extended=(extended,))
            (tmp_path / "leaf.pem").write_text(pki.certificate_pem(leaf))
            (tmp_path / "between.pem").write_text("".join(each.pem for each in between))
            untrusted = ["-untrusted", "between.pem"] if between else []
            checked = subprocess.run(
                [
                    program,
                    "verify",
                    "-attime",
                    str(int(NOW.timestamp())),
                    "-purpose",
                    "sslclient",
                    "-CAfile",
                    "root.pem",
                    *untrusted,
                    "leaf.pem",
                ],
                cwd=tmp_path,
                capture_output=True,
                text=True,
                check=False,
            )
            said = why(leaf, *(each.certificate for each in between), roots=[ours])
            assert (said is None) == (checked.returncode == 0), (said, checked.stderr)


def test_identity_is_the_last_common_name_and_every_organization() -> None:
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, "first"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "one"),
            x509.NameAttribute(NameOID.COMMON_NAME, "last"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "two"),
        ]
    )
    pair = pki.issue(root(), subject=name, now=NOW, lifetime=DAY)
    leaf = pki.load_certificates(pair.certificate)[0]
    assert pki.identity_of(leaf) == ("last", ("one", "two"))
    nobody = pki.issue(root(), subject=pki.subject_of(), now=NOW, lifetime=DAY)
    assert pki.identity_of(pki.load_certificates(nobody.certificate)[0]) == ("", ())


def test_alternative_names_are_critical_only_without_a_subject() -> None:
    hosts = ["a.example", "10.0.0.1", "::1"]
    for subject, critical in ((pki.subject_of(), True), (pki.subject_of("a"), False)):
        pair = pki.issue(root(), subject=subject, now=NOW, lifetime=DAY, hosts=hosts)
        leaf = pki.load_certificates(pair.certificate)[0]
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        assert found.critical is critical
        assert pki.names_of(leaf) == hosts
        addresses = found.value.get_values_for_type(x509.IPAddress)
        assert addresses[0] == ipaddress.ip_address("10.0.0.1")


def test_names_are_encoded_as_go_does() -> None:
    """One RDN for all organizations; PrintableString where that can be."""
    name = pki.subject_of("jane", ["dev", "ops", "dev"])
    assert [len(list(rdn)) for rdn in name.rdns] == [2, 1]
    assert b"\x13\x04jane" in name.public_bytes()
    assert b"\x0c\x04j@ne" in pki.subject_of("j@ne").public_bytes()
    assert "ü".encode() in pki.subject_of("ü").public_bytes()


def test_serial_numbers_are_positive_and_no_longer_than_those_of_go() -> None:
    ours = root()
    serials = [client(ours).serial_number for _ in range(20)]
    assert len(set(serials)) == 20
    assert all(0 < serial < 1 << 128 for serial in serials)


@pytest.mark.parametrize(
    ("algorithm", "size", "kind"),
    [
        ("ECDSA", 0, ec.EllipticCurvePrivateKey),
        ("ECDSA", 384, ec.EllipticCurvePrivateKey),
        ("ECDSA", 521, ec.EllipticCurvePrivateKey),
        ("Ed25519", 0, ed25519.Ed25519PrivateKey),
        ("RSA", 2048, rsa.RSAPrivateKey),
    ],
)
@pytest.mark.parametrize("encoding", ["PKCS8", "PKCS1"])
def test_keys_survive_being_written_and_read(
    algorithm: str, size: int, kind: type[Any], encoding: str
) -> None:
    key = pki.new_key(algorithm, size)
    again = pki.load_key(pki.key_pem(key, encoding))
    assert isinstance(again, kind)
    assert again.public_key() == key.public_key()


@pytest.mark.parametrize(
    ("encoding", "algorithm", "first"),
    [
        ("PKCS8", "ECDSA", "-----BEGIN PRIVATE KEY-----"),
        ("PKCS1", "ECDSA", "-----BEGIN EC PRIVATE KEY-----"),
        ("PKCS1", "Ed25519", "-----BEGIN PRIVATE KEY-----"),
    ],
)
def test_key_forms_have_the_headers_that_go_writes(
    encoding: str, algorithm: str, first: str
) -> None:
    assert pki.key_pem(pki.new_key(algorithm), encoding).splitlines()[0] == first


@pytest.mark.parametrize("text", ["", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        pki.load_key(text)


def test_key_of_a_kind_that_is_not_used_is_refused() -> None:
    x25519 = (
        "-----BEGIN PRIVATE KEY-----\n"
        "MC4CAQAwBQYDK2VuBCIEIHgIFFwIJgTD7Nhh62CdCc+FkQSQlk1Hr5dFKHZHbGFH\n"
        "-----END PRIVATE KEY-----\n"
    )
    with pytest.raises(ValueError, match="unusable key type"):
        pki.load_key(x25519)


def test_authority_loads_with_its_key() -> None:
    ours = root()
    again = pki.load_authority(Pair(ours.pem, pki.key_pem(ours.key)))
    assert again.certificate == ours.certificate
    assert why(client(again), roots=[ours]) is None


def test_standard_library_shakes_hands_over_what_is_issued(tmp_path: Path) -> None:
    now = datetime.now(UTC)  # noqa: TID251 - ssl compares with the real clock
    ours = pki.new_authority("ours", now=now, lifetime=DAY)
    server = pki.issue(ours, subject=pki.subject_of(), now=now, lifetime=DAY, hosts=["a.example"])
    user = pki.issue(
        ours, subject=pki.subject_of("jane"), now=now, lifetime=DAY, extended=(CLIENT_AUTH,)
    )
    for name, pair in (("server", server), ("user", user)):
        (tmp_path / f"{name}.pem").write_text(pair.certificate + pair.key)
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cadata=ours.pem)
    serving.verify_mode = ssl.CERT_REQUIRED
    serving.load_cert_chain(tmp_path / "server.pem")
    calling = ssl.create_default_context(cadata=ours.pem)
    calling.load_cert_chain(tmp_path / "user.pem")
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    there = serving.wrap_bio(up, down, server_side=True)
    here = calling.wrap_bio(down, up, server_hostname="a.example")
    for side, _ in pairwise([here, there] * 4):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    assert here.getpeercert() is not None
    seen = there.getpeercert()
    assert seen is not None
    assert seen["subject"] == ((("commonName", "jane"),),)
