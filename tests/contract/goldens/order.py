"""What is replayed, in which order, with which writes of stand-ins in between, and what is not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.contract.goldens import recordings

_FILE = Path(__file__).parent / "order.yaml"
_PLAIN, _EXPLAIN = "http-", "explain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Writes:
    """Names of writes around a case; `during` has them by the request they go with."""

    before: Sequence[str] = ()
    during: Mapping[int, Sequence[str]]


@cache
def _document() -> dict[str, Any]:
    return yaml.safe_load(_FILE.read_text())


def cases() -> list[str]:
    """The names of the cases in the order of their replay."""
    plain = [name for name in recordings.names() if name.startswith(_PLAIN)]
    return [*_document()["cases"], *sorted(plain, key=recordings.recorded_at)]


def explained() -> list[str]:
    """The cases of `kubectl explain`."""
    return [name for name in recordings.names() if name.startswith(_EXPLAIN)]


def explained_after() -> str:
    """The case after which `kubectl explain` was recorded."""
    return _document()["explained_after"]


def writes_around(name: str) -> Writes:
    """The writes around a case."""
    found = _document()["writes"].get(name, {})
    return Writes(before=found.get("before", ()), during=found.get("during", {}))


def skipped() -> dict[str, str]:
    """The cases that are not compared, with the reason; some are played for what they change."""
    found = {name: _reason(name) for name in recordings.names()}
    return {name: reason for name, reason in found.items() if reason}


def _reason(name: str) -> str:
    for pattern, reason in _document()["skipped"].items():
        if fnmatchcase(name, pattern):
            return reason
    if name in {*cases(), *explained()}:
        return ""
    if not recordings.load(name).exchanges:
        return "kubectl asks the server nothing"
    return "not in the order file"
