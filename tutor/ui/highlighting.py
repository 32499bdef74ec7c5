"""Code in the colours of its language."""

from collections.abc import Iterator
from itertools import pairwise

from textual.content import Content
from textual.highlight import highlight

from tutor.ui.passage import Words


def coloured(code: str, language: str | None) -> Iterator[tuple[Words, ...]]:
    """Its lines. Without a language it is guessed."""
    for line in highlight(code, language=language).split():
        yield tuple(_stretches(line))


def _stretches(line: Content) -> Iterator[Words]:
    """Each stretch with the last style that is laid over it."""
    edges = sorted({0, len(line), *(at for span in line.spans for at in span[:2])})
    for start, end in pairwise(edges):
        over = [span.style for span in line.spans if span.start <= start and end <= span.end]
        yield Words(line.plain[start:end], str(over[-1]) if over else "")
