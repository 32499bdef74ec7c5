"""JSON merge patch (RFC 7386)."""

from typing import Any

from tutor.sandbox.api.values import fresh, is_list, is_map
from tutor.sandbox.kinds import Object


def merge(document: Object, patch: Object) -> Object:
    """Apply a merge patch to a copy: null removes a field, a list replaces a list."""
    return {key: fresh(value) for key, value in _merged(document, patch).items()}


def _merged(document: Object, patch: Object) -> Object:
    found = dict(document)
    for key, value in patch.items():
        current = found.get(key)
        if value is None:
            found.pop(key, None)
        elif current is None:
            found[key] = _without_nulls(value)
        elif is_map(current):
            found[key] = _merged(current, value) if is_map(value) else value
        else:
            found[key] = _without_nulls(value)
    return found


def _without_nulls(value: Any) -> Any:
    """Drop null fields at any depth; null items of lists stay."""
    if is_map(value):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    if is_list(value):
        return [_without_nulls(inner) for inner in value]
    return value
