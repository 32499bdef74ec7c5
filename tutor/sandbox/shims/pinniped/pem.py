"""Certificates out of PEM text, taken as Go's certificate pools take them."""

from __future__ import annotations

import binascii
import re
import ssl

_BLOCK = re.compile(
    r"^-----BEGIN ([^\n-]+)-----[ \t\r]*$(.*?)^-----END \1-----", re.MULTILINE | re.DOTALL
)


def certificates(text: str) -> list[bytes]:
    """The distinct certificates (DER) in the text; what is no certificate is passed over."""
    found: dict[bytes, None] = {}
    for label, body in _BLOCK.findall(text):
        # Go's pools skip blocks with headers, such as encrypted ones.
        if label != "CERTIFICATE" or ":" in body:
            continue
        try:
            der = binascii.a2b_base64(body)
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=der)
        except (ValueError, ssl.SSLError):
            continue
        found[der] = None
    return list(found)
