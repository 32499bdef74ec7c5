"""Markdown as it was read before, or is read now: what reads it is loaded for new texts alone."""

import pickle
from collections.abc import Iterable, Mapping
from pathlib import Path

from tutor.ui.passage import Passages

Read = Mapping[str, bytes]
"""Texts, and what was read of each: apart, because few are shown at once."""

SOURCES = tuple(
    Path(__file__).with_name(f"{name}.py")
    for name in ("highlighting", "markdown", "passage", "reading")
)
"""What the reading depends on."""

_before: dict[str, bytes] = {}


def passages(text: str) -> Passages:
    """All of a text, top to bottom."""
    if not text:
        return ()
    if (kept := _before.get(text)) is not None:
        return pickle.loads(kept)  # noqa: S301 - made by `read_all`, kept by the shelf
    from tutor.ui.markdown import passages as read  # noqa: PLC0415 - as above

    return read(text)


def read_all(texts: Iterable[str]) -> Read:
    """Read texts, to be kept."""
    return {each: pickle.dumps(passages(each), pickle.HIGHEST_PROTOCOL) for each in texts}


def remember(read: Read) -> None:
    """Read these texts never again."""
    _before.update(read)
