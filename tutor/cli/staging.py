"""What a lesson in the app needs besides its shells."""

import shlex
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tutor.cli.ground import Ground
from tutor.cli.run import scripted_editor, session_on
from tutor.course.model import Edit
from tutor.session.script import write_script
from tutor.session.typist import write_file
from tutor.ui.ports import Stage


@contextmanager
def staging(ground: Ground) -> Generator[Stage]:
    """Judge a lesson, until the block ends. Raises `ProgressError`."""
    with session_on(ground) as session:
        yield Stage(
            session=session,
            cluster=session.place.world.cluster,
            write=partial(write_file, lesson=ground.wanted.lesson, folder=ground.folder),
            edit_by_itself=partial(_edit_by_itself, ground.folder.root),
        )


def _edit_by_itself(work: Path, block: Edit) -> str:
    script = work.parent / "edit.json"
    script.write_text(write_script(block), encoding="utf-8")
    # A file of its own, so that what is typed stays short.
    editor = work.parent / "editor"
    editor.write_text(f'#!/bin/sh\nexec {scripted_editor(script, work)} "$@"\n')
    editor.chmod(0o700)
    command = block.edit.strip()
    variable = "KUBE_EDITOR" if command.startswith("kubectl ") else "EDITOR"
    return f"{variable}={shlex.quote(shlex.quote(str(editor)))} {command}"
