"""The changes of an `edit` block as a text, for the editor that makes them in another process."""

import json

from tutor.course.model import Edit, Set


def write_script(block: Edit) -> str:
    """What the scripted editor reads."""
    changes = [
        {
            "path": change.path,
            "to": change.to,
            "source": change.source,
            "remove": change.remove,
        }
        for change in block.changes
    ]
    return json.dumps(changes)


def read_script(text: str) -> tuple[Set, ...]:
    """The changes of a script. Raises `ValueError` when it is none."""
    try:
        return tuple(Set(**change) for change in json.loads(text))
    except TypeError as error:
        raise ValueError(str(error)) from error
