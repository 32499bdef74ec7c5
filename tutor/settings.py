"""What the learner has chosen: defaults, then `settings.yaml` in the home folder, then `TUTOR_*`.

The command line reads them once, lets its flags win, and passes plain values on.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from tutor import paths
from tutor.errors import SettingsError
from tutor.keymap import Fault, fault_of
from tutor.nearest import did_you_mean

_SHELLS = ("bash", "zsh")
_MAX_CHARACTERS = 100_000


def _usable_shell(path: str) -> str:
    if not path:
        return path
    if not Path(path).is_absolute() or Path(path).name not in _SHELLS:
        raise ValueError("should be the whole path of a bash or a zsh, or empty for `$SHELL`")
    if not os.access(path, os.X_OK):
        raise ValueError("should be a program that this machine has")
    return path


class Settings(BaseModel):
    """Everything that can be set. The names are the keys of the file; in `TUTOR_*`, upper case."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    kubectl: Literal["bundled", "own"] = "bundled"
    """Whose kubectl the sandbox's shells run: ours, or their own if it is 1.28 or newer."""
    editor: Literal["own", "bundled"] = "own"
    """What programs in the lesson's shell edit with: your `$EDITOR`, or ours."""
    shell: Annotated[str, AfterValidator(_usable_shell)] = ""
    """The path of the shell; empty for what `$SHELL` says."""
    pace: Literal["watchable", "real", "instant"] = "watchable"
    """How long things take in a sandbox that this program starts."""
    theme: str = ""
    """The name of a colour theme; empty for the program's own."""
    keys: dict[str, str] = Field(default_factory=dict[str, str])
    """Other keys for actions; in `TUTOR_KEYS`, `run=f4,next=f12`. Without fault."""


@dataclass(frozen=True, slots=True)
class _Given:
    value: object
    place: str
    """The file and line, or the variable."""
    places: Mapping[str, str] = field(default_factory=dict[str, str])
    """Those of the keys in a mapping."""
    lines: range = range(0)
    """In the file, from 0."""


def load(environ: Mapping[str, str], root: Path) -> Settings:
    """The settings of a home folder and an environment.

    A caller's flags are applied to the result, with `model_copy(update=...)`.

    Raises:
        SettingsError: The file cannot be read, or a key or a value in it or in a variable is wrong.
    """
    file = paths.settings_file(root)
    given = _from_file(file)
    for key in Settings.model_fields:
        if value := environ.get(variable := f"TUTOR_{key.upper()}"):
            place = f"the variable {variable}"
            given[key] = _Given(_pairs(value) if key == "keys" else value, place)
    return _checked(given)


def save(root: Path, key: str, value: str | Mapping[str, str]) -> None:
    """Keep one setting in the file of a home folder; the rest of the file stays as it is.

    Raises:
        SettingsError: The file cannot be read or written, or there is no such setting or value.
    """
    file = paths.settings_file(root)
    before = _from_file(file)  # a file with faults is for the learner to mend
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    place = before[key].lines if key in before else range(len(lines), len(lines))
    lines[place.start : place.stop] = _written(key, value)
    text = "".join(f"{line}\n" for line in lines)
    _checked(_parse(text, file))
    draft = file.with_name(f".{file.name}.new")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft.write_text(text, encoding="utf-8")
        draft.replace(file)
    except OSError as error:
        raise SettingsError(
            f"{file} cannot be written: {error.strerror or error}.",
            next_action="Free space or mend its permissions; the change holds until you leave.",
        ) from error


def _checked(given: Mapping[str, _Given]) -> Settings:
    try:
        found = Settings.model_validate({key: item.value for key, item in given.items()})
    except ValidationError as error:
        raise _refused(error, given) from error
    if fault := fault_of(found.keys):
        raise _refused_key(fault, given["keys"])
    return found


def _written(key: str, value: str | Mapping[str, str]) -> list[str]:
    if isinstance(value, str):
        return [f"{key}: {value}"]
    return [f"{key}:", *(f"  {name}: {each}" for name, each in value.items())] if value else []


def _pairs(text: str) -> dict[str, str]:
    """What `run=f4,next=f12` says."""
    pairs = (each.partition("=") for each in text.split(",") if each.strip())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _from_file(file: Path) -> dict[str, _Given]:
    try:
        text = file.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError(
            f"{file} cannot be read: {why}.", next_action="Mend the file, or move it away."
        ) from error
    if len(text) > _MAX_CHARACTERS:
        raise SettingsError(
            f"{file} has more than {_MAX_CHARACTERS:,} characters.",
            next_action="Keep only settings in it.",
        )
    return _parse(text, file)


def _parse(text: str, file: Path) -> dict[str, _Given]:
    """Keys and plain values, and below `keys` once more; everything deeper is refused."""
    try:
        root = cast("yaml.Node | None", yaml.compose(text, Loader=yaml.SafeLoader))  # pyright: ignore[reportUnknownMemberType] - untyped in its stubs
    except (yaml.YAMLError, RecursionError) as error:
        mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
        where = f"{file}:{mark.line + 1}" if mark else f"{file}"
        raise SettingsError(f"{where}: this is not YAML.", next_action=_FORM) from error
    if root is None:
        return {}
    if not isinstance(root, yaml.MappingNode):
        raise SettingsError(f"{file}:1: keys and values should stand here.", next_action=_FORM)
    found: dict[str, _Given] = {}
    for key, value in _members(root, file):
        if key.value == "keys" and isinstance(value, yaml.MappingNode):
            below = _members(value, file)
            items = {name.value: _scalar(each, file) for name, each in below}
            places = {name.value: _place(name, file) for name, _ in below}
            end = below[-1][1].end_mark.line if below else value.end_mark.line
        else:
            items, places, end = _scalar(value, file), {}, value.end_mark.line
        lines = range(key.start_mark.line, end + 1)
        found[key.value] = _Given(items, _place(key, file), places, lines)
    return found


def _members(node: yaml.MappingNode, file: Path) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
    members: list[tuple[yaml.ScalarNode, yaml.Node]] = []
    for key, value in cast("list[tuple[yaml.Node, yaml.Node]]", node.value):
        if not isinstance(key, yaml.ScalarNode):
            raise SettingsError(
                f"{_place(key, file)}: a name should stand here.", next_action=_FORM
            )
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
            f"{_place(node, file)}: a setting is one plain value.", next_action=_FORM
        )
    return node.value


def _place(node: yaml.Node, file: Path) -> str:
    return f"{file}:{node.start_mark.line + 1}"


_FORM = "A settings file has lines such as `pace: real`."


def _refused(error: ValidationError, given: Mapping[str, _Given]) -> SettingsError:
    """The first complaint in words; pydantic's own speak of types."""
    first = error.errors(include_url=False)[0]
    key = str(first["loc"][0])
    item = given[key]
    if key == "keys":
        return SettingsError(
            f"{item.place}: below `keys` stand actions, each with its key.",
            next_action="Write lines such as `  run: f4` below it.",
        )
    if first["type"] == "extra_forbidden":
        known = tuple(Settings.model_fields)
        return SettingsError(
            f"{item.place}: unknown setting `{key}`{did_you_mean(key, known) or '.'}",
            next_action=f"The settings are: {', '.join(known)}.",
        )
    if first["type"] == "literal_error":
        choices = _choices(key)
        return SettingsError(
            f"{item.place}: `{key}` cannot be `{item.value}`"
            f"{did_you_mean(str(item.value), choices) or '.'}",
            next_action=f"Write one of: {', '.join(choices)}.",
        )
    why = first["msg"].removeprefix("Value error, ")
    return SettingsError(
        f"{item.place}: `{key}` cannot be `{item.value}`: it {why}.",
        next_action="Change that, or take it out to have the default.",
    )


def _choices(key: str) -> tuple[str, ...]:
    annotation: Any = Settings.model_fields[key].annotation
    return cast("tuple[str, ...]", annotation.__args__)


def _refused_key(fault: Fault, given: _Given) -> SettingsError:
    place = given.places.get(fault.action, given.place)
    return SettingsError(f"{place}: {fault.message}", next_action=fault.next_action)
