"""Joins the course and a cluster: everything that one learner in one lesson needs."""

import asyncio
import os
import shlex
import shutil
import ssl
import sys
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tutor import paths
from tutor.cli.choice import chosen, environment_of
from tutor.cli.control import environment
from tutor.cli.editor import EDITOR, last_editor, write_editor
from tutor.cli.keeping import keeping_sandbox
from tutor.clock import SystemClock
from tutor.course.loader import load_course
from tutor.course.model import Environment, Lesson
from tutor.errors import TutorError
from tutor.probes.base import World
from tutor.probes.cluster import Cluster
from tutor.probes.dial import Dialer, Getter
from tutor.probes.hosts import HostsFile
from tutor.probes.process import GrantedCommands
from tutor.session.folder import WorkingFolder
from tutor.session.journal import Journal
from tutor.session.lock import only_here
from tutor.session.session import Place, Session
from tutor.session.shell import StepShell
from tutor.terminal.launch import Launch, find_program
from tutor.terminal.shell import Shell

_SYSTEM_HOSTS = Path("/etc/hosts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the learner asked for, and what the settings say."""

    lesson: Lesson
    on: str
    """`sandbox`, `kind` or `context:NAME`."""
    root: Path
    shell: str = ""
    """The shell's path; empty for `$SHELL`."""
    own_rc: bool = True
    """Whether the learner's own shell configuration is read."""
    pace: str = "watchable"
    kubectl: str = "bundled"
    editor: str = "own"
    extra: Mapping[str, str] | None = None
    """More variables for the shell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Everything is there; neither the shell nor the session runs yet."""

    lesson: Lesson
    session: Session
    shell: Shell
    new_shell: Callable[[], Shell]
    """Another one, for when the first has ended; whoever asks for it closes it."""
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
    lesson, root = wanted.lesson, wanted.root
    kind = environment_of(lesson, wanted.on)
    in_sandbox = kind == "sandbox" and lesson.has_cluster
    clock = SystemClock()
    work = paths.work_dir(root, lesson.id, wanted.on)
    lock_folder = work.parent.parent
    with only_here(lock_folder, lesson.id, now=clock.now()):
        folder = _working_folder(work)
        hosts = folder.root / "hosts" if in_sandbox else _SYSTEM_HOSTS
        async with keeping_sandbox(root, wanted.pace, wanted=in_sandbox):
            extra = await asyncio.to_thread(_variables, wanted, kind, folder, hosts)
            inherited = {**os.environ, **{k: v for k, v in extra.items() if v is not None}}
            inside = {k: v for k, v in inherited.items() if extra.get(k, "") is not None}
            launch = _launch(wanted, folder, extra)
            shell = Shell(launch, clock=clock)
            steps = StepShell()
            journal = Journal(paths.progress_file(root))
            cluster = _cluster(wanted, kind, folder, inside)
            with journal, cluster:
                trusted = inside.get("SSL_CERT_FILE") or _system_authorities()
                world = World(
                    cluster=cluster,
                    shell=steps,
                    files=folder,
                    hosts=HostsFile(hosts),
                    tls=Dialer(trusted),
                    http=Getter(inside, trusted),
                    commands=GrantedCommands(folder.root, inside),
                    environment=inside,
                )
                place = Place(environment=kind, name=wanted.on, world=world)
                session = Session(lesson, place, shell=steps, journal=journal, clock=clock)
                try:
                    yield Stage(
                        lesson=lesson,
                        session=session,
                        shell=shell,
                        new_shell=lambda: Shell(launch, clock=clock),
                        folder=folder,
                        environment=inside,
                    )
                finally:
                    await shell.close()


def _working_folder(work: Path) -> WorkingFolder:
    try:
        work.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise TutorError(
            f"The folder {work} cannot be made: {error.strerror or error}.",
            next_action="Free space or mend its permissions, or set TUTOR_HOME to another folder.",
        ) from error
    return WorkingFolder(work)


def _variables(
    wanted: Wanted, kind: Environment, folder: WorkingFolder, hosts: Path
) -> dict[str, str | None]:
    """What the learner's shell has beyond this process's own; None to take a variable out."""
    extra: dict[str, str | None] = {}
    if kind == "sandbox" and wanted.lesson.has_cluster:
        extra |= environment(wanted.root, hosts, wanted.kubectl)
    if kind != "context":
        # A command without --kubeconfig reaches the lesson's cluster, and never the learner's own.
        extra["KUBECONFIG"] = str(folder.root / wanted.lesson.kubeconfig)
    if wanted.editor == "bundled":
        extra |= dict.fromkeys(("EDITOR", "KUBE_EDITOR", "VISUAL"), EDITOR)
    return extra | dict(wanted.extra or {})


def _launch(wanted: Wanted, folder: WorkingFolder, extra: Mapping[str, str | None]) -> Launch:
    path = extra.get("PATH") or os.environ.get("PATH", os.defpath)
    program = find_program(wanted.shell or os.environ.get("SHELL"), path)
    first = [Path(path.split(os.pathsep)[0])] if extra.get("PATH") else []
    editor = last_editor(wanted.editor, path)
    if editor == EDITOR:
        first.append(write_editor(wanted.root))
    return Launch(
        program=program,
        folder=folder.root,
        environment=os.environ,
        extra={name: value for name, value in extra.items() if name != "PATH"},
        path=first,
        editor=editor,
        own_rc=wanted.own_rc,
    )


def _cluster(
    wanted: Wanted, kind: Environment, folder: WorkingFolder, inside: Mapping[str, str]
) -> Cluster:
    keys = paths.work_dir(wanted.root, wanted.lesson.id, wanted.on).parent / "keys"
    file, context = folder.root / wanted.lesson.kubeconfig, None
    if kind == "context":
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
