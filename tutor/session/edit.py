"""What an `edit` block changes when the lesson plays itself. Pure but for `read`."""

import sys
from collections.abc import Callable
from typing import Any, cast

import yaml

from tutor.course.fieldpath import FieldPath, parse_path
from tutor.course.model import Set
from tutor.errors import TutorError
from tutor.probes.functions import PLAIN_LOADER

ReadFile = Callable[[str], str]
"""The text of a file below the working folder."""


class NotEditable(TutorError):
    """A text that the changes of a block cannot be made to."""


def edited(text: str, changes: tuple[Set, ...], read: ReadFile) -> str:
    """A YAML text with the changes made, the rest in its order. Raises `NotEditable`."""
    try:
        document = yaml.load(text, Loader=PLAIN_LOADER)  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        raise NotEditable(
            "What the editor was given is not YAML.",
            next_action="Use an `edit` block for commands such as kubectl edit.",
        ) from error
    for change in changes:
        document = _changed(document, parse_path(change.path), change, read)
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=sys.maxsize)


def _changed(document: Any, path: FieldPath, change: Set, read: ReadFile) -> Any:
    if change.remove:
        _removed(document, path)
        return document
    value = change.to if change.source is None else read(change.source).removesuffix("\n")
    return _placed(document, path, value, change.path)


def _placed(document: Any, path: FieldPath, value: Any, whole: str) -> Any:
    """The document with a value at a path; mappings on the way are made."""
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        items = cast("list[Any]", document if isinstance(document, list) else [])
        if step > len(items):
            raise NotEditable(
                f"{whole}: the list there has only {len(items)} items.",
                next_action="Name a position that is there, or the one behind the last.",
            )
        items[step : step + 1] = [
            _placed(items[step] if step < len(items) else None, rest, value, whole)
        ]
        return items
    fields = cast("dict[str, Any]", document if isinstance(document, dict) else {})
    fields[step] = _placed(fields.get(step), rest, value, whole)
    return fields


def _removed(document: Any, path: FieldPath) -> None:
    for step in path[:-1]:
        document = _below(document, step)
    last = path[-1]
    if _below(document, last) is not _NOTHING:
        del document[last]


_NOTHING = object()


def _below(document: Any, step: str | int) -> Any:
    if isinstance(document, dict):
        return cast("dict[Any, Any]", document).get(step, _NOTHING)
    items = cast("list[Any]", document if isinstance(document, list) else [])
    return items[step] if isinstance(step, int) and step < len(items) else _NOTHING
