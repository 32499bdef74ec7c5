"""Reads parts of objects that may not be there."""

from tutor.sandbox.kinds import Object


def part(obj: Object | None, *path: str) -> Object:
    """The object at a path, empty when there is none."""
    found: Object = obj or {}
    for name in path:
        found = found.get(name) or {}
    return found
