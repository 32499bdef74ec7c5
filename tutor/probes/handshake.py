"""A TLS client on memory buffers: what a server shows, verified by hand afterwards.

The one file that imports OpenSSL. The handshake itself trusts everybody, since a probe wants to
see the wrong certificate too.
"""

import ipaddress
from collections.abc import Sequence

from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL, crypto

from tutor.probes.base import Handshake
from tutor.probes.certificate import Certificate, read_certificates

READ_SIZE = 65536

Refused = SSL.Error
"""What `HandshakeClient` raises when the server does not go along."""


class HandshakeClient:
    """One handshake: bytes in, bytes out, until it is done."""

    def __init__(self, server_name: str) -> None:
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.set_verify(SSL.VERIFY_NONE)
        self._connection = SSL.Connection(context, None)
        self._connection.set_connect_state()
        if not _is_address(server_name):
            self._connection.set_tlsext_host_name(server_name.encode("idna"))

    def advance(self) -> bool:
        """Go as far as the bytes so far allow; whether the handshake is done. Raises `Refused`."""
        try:
            self._connection.do_handshake()
        except SSL.WantReadError:
            return False
        return True

    def outgoing(self) -> bytes:
        """Bytes for the server; empty when there are none."""
        try:
            return self._connection.bio_read(READ_SIZE)
        except SSL.WantReadError:
            return b""

    def incoming(self, data: bytes) -> None:
        """Bytes from the server; none of them at the end of the stream."""
        if data:
            self._connection.bio_write(data)
        else:
            self._connection.bio_shutdown()

    def result(self, server_name: str, authorities: str | None, trusted_file: str) -> Handshake:
        """What was seen. `trusted_file` has the authorities when `authorities` is None.

        Raises `ValueError` when the authorities cannot be read.
        """
        chain = self._connection.get_peer_cert_chain(as_cryptography=True) or []
        pems = tuple(each.public_bytes(Encoding.PEM).decode() for each in chain)
        names = self._connection.get_client_ca_list(as_cryptography=True)
        return Handshake(
            chain=pems,
            protocol=self._connection.get_protocol_version_name(),
            client_authorities=tuple(name.rfc4514_string() for name in names),
            distrust=_distrust(pems, server_name, authorities, trusted_file),
        )


def _distrust(
    chain: Sequence[str], server_name: str, authorities: str | None, trusted_file: str
) -> str | None:
    if not chain:
        return "the server shows no certificate"
    served = [each for pem in chain for each in read_certificates(pem)]
    leaf = served[0]
    if why := _unverified(chain, authorities, trusted_file):
        return why
    if leaf["usages"] and not {"server auth", "any"} & set(leaf["usages"]):
        return f"the certificate is for {', '.join(leaf['usages'])}, not for a server"
    names = [*leaf["dnsNames"], *leaf["ipAddresses"]]
    if not any(_fits(each, server_name) for each in names):
        return f"the certificate is for {', '.join(names) or 'no name'}, not for {server_name}"
    return None


def _unverified(chain: Sequence[str], authorities: str | None, trusted_file: str) -> str | None:
    store = crypto.X509Store()
    # As Go does: a certificate that is trusted ends the chain, even when it is not a root.
    store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN)
    if authorities is None:
        store.load_locations(trusted_file)
    else:
        for each in _unique(read_certificates(authorities)):
            store.add_cert(_loaded(each["pem"]))
    certificates = [_loaded(pem) for pem in chain]
    try:
        crypto.X509StoreContext(store, certificates[0], certificates[1:]).verify_certificate()
    except crypto.X509StoreContextError as error:
        return str(error)
    return None


def _unique(certificates: Sequence[Certificate]) -> Sequence[Certificate]:
    return list({each["sha256"]: each for each in certificates}.values())


def _loaded(pem: str) -> crypto.X509:
    return crypto.load_certificate(crypto.FILETYPE_PEM, pem.encode())


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _fits(pattern: str, name: str) -> bool:
    """Source: RFC 6125, section 6.4.3: `*` is the whole first label."""
    pattern, name = pattern.casefold(), name.casefold()
    if not pattern.startswith("*."):
        return pattern == name
    return name.partition(".")[2] == pattern[2:] and not name.startswith(".")
