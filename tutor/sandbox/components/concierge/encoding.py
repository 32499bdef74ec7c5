"""Base64 and PEM as Go reads them, and the data of Secrets."""

import base64
import binascii
import re

from tutor.sandbox.components.concierge.reading import part
from tutor.sandbox.kinds import Object
from tutor.sandbox.schema.scalars import base64_fault

_BLOCK = re.compile(
    r"^-----BEGIN ([^\n-]+)-----[ \t]*\r?\n(.*?)\n?-----END \1-----", re.DOTALL | re.MULTILINE
)


def decode_base64(text: str) -> bytes:
    """Decode padded base64; line ends are skipped.

    Raises:
        ValueError: In the words of Go's decoder, which name the place.
    """
    fault = base64_fault(text.encode())
    if fault is not None:
        raise ValueError(f"illegal base64 data at input byte {fault}")
    return binascii.a2b_base64(text)


def encode_base64(data: str | bytes) -> str:
    """Base64 on one line."""
    return base64.b64encode(data.encode() if isinstance(data, str) else data).decode()


def has_pem_block(data: bytes) -> bool:
    """Whether Go's decoder finds a block of any type."""
    text = data.decode(errors="replace")
    return any(_is_base64(found[2]) for found in _BLOCK.finditer(text))


def has_certificate(data: bytes) -> bool:
    """Whether there is a block of type CERTIFICATE."""
    text = data.decode(errors="replace")
    return any(found[1] == "CERTIFICATE" for found in _BLOCK.finditer(text))


def _is_base64(text: str) -> bool:
    body = text.rpartition("\n\n")[2] if ":" in text else text
    return base64_fault("".join(body.split()).encode()) is None


def secret_text(secret: Object, key: str) -> str:
    """A value of a Secret as text, empty when there is none."""
    return secret_bytes(secret, key).decode(errors="replace")


def secret_bytes(secret: Object, key: str) -> bytes:
    """A value of a Secret, empty when there is none."""
    return base64.b64decode(part(secret, "data").get(key) or "")


def secret_data(values: dict[str, str]) -> dict[str, str]:
    """Texts as the `data` of a Secret."""
    return {key: encode_base64(value) for key, value in values.items()}
