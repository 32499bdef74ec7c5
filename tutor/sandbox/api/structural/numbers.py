"""The checks of numbers: range of the type, multiple, minimum, maximum.

Source: kube-openapi (`pkg/validation/validate/{validator,values}.go`).
"""

from collections.abc import Callable, Sequence

from tutor.sandbox.api.status import FieldError, go_value, invalid
from tutor.sandbox.kinds import Object

NumberCheck = Callable[[int | float, str], list[FieldError]]

_EPSILON = 1e-9
_MAX_EXACT = 2**53 - 1
_INT32 = range(-(2**31), 2**31)
_INT64 = range(-(2**63), 2**63)
_FLOAT32_MAX = 3.4028235677973366e38


def checks_of(schema: Object, types: Sequence[str], format_: str) -> NumberCheck | None:
    """A function that lists what is wrong with a number; None when nothing can be."""
    limits = [schema.get(name) for name in ("multipleOf", "minimum", "maximum")]
    type_ = types[0] if len(types) == 1 else ""
    if type_ != "integer" and format_ != "float" and limits == [None] * 3:
        return None
    factor, least, most = limits

    def within(bound: float, what: str, path: str) -> list[FieldError]:
        return _out_of_range(bound, type_, format_, what, path)

    def check(value: float, path: str) -> list[FieldError]:
        found = _out_of_range(value, type_, format_, "Checked", path)
        if factor is not None:
            odd = within(factor, "MultipleOf", path)
            found += odd + _multiple(*_alike(value, factor, odd), path)
        if least is not None:
            odd = within(least, "Minimum boundary", path)
            number, bound = _alike(value, least, odd)
            strict = schema.get("exclusiveMinimum", False)
            found += odd
            if number < bound or (strict and number == bound):
                words = "greater than" if strict else "greater than or equal to"
                found.append(_wrong(number, path, f"{words} {go_value(bound)}"))
        if most is not None:
            odd = within(most, "Maximum boundary", path)
            number, bound = _alike(value, most, odd)
            strict = schema.get("exclusiveMaximum", False)
            found += odd
            if number > bound or (strict and number == bound):
                words = "less than" if strict else "less than or equal to"
                found.append(_wrong(number, path, f"{words} {go_value(bound)}"))
        return found

    return check


def _alike(value: float, bound: float, odd: list[FieldError]) -> tuple[float, float]:
    """Both as integers, the bound cut off, where the value is one and the bound may be such."""
    if isinstance(value, int) and not odd:
        return value, int(bound)
    return float(value), float(bound)


def _wrong(value: float, path: str, should: str) -> FieldError:
    at = path.removeprefix(".") or "<nil>"
    return invalid(at, value, f"{path} in body should be {should}")


def _multiple(value: float, factor: float, path: str) -> list[FieldError]:
    if factor <= 0:
        told = f"factor MultipleOf declared for {path} must be positive: {go_value(factor)}"
        return [invalid(path.removeprefix(".") or "<nil>", factor, told)]
    if isinstance(value, int):
        held = value % factor == 0
    else:
        held = _is_integral(1 / factor * value if factor < 1 else value / factor)
    if held:
        return []
    return [_wrong(value, path, f"a multiple of {go_value(factor)}")]


def _is_integral(number: float) -> bool:
    if abs(number) > _MAX_EXACT:
        return False
    whole = float(int(number))
    return number == whole or (
        whole != 0 and abs(number - whole) / (abs(number) + abs(whole)) < _EPSILON
    )


def _out_of_range(value: float, type_: str, format_: str, what: str, path: str) -> list[FieldError]:
    if type_ == "integer":
        fits = float(value).is_integer() and int(value) in (
            _INT32 if format_ == "int32" else _INT64
        )
    else:
        fits = format_ != "float" or abs(value) < _FLOAT32_MAX
    if fits:
        return []
    how = f"with format {format_}" if format_ else "(default format)"
    return [invalid("<nil>", "", f"{what} value must be of type {type_} {how} in {path}")]
