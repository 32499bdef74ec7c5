"""Does what a block says: types its commands into the learner's shell, writes its file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from tutor.course.model import Block, Edit, File, Lesson
from tutor.probes.base import FilePath
from tutor.probes.grants import refusal
from tutor.session.commands import commands_of
from tutor.session.folder import Outside, WorkingFolder
from tutor.session.script import write_script
from tutor.terminal.news import CommandRecord


class CommandShell(Protocol):
    """A shell that takes one command at a time."""

    async def run(self, command: str) -> CommandRecord | None:
        """Type a command and wait for its end; None when the shell ran nothing."""
        ...


def write_file(block: File, lesson: Lesson, folder: WorkingFolder) -> Path:
    """Write the file of a block.

    Raises:
        Outside: The lesson may not write there, or the path leads out of the working folder.
        OSError: The folder cannot be written.
    """
    why = refusal(FilePath(block.file), lesson.header.grants)
    if why is not None:
        raise Outside(
            f"The lesson may not write {block.file}: it has {why}.",
            next_action="Grant it in lesson.yaml, or write another file.",
        )
    content = lesson.text(block.source) if block.source is not None else block.content or ""
    return folder.write(block.file, content)


class Typist:
    """Solves steps as a person would, but for the editor: `script` says what to change there.

    `EDITOR` and `KUBE_EDITOR` of the shell have to be what `scripted_editor` says.
    """

    def __init__(
        self, *, shell: CommandShell, lesson: Lesson, folder: WorkingFolder, script: Path
    ) -> None:
        self._shell = shell
        self._lesson = lesson
        self._folder = folder
        self._script = script

    async def perform(self, block: Block) -> Sequence[CommandRecord]:
        """Do what a block says; the commands that were run. Raises `Outside`, `OSError`."""
        if isinstance(block, File):
            write_file(block, self._lesson, self._folder)
        if isinstance(block, Edit):
            self._script.write_text(write_script(block), encoding="utf-8")
        records = [await self._shell.run(command) for command in commands_of(block)]
        return [record for record in records if record is not None]
