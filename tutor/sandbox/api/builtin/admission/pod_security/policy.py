"""Which pod security policy a namespace asks for, by its labels.

Source: pod-security-admission's `api/helpers.go`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from tutor.sandbox.api.status import FieldError, invalid

Level = Literal["privileged", "baseline", "restricted"]
LEVELS: tuple[Level, ...] = get_args(Level)
"""From the one that allows everything to the strictest."""

_PREFIX = "pod-security.kubernetes.io/"
_VERSION = re.compile(r"v1\.(0|[1-9]\d*)")


@dataclass(frozen=True, slots=True)
class Rules:
    """A level of strictness as one version of Kubernetes has it; `minor` is None for latest."""

    level: Level = "privileged"
    minor: int | None = None

    def __str__(self) -> str:
        version = "latest" if self.minor is None else f"v1.{self.minor}"
        return f"{self.level}:{version}"

    @property
    def strictness(self) -> int:
        """Larger is stricter."""
        return LEVELS.index(self.level)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What pods must obey, and what they are warned of."""

    enforce: Rules
    warn: Rules
    errors: tuple[FieldError, ...] = ()


def policy_of(labels: Mapping[str, str]) -> Policy:
    """The policy of a namespace with these labels; what is wrong with them is among it."""
    errors: list[FieldError] = []
    enforce = _rules(labels, "enforce", "restricted", errors)
    _rules(labels, "audit", "privileged", errors)
    warn = _rules(labels, "warn", "privileged", errors)
    asked = labels.get(f"{_PREFIX}enforce") in LEVELS and f"{_PREFIX}warn" not in labels
    if asked and enforce.strictness > warn.strictness:
        own = f"{_PREFIX}warn-version" in labels
        warn = Rules(enforce.level, warn.minor if own else enforce.minor)
    return Policy(enforce=enforce, warn=warn, errors=tuple(errors))


def _rules(
    labels: Mapping[str, str], mode: str, fallback: Level, errors: list[FieldError]
) -> Rules:
    """What the two labels of a mode say; `fallback` is the level of one that makes no sense."""
    level: Level = "privileged"
    minor: int | None = None
    label = _PREFIX + mode
    if (given := labels.get(label)) is not None:
        level = given if given in LEVELS else fallback
        if given not in LEVELS:
            why = f"must be one of {', '.join(LEVELS)}"
            errors.append(invalid(f"metadata.labels[{label}]", given, why))
    version_label = f"{label}-version"
    version = labels.get(version_label, "latest")
    if found := _VERSION.fullmatch(version):
        minor = int(found[1])
    elif version != "latest":
        why = 'must be "latest" or "v1.x"'
        errors.append(invalid(f"metadata.labels[{version_label}]", version, why))
    return Rules(level, minor)
