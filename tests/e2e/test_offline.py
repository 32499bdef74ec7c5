"""Nothing outside of the machine is needed: the lesson plays with no network but loopback."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# Brings loopback up in the new, empty network and becomes the command. ioctls: netdevice(7).
LOOPBACK_ONLY = """
import fcntl, os, socket, struct, sys
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
    asked = fcntl.ioctl(link, SIOCGIFFLAGS, struct.pack("16sh14x", b"lo", 0))
    flags = struct.unpack("16sh14x", asked)[1]
    fcntl.ioctl(link, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))
os.execv(sys.argv[1], sys.argv[1:])
"""
ALONE = ("unshare", "--user", "--map-root-user", "--net")


def without_network(*command: str) -> list[str]:
    """A command in a network of its own that has loopback alone."""
    return [*ALONE, sys.executable, "-c", LOOPBACK_ONLY, *command]


def can_leave_the_network() -> bool:
    """Whether this machine lets its users have networks of their own."""
    if shutil.which("unshare") is None:
        return False
    tried = subprocess.run(without_network("/bin/true"), check=False, capture_output=True)
    return tried.returncode == 0


@pytest.mark.e2e
@pytest.mark.timeout(240)
@pytest.mark.skipif(not can_leave_the_network(), reason="no networks of one's own on this machine")
def test_lesson_plays_without_a_network(tmp_path: Path) -> None:
    home = tmp_path / "home"
    environment = {**os.environ, "TUTOR_HOME": str(home)}
    tutor = (sys.executable, "-m", "tutor")
    reach = without_network(sys.executable, "-c", "import socket; print(socket.if_nameindex())")
    networks = subprocess.run(reach, check=True, capture_output=True, text=True).stdout
    assert networks.strip() == "[(1, 'lo')]"
    try:
        played = subprocess.run(
            without_network(*tutor, "demo", "--headless", "--pace", "instant"),
            env=environment,
            check=False,
            capture_output=True,
            text=True,
        )
    finally:
        down = {**environment, "TUTOR_HOME": str(home / "demo")}
        subprocess.run([*tutor, "sandbox", "down"], env=down, check=False, capture_output=True)
    assert played.returncode == 0, played.stdout[-2000:] + played.stderr[-2000:]
    assert "steps passed in" in played.stdout.splitlines()[-1]
