"""Which of the words that there are somebody may have meant."""

import difflib
from collections.abc import Iterable


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """`: did you mean `x`?`, or nothing when no word is near."""
    near = difflib.get_close_matches(word, list(words), n=1, cutoff=0.6)
    return f": did you mean `{near[0]}`?" if near else ""
