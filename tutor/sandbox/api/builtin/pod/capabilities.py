"""What the API server was told, when it was started, to let pods do.

Source: pkg/capabilities, and the flag `--allow-privileged`, which kind sets.
"""

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar

_privileged: ContextVar[bool] = ContextVar("privileged", default=True)
_AS_IT_IS = nullcontext()


def privileged_allowed() -> bool:
    """Whether containers may be privileged."""
    return _privileged.get()


def allowing_privileged(allowed: bool) -> AbstractContextManager[None]:
    """Judge pods like a server with or without the flag."""
    # Every write of every kind asks, most of them of a server that has the flag.
    return _AS_IT_IS if allowed == privileged_allowed() else _changed(allowed)


@contextmanager
def _changed(allowed: bool) -> Generator[None]:
    token = _privileged.set(allowed)
    try:
        yield
    finally:
        _privileged.reset(token)
