"""Stylesheets that were parsed before: parsing is a twentieth of the way to the first picture."""

import os
import pickle
import sys
from contextlib import suppress
from pathlib import Path

from textual.css import stylesheet
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.css.types import CSSLocation

from tutor.course import shelf

_Place = tuple[CSSLocation, bool, int, str]
"""Where rules come from, and what else they depend on besides their text and the variables."""


class KeptStylesheet(Stylesheet):
    """The library's, which parses only what it has not parsed before with these variables."""

    def __init__(self, file: Path | None, variables: dict[str, str]) -> None:
        """`file` is where to keep what was parsed; None for nowhere."""
        super().__init__(variables=variables)
        self._file = file
        self._kept: dict[_Place, tuple[str, bytes]] | None = None
        """Texts, and the rules in them, apart: few of them are shown at once."""
        self._known: dict[_Place, tuple[str, list[RuleSet]]] = {}
        self._has_news = False

    def set_variables(self, variables: dict[str, str]) -> None:
        """Parse all with other variables from now on."""
        if variables != self._variables:
            self._kept, self._known = None, {}
        super().set_variables(variables)

    def reparse(self) -> None:
        """Read the rules again; those that are known are not parsed again."""
        self.parse()

    def keep(self) -> None:
        """Keep what was parsed, for the next start."""
        if self._file is not None and self._has_news:
            self._has_news = False
            # What cannot be kept is parsed again the next time.
            with suppress(OSError):
                shelf.keep(self._file, self._key(), self._kept)

    def _parse_rules(
        self,
        css: str,
        read_from: CSSLocation,
        is_default_rules: bool = False,
        tie_breaker: int = 0,
        scope: str = "",
    ) -> list[RuleSet]:
        place = read_from, is_default_rules, tie_breaker, scope
        text, rules = self._known.get(place, ("", []))
        if text != css:
            rules = self._before(place, css)
            if rules is None:
                rules = super()._parse_rules(css, read_from, is_default_rules, tie_breaker, scope)
                self._note(place, css, rules)
            self._known[place] = css, rules
        return rules

    def _before(self, place: _Place, css: str) -> list[RuleSet] | None:
        text, rules = self._from_file().get(place, ("", b""))
        return pickle.loads(rules) if text == css else None  # noqa: S301 - written by `_note`

    def _note(self, place: _Place, css: str, rules: list[RuleSet]) -> None:
        if self._file is not None and not any(rule.errors for rule in rules):
            self._from_file()[place] = css, pickle.dumps(rules, pickle.HIGHEST_PROTOCOL)
            self._has_news = True

    def _from_file(self) -> dict[_Place, tuple[str, bytes]]:
        kept = self._kept
        if kept is None:
            content = shelf.kept(self._file, self._key()) if self._file else None
            kept = self._kept = pickle.loads(content) if content else {}  # noqa: S301 - by `keep`
        return kept

    def _key(self) -> bytes:
        """What rules depend on besides their texts: the variables, and what parses them."""
        parts = [sys.version, repr(self._variables)]
        with os.scandir(Path(stylesheet.__file__).parent) as files:
            found = sorted((each.name, each.stat()) for each in files if each.is_file())
        parts += (f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat in found)
        return "\n".join(parts).encode()
