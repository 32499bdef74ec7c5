"""Where a lesson is done: its working folder and its shells, and the sandbox that they reach.

Apart from what judges the lesson, so that the shell is there before that is loaded.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tutor import paths
from tutor.cli.choice import environment_of
from tutor.cli.control import environment
from tutor.cli.editor import EDITOR, last_editor, write_editor
from tutor.cli.keeping import keeping_sandbox
from tutor.clock import SystemClock
from tutor.course.model import Environment, Lesson
from tutor.errors import TutorError
from tutor.session.folder import WorkingFolder
from tutor.session.lock import only_here
from tutor.terminal.launch import Launch, find_program
from tutor.terminal.shell import Shell

SYSTEM_HOSTS = Path("/etc/hosts")


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
class Ground:
    """A lesson that nobody else does meanwhile; no shell of it runs yet."""

    wanted: Wanted
    kind: Environment
    folder: WorkingFolder
    hosts: Path
    """The hosts file of the lesson's shells."""
    environment: Mapping[str, str]
    """What the learner's shell has."""
    launch: Launch

    def new_shell(self) -> Shell:
        """A shell; whoever asks for it closes it."""
        return Shell(self.launch, clock=SystemClock())


@asynccontextmanager
async def grounding(wanted: Wanted) -> AsyncGenerator[Ground]:
    """Hold the lesson, and start the sandbox for it.

    Raises:
        TutorError: The lesson is open elsewhere, no cluster, no shell.
    """
    lesson, root = wanted.lesson, wanted.root
    kind = environment_of(lesson, wanted.on)
    in_sandbox = kind == "sandbox" and lesson.has_cluster
    work = paths.work_dir(root, lesson.id, wanted.on)
    with only_here(work.parent.parent, lesson.id, now=SystemClock().now()):
        folder = _working_folder(work)
        hosts = folder.root / "hosts" if in_sandbox else SYSTEM_HOSTS
        async with keeping_sandbox(root, wanted.pace, wanted=in_sandbox):
            extra = await asyncio.to_thread(_variables, wanted, kind, folder, hosts)
            inherited = {**os.environ, **{k: v for k, v in extra.items() if v is not None}}
            yield Ground(
                wanted=wanted,
                kind=kind,
                folder=folder,
                hosts=hosts,
                environment={k: v for k, v in inherited.items() if extra.get(k, "") is not None},
                launch=_launch(wanted, folder, extra),
            )


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
