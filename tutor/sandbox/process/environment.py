"""What a shell needs to use the sandbox: variables, commands on the PATH, certificates.

Nothing on the machine is changed: everything is below the home folder, and reaches programs through
the environment of the sandbox's shells only.
"""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tutor.errors import ClusterError
from tutor.sandbox import shims
from tutor.sandbox.process.certificates import Downloads, write_private

COMMANDS = ("kind", "pinniped", "htpasswd", "yq")
_NO_PROXY = "localhost,127.0.0.0/8,127.0.0.1,::1"
_PROXY_NAMES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the files of the environment are."""

    home: Path
    bin: Path
    bundle: Path
    wgetrc: Path
    socket: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """The loopback listeners."""

    proxy: int
    token: str
    ingress: int


def upstream_of(environ: Mapping[str, str]) -> str:
    """The proxy that the learner's own environment names, unless it is ours."""
    for name in ("HTTPS_PROXY", "https_proxy"):
        value = environ.get(name, "")
        if value and environ.get("TUTOR_PROXY") != value:
            return value
    return environ.get("TUTOR_UPSTREAM_PROXY", "")


def variables(
    places: Places, addresses: Addresses, shell: str, hosts_file: Path, own: Mapping[str, str]
) -> dict[str, str | None]:
    """The variables of a shell; None means that one is to be unset.

    `shell` is the name under which the proxy knows its hosts file; `own` is the learner's own
    environment.
    """
    proxy = f"http://{shell}:{addresses.token}@127.0.0.1:{addresses.proxy}"
    path = own.get("PATH", os.defpath)
    ours = str(places.bin)
    rest = [part for part in path.split(os.pathsep) if part and part != ours]
    excluded = [part for part in own.get("NO_PROXY", own.get("no_proxy", "")).split(",") if part]
    kept = [part for part in excluded if part not in _NO_PROXY.split(",")]
    no_proxy = ",".join([_NO_PROXY, *kept])
    start = [sys.executable, "-m", "tutor.sandbox.process", "--home", str(places.home), "--detach"]
    return {
        "PATH": os.pathsep.join([ours, *rest]),
        **dict.fromkeys(_PROXY_NAMES, proxy),
        "NO_PROXY": no_proxy,
        "no_proxy": no_proxy,
        "SSL_CERT_FILE": str(places.bundle),
        "SSL_CERT_DIR": None,
        "CURL_CA_BUNDLE": str(places.bundle),
        "WGETRC": str(places.wgetrc),
        "TUTOR_HOME": str(places.home),
        "TUTOR_HOSTS": str(hosts_file),
        "TUTOR_INGRESS": f"127.0.0.1:{addresses.ingress}",
        "TUTOR_PROXY": proxy,
        "TUTOR_UPSTREAM_PROXY": upstream_of(own) or None,
        "TUTOR_SOCKET": str(places.socket),
        "TUTOR_START": shlex.join(start),
    }


def write_files(
    places: Places, certificates: Downloads, own: Mapping[str, str], kubectl: Path | None
) -> None:
    """Write the bundle, the wgetrc and the commands; what is right already is left alone.

    `kubectl` is the learner's own, None for the one that came with the program.

    Raises:
        ClusterError: The home folder cannot be written.
    """
    try:
        own_bundle = own.get("SSL_CERT_FILE", "")
        if own_bundle == str(places.bundle):
            own_bundle = ""
        _write(places.bundle, certificates.bundle(own_bundle))
        _write(places.wgetrc, _wgetrc(places, own))
        places.bin.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in COMMANDS:
            _write(places.bin / name, _wrapper(places, name, own), executable=True)
        _link(places.bin / "kubectl", kubectl or Path(sys.executable).parent / "kubectl")
    except OSError as error:
        raise ClusterError(
            f"The folder {places.home} cannot be written: {error.strerror or error}.",
            next_action="Free space or mend its permissions, or set TUTOR_HOME to another folder.",
        ) from error


def _wgetrc(places: Places, own: Mapping[str, str]) -> str:
    chosen = own.get("WGETRC") or str(Path(own.get("HOME", "~")).expanduser() / ".wgetrc")
    text = ""
    if chosen != str(places.wgetrc):
        try:
            text = Path(chosen).read_text(errors="replace")
        except OSError:
            text = ""
    lines = [line for line in text.splitlines() if not line.strip().startswith("ca_certificate")]
    return "\n".join([*lines, f"ca_certificate = {places.bundle}", ""])


def _wrapper(places: Places, name: str, own: Mapping[str, str]) -> str:
    target = places.bin / name
    if name == "yq":
        theirs = _their_yq(own, places.bin)
        if theirs:
            return f'#!/bin/sh\nexec {shlex.quote(theirs)} "$@"\n'
    folder = Path(shims.__file__).parent
    script = folder / f"{name}.py"
    if not script.exists():
        script = folder / name
    return (
        "#!/bin/sh\n"
        f"TUTOR_SHIM_PATH={shlex.quote(str(target))} exec {shlex.quote(sys.executable)}"
        f' -I {shlex.quote(str(script))} "$@"\n'
    )


def _their_yq(own: Mapping[str, str], ours: Path) -> str:
    path = os.pathsep.join(p for p in own.get("PATH", "").split(os.pathsep) if p != str(ours))
    found = shutil.which("yq", path=path)
    return found if found and _is_go_yq(found, Path(found).stat().st_mtime_ns) else ""


@cache
def _is_go_yq(program: str, _changed_ns: int) -> bool:
    """Asked once of a program, until it is another: one in Python takes a tenth of a second."""
    try:
        said = subprocess.run(  # noqa: S603 - the learner's own yq
            [program, "--version"], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return "mikefarah" in said.stdout


def _link(link: Path, target: Path) -> None:
    if link.is_symlink() and link.readlink() == target:
        return
    draft = link.with_name(f".{link.name}.new")
    draft.unlink(missing_ok=True)
    draft.symlink_to(target)
    draft.replace(link)


def _write(path: Path, text: str, *, executable: bool = False) -> None:
    try:
        if path.read_text() == text and (not executable or os.access(path, os.X_OK)):
            return
    except OSError:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(path, text)
    if executable:
        path.chmod(0o700)
