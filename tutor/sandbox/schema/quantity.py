"""Quantities as the server reads and writes them: `1.5` is `1500m`, `1024Mi` is `1Gi`.

Text that is canonical enough is kept, as in Go, where the parser remembers it. All is integer
arithmetic: a number is an unscaled integer and a power of ten.

Source: k8s.io/apimachinery v0.36, pkg/api/resource.
"""

import re
from functools import lru_cache

from tutor.sandbox.schema.errors import DecodeError

_FORMAT = re.compile(r"([+-]?)0*([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[+-]?[0-9]*)")
_WRONG_FORMAT = (
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
)
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL_SUFFIX = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY_SUFFIX = {exponent: suffix for suffix, exponent in _BINARY.items()}
_NANO = -9
_MAX = 2**63 - 1
_MAX_DIGITS = 4000
"""Of a number Python would take; the server refuses far shorter ones by other limits."""


@lru_cache(maxsize=2048)
def canonical_quantity(text: str) -> str:
    """The text that the server answers with; raises `DecodeError` for what is no quantity."""
    if not text:
        raise DecodeError(_WRONG_FORMAT)
    found = _FORMAT.fullmatch(text)
    if not found:
        raise DecodeError(_WRONG_FORMAT)
    sign = -1 if found[1] == "-" else 1
    whole, fraction, suffix = found[2] or "0", found[3] or "", found[4]
    if len(whole) + len(fraction) > _MAX_DIGITS:
        raise DecodeError("unable to parse numeric part of quantity")
    if suffix in _BINARY:
        return _binary(text, sign, whole, fraction, _BINARY[suffix])
    return _decimal(text, sign, whole, fraction, suffix)


def _decimal(text: str, sign: int, whole: str, fraction: str, suffix: str) -> str:
    exponent = _DECIMAL[suffix] if suffix in _DECIMAL else _exponent(suffix)
    is_scientific = suffix not in _DECIMAL
    digits = whole + fraction
    scale = exponent - len(fraction)
    fits = len(digits) <= 18 and scale >= _NANO
    if fits and scale % 3 == 0 and not digits.endswith("000") and digits[0] != "0":
        return text
    value, scale = _rounded_up(int(digits), scale)
    return _write_decimal(sign * value, scale, is_scientific=is_scientific)


def _binary(text: str, sign: int, whole: str, fraction: str, exponent: int) -> str:
    number = int(whole)
    precision = 15 - len(whole) - exponent * 3 // 10 - 1
    if not fraction and precision >= 0:
        if number % 8:
            return text
        return _write_binary(sign * number * 2**exponent, 0)
    value, scale = _rounded_up(int(whole + fraction) * 2**exponent, -len(fraction))
    if scale >= 0 or value > _MAX * 10**-scale:
        value, scale = min(value * 10 ** max(scale, 0), _MAX), 0
    return _write_binary(sign * value, scale)


def _exponent(suffix: str) -> int:
    """The power of ten of `e3` and `E+3`; Go keeps 32 bits of it."""
    if not re.fullmatch(r"[eE][+-]?[0-9]{1,19}", suffix):
        raise DecodeError("unable to parse quantity's suffix")
    exponent = int(suffix[1:])
    if not -(2**63) <= exponent < 2**63:
        raise DecodeError("unable to parse quantity's suffix")
    return (exponent + 2**31) % 2**32 - 2**31


def _rounded_up(value: int, scale: int) -> tuple[int, int]:
    """No digit below the ninth decimal; what would vanish becomes one of those."""
    if value == 0 or scale >= _NANO:
        return value, scale
    excess = _NANO - scale
    if excess > len(str(value)):
        return 1, _NANO
    return -(-value // 10**excess), _NANO


def _write_binary(value: int, scale: int) -> str:
    unit = 10**-scale if scale < 0 else 1
    if value == 0:
        return "0"
    if -1024 * unit < value < 1024 * unit or value % unit:
        return _write_decimal(value, scale, is_scientific=False)
    value //= unit
    exponent = 0
    while value % 1024 == 0:
        value //= 1024
        exponent += 10
    return f"{value}{_BINARY_SUFFIX.get(exponent, '')}"


def _write_decimal(value: int, scale: int, *, is_scientific: bool) -> str:
    if value == 0:
        return "0"
    digits = str(value)
    bare = digits.rstrip("0")
    scale += len(digits) - len(bare)
    shift = scale % 3
    number, scale = bare + "0" * shift, scale - shift
    if is_scientific:
        return f"{number}e{scale}" if scale else number
    # Go has no suffix beyond E and writes the bare number then.
    return f"{number}{_DECIMAL_SUFFIX.get(scale, '')}"
