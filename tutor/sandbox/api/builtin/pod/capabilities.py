"""What the API server was told, when it was started, to let pods do.

Source: pkg/capabilities, and the flag `--allow-privileged`, which kind sets.
"""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

_privileged: ContextVar[bool] = ContextVar("privileged", default=True)


def privileged_allowed() -> bool:
    """Whether containers may be privileged."""
    return _privileged.get()


@contextmanager
def allowing_privileged(allowed: bool) -> Generator[None]:
    """Judge pods like a server with or without the flag."""
    token = _privileged.set(allowed)
    try:
        yield
    finally:
        _privileged.reset(token)
