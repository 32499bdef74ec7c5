"""Certificates with their keys, in memory: what was loaded last stays until it is replaced.

Source: pinniped.md 3.5 step 4 and 3.7; Pinniped's `internal/dynamiccert`.
"""

from cryptography import x509

from tutor.sandbox import pki
from tutor.sandbox.api.builtin.tls_pair import mismatch
from tutor.sandbox.pki import Authority, Pair


class InvalidPair(Exception):
    """A pair that is refused; the old one stays."""


class Holder:
    """One certificate and key."""

    def __init__(self, name: str, *, is_ca: bool) -> None:
        self._name = name
        self._is_ca = is_ca
        self.pair: Pair | None = None

    def load(self, certificate: bytes, key: bytes) -> None:
        """Take a pair; raises InvalidPair and keeps the old one."""
        why = why_refused(certificate, key, is_ca=self._is_ca)
        if why:
            raise InvalidPair(f"{self._name}: {why}")
        self.pair = Pair(certificate.decode(), key.decode())

    def clear(self) -> None:
        """Forget the pair."""
        self.pair = None

    @property
    def bundle(self) -> str:
        """The certificate, PEM; empty without one."""
        return self.pair.certificate if self.pair else ""

    @property
    def authority(self) -> Authority | None:
        """The pair, to sign with."""
        return pki.load_authority(self.pair) if self.pair else None


def why_refused(certificate: bytes, key: bytes, *, is_ca: bool) -> str:
    """What is wrong with a pair, empty when nothing is."""
    fault = mismatch(certificate, key)
    if fault:
        return f"attempt to set invalid key pair: {fault}"
    leaf = pki.load_certificates(certificate)[0]
    if _is_authority(leaf) != is_ca:
        return f"attempt to set x509 cert with unexpected IsCA={str(not is_ca).lower()}"
    return ""


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False
