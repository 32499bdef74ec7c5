"""Real programs, built from their published Go modules into `build/interop`.

`python -m tests.interop.programs` builds what is missing. A program that cannot be built leaves a
file with the reason, which is what its tests are skipped with. Nothing of a module is copied into
the repository.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_FOLDER = _HERE.parents[1] / "build" / "interop"
_GO = "/usr/local/go/bin/go"
"""Where Go's own installer puts it: not on everybody's PATH."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program of a Go module."""

    name: str
    module: str
    version: str
    package: str = "."
    """The package to build: of the module, or of `source`."""
    source: Path | None = None
    """A module of our own that links the other's packages, where that has no command to build."""
    flags: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """Where it is when it has been built."""
        mark = hashlib.sha256(repr((self.module, self.package, self.flags)).encode())
        for file in sorted(self.source.glob("*")) if self.source else ():
            mark.update(file.read_bytes())
        return _FOLDER / f"{self.name}-{self.version}-{mark.hexdigest()[:8]}"

    @property
    def reason(self) -> Path:
        """Where it says why it has not been built."""
        return self.path.with_name(f"{self.path.name}.why")


PINNIPED = Program(
    name="pinniped", module="go.pinniped.dev", version="v0.25.0", package="./cmd/pinniped"
)
CONTOUR = Program(
    name="contour",
    module="github.com/projectcontour/contour",
    version="v1.25.2",
    package="./cmd/contour",
)
CERT_MANAGER = Program(
    name="certmanager",
    module="github.com/cert-manager/cert-manager",
    version="v1.12.3",
    source=_HERE / "certmanager",
    flags=("-ldflags", "-X github.com/cert-manager/cert-manager/pkg/util.AppVersion=v1.12.3"),
)
PROGRAMS = (PINNIPED, CONTOUR, CERT_MANAGER)


class CannotBuildError(Exception):
    """A program cannot be built here; the text says why."""


def build(program: Program) -> Path:
    """Build a program, unless that has been done.

    Raises:
        CannotBuildError: With what Go said.
    """
    if program.path.exists():
        return program.path
    go = shutil.which("go") or shutil.which(_GO)
    if go is None:
        raise CannotBuildError("there is no Go on this machine: see https://go.dev/doc/install")
    _FOLDER.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ}
    folder = _module(go, program)
    if program.source is not None:
        folder = _FOLDER / f"{program.name}-source"
        shutil.copytree(program.source, folder, dirs_exist_ok=True)
        # Which versions it takes is what the other module's file says; the sums are Go's to find.
        environment["GOFLAGS"] = f"{environment.get('GOFLAGS', '')} -mod=mod".strip()
    draft = program.path.with_name(f"{program.path.name}.new")
    _run([go, "build", *program.flags, "-o", str(draft), program.package], folder, environment)
    draft.replace(program.path)
    return program.path


def _module(go: str, program: Program) -> Path:
    """The folder of a module, downloaded by Go; it is its main module there, with its own sums."""
    name = f"{program.module}@{program.version}"
    ran = subprocess.run(
        [go, "mod", "download", "-json", name],
        cwd=_FOLDER,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        found = json.loads(ran.stdout)
    except ValueError:
        raise CannotBuildError(f"go mod download {name}: {ran.stderr.strip()}") from None
    if "Error" in found:
        raise CannotBuildError(f"Go cannot download {name}: {found['Error']}")
    return Path(found["Dir"])


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> None:
    ran = subprocess.run(
        command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True, check=False
    )
    if ran.returncode:
        last = "; ".join(ran.stderr.strip().splitlines()[-3:])
        raise CannotBuildError(f"go build failed: {last}")


def main() -> None:
    """Build everything, and say how that went."""
    for program in PROGRAMS:
        began = time.monotonic()
        title = f"{program.name} {program.version}"
        sys.stdout.write(f"{title}: ")
        sys.stdout.flush()
        program.reason.unlink(missing_ok=True)
        try:
            build(program)
        except CannotBuildError as error:
            program.reason.parent.mkdir(parents=True, exist_ok=True)
            program.reason.write_text(str(error))
            print(f"not built, {error}")
        else:
            print(f"built, {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
