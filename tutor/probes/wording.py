"""Values with the words for them: what to call a value, and how to show it in a line. Pure."""

import json
from dataclasses import dataclass
from typing import Any, cast

_TEXT_SHOWN = 60
_TEXT_BEGINNING = 40
_KEYS_SHOWN = 6


class EvaluationFailed(Exception):
    """A part of an expression has no value. The text is the engine's."""


class Gap(Exception):
    """Something that an expression needs is not there. The text says what."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A value and what to call it: `spec.mode` of `the CredentialIssuer x`."""

    value: Any
    noun: str
    path: str = ""

    def below(self, value: Any, step: str) -> "Bound":
        """The value one step further in. An object of the cluster is a noun of its own."""
        match value:
            case {"kind": str(kind), "metadata": {"name": str(name)}}:
                return Bound(value, f"the {kind} {name}")
            case _:
                return Bound(value, self.noun, self._path_to(step))

    def _path_to(self, step: str) -> str:
        separator = "." if self.path and not step.startswith("[") else ""
        return f"{self.path}{separator}{step}"

    @property
    def words(self) -> str:
        """What to call it in a sentence."""
        return f"{self.path} of {self.noun}" if self.path else self.noun

    def field(self, name: str) -> "Bound":
        """One of its fields. Raises `Gap` when it has none of that name, yet."""
        fields = _fields(self.value)
        if self.value is None or (fields is not None and name not in fields):
            raise Gap(self.lack(name))
        if fields is None:
            raise EvaluationFailed(f"{self.words} has no fields")
        return self.below(fields[name], _step(name))

    def item(self, key: Any) -> "Bound":
        """The item at a position or under a key. Raises `Gap` when there is none, yet."""
        items = _items(self.value)
        if items is None or not isinstance(key, int):
            return self.field(str(key))
        if not 0 <= key < len(items):
            raise Gap(f"{self.words} has {len(items) or 'no'} items, and no [{key}] yet")
        return self.below(items[key], f"[{key}]")

    def items(self) -> "list[Bound]":
        """The items of a list, or the keys of a mapping; none of anything else."""
        keys = [Bound(key, f"the key {key}") for key in _fields(self.value) or {}]
        items = enumerate(_items(self.value) or [])
        return keys or [self.below(item, f"[{index}]") for index, item in items]

    def lack(self, name: str) -> str:
        """Say that it has no such field."""
        return f"{self.noun} has no {self._path_to(_step(name))} yet"


def _fields(value: Any) -> dict[str, Any] | None:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _items(value: Any) -> list[Any] | None:
    return cast("list[Any]", value) if isinstance(value, list) else None


def _step(name: str) -> str:
    return name if name.replace("_", "a").replace("-", "a").isalnum() else f'["{name}"]'


def show_value(value: Any) -> str:
    """A value, short enough for a line."""
    match value:
        case str():
            text = json.dumps(value, ensure_ascii=False)
            if len(text) <= _TEXT_SHOWN:
                return text
            return f'{text[:_TEXT_BEGINNING]}…" ({len(value):,} characters)'
        case bytes():
            return f"{len(value):,} bytes"
        case dict():
            keys = list(cast("dict[str, Any]", value))
            shown = ", ".join(keys[:_KEYS_SHOWN]) + (", …" if len(keys) > _KEYS_SHOWN else "")
            return f"keys {shown}" if keys else "{}"
        case list():
            items = [show_value(item) for item in cast("list[Any]", value)]
            text = f"[{', '.join(items)}]"
            return text if len(text) <= _TEXT_SHOWN else f"a list of {len(items)}"
        case bool() | int() | float() | None:
            return json.dumps(value)
        case _:
            return str(value)


def difference(one: Any, other: Any) -> str:
    """Where two long texts part, when their beginnings look the same; nothing otherwise."""
    if not (isinstance(one, str) and isinstance(other, str)):
        return ""
    if one[:_TEXT_BEGINNING] != other[:_TEXT_BEGINNING] or len(one) <= _TEXT_BEGINNING:
        return ""
    pairs = enumerate(zip(one, other, strict=False))
    at = next((index for index, (a, b) in pairs if a != b), min(len(one), len(other)))
    return f": they differ from character {at + 1:,}"
