"""Certificates and signing requests with bytes changed: whoever reads them says what is wrong.

OpenSSL and Go let some through that cryptography refuses, at once or when a field is asked for.
"""

import base64
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from random import Random

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from tests.fakes.cluster import now
from tutor.probes.certificate import is_signed_by, read_certificates
from tutor.sandbox import pki
from tutor.sandbox.api.builtin.certificate_request import CERTIFICATE_SIGNING_REQUEST
from tutor.sandbox.api.builtin.tls_pair import mismatch
from tutor.sandbox.components.certmanager.csr import read_request
from tutor.sandbox.components.certmanager.pem import decode_chain, why_no_pair
from tutor.sandbox.components.contour.policy import unusable
from tutor.sandbox.controllers.signing import why_no_kubelet_client

_DAY = timedelta(days=1)
_AUTHORITY = pki.new_authority("ours", now=now(), lifetime=_DAY)
_NAMES = ["a.example", "127.0.0.1"]
_PAIR = pki.issue(
    _AUTHORITY,
    subject=pki.subject_of("admin", ["one", "two"]),
    now=now(),
    lifetime=_DAY,
    hosts=_NAMES,
    extended=(pki.CLIENT_AUTH,),
)


def _pem(der: bytes, kind: str) -> bytes:
    text = base64.encodebytes(der).decode()
    return f"-----BEGIN {kind}-----\n{text}-----END {kind}-----\n".encode()


def _bent(whole: bytes, count: int) -> Iterator[bytes]:
    for seed in range(count):
        chance, bent = Random(seed), bytearray(whole)
        for _ in range(chance.randrange(1, 4)):
            bent[chance.randrange(len(bent))] ^= chance.randrange(1, 256)
        yield bytes(bent)


def _client(certificate: bytes) -> None:
    with suppress(ValueError):
        chain = pki.load_certificates(certificate)
        pki.why_not_client(chain, [_AUTHORITY.certificate], now())
        pki.identity_of(chain[0])
        pki.names_of(chain[0])


def _cert_manager(certificate: bytes) -> None:
    why_no_pair(certificate, _PAIR.key.encode())
    with suppress(ValueError):
        decode_chain(certificate)


def _secret(certificate: bytes) -> None:
    mismatch(certificate, _PAIR.key.encode())
    pair = {"tls.crt": certificate, "tls.key": _PAIR.key.encode()}
    data = {name: base64.b64encode(text).decode() for name, text in pair.items()}
    unusable({"type": "kubernetes.io/tls", "data": data})


def _lesson(certificate: bytes) -> None:
    with suppress(ValueError):
        read_certificates(certificate.decode())
        is_signed_by(certificate.decode(), _AUTHORITY.pem)


@pytest.mark.parametrize("read", [_client, _cert_manager, _secret, _lesson])
def test_bent_certificate_is_read_or_refused(read: Callable[[bytes], None]) -> None:
    whole = pki.load_certificates(_PAIR.certificate)[0].public_bytes(Encoding.DER)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # serial numbers that are no longer allowed
        for bent in _bent(whole, 600):
            read(_pem(bent, "CERTIFICATE"))


def test_bent_signing_request_is_read_or_refused() -> None:
    key = pki.load_key(_PAIR.key)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    builder = x509.CertificateSigningRequestBuilder().subject_name(pki.subject_of("a", ["b"]))
    asked = builder.add_extension(pki.alternative_names(_NAMES), critical=False)
    refused = 0
    for bent in _bent(asked.sign(key, hashes.SHA256()).public_bytes(Encoding.DER), 600):
        pem = _pem(bent, "CERTIFICATE REQUEST")
        with suppress(ValueError):
            read_request(pem)
        spec = {"request": base64.b64encode(pem).decode(), "signerName": "a.example/b"}
        whole = {"metadata": {"name": "a"}, "spec": {**spec, "usages": ["client auth"]}}
        refused += bool(CERTIFICATE_SIGNING_REQUEST.validate(whole))
        with suppress(ValueError):
            why_no_kubelet_client(pki.load_request(pem), frozenset(["client auth"]))
    assert refused > 500
