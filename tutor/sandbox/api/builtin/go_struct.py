"""Objects as the server prints its own structures, where a message shows one.

Those structures have Go's field names and show every field, absent ones too. `go_types.txt` lists
them, one type a line: `Field:type`, and `Field=key:type` where the JSON key is another name.

Source: Kubernetes' internal types (`apis/core/types.go` and its neighbours), `util/diff`.
"""

import difflib
import json
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from tutor.sandbox.api.builtin.reading import part
from tutor.sandbox.kinds import Object

_ZERO: dict[str, Any] = {"string": "", "bool": False, "int": 0, "intstr": 0, "quantity": "0"}
_HOST = ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers")
_WITH_METADATA = ("PodTemplateSpec", "PersistentVolumeClaimTemplate")


class _Field(NamedTuple):
    name: str
    key: str
    code: str


@cache
def _types() -> dict[str, tuple[_Field, ...]]:
    listed = files("tutor.sandbox.api.builtin").joinpath("go_types.txt").read_text()
    return {
        name: tuple(map(_field, fields)) for name, *fields in map(str.split, listed.splitlines())
    }


def _field(written: str) -> _Field:
    names, _, code = written.partition(":")
    name, _, key = names.partition("=")
    return _Field(name, key or name[0].lower() + name[1:], code)


def render(name: str, value: Object) -> Object:
    """The JSON object `value` as the structure of that name prints it."""
    if name == "PodSpec":
        context = part(value, "securityContext") | {k: value[k] for k in _HOST if k in value}
        value = value | {"securityContext": context}
    shown: Object = {}
    if name in _WITH_METADATA:
        # Metadata is promoted into the structure, under its JSON names.
        shown |= {key: entry for key, entry in part(value, "metadata").items() if entry}
    for field in _types()[name]:
        shown[field.name] = _shown(field.code, value.get(field.key))
    return shown


def _shown(code: str, value: Any) -> Any:
    if code.startswith("*"):
        return None if value is None else _shown(code[1:], value)
    if code.startswith("[]"):
        return None if value is None else [_shown(code[2:], item) for item in value]
    if code == "map":
        return None if value is None else dict(sorted(value.items()))
    if code in _ZERO:
        return _ZERO[code] if value is None else value
    if code in _types():
        return render(code, value or {})
    return value


def difference(name: str, old: Object, new: Object) -> str:
    """What changed between two structures, as a unified diff without file names."""
    before, after = (_lines(render(name, value)) for value in (old, new))
    return "".join(list(difflib.unified_diff(before, after))[2:])


def list_difference(name: str, old: list[Object], new: list[Object]) -> str:
    """What changed between two lists of structures."""
    before, after = (_lines([render(name, one) for one in listed]) for listed in (old, new))
    return "".join(list(difflib.unified_diff(before, after))[2:])


def _lines(shown: Any) -> list[str]:
    printed = json.dumps(shown, indent=1, ensure_ascii=False)
    printed = printed.translate({ord(char): f"\\u{ord(char):04x}" for char in "<>&"})
    return [f"{line}\n" for line in printed.split("\n")]
