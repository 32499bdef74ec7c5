"""The app at the other end of a real ssh connection."""

import os
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.e2e.window import environment, window

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

PRIVILEGE_SEPARATION = Path("/run/sshd")
WITHIN_S = 10.0

CONFIGURATION = """
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/learner.pub
PidFile none
UsePAM no
PasswordAuthentication no
PermitRootLogin yes
StrictModes no
"""


@pytest.fixture
def ssh(tmp_path: Path) -> Generator[str]:
    """The command line that reaches a server of its own."""
    server = shutil.which("sshd", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
    if server is None or shutil.which("ssh") is None:
        pytest.skip("openssh-server or its client is not installed")
    if os.geteuid() == 0 and not PRIVILEGE_SEPARATION.is_dir():
        pytest.skip(f"sshd as root needs the folder {PRIVILEGE_SEPARATION}")
    for name in ("host", "learner"):
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)]
        subprocess.run(words, check=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    configuration = tmp_path / "sshd.conf"
    configuration.write_text(CONFIGURATION.format(port=port, folder=tmp_path))
    process = subprocess.Popen([server, "-D", "-e", "-f", str(configuration)])
    unknown = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
    retried = "-o ConnectionAttempts=20"
    yield f"ssh -tt -q {unknown} {retried} -i {tmp_path}/learner -p {port} 127.0.0.1"
    process.terminate()
    process.wait(WITHIN_S)


def test_app_over_ssh_has_keys_sizes_and_colours_and_ends_with_the_connection(
    ssh: str, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    given = environment(home)
    # What ssh does not hand on, and what the other end has of its own.
    kept = {name: given[name] for name in ("PATH", "PYTHONPATH", "TUTOR_HOME", "LC_ALL", "SHELL")}
    words = [f"{name}={value}" for name, value in kept.items()]
    app = shlex.join(["env", *words, sys.executable, "-m", "tutor", "learn", "how-this-works"])
    command = f"{ssh} {shlex.quote(app)}"
    with window(tmp_path) as terminal:
        terminal.start(command, size=(120, 40), environment=given)
        terminal.sees("✗ greeting.txt says hello", "[run F5]")
        terminal.press("F5")
        terminal.sees("✓ greeting.txt says hello", "F9 goes on")
        terminal.press("F9")
        terminal.sees("2 · See a fact move")
        terminal.type(r"printf '\033[1;31mred \342\234\223 \346\227\245\033[m\n'")
        terminal.sees("red ✓ 日")
        terminal.press("F2")
        terminal.sees("Hint 1 of 2")
        terminal.resize(80, 24)
        terminal.sees("2/4", "F8 facts")
        terminal.type("vim unsaved.txt")
        terminal.sees("~\n")
        terminal.hang_up()
        inside = [each for each in psutil.process_iter() if _has(each, home)]
        assert not psutil.wait_procs(inside, timeout=WITHIN_S)[1]
    with window(tmp_path) as terminal:
        terminal.start(command, size=(120, 40), environment=given)
        terminal.sees("✓  1 Run a command", "▸○  2 See a fact move", "Hint 1 of 2")
        terminal.press("F10")
        assert terminal.ended() == 0


def _has(process: psutil.Process, home: Path) -> bool:
    with suppress(psutil.Error):
        return process.environ().get("TUTOR_HOME") == str(home) and "ssh" not in process.name()
    return False
