"""JSON Patch (RFC 6902), with the leniencies of the library that the real server uses.

`replace` creates a field that is missing in an object that exists, negative indices count from
the end, and `test` for null holds for a missing field. Source: evanphx/json-patch v4.
"""

import json
import re
from typing import Any

from tutor.sandbox.api.values import fresh, is_list, is_map
from tutor.sandbox.kinds import Object
from tutor.sandbox.schema.depth import MAX_DEPTH, depth_of

_INDEX = re.compile(r"[+-]?[0-9]{1,18}")
_MAX_COPIED = 3 * 1024 * 1024
"""Characters, of everything that one patch copies: copies of copies double what there is."""


class NotApplicable(ValueError):
    """The operations do not fit the document; the server does not tell why."""


def apply(document: Object, operations: list[dict[str, Any]]) -> Object:
    """Carry the operations out on a copy, in order.

    Raises:
        NotApplicable: one of them does not fit; none has been carried out.
    """
    root: Any = fresh(document)
    bounds = _Bounds()
    for operation in operations:
        root = _one(root, operation, bounds)
    if not is_map(root):
        raise NotApplicable("the document is no object any more")
    return root


class _Bounds:
    """How much a patch may copy, and how deep what it puts somewhere may reach."""

    def __init__(self) -> None:
        self._copied = 0

    def copy(self, value: Any) -> Any:
        """A copy of a value; raises `NotApplicable` when it is the one too many."""
        self._copied += len(json.dumps(value, separators=(",", ":")))
        if self._copied > _MAX_COPIED:
            raise NotApplicable("the accumulated size increase of copy exceeds the limit")
        return fresh(value)

    def put(self, value: Any, path: list[str]) -> Any:
        """A value that may be put there; raises `NotApplicable` when it would be too deep."""
        if len(path) + depth_of(value) > MAX_DEPTH:
            raise NotApplicable("exceeded max depth")
        return value


def _one(root: Any, operation: dict[str, Any], bounds: _Bounds) -> Any:
    path = _pointer(operation, "path")
    match operation.get("op"):
        case "add":
            _add(root, path, fresh(bounds.put(operation.get("value"), path)))
        case "remove":
            _remove(root, path)
        case "replace" if not path:
            return fresh(operation.get("value"))
        case "replace":
            _replace(root, path, fresh(bounds.put(operation.get("value"), path)))
        case "move":
            origin = _pointer(operation, "from")
            value = _get(root, origin)
            _remove(root, origin)
            _add(root, path, bounds.put(value, path))
        case "copy":
            value = bounds.copy(_get(root, _pointer(operation, "from")))
            _add(root, path, bounds.put(value, path))
        case "test":
            if not _same(_get(root, path) if path else root, operation.get("value")):
                raise NotApplicable(f"testing value {operation['path']} failed")
        case unknown:
            raise NotApplicable(f"Unexpected kind: {unknown}")
    return root


def _pointer(operation: dict[str, Any], field: str) -> list[str]:
    """The unescaped steps; none for the whole document."""
    text = operation.get(field)
    if not isinstance(text, str):
        raise NotApplicable(f"operation missing {field} field")
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def _container(root: Any, path: list[str]) -> Any:
    if not path:
        raise NotApplicable("doc is missing path")
    value = root
    for step in [None, *path[:-1]]:
        value = value if step is None else _child(value, step)
        if not is_map(value) and not is_list(value):
            raise NotApplicable(f"doc is missing path: {'/'.join(path)}")
    return value


def _child(container: Any, step: str) -> Any:
    if is_map(container):
        return container.get(step)
    return container[_index(step, len(container), len(container) - 1)]


def _index(step: str, size: int, last: int) -> int:
    if not _INDEX.fullmatch(step):
        raise NotApplicable(f"value was not a proper array index: '{step}'")
    index = int(step)
    if not -size <= index <= last:
        raise NotApplicable(f"Unable to access invalid index: {index}")
    return index + size if index < 0 else index


def _get(root: Any, path: list[str]) -> Any:
    return _child(_container(root, path), path[-1])


def _add(root: Any, path: list[str], value: Any) -> None:
    container, step = _container(root, path), path[-1]
    if is_map(container):
        container[step] = value
    elif step == "-":
        container.append(value)
    else:
        size = len(container)
        container.insert(_index(step, size + 1, size), value)


def _remove(root: Any, path: list[str]) -> None:
    container, step = _container(root, path), path[-1]
    if not is_map(container):
        del container[_index(step, len(container), len(container) - 1)]
    elif step in container:
        del container[step]
    else:
        raise NotApplicable(f"Unable to remove nonexistent key: {step}")


def _replace(root: Any, path: list[str], value: Any) -> None:
    container, step = _container(root, path), path[-1]
    if is_map(container):
        container[step] = value
    else:
        container[_index(step, len(container), len(container) - 1)] = value


def _same(left: Any, right: Any) -> bool:
    """Equal as JSON: true is not 1, and numbers compare by value."""
    if is_map(left) and is_map(right):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    if is_list(left) and is_list(right):
        return len(left) == len(right) and all(map(_same, left, right))
    return isinstance(left, bool) is isinstance(right, bool) and left == right
