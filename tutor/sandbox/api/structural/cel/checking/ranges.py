"""Ranges of sizes and costs. Source: cel-go (`checker/cost.go`)."""

from math import ceil
from typing import NamedTuple

TRAVERSAL = 0.1
"""For each character of a text."""
REGEX = 0.25
"""For each character of a pattern."""
UNLIMITED = 2**64 - 1


class Range(NamedTuple):
    """Least and most of a size or cost; neither passes what 64 bits hold."""

    least: int
    most: int

    def plus(self, other: "Range") -> "Range":
        """The sum."""
        return Range(
            min(self.least + other.least, UNLIMITED), min(self.most + other.most, UNLIMITED)
        )

    def times(self, other: "Range") -> "Range":
        """The product."""
        return Range(
            min(self.least * other.least, UNLIMITED), min(self.most * other.most, UNLIMITED)
        )

    def scaled(self, factor: float) -> "Range":
        """The product with a factor, rounded up."""
        return Range(_scaled(self.least, factor), _scaled(self.most, factor))

    def with_(self, other: "Range") -> "Range":
        """What holds both."""
        return Range(min(self.least, other.least), max(self.most, other.most))


def _scaled(number: int, factor: float) -> int:
    product = ceil(float(number) * factor)
    return min(product, UNLIMITED)


UNKNOWN = Range(0, UNLIMITED)
NOTHING, ONE = Range(0, 0), Range(1, 1)


class CallCost(NamedTuple):
    """The cost of a call without that of its arguments, and the size of the result."""

    cost: Range
    size: Range | None = None
