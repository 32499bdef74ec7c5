"""Gives back memory that was needed for a moment: the C library keeps what was freed."""

import asyncio
import ctypes
from collections.abc import Callable

_EVERY_S = 10.0


def trimmer() -> Callable[[], None]:
    """What gives freed memory back to the system; does nothing where the C library has no such."""
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError):
        return lambda: None
    return lambda: trim(0)


async def trim_forever() -> None:
    """Give memory back now and then."""
    trim = trimmer()
    while True:
        await asyncio.sleep(_EVERY_S)
        trim()
