"""The numbers that a custom kind's `scale` subresource reads from its objects.

Source: apiextensions-apiserver (`pkg/registry/customresource/validator.go`).
"""

from collections.abc import Iterator
from typing import Any

from tutor.sandbox.api.patch.goprint import go_print, go_type
from tutor.sandbox.api.scale import ScalePaths
from tutor.sandbox.api.status import FieldError, invalid
from tutor.sandbox.api.values import is_map
from tutor.sandbox.kinds import Object

_MAX_INT32 = 2**31 - 1


def scale_paths(subresources: Object) -> ScalePaths | None:
    """Where the replicas are, None when the kind does not scale."""
    scale: Object | None = subresources.get("scale")
    if scale is None:
        return None
    return ScalePaths(
        spec=_steps(scale.get("specReplicasPath", "")),
        status=_steps(scale.get("statusReplicasPath", "")),
        selector=_steps(scale.get("labelSelectorPath") or ""),
    )


def check_wanted(obj: Object, paths: ScalePaths | None) -> Iterator[FieldError]:
    """What is wrong with the number of replicas that is asked for."""
    if paths is not None:
        yield from _check_replicas(obj, tuple(paths.spec))


def check_reached(obj: Object, paths: ScalePaths | None) -> Iterator[FieldError]:
    """What is wrong with what the status tells of replicas."""
    if paths is None:
        return
    yield from _check_replicas(obj, tuple(paths.status))
    if paths.selector:
        _, why = _read(obj, tuple(paths.selector), "string")
        if why:
            yield invalid(_joined(paths.selector), "", why)


def _check_replicas(obj: Object, steps: tuple[str, ...]) -> Iterator[FieldError]:
    value, why = _read(obj, steps, "int64")
    path = _joined(steps)
    if why:
        yield invalid(path, 0, why)
    elif value is None:
        return
    elif value < 0:
        yield invalid(path, value, "should be a non-negative integer")
    elif value > _MAX_INT32:
        yield invalid(path, value, f"should be less than or equal to {_MAX_INT32}")


def _read(obj: Object, steps: tuple[str, ...], wanted: str) -> tuple[Any, str]:
    """The value at a path, None when it is absent; or why it cannot be read."""
    found: Any = obj
    for index, step in enumerate(steps):
        if found is None:
            return None, ""
        if not is_map(found):
            # A path is named up to and with the step that cannot be taken.
            return None, _fault(steps[: index + 1], found, "map[string]interface{}")
        if step not in found:
            return None, ""
        found = found[step]
    if go_type(found) != wanted:
        return None, _fault(steps, found, wanted)
    return found, ""


def _fault(steps: tuple[str, ...], found: Any, wanted: str) -> str:
    shown = f"{go_print(found)} is of the type {go_type(found)}, expected {wanted}"
    return f"{_joined(steps)} accessor error: {shown}"


def _joined(steps: Any) -> str:
    return "".join(f".{step}" for step in steps)


def _steps(path: str) -> tuple[str, ...]:
    return tuple(filter(None, path.split(".")))
