"""What the learner has chosen: defaults, then `settings.yaml` in the home folder, then `TUTOR_*`.

The command line reads them once, lets its flags win, and passes plain values on.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast, get_args

from tutor import paths
from tutor.errors import SettingsError
from tutor.keymap import Fault, fault_of
from tutor.nearest import did_you_mean

_SHELLS = ("bash", "zsh")
_MAX_CHARACTERS = 100_000


Kubectl = Literal["bundled", "own"]
Editor = Literal["own", "bundled"]
Pace = Literal["watchable", "real", "instant"]
Layout = Literal["fitting", "below", "beside"]
Motion = Literal["full", "reduced"]


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set. The names are the keys of the file; in `TUTOR_*`, upper case."""

    kubectl: Kubectl = "bundled"
    """Whose kubectl the sandbox's shells run: ours, or their own if it is 1.28 or newer."""
    editor: Editor = "own"
    """What programs in the lesson's shell edit with: your `$EDITOR`, or ours."""
    shell: str = ""
    """The path of the shell; empty for what `$SHELL` says."""
    pace: Pace = "watchable"
    """How long things take in a sandbox that this program starts."""
    theme: str = ""
    """The name of a colour theme; empty for the program's own."""
    layout: Layout = "fitting"
    """Where the shell stands: below the lesson or beside it, or as the window has room."""
    motion: Motion = "full"
    """Whether things on the screen may move by themselves: smooth scrolling, counting seconds."""
    keys: Mapping[str, str] = field(default_factory=dict[str, str])
    """Other keys for actions; in `TUTOR_KEYS`, `run=f4,next=f12`. Without fault."""


NAMES = tuple(each.name for each in fields(Settings))
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "kubectl": get_args(Kubectl),
    "editor": get_args(Editor),
    "pace": get_args(Pace),
    "layout": get_args(Layout),
    "motion": get_args(Motion),
}


class _Given(NamedTuple):
    value: str | Mapping[str, str]
    place: str
    """The file and line, or the variable."""
    places: Mapping[str, str] = {}
    """Those of the keys in a mapping."""
    lines: range = range(0)
    """In the file, from 0."""


def load(environ: Mapping[str, str], root: Path) -> Settings:
    """The settings of a home folder and an environment.

    A caller's flags are applied to the result, with `dataclasses.replace`.

    Raises:
        SettingsError: The file cannot be read, or a key or a value in it or in a variable is wrong.
    """
    file = paths.settings_file(root)
    given = _from_file(file)
    for key in NAMES:
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
    for key, item in given.items():
        _check(key, item)
    found = Settings(**{key: cast("Any", item.value) for key, item in given.items()})
    if fault := fault_of(found.keys):
        raise _refused_key(fault, given["keys"])
    return found


def _check(key: str, item: _Given) -> None:
    value = item.value
    if key not in NAMES:
        raise SettingsError(
            f"{item.place}: unknown setting `{key}`{did_you_mean(key, NAMES) or '.'}",
            next_action=f"The settings are: {', '.join(NAMES)}.",
        )
    if key == "keys" and isinstance(value, str):
        raise SettingsError(
            f"{item.place}: below `keys` stand actions, each with its key.",
            next_action="Write lines such as `  run: f4` below it.",
        )
    if (choices := _CHOICES.get(key)) and value not in choices:
        raise SettingsError(
            f"{item.place}: `{key}` cannot be `{value}`{did_you_mean(str(value), choices) or '.'}",
            next_action=f"Write one of: {', '.join(choices)}.",
        )
    if key == "shell" and (why := _unusable(str(value))):
        raise SettingsError(
            f"{item.place}: `shell` cannot be `{value}`: it {why}.",
            next_action="Change that, or take it out to have the default.",
        )


def _unusable(shell: str) -> str:
    """What a path of a shell should be; empty when it is that."""
    if shell and (not Path(shell).is_absolute() or Path(shell).name not in _SHELLS):
        return "should be the whole path of a bash or a zsh, or empty for `$SHELL`"
    if shell and not os.access(shell, os.X_OK):
        return "should be a program that this machine has"
    return ""


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
        if file.is_fifo() or file.is_char_device() or file.is_block_device():
            raise SettingsError(
                f"{file} cannot be read: it is a pipe or a device.",
                next_action="Move it away; the settings are a file of YAML.",
            )
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
    from tutor.settings_file import entries  # noqa: PLC0415 - YAML loads for who has such a file

    return {
        key: _Given(
            each.value,
            f"{file}:{each.line}",
            {name: f"{file}:{line}" for name, line in each.key_lines.items()},
            each.span,
        )
        for key, each in entries(text, file).items()
    }


def _refused_key(fault: Fault, given: _Given) -> SettingsError:
    place = given.places.get(fault.action, given.place)
    return SettingsError(f"{place}: {fault.message}", next_action=fault.next_action)
