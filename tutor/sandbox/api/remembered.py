"""What was worked out for things that are slow to compare, found again by their identity."""

from collections.abc import Callable
from typing import Generic, TypeVar

_MOST = 64
_K = TypeVar("_K")
_V = TypeVar("_V")


class Remembered(Generic[_K, _V]):
    """A function that works out each value once, as long as the same object asks for it.

    Objects are held here, so nothing else can come to be at their address.
    """

    def __init__(self, work_out: Callable[[_K], _V]) -> None:
        self._work_out = work_out
        self._known: dict[int, tuple[_K, _V]] = {}

    def __call__(self, thing: _K) -> _V:
        """What belongs to this object."""
        known = self._known.get(id(thing))
        if known is None:
            if len(self._known) >= _MOST:
                self._known.clear()
            known = self._known[id(thing)] = (thing, self._work_out(thing))
        return known[1]
