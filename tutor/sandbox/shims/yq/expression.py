"""The expressions of yq, as far as this small one knows them, turned into functions over nodes.

An expression maps a list of nodes to a list of nodes.
Source: the behaviour of mikefarah's yq v4.44.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from tutor.sandbox.shims.yq import operators
from tutor.sandbox.shims.yq.operators import ExpressionError, Nodes

Step = Callable[[Nodes], Nodes]
_KNOWN = (
    'paths such as .a.b[0]."x-y" and .[], `|`, `,`, ==, !=, and, or, `//`, '
    "select(…), map(…), has(…), keys, length, not, type, @base64, @base64d and .."
)
_ELSEWHERE = "the whole yq is at https://github.com/mikefarah/yq"
_TOKEN = re.compile(
    r"""(?x)
    (?P<blank> \s+ ) |
    (?P<descend> \.\. (?! [\w"] ) ) |
    (?P<key> \. (?: "(?: [^"\\] | \\. )*" | [^\s{}\[\]():|,.="!<>+;?]+ ) ) |
    (?P<string> "(?: [^"\\] | \\. )*" ) |
    (?P<number> -?\d+ (?:\.\d+)? ) |
    (?P<mark> == | != | // | \|= | \+= | [.\[\]()|,=+*<>{}:-] ) |
    (?P<word> @?[A-Za-z_]\w* )
    """
)
_ESCAPE = re.compile(r"\\(.)")
_BETWEEN = ("|", ",", "==", "!=", "//", "and", "or", ")", "]")
_CLOSING = {"(": ")", "[": "]"}
_PLAIN = {
    "keys": operators.keys,
    "length": operators.length,
    "not": operators.negate,
    "type": operators.type_tag,
    "tag": operators.type_tag,
    "@base64": operators.encode_base64,
    "@base64d": operators.decode_base64,
}


class Token(NamedTuple):
    """A piece of an expression; `at` counts characters from 1."""

    kind: str
    text: str
    at: int


def compiled(text: str) -> Step:
    """The function that an expression stands for.

    Raises:
        ExpressionError: it is wrong, or beyond this yq.
    """
    parser = _Parser(_tokens(text))
    step = parser.pipe()
    parser.finish()
    return step


def beyond(what: str) -> ExpressionError:
    """The error for something that only the whole yq does."""
    return ExpressionError(f"this small yq does not know {what}; it knows {_KNOWN}; {_ELSEWHERE}")


def _tokens(text: str) -> list[Token]:
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ExpressionError(f'1:{at + 1}: invalid input text "{text[at:]}"')
        kind = match.lastgroup or ""
        if kind != "blank":
            found.append(Token(kind, match.group(), at + 1))
        at = match.end()
    _check_brackets(found)
    return found


def _check_brackets(tokens: list[Token]) -> None:
    open_ones: list[str] = []
    for token in tokens:
        if token.kind != "mark":
            continue
        if token.text in _CLOSING:
            open_ones.append(_CLOSING[token.text])
        elif token.text in (")", "]") and (not open_ones or open_ones.pop() != token.text):
            raise ExpressionError(
                "bad expression, got close brackets without matching opening bracket"
            )
    if ")" in open_ones:
        raise ExpressionError("bad expression - probably missing close bracket on (")
    if open_ones:
        raise ExpressionError("bad expression, could not find matching `]`")


def _unquoted(text: str) -> str:
    return _ESCAPE.sub(r"\1", text[1:-1])


class _Parser:
    """Recursive descent; from loose to tight: `|`, `,`, or, and, //, ==, a path."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def _peek(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _take(self, *texts: str) -> Token | None:
        token = self._peek()
        if token is None or token.kind not in ("mark", "word") or token.text not in texts:
            return None
        self._at += 1
        return token

    def finish(self) -> None:
        """Refuse what is left over."""
        token = self._peek()
        if token is None:
            return
        if token.kind in ("mark", "word"):
            raise beyond(f"`{token.text}`")
        raise ExpressionError(f"1:{token.at}: `{token.text}` stands alone: put `|` before it")

    def pipe(self) -> Step:
        """`a | b`: the results of one are what the other sees."""
        first = self._comma()
        while self._take("|"):
            first = operators.piped(first, self._comma())
        return first

    def _comma(self) -> Step:
        first = self._or()
        while self._take(","):
            first = operators.both(first, self._or())
        return first

    def _or(self) -> Step:
        first = self._and()
        while self._take("or"):
            first = operators.either_true(first, self._and())
        return first

    def _and(self) -> Step:
        first = self._alternative()
        while self._take("and"):
            first = operators.both_true(first, self._alternative())
        return first

    def _alternative(self) -> Step:
        first = self._comparison()
        while self._take("//"):
            first = operators.alternative(first, self._comparison())
        return first

    def _comparison(self) -> Step:
        first = self._path()
        while token := self._take("==", "!="):
            first = operators.compared(first, self._path(), equal=token.text == "==")
        return first

    def _path(self) -> Step:
        token = self._peek()
        if token is None or token.text in _BETWEEN:
            before = self._tokens[self._at - 1] if self._at else None
            operator = before if before and before.text in _BETWEEN else token
            named = operator.text if operator else "|"
            raise ExpressionError(f"'{named}' expects 2 args but there is 1")
        self._at += 1
        step = self._start(token)
        while (following := self._peek()) and self._goes_on(following):
            self._at += 1
            if following.text != ".":
                step = operators.piped(step, self._link(following))
        return step

    def _goes_on(self, token: Token) -> bool:
        """Whether a token continues the path, which it touches."""
        before = self._tokens[self._at - 1]
        touches = token.at == before.at + len(before.text)
        return touches and (token.kind == "key" or token.text in (".", "["))

    def _start(self, token: Token) -> Step:
        if token.kind == "key":
            return self._link(token)
        if token.kind == "descend":
            return operators.descend
        if token.kind == "string":
            return operators.constant(_unquoted(token.text), "!!str")
        if token.kind == "number":
            tag = "!!float" if "." in token.text else "!!int"
            return operators.constant(token.text, tag)
        if token.kind == "word":
            return self._function(token)
        if token.text == ".":
            following = self._peek()
            return self._bracket() if following and self._take("[") else operators.identity
        if token.text == "(":
            step = self.pipe()
            self._take(")")
            return step
        raise beyond(f"`{token.text}` here")

    def _link(self, token: Token) -> Step:
        if token.kind == "mark":
            return self._bracket()
        name = token.text[1:]
        return operators.key(_unquoted(name) if name.startswith('"') else name)

    def _bracket(self) -> Step:
        """What stands in square brackets after a path: nothing, an index or a name."""
        if self._take("]"):
            return operators.each
        token = self._peek()
        self._at += 1
        if token and token.kind in ("number", "string") and self._take("]"):
            if token.kind == "string":
                return operators.key(_unquoted(token.text))
            return operators.index(int(float(token.text)))
        raise beyond(f"`[{token.text if token else ''}…]`")

    def _function(self, token: Token) -> Step:
        name = token.text
        if name in ("true", "false", "null"):
            tag = "!!null" if name == "null" else "!!bool"
            return operators.constant(name, tag)
        if name in _PLAIN:
            return _PLAIN[name]
        if name in ("select", "map", "has") and self._take("("):
            inner = self.pipe()
            self._take(")")
            made = {"select": operators.select, "map": operators.mapped, "has": operators.has}
            return made[name](inner)
        raise beyond(f"`{name}`")
