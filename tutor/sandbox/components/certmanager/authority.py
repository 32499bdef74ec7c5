"""The webhook's own CA, and the serving certificate that it signs.

Source: cert-manager v1.12.3, pkg/webhook/authority/authority.go and server/tls/dynamic_source.go.
"""

import base64
from collections.abc import Sequence
from datetime import datetime, timedelta

from tutor.sandbox import pki
from tutor.sandbox.components.certmanager.pem import decode_certificate, why_no_pair
from tutor.sandbox.components.certmanager.signing import is_ca
from tutor.sandbox.kinds import Object
from tutor.sandbox.pki import Authority, Pair

CA_LIFETIME = timedelta(days=365)
LEAF_LIFETIME = timedelta(days=7)
_NAME = "cert-manager-webhook-ca"
_CURVE = 384
_ALLOW_INJECTION = "cert-manager.io/allow-direct-injection"
_KEYS = ("ca.crt", "tls.crt", "tls.key")


def new_secret(namespace: str, name: str, now: datetime) -> Object:
    """A Secret with a new CA."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "annotations": {_ALLOW_INJECTION: "true"},
        },
        "data": _new_data(now),
    }


def renewed(secret: Object, now: datetime) -> Object:
    """A Secret with its CA replaced."""
    return secret | {"data": (secret.get("data") or {}) | _new_data(now)}


def _new_data(now: datetime) -> dict[str, str]:
    key = pki.new_key("ECDSA", _CURVE)
    made = pki.new_authority(_NAME, now=now, lifetime=CA_LIFETIME, key=key)
    certificate, private = _encoded(made.pem), _encoded(pki.key_pem(key))
    return {"ca.crt": certificate, "tls.crt": certificate, "tls.key": private}


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def data_of(secret: Object) -> dict[str, bytes]:
    """The decoded data of a Secret."""
    data: dict[str, str] = secret.get("data") or {}
    return {key: base64.b64decode(value) for key, value in data.items()}


def why_unusable(secret: Object, now: datetime) -> tuple[str, str] | None:
    """Why the CA in a Secret must be made anew, None if it is fine.

    The answer is what the log says, with the place it comes from; both empty for nothing. A CA is
    renewed when two thirds of its life are over.
    """
    data = data_of(secret)
    if not all(data.get(key) for key in _KEYS):
        return "authority.go:283", "Missing data in CA secret. Regenerating"
    if data["ca.crt"] != data["tls.crt"]:
        return "", ""
    if why_no_pair(data["tls.crt"], data["tls.key"]):
        return "authority.go:292", "Failed to parse data in CA secret. Regenerating"
    certificate = decode_certificate(data["tls.crt"])
    if not is_ca(certificate):
        text = "Stored certificate is not marked as a CA. Regenerating..."
        return "authority.go:302", text
    if certificate.not_valid_after_utc - now < CA_LIFETIME / 3:
        return "authority.go:307", "Root CA certificate is nearing expiry. Regenerating..."
    return None


def authority_of(secret: Object) -> Authority:
    """The CA in a Secret that is usable."""
    data = data_of(secret)
    return pki.load_authority(Pair(data["tls.crt"].decode(), data["tls.key"].decode()))


def serving_pair(authority: Authority, hosts: Sequence[str], now: datetime) -> Pair:
    """A serving certificate; it does not outlive its CA."""
    end = min(now + LEAF_LIFETIME, authority.certificate.not_valid_after_utc)
    return pki.issue(
        authority,
        subject=pki.subject_of(),
        now=now,
        lifetime=end - now,
        hosts=hosts,
        key=pki.new_key("ECDSA", _CURVE),
        backdate=timedelta(0),
    )


def renewal_of(pair: Pair) -> datetime:
    """When a serving certificate is replaced: a third of its life before its end."""
    certificate = pki.load_certificates(pair.certificate)[0]
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return end - (end - start) / 3
