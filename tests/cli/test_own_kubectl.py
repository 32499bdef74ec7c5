import os
from pathlib import Path

import pytest

from tutor.cli.kubectl import find_own


def kubectl(folder: Path, says: str) -> Path:
    """A program that answers `version --client --output=json` as kubectl does."""
    folder.mkdir(exist_ok=True)
    file = folder / "kubectl"
    file.write_text(f"#!/bin/sh\ncat <<'EOF'\n{says}\nEOF\n")
    file.chmod(0o755)
    return file


def version(minor: str) -> str:
    return f'{{"clientVersion": {{"major": "1", "minor": "{minor}"}}}}'


@pytest.mark.parametrize("minor", ["28", "28+", "37"])
def test_own_kubectl_new_enough_is_taken(tmp_path: Path, minor: str) -> None:
    own = kubectl(tmp_path / "theirs", version(minor))
    environ = {"PATH": os.pathsep.join([str(tmp_path / "theirs"), os.environ["PATH"]])}
    assert find_own(environ, tmp_path / "ours") == own


@pytest.mark.parametrize("says", [version("27"), "Client Version: v1.30.0", "[]"])
def test_own_kubectl_too_old_or_unreadable_is_left(tmp_path: Path, says: str) -> None:
    kubectl(tmp_path / "theirs", says)
    environ = {"PATH": os.pathsep.join([str(tmp_path / "theirs"), os.environ["PATH"]])}
    assert find_own(environ, tmp_path / "ours") is None


def test_own_kubectl_is_never_the_one_in_our_folder(tmp_path: Path) -> None:
    kubectl(tmp_path / "ours", version("37"))
    assert find_own({"PATH": str(tmp_path / "ours")}, tmp_path / "ours") is None
