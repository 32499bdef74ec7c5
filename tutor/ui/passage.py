"""Running text that is ready to be laid out: words with their style, and what stands before lines.

Values only: they can be made once and kept, and drawing them needs nothing that reads Markdown.
"""

from typing import NamedTuple


class Words(NamedTuple):
    """Some words that look the same. Styles are the interface library's: `bold $accent`."""

    text: str
    style: str = ""
    url: str = ""
    """What a click opens."""
    key: str = ""
    """The action whose key is shown in place of the text; a click does it."""


class Passage(NamedTuple):
    """A paragraph, an item of a list, a line of code."""

    words: tuple[Words, ...]
    first: tuple[Words, ...] = ()
    """Before its first line."""
    rest: tuple[Words, ...] = ()
    """Before its other lines; as wide as `first`."""
    ground: str = ""
    """A style for the whole of its lines."""
    wraps: bool = True
    above: tuple[Words, ...] | None = ()
    """On the empty line above it; None when there is none."""


Passages = tuple[Passage, ...]
