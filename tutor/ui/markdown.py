"""Reads Markdown. What is drawn of it is in `passage`."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tutor.course.keynames import named_action
from tutor.ui.passage import Passage, Passages, Words

CODE = "$accent"
QUOTED = "$quiet"
_BAR = Words("▌ ", "$border-blurred")
_BULLETS = "•◦▪"
_HEADING = "bold $primary"
_RULE_COLUMNS = 24

_parser = MarkdownIt("commonmark").enable("table")


def passages(text: str) -> Passages:
    """All of a text, top to bottom."""
    return tuple(_Reader(_parser.parse(text)).passages())


@dataclass(slots=True)
class _Margin:
    """What one list item or quotation puts before its lines."""

    first: Words
    rest: Words
    begun: bool = False


@dataclass(slots=True)
class _Reader:
    tokens: Sequence[Token]
    margins: list[_Margin] = field(default_factory=list[_Margin])
    lists: int = 0
    """How many lists the reader is in."""
    follows: bool = False
    """Whether a list has begun, so that its next item stands close to the one before."""

    heading: bool = False
    rows: list[list[tuple[Words, ...]]] = field(default_factory=list[list[tuple[Words, ...]]])
    """Of the table that is being read."""

    def passages(self) -> Iterator[Passage]:
        for token in self.tokens:
            if token.nesting:
                yield from self._enclose(token)
            else:
                yield from self._take(token)

    def _enclose(self, token: Token) -> Iterator[Passage]:
        """The beginning or the end of something that has other things in it."""
        match token.type:
            case "blockquote_open":
                self.margins.append(_Margin(_BAR, _BAR))
            case "list_item_open":
                self.margins.append(self._item(token.info))
            case "blockquote_close" | "list_item_close":
                self.margins.pop()
            case "bullet_list_open" | "bullet_list_close":
                self._count_list(token.nesting)
            case "ordered_list_open" | "ordered_list_close":
                self._count_list(token.nesting)
            case "heading_open":
                self.heading = True
            case "tr_open":
                self.rows.append([])
            case "table_close":
                yield from self._table()
                self.rows.clear()
            case _:
                pass

    def _count_list(self, by: int) -> None:
        inside = min(self.lists, self.lists + by)
        self.lists += by
        self.follows = self.follows and inside > 0

    def _take(self, token: Token) -> Iterator[Passage]:
        match token.type:
            case "inline" if self.rows:
                self.rows[-1].append(_inline(token.children or ()))
            case "inline":
                words = _inline(token.children or (), _HEADING if self.heading else "")
                yield self._placed(words, close=self.follows)
                self.heading, self.follows = False, self.lists > 0
            case "fence" | "code_block":
                yield from self._code(token)
            case "html_block":
                yield self._placed((Words(token.content.strip()),))
            case "hr":
                yield self._placed((Words("─" * _RULE_COLUMNS, "$border-blurred"),))
            case _:
                pass

    def _item(self, number: str) -> _Margin:
        bullet = _BULLETS[min(self.lists, len(_BULLETS)) - 1]
        mark = f"{number}. " if number else f"{bullet} "
        return _Margin(Words(mark), Words(" " * len(mark)))

    def _placed(
        self, words: tuple[Words, ...], *, close: bool = False, ground: str = "", wraps: bool = True
    ) -> Passage:
        above = tuple(each.rest for each in self.margins if each.begun)
        first = tuple(each.rest if each.begun else each.first for each in self.margins)
        for each in self.margins:
            each.begun = True
        rest = tuple(each.rest for each in self.margins)
        if _BAR in rest:
            words = tuple(each._replace(style=each.style or QUOTED) for each in words)
        return Passage(words, first, rest, ground, wraps, None if close else above)

    def _code(self, token: Token) -> Iterator[Passage]:
        from tutor.ui.highlighting import coloured  # noqa: PLC0415 - loads lexers, for this alone

        language = token.info.split(" ")[0] or None
        for number, line in enumerate(coloured(token.content.rstrip("\n"), language)):
            words = (Words(" "), *line, Words(" "))
            yield self._placed(words, close=number > 0, ground="on $surface", wraps=False)

    def _table(self) -> Iterator[Passage]:
        """Columns as wide as what is in them; a row that has no room goes on below itself."""
        columns = zip(*self.rows, strict=True)
        widths = [max(_length(cell) for cell in column) for column in columns]
        for number, row in enumerate(self.rows):
            words: list[Words] = []
            for cell, width in zip(row, widths, strict=True):
                words += (
                    [each._replace(style=f"bold {each.style}") for each in cell]
                    if (number == 0)
                    else cell
                )
                words.append(Words(" " * (width - _length(cell) + 2)))
            yield self._placed(tuple(words[:-1]), close=number > 0)


def _length(words: Iterable[Words]) -> int:
    return sum(len(each.text) for each in words)


_STYLES = {"strong_open": "bold", "em_open": "italic", "s_open": "strike"}


def _inline(tokens: Iterable[Token], style: str = "") -> tuple[Words, ...]:
    words: list[Words] = []
    styles = [style] if style else []
    url = action = ""
    for token in tokens:
        now = " ".join(styles)
        match token.type:
            case "softbreak":
                words.append(Words(" ", now, url))
            case "hardbreak":
                words.append(Words("\n"))
            case "code_inline":
                words.append(Words(token.content, f"{now} {CODE}".strip(), url))
            case "strong_open" | "em_open" | "s_open":
                styles.append(_STYLES[token.type])
            case "link_open":
                url = str(token.attrs.get("href", ""))
                action = named_action(url)
                styles.append("bold $primary" if action else "underline $primary")
            case "strong_close" | "em_close" | "s_close":
                styles.pop()
            case "link_close":
                url = action = ""
                styles.pop()
            case _:
                words.append(Words(token.content, now, "" if action else url, action))
    return tuple(each for each in words if each.text)
