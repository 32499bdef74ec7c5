"""The downloads CA: what lets the sandbox answer over TLS for the hosts of the lessons' downloads.

Its key never leaves the home folder; only shells of the sandbox trust it, through the bundle that
their environment names.
"""

import os
import ssl
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from tutor.sandbox import pki
from tutor.sandbox.pki import Authority, Pair

NAME = "Tutor sandbox downloads CA"
_LIFETIME = timedelta(days=3650)
_LEAF_LIFETIME = timedelta(days=365)
_SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


class Downloads:
    """Certificates for download hosts, made when they are first asked for."""

    def __init__(self, folder: Path, now: Callable[[], datetime]) -> None:
        self._folder = folder
        self._now = now
        self._authority: Authority | None = None
        self._contexts: dict[str, ssl.SSLContext] = {}

    @property
    def authority(self) -> Authority:
        """The CA, from the folder; made on the first call."""
        if self._authority is None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            crt, key = self._folder / "downloads-ca.crt", self._folder / "downloads-ca.key"
            if not (crt.exists() and key.exists()):
                made = pki.new_authority(NAME, now=self._now(), lifetime=_LIFETIME)
                write_private(key, pki.key_pem(made.key))
                write_private(crt, made.pem)
            self._authority = pki.load_authority(Pair(crt.read_text(), key.read_text()))
        return self._authority

    def context(self, host: str) -> ssl.SSLContext:
        """A server-side context for a host."""
        if host not in self._contexts:
            pair = pki.issue(
                self.authority,
                subject=pki.subject_of(host),
                now=self._now(),
                lifetime=_LEAF_LIFETIME,
                hosts=[host],
            )
            file = self._folder / f"{host}.pem"
            write_private(file, pair.certificate + pair.key)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(file)
            context.set_alpn_protocols(["http/1.1"])
            file.unlink()
            self._contexts[host] = context
        return self._contexts[host]

    def bundle(self, own: str) -> str:
        """The system's CAs and ours, PEM. `own` is a bundle that the learner chose, or empty."""
        for path in filter(None, (own, *_SYSTEM_BUNDLES, ssl.get_default_verify_paths().cafile)):
            try:
                system = Path(path).read_text(errors="replace")
            except OSError:
                continue
            return system.rstrip("\n") + "\n" + self.authority.pem
        return self.authority.pem


def write_private(path: Path, text: str) -> None:
    """Replace a file by one that only this user can read."""
    draft = path.with_name(f".{path.name}.new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)
