"""What a typed line runs, as far as a reader of it can tell. Pure; nothing is expanded or run.

Source: POSIX.1-2017, Shell Command Language, sections 2.2 (quoting), 2.3 (tokens), 2.9 (commands).
"""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import NamedTuple


class Command(NamedTuple):
    """One program with its arguments, quotes taken off."""

    program: str
    """Without its folder."""
    args: tuple[str, ...]
    assigned: tuple[str, ...]
    """The values of `A=b` in front of it."""
    has_own_input: bool
    """It is given a here-document or here-string."""
    writes_to_file: bool


Pipeline = tuple[Command, ...]


class _Token(NamedTuple):
    kind: str
    """`word` or `operator`."""
    text: str
    is_quoted: bool = False


_OPERATORS = (
    "&>>", "<<-", "<<<", "&&", "||", "|&", ";;", "<<", ">>", "<&", ">&", "&>", "<>", ">|",
    "|", "&", ";", "(", ")", "<", ">", "\n",
)  # fmt: skip
_REDIRECTIONS = frozenset({"<", ">", ">>", "<<", "<<-", "<<<", "<&", ">&", "&>", "&>>", "<>", ">|"})
_PIPES = frozenset({"|", "|&"})
_GO_ON = _PIPES | {"&&", "||"}
"""After these, a new line does not end a command."""
_ENDS = frozenset({"\n", ";", "&", ";;", "(", ")", *_GO_ON})
"""After these, the next word may open or close something."""
_OPEN = frozenset({"{", "if", "case", "for", "while", "until", "select"})
_CLOSE = frozenset({"}", "fi", "esac", "done"})
_OPENING = frozenset({"!", "{", "if", "then", "else", "elif", "while", "until", "do", "time"})
_NOT_COMMANDS = frozenset({"for", "case", "select", "function", "done", "fi", "esac", "}", "in"})
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=")
_WRAPPERS = {
    "builtin": 0,
    "command": 0,
    "env": 0,
    "exec": 0,
    "nice": 0,
    "nohup": 0,
    "stdbuf": 0,
    "sudo": 0,
    "time": 0,
    "timeout": 1,
}
"""Programs that run another one, and how many of their own arguments come before it."""


def parse_line(text: str) -> tuple[Pipeline, ...]:
    """The pipelines of a typed text, first to last.

    What stands in `$(…)`, backquotes and here-documents stays text: it is not run by itself.
    """
    pipelines: list[Pipeline] = []
    members: list[Command] = []
    simple: list[_Token] = []
    for token in [*_tokens(text), _Token("operator", "\n")]:
        if token.kind == "word" or token.text in _REDIRECTIONS:
            simple.append(token)
            continue
        if (command := _command(simple)) is not None:
            members.append(command)
        simple = []
        if token.text not in _PIPES and members:
            pipelines.append(tuple(members))
            members = []
    return tuple(pipelines)


def split_commands(text: str) -> tuple[str, ...]:
    """The commands of a text as a person would give them to a shell, one after the other.

    A here-document, and everything between `if` and `fi` and the like, belongs to its command.
    """
    # A line end after a backslash ends nothing; what takes its place has its length.
    scanner = _Scanner(text.replace("\\\n", "  "))
    commands: list[str] = []
    start = depth = 0
    last = "\n"
    while (token := scanner.next()) is not None:
        is_word = token.kind == "word"
        depth = max(0, depth + _opens(token, at_start=last in _ENDS))
        if token.text == "\n" and not is_word:
            if last in _GO_ON:
                continue
            if depth == 0:
                commands.append(text[start : scanner.at])
                start = scanner.at
        introduces = is_word and not token.is_quoted and token.text in _OPENING
        last = "\n" if introduces else "" if is_word else token.text
    commands.append(text[start:])
    return tuple(stripped for each in commands if (stripped := each.strip("\n")).strip())


def _opens(token: _Token, *, at_start: bool) -> int:
    """1 for what opens a compound command, -1 for what closes one."""
    if token.kind == "operator":
        return (token.text == "(") - (token.text == ")")
    if not at_start or token.is_quoted:
        return 0
    return (token.text in _OPEN) - (token.text in _CLOSE)


def _command(tokens: list[_Token]) -> Command | None:
    words, redirections = _without_redirections(tokens)
    plain = list(words)
    while plain and not plain[0].is_quoted and plain[0].text in _OPENING:
        plain.pop(0)
    if plain and not plain[0].is_quoted and plain[0].text in _NOT_COMMANDS:
        return None
    texts = [word.text for word in plain]
    rest = _unwrapped(texts)
    if not rest or not rest[0]:
        return None
    return Command(
        program=PurePosixPath(rest[0]).name or rest[0],
        args=tuple(rest[1:]),
        assigned=tuple(
            word.partition("=")[2]
            for word in texts[: len(texts) - len(rest)]
            if _ASSIGNMENT.match(word)
        ),
        has_own_input=bool(redirections & {"<<", "<<-", "<<<"}),
        writes_to_file=bool(redirections & {">", ">>", "&>", "&>>", ">|"}),
    )


def _without_redirections(tokens: list[_Token]) -> tuple[list[_Token], set[str]]:
    """The words, and which redirections stand between them, of standard output or input."""
    words: list[_Token] = []
    found: set[str] = set()
    skip = False
    for token in tokens:
        if token.kind == "operator":
            of_errors = bool(words) and words[-1].text == "2" and not words[-1].is_quoted
            if words and words[-1].text.isdigit() and token.text not in {"&>", "&>>"}:
                words.pop()
            if not of_errors:
                found.add(token.text)
            skip = True
        elif skip:
            skip = False
        else:
            words.append(token)
    return words, found


def _unwrapped(words: list[str]) -> list[str]:
    """Without `A=b` in front, `env`, `sudo` and the like."""
    while words:
        if _ASSIGNMENT.match(words[0]):
            words = words[1:]
            continue
        own = _WRAPPERS.get(PurePosixPath(words[0]).name)
        if own is None:
            return words
        words = words[1:]
        while words and (words[0].startswith("-") or _ASSIGNMENT.match(words[0])):
            words = words[1:]
        words = words[own:]
    return words


def _tokens(text: str) -> Iterator[_Token]:
    scanner = _Scanner(text.replace("\\\n", ""))
    while (token := scanner.next()) is not None:
        yield token


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._heredocs: list[str] = []
        self._awaits_delimiter = False

    @property
    def at(self) -> int:
        """How far the text is read."""
        return self._at

    def next(self) -> _Token | None:
        """The next token, or None at the end."""
        self._skip_blanks()
        if self._at >= len(self._text):
            return None
        for operator in _OPERATORS:
            if self._text.startswith(operator, self._at):
                return self._operator(operator)
        token = self._word()
        if self._awaits_delimiter:
            self._heredocs.append(token.text)
            self._awaits_delimiter = False
        return token

    def _skip_blanks(self) -> None:
        text = self._text
        while self._at < len(text) and text[self._at] in " \t\r":
            self._at += 1
        if text.startswith("#", self._at):
            end = text.find("\n", self._at)
            self._at = len(text) if end < 0 else end

    def _operator(self, operator: str) -> _Token:
        self._at += len(operator)
        self._awaits_delimiter = operator in {"<<", "<<-"}
        if operator == "\n":
            self._skip_heredocs()
        return _Token("operator", operator)

    def _skip_heredocs(self) -> None:
        for delimiter in self._heredocs:
            while self._at < len(self._text):
                end = self._text.find("\n", self._at)
                end = len(self._text) if end < 0 else end
                line = self._text[self._at : end]
                self._at = end + 1
                if line.strip("\t") == delimiter:
                    break
        self._heredocs.clear()

    def _word(self) -> _Token:
        parts: list[str] = []
        start = self._at
        while self._at < len(self._text) and self._text[self._at] not in " \t\r\n|&;<>()":
            parts.append(self._piece())
        is_quoted = "".join(parts) != self._text[start : self._at]
        return _Token("word", "".join(parts), is_quoted)

    def _piece(self) -> str:
        """One character, or one quoted or substituted stretch, as the program will see it."""
        text, at = self._text, self._at
        char = text[at]
        if char == "\\":
            self._at += 2
            return text[at + 1 : at + 2]
        if char == "'":
            return self._until("'", at + 1)
        if text.startswith("$'", at):
            return self._until("'", at + 2)
        if char == '"':
            return self._double_quoted()
        if char == "`":
            return f"`{self._until('`', at + 1)}`"
        if text.startswith(("$(", "${"), at):
            return self._substitution()
        self._at += 1
        return char

    def _until(self, quote: str, start: int) -> str:
        end = self._text.find(quote, start)
        end = len(self._text) if end < 0 else end
        self._at = end + 1
        return self._text[start:end]

    def _double_quoted(self) -> str:
        self._at += 1
        parts: list[str] = []
        while self._at < len(self._text) and self._text[self._at] != '"':
            pair = self._text[self._at : self._at + 2]
            if pair[0] == "\\" and pair[1:] in {'"', "\\", "$", "`"}:
                parts.append(pair[1:])
                self._at += 2
            elif pair in {"$(", "${"}:
                parts.append(self._substitution())
            else:
                parts.append(pair[0])
                self._at += 1
        self._at += 1
        return "".join(parts)

    def _substitution(self) -> str:
        """`$(…)` or `${…}`, whole, with what is nested in it."""
        start = self._at
        opening, closing = ("(", ")") if self._text[start + 1] == "(" else ("{", "}")
        depth = 0
        self._at += 1
        while self._at < len(self._text):
            char = self._text[self._at]
            if char == "'":
                self._until("'", self._at + 1)
                continue
            self._at += 2 if char == "\\" else 1
            depth += (char == opening) - (char == closing)
            if depth == 0:
                break
        return self._text[start : self._at]
