"""The program as a user runs it: `tutor` in a process of its own, with a home folder of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LIMIT_S = 120


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command did."""

    exit: int
    out: str
    err: str


class User:
    """Somebody with a home folder, at a terminal that is none."""

    def __init__(self, home: Path, **environment: str) -> None:
        self.home = home
        self.environment = {**os.environ, "TUTOR_HOME": str(home), "SHELL": "/bin/bash"}
        self.environment |= environment

    def tutor(self, *words: str, cwd: Path | None = None) -> Ran:
        """Run `tutor`."""
        return self._run([sys.executable, "-m", "tutor", *words], cwd)

    def terminal(self, script: str, cwd: Path | None = None) -> Ran:
        """Run bash commands in a second terminal, which `tutor sandbox env` has prepared."""
        tutor = f"{sys.executable} -m tutor sandbox env"
        prepared = f'set -e; settings="$({tutor})"; eval "$settings"; set +e\n{script}'
        return self._run(["/bin/bash", "--norc", "-c", prepared], cwd)

    def _run(self, command: list[str], cwd: Path | None) -> Ran:
        done = subprocess.run(
            command,
            cwd=cwd or Path.cwd(),
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT_S,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def _environment(self) -> Mapping[str, str]:
        """The program is this checkout's, wherever a command runs."""
        checkout = str(Path(__file__).resolve().parents[2])
        return {**self.environment, "PYTHONPATH": checkout}

    def status(self) -> dict[str, Any]:
        """What `tutor sandbox status --json` says."""
        return json.loads(self.tutor("sandbox", "status", "--json").out)


@contextmanager
def user_at(home: Path, **environment: str) -> Generator[User]:
    """A user whose sandbox is stopped at the end."""
    user = User(home, **environment)
    try:
        yield user
    finally:
        user.tutor("sandbox", "down")
