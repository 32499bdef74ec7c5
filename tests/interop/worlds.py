"""Two sandboxes, one with our component and one with a real program in its place."""

import asyncio
import difflib
import json
import os
import pprint
import socket
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import tutor.sandbox.components as products
from tests.e2e.commands import Ran, User, user_at
from tests.interop.programs import Program
from tests.interop.rules import Object, comparable, normal

LIMIT_S = 120.0
"""How long both may take, at the pace of real clusters."""
PATIENCE = f"--timeout={LIMIT_S:.0f}s"
MANIFESTS = Path(products.__path__[0])
_KUBECTL = Path(sys.executable).parent / "kubectl"


@dataclass(frozen=True, slots=True)
class World:
    """A sandbox, and kubectl as its administrator."""

    user: User
    peers: list[tuple[subprocess.Popen[bytes], Path]] = field(
        default_factory=list[tuple[subprocess.Popen[bytes], Path]]
    )
    """The programs outside, with their logs."""

    @property
    def kubeconfig(self) -> Path:
        return self.user.home / "kubeconfig"

    def kubectl(self, *words: str, stdin: str = "") -> Ran:
        """Run kubectl."""
        command = [str(_KUBECTL), "--kubeconfig", str(self.kubeconfig), *words]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
        return Ran(done.returncode, done.stdout, done.stderr)

    def objects(self, *words: str) -> list[Object]:
        """What `kubectl get` finds, without what may differ, in a stable order."""
        ran = self.kubectl("get", *words, "--show-managed-fields", "-o", "json")
        assert ran.exit == 0, ran.err
        found = [comparable(obj) for obj in json.loads(ran.out)["items"]]
        return sorted(found, key=lambda obj: json.dumps(obj, sort_keys=True))

    def run(self, program: Path, name: str, *words: str) -> Ran:
        """Run a program outside the sandbox to its end."""
        done = subprocess.run(
            [name, *words], executable=program, capture_output=True, text=True, check=False
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def start(self, program: Path, name: str, *words: str, **environment: str) -> None:
        """Start a program outside the sandbox, under a name by which it calls itself."""
        log = self.user.home / f"{name}-{len(self.peers)}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [name, *words],
                executable=program,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                env={**os.environ, **environment},
            )
        self.peers.append((process, log))

    def logs(self) -> str:
        """The last lines of what the programs outside say."""
        ends = [(log.name, log.read_text(errors="replace")[-1200:]) for _, log in self.peers]
        return "\n".join(f"{name}:\n{text}" for name, text in ends)

    def end(self) -> None:
        """End the programs outside."""
        for process, _ in self.peers:
            process.terminate()
        for process, _ in self.peers:
            process.wait(timeout=20)


@contextmanager
def world(home: Path, *flags: str) -> Generator[World]:
    """A sandbox, with flags of `tutor sandbox up`."""
    with user_at(home) as user:
        up = user.tutor("sandbox", "up", "--pace", "real", *flags)
        assert up.exit == 0, up.err
        made = World(user)
        try:
            yield made
        finally:
            made.end()


@dataclass(frozen=True, slots=True)
class Pair:
    """Both, in which the same is done."""

    ours: World
    theirs: World

    def play(self, *words: str, stdin: str = "") -> Ran:
        """Run kubectl in both, and see that it prints the same and exits alike; what ours did."""
        ran = [each.kubectl(*words, stdin=stdin) for each in (self.ours, self.theirs)]
        ours, theirs = (Ran(r.exit, normal(r.out), normal(r.err)) for r in ran)
        if ours != theirs:
            command = f"kubectl {' '.join(words)}"
            pytest.fail(f"{command}\n{difference(ours, theirs)}\n{self.theirs.logs()}")
        return ran[0]

    async def same(self, look: Callable[[World], Any], done: Callable[[Any], bool] = bool) -> Any:
        """Wait until both have come to the same, and that is `done`; what they have come to."""
        try:
            async with asyncio.timeout(LIMIT_S):
                while (  # noqa: ASYNC110 - what they have come to is asked of two other processes
                    found := look(self.ours)
                ) != look(self.theirs) or not done(found):
                    await asyncio.sleep(0.2)
        except TimeoutError:
            pytest.fail(f"{difference(look(self.ours), look(self.theirs))}\n{self.theirs.logs()}")
        return found


def difference(ours: Any, theirs: Any) -> str:
    """What only one of them has, line by line."""
    one, other = (pprint.pformat(each, width=120).splitlines() for each in (ours, theirs))
    found = difflib.unified_diff(one, other, "ours", "theirs", n=4, lineterm="")
    return "\n".join(found) or "both have come to the same, and are not done"


def built(program: Program) -> Path:
    """A real program; the test is skipped with the reason where there is none.

    A variable with the program's name in capitals is the path of one that is there already.
    """
    if own := os.environ.get(program.name.upper()):
        return Path(own).absolute()
    if not program.path.exists():
        asked = "it has not been built: run `make interop`"
        reason = program.reason.read_text() if program.reason.exists() else asked
        pytest.skip(f"no {program.name} {program.version}: {reason}")
    return program.path


def free_ports(number: int) -> list[int]:
    """Ports of this machine on which nobody listens."""
    return list(_ports(number))


def _ports(number: int) -> Iterator[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    for probe in probes:
        yield probe.getsockname()[1]
        probe.close()
