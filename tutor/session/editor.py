"""The editor that `kubectl edit` opens when a lesson plays itself.

    python -m tutor.session.editor SCRIPT FOLDER FILE

SCRIPT has the changes (`write_script`), FOLDER is the working folder, FILE is what is edited.
Made for `KUBE_EDITOR`, which takes arguments and adds the file.
"""

import sys
from pathlib import Path

from tutor.errors import TutorError
from tutor.session.edit import NotEditable, edited
from tutor.session.folder import WorkingFolder
from tutor.session.script import read_script


def main(words: list[str]) -> int:
    """Edit one file; 0 when it was written."""
    script, folder, file = (Path(word) for word in words)
    working = WorkingFolder(folder)

    def read(path: str) -> str:
        found = working.read(path)
        if not isinstance(found, bytes):
            raise NotEditable(
                f"The value of a change cannot be read: {found.text}.",
                next_action="Make that file first; the change takes its value from there.",
            )
        return found.decode()

    try:
        changes = read_script(script.read_text(encoding="utf-8"))
        text = edited(file.read_text(encoding="utf-8"), changes, read)
    except TutorError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    file.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
