"""Home folders of the bench's own, and the sandboxes in them."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(sys.executable).parent
_LIMIT_S = 300.0
_FOREIGN = ("PYTHONDONTWRITEBYTECODE", "KUBECONFIG", "TMUX", "ENV", "BASH_ENV")
_FOREIGN_PREFIXES = ("TUTOR_", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")


class Broken(Exception):
    """Something that is to be measured does not work."""


def clean_environment() -> dict[str, str]:
    """This process's environment without what would lead elsewhere or slow a start down."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in _FOREIGN and not name.startswith(_FOREIGN_PREFIXES)
    }


def run(command: list[str | Path], environment: Mapping[str, str]) -> str:
    """What a command prints; raises `Broken` when it fails."""
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=_LIMIT_S
    )
    if done.returncode:
        words = " ".join(str(word) for word in command)
        raise Broken(f"`{words}` ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def timed(command: list[str | Path], environment: Mapping[str, str]) -> float:
    """The seconds that a command takes; raises `Broken` when it fails."""
    began = time.perf_counter()
    run(command, environment)
    return time.perf_counter() - began


@dataclass(frozen=True, slots=True)
class Home:
    """A home folder and the environment that leads there."""

    root: Path
    environment: Mapping[str, str]

    @property
    def keys(self) -> Path:
        """The keys and certificates of the cluster `sandbox`."""
        return self.root / "sandbox" / "clusters" / "sandbox" / "pki"

    @property
    def pid(self) -> int:
        """The sandbox process."""
        return int((self.root / "sandbox" / "pid").read_text())

    @property
    def rss_mb(self) -> float:
        """Resident memory of the sandbox process, in units of 1,000,000 bytes."""
        return psutil.Process(self.pid).memory_info().rss / 1e6

    @property
    def shell(self) -> dict[str, str]:
        """The environment of a shell that the sandbox has prepared."""
        script = f'eval "$({PROGRAMS / "tutor"} sandbox env)" && env -0'
        pairs = run(["/bin/sh", "-c", script], self.environment).rstrip("\0").split("\0")
        return dict(pair.split("=", 1) for pair in pairs)

    @property
    def kubectl(self) -> list[str | Path]:
        """kubectl for the cluster `sandbox`."""
        return [PROGRAMS / "kubectl", "--kubeconfig", self.root / "kubeconfig"]

    def up(self) -> None:
        """Start the sandbox with its cluster."""
        run([PROGRAMS / "tutor", "sandbox", "up"], self.environment)

    def down(self) -> None:
        """Stop the sandbox."""
        run([PROGRAMS / "tutor", "sandbox", "down"], self.environment)

    def until_quiet(self) -> None:
        """Wait until the sandbox has done what it does after its start."""
        process = psutil.Process(self.pid)
        idle, deadline = 0, time.monotonic() + 30
        while idle < 4 and time.monotonic() < deadline:
            before = process.cpu_times()
            time.sleep(0.5)
            after = process.cpu_times()
            busy = after.user + after.system - before.user - before.system
            idle = idle + 1 if busy < 0.015 else 0

    def close(self) -> None:
        """End the sandboxes below the folder, by force if they do not answer, and remove it."""
        for file in self.root.glob("**/sandbox/pid"):
            root = file.parents[1]
            try:
                run([PROGRAMS / "tutor", "sandbox", "down"], _leading_to(self.environment, root))
            except (Broken, subprocess.TimeoutExpired):
                _kill(root)
        shutil.rmtree(self.root, ignore_errors=True)


def _leading_to(environment: Mapping[str, str], root: Path) -> dict[str, str]:
    return {**environment, "TUTOR_HOME": str(root)}


def _kill(root: Path) -> None:
    try:
        pid = int((root / "sandbox" / "pid").read_text())
        words = psutil.Process(pid).cmdline()
    except (OSError, ValueError, psutil.NoSuchProcess):
        return
    if str(root) in words:
        os.kill(pid, signal.SIGKILL)


@contextmanager
def home() -> Generator[Home]:
    """An empty home folder, as long as the block lasts."""
    root = Path(tempfile.mkdtemp(prefix="tutor-bench-"))
    user = root / "user"
    user.mkdir()
    made = Home(root, _leading_to({**clean_environment(), "HOME": str(user)}, root))
    try:
        yield made
    finally:
        made.close()
