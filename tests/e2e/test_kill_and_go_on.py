"""Whoever is killed, and whenever: the lesson goes on where it was, and ends as it should."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from tests.lessons.looking import PLACE
from tests.lessons.roads import FIRST
from tutor import paths
from tutor.cli.cluster import stop
from tutor.session.journal import Journal

CHECKOUT = Path(__file__).resolve().parents[2]
VICTIMS = (("learner",), ("sandbox",), ("learner", "sandbox")) * 3
LATEST_S = 1.5
"""How long after a step has passed somebody is killed, at most."""
FEWEST = 6
"""Kills that a quick learner, who has played every step before the last one, has met."""


@dataclass
class Told:
    """What the learners have told so far."""

    opened: list[str] = field(default_factory=list[str])
    passed: list[str] = field(default_factory=list[str])


class Learner:
    """The process of `tests.e2e.playing`."""

    def __init__(self, root: Path, told: Told) -> None:
        self._root = root
        self._told = told
        self._process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        with (self._root / "learner.err").open("a") as errors:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.e2e.playing", str(self._root)],
                cwd=CHECKOUT,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
            )

    def hear(self) -> bool:
        """Wait for the next line; False when there are no more."""
        assert self._process.stdout is not None
        if self._process.stdout.closed:
            return False
        word, _, step = self._process.stdout.readline().strip().partition(" ")
        if word == "at":
            self._told.opened.append(step)
        elif word == "passed":
            self._told.passed.append(step)
        return bool(word)

    def wait(self, limit_s: float) -> None:
        """Let it play on for a while."""
        try:
            self._process.wait(limit_s)
        except subprocess.TimeoutExpired:
            return

    def kill(self) -> None:
        """Kill it with -9, and hear what it has said before."""
        self._process.kill()
        self.ended()

    def again(self) -> None:
        """Start it again."""
        self._process = self._start()

    def ended(self) -> int:
        """Its exit code, once it has played everything."""
        with self._process:
            while self.hear():
                pass
        return self._process.returncode


@contextmanager
def learner(root: Path, told: Told) -> Generator[Learner]:
    """A learner who is gone at the end, and the sandbox too."""
    root.mkdir()
    found = Learner(root, told)
    try:
        yield found
    finally:
        found.kill()
        stop(root)


def kill_sandbox(root: Path) -> None:
    """Kill the sandbox with -9, where it runs."""
    pid = int((paths.sandbox_dir(root) / "pid").read_text())
    try:
        process = psutil.Process(pid)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    except psutil.NoSuchProcess:
        return


@pytest.mark.e2e
@pytest.mark.timeout(600)
def test_lesson_goes_on_after_any_kill(tmp_path: Path) -> None:
    root, told = tmp_path / "home", Told()
    chance = random.Random(7)
    steps = [step.id for step in FIRST.steps_on(PLACE)]
    with learner(root, told) as playing:
        for kills, victims in enumerate(VICTIMS):
            if not playing.hear():
                assert kills >= FEWEST, (root / "learner.err").read_text()
                break
            playing.wait(chance.uniform(0, LATEST_S))
            if "learner" in victims:
                playing.kill()
            if "sandbox" in victims:
                kill_sandbox(root)
            if "learner" in victims:
                before = len(told.passed)
                playing.again()
                assert playing.hear(), (root / "learner.err").read_text()
                last = steps.index(told.passed[before - 1]) if before else -1
                # Between saving that a step is passed and saying so there may be a kill, too.
                assert steps.index(told.opened[-1]) in (last, last + 1, last + 2)
        assert playing.ended() == 0, (root / "learner.err").read_text()
    with Journal(paths.progress_file(root)) as journal:
        progress = journal.load(FIRST.id, PLACE)
    assert progress is not None
    assert progress.finished_at is not None
    assert all(progress.step(step).done == "passed" for step in steps)
