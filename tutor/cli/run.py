"""Joins the course and a cluster: everything that one learner in one lesson needs."""

import os
import shlex
import shutil
import ssl
import sys
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tutor import paths
from tutor.cli.choice import chosen
from tutor.cli.ground import Ground, Wanted, grounding
from tutor.clock import SystemClock
from tutor.course.loader import load_course
from tutor.course.model import Lesson
from tutor.probes.base import World
from tutor.probes.cluster import Cluster
from tutor.probes.dial import Dialer, Getter
from tutor.probes.hosts import HostsFile
from tutor.probes.process import GrantedCommands
from tutor.session.folder import WorkingFolder
from tutor.session.journal import Journal
from tutor.session.session import Place, Session
from tutor.session.shell import StepShell
from tutor.terminal.shell import Shell


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Everything is there; neither the shell nor the session runs yet."""

    lesson: Lesson
    session: Session
    shell: Shell
    folder: WorkingFolder
    environment: Mapping[str, str]
    """What the learner's shell has."""


def find_lesson(name: str, folder: Path | None = None) -> Lesson:
    """The lesson of that id; the course's first for an empty name. Raises `NoSuchLesson`."""
    return chosen(load_course(folder or paths.lessons_dir()), name)


@asynccontextmanager
async def stage(wanted: Wanted) -> AsyncGenerator[Stage]:
    """Hold the lesson, start what it needs, and take it down again.

    Raises:
        TutorError: The lesson is open elsewhere, progress cannot be saved, no cluster, no shell.
    """
    async with grounding(wanted) as ground:
        shell = ground.new_shell()
        with session_on(ground) as session:
            try:
                yield Stage(
                    lesson=wanted.lesson,
                    session=session,
                    shell=shell,
                    folder=ground.folder,
                    environment=ground.environment,
                )
            finally:
                await shell.close()


@contextmanager
def session_on(ground: Ground) -> Generator[Session]:
    """What judges a lesson. Raises `ProgressError`."""
    wanted, inside = ground.wanted, ground.environment
    steps = StepShell()
    journal = Journal(paths.progress_file(wanted.root))
    cluster = _cluster(ground)
    with journal, cluster:
        trusted = inside.get("SSL_CERT_FILE") or _system_authorities()
        world = World(
            cluster=cluster,
            shell=steps,
            files=ground.folder,
            hosts=HostsFile(ground.hosts),
            tls=Dialer(trusted),
            http=Getter(inside, trusted),
            commands=GrantedCommands(ground.folder.root, inside),
            environment=inside,
        )
        place = Place(environment=ground.kind, name=wanted.on, world=world)
        yield Session(wanted.lesson, place, shell=steps, journal=journal, clock=SystemClock())


def _cluster(ground: Ground) -> Cluster:
    wanted, inside = ground.wanted, ground.environment
    keys = paths.work_dir(wanted.root, wanted.lesson.id, wanted.on).parent / "keys"
    file, context = ground.folder.root / wanted.lesson.kubeconfig, None
    if ground.kind == "context":
        first = inside.get("KUBECONFIG", "").split(os.pathsep)[0]
        file = Path(first) if first else Path(inside.get("HOME", "~")).expanduser() / ".kube/config"
        context = wanted.on.partition(":")[2]
    return Cluster(file, context=context, keys=keys, environment=inside)


def _system_authorities() -> str:
    return ssl.get_default_verify_paths().cafile or ""


def scripted_editor(script: Path, work: Path) -> str:
    """The `EDITOR` with which a lesson plays itself in a working folder."""
    words = [sys.executable, "-m", "tutor.session.editor", str(script), str(work)]
    return shlex.join(words)


def clear(root: Path) -> None:
    """Remove a home folder that the program made for itself."""
    shutil.rmtree(root, ignore_errors=True)
