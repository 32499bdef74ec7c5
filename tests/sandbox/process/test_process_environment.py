import sys
from datetime import UTC, datetime
from pathlib import Path

from tutor.sandbox.process.certificates import Downloads
from tutor.sandbox.process.environment import Places, write_files

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def places(root: Path) -> Places:
    return Places(
        home=root,
        bin=root / "bin",
        bundle=root / "bundle.pem",
        wgetrc=root / "wgetrc",
        socket=root / "socket",
    )


def test_kubectl_of_the_shell_is_ours_or_the_chosen_one(tmp_path: Path) -> None:
    where, downloads = places(tmp_path), Downloads(tmp_path / "pki", lambda: NOW)
    link = tmp_path / "bin" / "kubectl"
    own = tmp_path / "theirs" / "kubectl"
    for kubectl, target in (
        (None, Path(sys.executable).parent / "kubectl"),
        (own, own),
        (None, Path(sys.executable).parent / "kubectl"),
    ):
        write_files(where, downloads, {"PATH": "/bin:/usr/bin"}, kubectl)
        assert link.readlink() == target
