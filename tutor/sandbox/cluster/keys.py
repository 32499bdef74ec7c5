"""The keys and certificates of a cluster, as kubeadm lays them out, in files of mode 0600."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from tutor.errors import ClusterError
from tutor.sandbox import pki
from tutor.sandbox.pki import Authority, Pair

_DECADE = timedelta(days=3650)
_YEAR = timedelta(days=365)
ADMIN = ("kubernetes-admin", ("system:masters",))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterKeys:
    """What signs and what serves."""

    ca: Authority
    front_proxy_ca: Authority
    server: Pair
    front_proxy: Pair
    admin: Pair
    tokens: ec.EllipticCurvePrivateKey


def load_or_make(folder: Path, *, hosts: Sequence[str], now: datetime) -> ClusterKeys:
    """The keys in a folder; made on the first call. `hosts` are names and addresses of the server.

    The CA has an RSA key, as kubeadm's has: its signatures are looked at in lessons.

    Raises:
        ClusterError: What is there is damaged.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (folder / "complete").exists():
        _make(folder, hosts, now)
        (folder / "complete").touch()
    try:
        return _load(folder)
    except ValueError as error:
        raise ClusterError(
            f"A key or certificate of the cluster in {folder} is damaged: {error}.",
            next_action=f"Put back what was there, or remove {folder} to have new ones made.",
        ) from error


def _load(folder: Path) -> ClusterKeys:
    """What is in the folder. Raises `ValueError` when anything there is not what it should be."""
    tokens = pki.load_key((folder / "sa.key").read_text())
    if not isinstance(tokens, ec.EllipticCurvePrivateKey):
        raise ValueError("sa.key is not an elliptic curve key")  # noqa: TRY004 - a damaged file
    return ClusterKeys(
        ca=pki.load_authority(_read(folder, "ca"), own=True),
        front_proxy_ca=pki.load_authority(_read(folder, "front-proxy-ca"), own=True),
        server=_read(folder, "apiserver"),
        front_proxy=_read(folder, "front-proxy-client"),
        admin=_read(folder, "admin"),
        tokens=tokens,
    )


def _make(folder: Path, hosts: Sequence[str], now: datetime) -> None:
    key = pki.new_key("RSA", 2048)
    ca = pki.new_authority(
        "kubernetes", now=now, lifetime=_DECADE, key=key, backdate=timedelta(minutes=5)
    )
    front_ca = pki.new_authority("front-proxy-ca", now=now, lifetime=_DECADE)
    client = partial(pki.issue, extended=(pki.CLIENT_AUTH,), lifetime=_YEAR, now=now)
    _write(folder, "ca", Pair(ca.pem, pki.key_pem(ca.key, "PKCS1")))
    _write(folder, "front-proxy-ca", Pair(front_ca.pem, pki.key_pem(front_ca.key)))
    server = pki.issue(
        ca, subject=pki.subject_of("kube-apiserver"), now=now, lifetime=_YEAR, hosts=hosts
    )
    _write(folder, "apiserver", server)
    name = pki.subject_of("front-proxy-client")
    _write(folder, "front-proxy-client", client(front_ca, subject=name))
    _write(folder, "admin", client(ca, subject=pki.subject_of(*ADMIN)))
    _write_file(folder / "sa.key", pki.key_pem(pki.new_key()))


def _read(folder: Path, name: str) -> Pair:
    pair = Pair((folder / f"{name}.crt").read_text(), (folder / f"{name}.key").read_text())
    try:
        authority = pki.load_authority(pair, own=True)
    except ValueError as error:
        raise ValueError(f"{name}.crt or {name}.key cannot be read") from error
    if authority.key.public_key() != authority.certificate.public_key():
        raise ValueError(f"{name}.crt and {name}.key do not belong together")
    return pair


def _write(folder: Path, name: str, pair: Pair) -> None:
    _write_file(folder / f"{name}.crt", pair.certificate)
    _write_file(folder / f"{name}.key", pair.key)


def _write_file(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)
