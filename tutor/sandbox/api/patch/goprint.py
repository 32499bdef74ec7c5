"""Values as Go's `%v` prints them, which is how some complaints quote a patch."""

from typing import Any

from tutor.sandbox.api.status import go_float
from tutor.sandbox.api.values import is_list, is_map

_KINDS = {
    type(None): "<nil>",
    bool: "bool",
    int: "int64",
    float: "float64",
    str: "string",
    dict: "map[string]interface {}",
    list: "[]interface {}",
}


def go_print(value: Any) -> str:
    """`map[a:1 b:<nil> c:[x y]]`, keys in order."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return go_float(value)
    if is_map(value):
        fields = (f"{key}:{go_print(value[key])}" for key in sorted(value))
        return f"map[{' '.join(fields)}]"
    if is_list(value):
        return f"[{' '.join(map(go_print, value))}]"
    return str(value)


def go_type(value: Any) -> str:
    """The name of the Go type that holds the value once it is read from JSON."""
    return _KINDS[type(value)]
