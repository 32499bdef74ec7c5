"""Resource quantities: reading, comparing, adding and writing them as the server does.

Source: Kubernetes' apimachinery, `api/resource/quantity.go`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_UP, Decimal, localcontext
from typing import Literal

Form = Literal["DecimalSI", "BinarySI", "DecimalExponent"]

_SHAPE = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+))(?:([eE][+-]?\d+)|(n|u|m|k|[KMGTPE]i?)?)")
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_DECIMAL_SUFFIX = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY_SUFFIX = {power: suffix for suffix, power in _BINARY.items()}
_DIGITS = 60
"""More than any quantity has, so that no sum or product is rounded."""
_ENDLESS = 40
"""A power of ten beyond anything: `1e999999999` must not become that many digits."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number and the form in which it is written."""

    amount: Decimal
    form: Form = "DecimalSI"

    def __lt__(self, other: "Quantity") -> bool:
        return self.amount < other.amount

    def __le__(self, other: "Quantity") -> bool:
        return self.amount <= other.amount

    def __gt__(self, other: "Quantity") -> bool:
        return self.amount > other.amount

    def __add__(self, other: "Quantity") -> "Quantity":
        # A sum is written as its first term is, unless that is nothing.
        form = self.form if self.amount else other.form
        with localcontext(prec=_DIGITS):
            return Quantity(self.amount + other.amount, form)

    def __sub__(self, other: "Quantity") -> "Quantity":
        form = self.form if self.amount else other.form
        with localcontext(prec=_DIGITS):
            return Quantity(self.amount - other.amount, form)

    @property
    def value(self) -> int:
        """The next whole number."""
        return int(self.amount.to_integral_value(rounding=ROUND_CEILING))

    @property
    def milli_value(self) -> int:
        """The next whole number of thousandths."""
        with localcontext(prec=_DIGITS):
            return int((self.amount * 1000).to_integral_value(rounding=ROUND_CEILING))

    def rounded_up(self, exponent: int) -> "Quantity":
        """The same with no digits below ten to this power."""
        with localcontext(prec=_DIGITS):
            return Quantity(self.amount.quantize(Decimal(1).scaleb(exponent), ROUND_UP), self.form)

    def __str__(self) -> str:
        if not self.amount:
            return "0"
        if self.form == "BinarySI" and abs(self.amount) >= 1024:
            return _binary(self.amount)
        mantissa, exponent = _thousands(self.amount)
        if self.form == "DecimalExponent":
            return f"{mantissa}e{exponent}" if exponent else str(mantissa)
        return f"{mantissa}{_DECIMAL_SUFFIX[exponent]}"


ZERO = Quantity(Decimal(0))


def _binary(amount: Decimal) -> str:
    whole = int(amount.to_integral_value(rounding=ROUND_UP))
    power = 0
    while whole % 1024 == 0 and power < max(_BINARY_SUFFIX):
        whole //= 1024
        power += 1
    return f"{whole}{_BINARY_SUFFIX.get(power, '')}"


def _thousands(amount: Decimal) -> tuple[int, int]:
    """The number as an integer times a power of ten that is a multiple of three, -9 to 18."""
    with localcontext(prec=_DIGITS):
        exponent = -9
        mantissa = int((amount.scaleb(9)).to_integral_value(rounding=ROUND_UP))
    while mantissa % 1000 == 0 and exponent < max(_DECIMAL_SUFFIX):
        mantissa //= 1000
        exponent += 3
    return mantissa, exponent


def parse(written: str | float) -> Quantity:
    """Read a quantity. Raises `ValueError` when it is none."""
    found = _SHAPE.fullmatch(str(written))
    if not found:
        raise ValueError(written)
    digits, power, suffix = found.groups()
    with localcontext(prec=_DIGITS):
        amount = Decimal(digits)
        form: Form = "DecimalSI"
        if power:
            exponent = max(-_ENDLESS, min(int(power[1:]), _ENDLESS))
            amount, form = amount.scaleb(exponent), "DecimalExponent"
        elif suffix in _BINARY:
            amount, form = amount * 1024 ** _BINARY[suffix], "BinarySI"
        else:
            amount = amount.scaleb(_DECIMAL[suffix or ""])
        endless = Decimal(1).scaleb(_ENDLESS)
        amount = max(-endless, min(amount, endless))
        nano = Decimal("1e-9")
        if amount != amount.quantize(nano, ROUND_UP):
            amount = amount.quantize(nano, ROUND_UP)
        return Quantity(amount, form)


def canonical(written: str | float) -> str:
    """The one way to write a quantity: `0.5` becomes `500m`, `1024Mi` becomes `1Gi`."""
    return str(parse(written))


def parse_all(written: Mapping[str, str]) -> dict[str, Quantity]:
    """A resource list, read."""
    return {name: parse(value) for name, value in written.items()}
