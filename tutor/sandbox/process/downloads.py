"""What the lessons download: the install manifests, at the URLs where they are in the world.

The table follows the real hosts' redirects. What it does not have on these hosts is fetched from
the real ones.
"""

from dataclasses import dataclass
from pathlib import Path

from tutor.sandbox import components

_FOLDER = Path(components.__file__).parent
_PLAIN = "text/plain; charset=utf-8"
_BINARY = "application/octet-stream"
_RAW = "https://raw.githubusercontent.com/projectcontour/contour"
_PINNIPED = "vmware-tanzu/pinniped/releases/download/v0.25.0"
_CERT_MANAGER = "cert-manager/cert-manager/releases/download/v1.12.3/cert-manager.yaml"
_ASSETS = "https://objects.githubusercontent.com/github-production-release-asset"
_PINNIPED_FILES = {
    "install-local-user-authenticator.yaml": "localuser",
    "install-pinniped-concierge-crds.yaml": "concierge",
    "install-pinniped-concierge-resources.yaml": "concierge",
}


@dataclass(frozen=True, slots=True)
class Redirect:
    """302 to another URL."""

    location: str


@dataclass(frozen=True, slots=True)
class File:
    """A file of ours."""

    component: str
    name: str
    content_type: str

    def read(self) -> bytes:
        """Its content."""
        return (_FOLDER / self.component / "manifests" / self.name).read_bytes()


def _table() -> dict[str, Redirect | File]:
    kind = File("contour", "kind-expose-port.yaml", _PLAIN)
    contour = File("contour", "contour.yaml", _PLAIN)
    table: dict[str, Redirect | File] = {
        "projectcontour.io/quickstart/contour.yaml": Redirect(
            f"{_RAW}/release-1.25/examples/render/contour.yaml"
        ),
        "projectcontour.io/quickstart/v1.25.2/contour.yaml": Redirect(
            f"{_RAW}/v1.25.2/examples/render/contour.yaml"
        ),
        f"github.com/{_CERT_MANAGER}": Redirect(f"{_ASSETS}/{_CERT_MANAGER}"),
        _host_path(f"{_ASSETS}/{_CERT_MANAGER}"): File("certmanager", "cert-manager.yaml", _BINARY),
    }
    raw = _host_path(_RAW)
    for branch in ("main", "v1.25.2", "release-1.25"):
        table[f"{raw}/{branch}/examples/kind/kind-expose-port.yaml"] = kind
    for branch in ("v1.25.2", "release-1.25"):
        table[f"{raw}/{branch}/examples/render/contour.yaml"] = contour
    for name, component in _PINNIPED_FILES.items():
        release = f"{_PINNIPED}/{name}"
        table[f"get.pinniped.dev/v0.25.0/{name}"] = Redirect(f"https://github.com/{release}")
        table[f"github.com/{release}"] = Redirect(f"{_ASSETS}/{release}")
        table[_host_path(f"{_ASSETS}/{release}")] = File(component, name, _BINARY)
    return table


def _host_path(url: str) -> str:
    return url.removeprefix("https://")


_TABLE = _table()
HOSTS = frozenset(place.partition("/")[0] for place in _TABLE)


def find(host: str, path: str) -> Redirect | File | None:
    """What is at a path of a download host; None for what only the real host has."""
    return _TABLE.get(f"{host}{path.partition('?')[0]}")
