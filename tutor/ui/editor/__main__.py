"""`tutor-edit [+LINE] FILE`: what `EDITOR` is where the machine has no editor.

    python -m tutor.ui.editor FILE

Exit code 0 also when nothing was saved, as that of vi: with any other one kubectl speaks of a
problem with the editor, and not of an edit that is cancelled. It is 1 when the text could not be
saved, 2 when the file cannot be edited.
"""

import os
import sys
from pathlib import Path

from tutor.errors import TutorError
from tutor.ui.editor.file import TextFile

USAGE = "tutor-edit edits one file: tutor-edit [+LINE] FILE"
ESCAPE_MS = "20"
"""As in the app: how long to wait for what may follow an Escape."""


def main(words: list[str]) -> int:
    """Edit a file; the exit code."""
    line = 1
    if len(words) > 1 and words[0].startswith("+"):
        line = int(words[0][1:]) if words[0][1:].isdecimal() else 1
        words = words[1:]
    if len(words) != 1:
        return _refuse(USAGE)
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        return _refuse("tutor-edit needs a terminal to draw on. Set EDITOR to another program.")
    file = TextFile(Path(words[0]))
    try:
        text = file.read()
    except TutorError as error:
        return _refuse(str(error))
    # Before the interface library is imported: it reads this then.
    os.environ.setdefault("ESCDELAY", ESCAPE_MS)
    from tutor.ui.editor.app import EditorApp  # noqa: PLC0415 - after the above

    app = EditorApp(file, text, line=line)
    code = app.run()
    return 1 if code is None else code


def _refuse(why: str) -> int:
    sys.stderr.write(f"{why}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
