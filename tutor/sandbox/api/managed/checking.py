"""Whether a configuration fits its type, in the words of the real server.

Source: structured-merge-diff (`typed/validate.go`, `typed/helpers.go`).
"""

from collections.abc import Iterator
from typing import Any

from tutor.sandbox.api.managed.elements import field_element, shown
from tutor.sandbox.api.managed.shape import BadItem, Shape
from tutor.sandbox.api.patch.goprint import go_print, go_type
from tutor.sandbox.api.status import go_float, go_quote
from tutor.sandbox.api.values import is_list, is_map
from tutor.sandbox.kinds import Object

_Fault = tuple[str, str]
"""Path and what is wrong there."""


def complaint(config: Object, shape: Shape) -> str:
    """Why the configuration is none of its kind, empty when it is."""
    found = [f"{path}: {why}" if path else why for path, why in _check(config, shape)]
    if len(found) <= 1:
        return "".join(found)
    return "\n".join(["errors:", *(f"  {text}" for text in found)])


def _check(value: Any, shape: Shape) -> Iterator[_Fault]:
    node = shape.node
    if node is None or shape.kind == "any":
        return
    match node.shape:
        case "scalar":
            if why := _check_scalar(value, node.scalar):
                yield "", why
        case "list":
            yield from _check_list(value, shape)
        case _ if value is not None and not is_map(value):
            yield "", f"expected map, got &{{{go_print(value)}}}"
        case "map" if node.element is None:
            return
        case _:
            yield from _check_map(value or {}, shape)


def _check_scalar(value: Any, scalar: str) -> str:
    if value is None:
        return ""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    match scalar:
        case "numeric" if not is_number:
            return f"expected numeric (int or float), got {go_type(value)}"
        case "string" if not isinstance(value, str):
            return f"expected string, got &value.valueUnstructured{{Value:{_syntax(value)}}}"
        case "boolean" if not isinstance(value, bool):
            return f"expected boolean, got &{{{go_print(value)}}}"
        case "untyped" if is_map(value) or is_list(value):
            return f"expected any scalar, got &{{{go_print(value)}}}"
        case _:
            return ""


def _check_list(value: Any, shape: Shape) -> Iterator[_Fault]:
    if value is None:
        return
    if not is_list(value):
        yield "", f"expected list, got &{{{go_print(value)}}}"
        return
    seen: set[str] = set()
    for at, item in enumerate(value):
        element = f"i:{at}"
        if shape.kind != "leaf":
            try:
                element = shape.item(item)
            except BadItem as error:
                yield "", f"element {at}: {error}"
                return
            if element in seen:
                yield "", f"duplicate entries for key {shown(element)}"
            seen.add(element)
        yield from _inside(element, item, shape.element)


def _check_map(value: Object, shape: Shape) -> Iterator[_Fault]:
    for name, inner in value.items():
        if not shape.knows(name):
            yield f".{name}", "field not declared in schema"
            return
        yield from _inside(field_element(name), inner, shape.field(name))


def _inside(element: str, value: Any, shape: Shape) -> Iterator[_Fault]:
    for path, why in _check(value, shape):
        yield shown(element) + path, why


def _syntax(value: Any) -> str:
    """A value as Go's `%#v` prints it."""
    if value is None:
        return "interface {}(nil)"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return go_quote(value)
    if isinstance(value, float):
        return go_float(value)
    if is_map(value):
        pairs = (f"{go_quote(name)}:{_syntax(value[name])}" for name in sorted(value))
        return f"map[string]interface {{}}{{{', '.join(pairs)}}}"
    if is_list(value):
        return f"[]interface {{}}{{{', '.join(map(_syntax, value))}}}"
    return str(value)
