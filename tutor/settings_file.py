"""The file of settings: its keys and plain values, each with its place."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import yaml

from tutor.errors import SettingsError

FORM = "A settings file has lines such as `pace: real`."


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of the file and its value: plain, or keys and plain values once more."""

    value: str | Mapping[str, str]
    line: int
    """That of the key, from 1."""
    key_lines: Mapping[str, int]
    """Those of the keys in the value."""
    span: range
    """All its lines, from 0."""


def entries(text: str, file: Path) -> dict[str, Entry]:
    """Keys and plain values, and below `keys` once more; everything deeper is refused.

    Raises:
        SettingsError: The text has another form; `file` is named then.
    """
    try:
        root = cast("yaml.Node | None", yaml.compose(text, Loader=yaml.SafeLoader))  # pyright: ignore[reportUnknownMemberType] - untyped in its stubs
    except (yaml.YAMLError, RecursionError) as error:
        mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
        where = f"{file}:{mark.line + 1}" if mark else f"{file}"
        raise SettingsError(f"{where}: this is not YAML.", next_action=FORM) from error
    if root is None:
        return {}
    if not isinstance(root, yaml.MappingNode):
        raise SettingsError(f"{file}:1: keys and values should stand here.", next_action=FORM)
    found: dict[str, Entry] = {}
    for key, value in _members(root, file):
        if key.value == "keys" and isinstance(value, yaml.MappingNode):
            below = _members(value, file)
            items = {name.value: _scalar(each, file) for name, each in below}
            lines = {name.value: _line(name) for name, _ in below}
            end = below[-1][1].end_mark.line if below else value.end_mark.line
        else:
            items, lines, end = _scalar(value, file), {}, value.end_mark.line
        span = range(key.start_mark.line, end + 1)
        found[key.value] = Entry(items, _line(key), lines, span)
    return found


def _members(node: yaml.MappingNode, file: Path) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
    members: list[tuple[yaml.ScalarNode, yaml.Node]] = []
    for key, value in cast("list[tuple[yaml.Node, yaml.Node]]", node.value):
        if not isinstance(key, yaml.ScalarNode):
            raise SettingsError(f"{_place(key, file)}: a name should stand here.", next_action=FORM)
        if any(key.value == other.value for other, _ in members):
            raise SettingsError(
                f"{_place(key, file)}: `{key.value}` stands twice.",
                next_action="Take one of them out.",
            )
        members.append((key, value))
    return members


def _scalar(node: yaml.Node, file: Path) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise SettingsError(
            f"{_place(node, file)}: a setting is one plain value.", next_action=FORM
        )
    return node.value


def _place(node: yaml.Node, file: Path) -> str:
    return f"{file}:{_line(node)}"


def _line(node: yaml.Node) -> int:
    return node.start_mark.line + 1
