"""Which editor the lesson's shell has when the learner names none."""

import shlex
import shutil
import sys
from pathlib import Path

from tutor.errors import TutorError

EDITOR = "tutor-edit"
"""Our own, by name: `EDITOR` is split at blanks, and a path may have some."""

_USUAL = ("vi", "vim", "nano", "nvim")
"""What people expect. kubectl and git start vi when nothing is named, so the others have to be."""


def last_editor(wish: str, path: str) -> str:
    """The `EDITOR` for when nothing else sets it; empty where vi does without.

    `wish` is the setting `editor`, `path` the shell's PATH.
    """
    if wish == "bundled":
        return EDITOR
    found = next((name for name in _USUAL if shutil.which(name, path=path)), EDITOR)
    return "" if found == "vi" else found


def write_editor(root: Path) -> Path:
    """Make our editor's command below the home folder; the folder for the PATH.

    Raises:
        TutorError: The home folder cannot be written.
    """
    folder = root / "editor"
    command = folder / EDITOR
    # Not from the folder that somebody stands in: a file there may be called as one of our modules.
    words = shlex.join([sys.executable, "-P", "-m", "tutor.ui.editor"])
    text = f'#!/bin/sh\nexec {words} "$@"\n'
    try:
        if not command.exists() or command.read_text(encoding="utf-8") != text:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = folder / f".{EDITOR}.new"
            draft.write_text(text, encoding="utf-8")
            draft.chmod(0o700)
            draft.replace(command)
    except OSError as error:
        raise TutorError(
            f"The folder {folder} cannot be written: {error.strerror or error}.",
            next_action="Free space or mend its permissions, or set TUTOR_HOME to another folder.",
        ) from error
    return folder
