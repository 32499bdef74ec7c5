"""Conditions of a status. Source: apimachinery's `apis/meta/v1/validation`."""

import re

from tutor.sandbox.api import formats
from tutor.sandbox.api.builtin import checks
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.reading import indexed, number, text
from tutor.sandbox.api.status import duplicate, invalid, not_supported, required, too_long
from tutor.sandbox.kinds import Object

STATUSES = ("False", "True", "Unknown")
_REASON = r"[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?"
_EXAMPLES = ("my_name", "MY_NAME", "MyName", "ReasonA,ReasonB", "ReasonA:ReasonB")
_MAX_REASON, _MAX_MESSAGE = 1024, 32 * 1024


def _reason(value: str) -> list[str]:
    if re.fullmatch(_REASON, value):
        return []
    rule = (
        "a condition reason must start with alphabetic character, optionally followed by a string"
        " of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'"
    )
    return [checks.breaks(rule, _REASON, *_EXAMPLES)]


def conditions(status: Object, path: str) -> Errors:
    """The conditions in a status, one of each type."""
    errors: Errors = []
    seen: set[str] = set()
    for condition, at in indexed(status, "conditions", path):
        kind = text(condition, "type")
        errors += [duplicate(f"{at}.type", kind)] if kind in seen else []
        seen.add(kind)
        errors += _condition(condition, at)
    return errors


def _condition(condition: Object, path: str) -> Errors:
    errors = checks.obey(formats.label_key, text(condition, "type"), f"{path}.type")
    status = text(condition, "status")
    if status not in STATUSES:
        errors.append(not_supported(f"{path}.status", status, STATUSES))
    if (generation := number(condition, "observedGeneration")) < 0:
        why = "must be greater than or equal to zero"
        errors.append(invalid(f"{path}.observedGeneration", generation, why))
    if not condition.get("lastTransitionTime"):
        errors.append(required(f"{path}.lastTransitionTime"))
    reason = text(condition, "reason")
    if not reason:
        errors.append(required(f"{path}.reason"))
    else:
        errors += checks.obey(_reason, reason, f"{path}.reason")
    for field, most in (("reason", _MAX_REASON), ("message", _MAX_MESSAGE)):
        if len(text(condition, field).encode()) > most:
            errors.append(too_long(f"{path}.{field}", most))
    return errors
