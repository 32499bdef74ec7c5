"""A home folder whose disk takes no more: what is refused says so, and the rest goes on."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
ALONE = ("unshare", "--user", "--map-root-user", "--mount")
TUTOR = f"{sys.executable} -m tutor"


def on_a_small_disk(folder: Path, size: str, script: str) -> subprocess.CompletedProcess[str]:
    """Run a script with a home folder on a disk of its own."""
    folder.mkdir()
    prepared = f'mount -t tmpfs -o size={size} small "$TUTOR_HOME" || exit 9\n{script}'
    return subprocess.run(
        [*ALONE, "/bin/sh", "-c", prepared],
        env={**os.environ, "TUTOR_HOME": str(folder), "PYTHONPATH": str(CHECKOUT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def can_mount() -> bool:
    """Whether this machine lets its users have disks of their own."""
    if shutil.which("unshare") is None:
        return False
    tried = subprocess.run(
        [*ALONE, "mount", "-t", "tmpfs", "small", "/mnt"], check=False, capture_output=True
    )
    return tried.returncode == 0


pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(120),
    pytest.mark.skipif(not can_mount(), reason="no disks of one's own on this machine"),
]


def test_cluster_that_does_not_fit_is_told_with_what_to_do(tmp_path: Path) -> None:
    ran = on_a_small_disk(
        tmp_path / "home", "600k", f"{TUTOR} sandbox up; echo exit $?; {TUTOR} sandbox down"
    )
    assert "exit 2" in ran.stdout
    assert "The cluster sandbox cannot be made" in ran.stderr
    assert "database or disk is full" in ran.stderr
    assert "Free space in the home folder, or set TUTOR_HOME to another one." in ran.stderr
    assert "Traceback" not in ran.stderr


def test_write_that_does_not_fit_is_refused_and_the_cluster_goes_on(tmp_path: Path) -> None:
    kubectl = f"{Path(sys.executable).parent / 'kubectl'} --kubeconfig {tmp_path / 'admin'}"
    blob = tmp_path / "blob"
    blob.write_text("x" * 900_000)
    ran = on_a_small_disk(
        tmp_path / "home",
        "12m",
        f"""
        {TUTOR} sandbox up --pace instant > /dev/null
        {TUTOR} sandbox kubeconfig > {tmp_path / "admin"}
        {kubectl} create configmap small
        for number in 1 2 3 4 5 6 7 8 9
        do {kubectl} create configmap c$number --from-file={blob}
        done
        {kubectl} get configmap small -o name
        {TUTOR} sandbox down
        """,
    )
    assert "configmap/small created" in ran.stdout
    assert "the cluster's log cannot be written: database or disk is full" in ran.stderr
    assert "configmap/small\n" in ran.stdout
    assert "The sandbox has stopped; its clusters are kept." in ran.stdout


def test_demo_without_room_ends_in_a_sentence(tmp_path: Path) -> None:
    ran = on_a_small_disk(
        tmp_path / "home",
        "100k",
        f'head -c 200000 /dev/zero > "$TUTOR_HOME/filler"; {TUTOR} demo --headless; echo exit $?',
    )
    assert "exit 2" in ran.stdout
    assert "No space left on device" in ran.stderr
    assert "TUTOR_HOME" in ran.stderr
    assert "Traceback" not in ran.stderr
