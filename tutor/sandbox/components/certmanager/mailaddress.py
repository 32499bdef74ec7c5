"""Whether Go would take a text for one mail address, and what it says when not.

Display names, quoted local parts, angle brackets and domain literals are known; groups, comments
and encoded words are not: they count as what follows a display name.

Source: Go 1.20's net/mail.ParseAddress.
"""

import re
from ipaddress import ip_address

from tutor.sandbox.api.status import go_quote

_ATEXT = r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~.\u0080-\U0010ffff]"
_ATOM = re.compile(f"{_ATEXT}+")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_LITERAL = re.compile(r"\[([^\]]*)\]")
_BLANK = " \t"


class MailError(ValueError):
    """No single mail address; the text is Go's own sentence."""


def parse_address(text: str) -> str:
    """The address in a text such as `a@example.com` or `Name <a@example.com>`.

    Raises:
        MailError: There is not exactly one.
    """
    rest = text.lstrip(_BLANK)
    if not rest:
        raise MailError("mail: no address")
    try:
        address, rest = _specification(rest)
    except MailError:
        address, rest = _named(rest)
    rest = rest.lstrip(_BLANK)
    if rest:
        raise MailError(f"mail: expected single address, got {go_quote(rest)}")
    return address


def _named(rest: str) -> tuple[str, str]:
    name = ""
    if not rest.startswith("<"):
        name, rest = _phrase(rest)
    if not rest.startswith("<"):
        bare = _ATOM.fullmatch(name) is not None or not name
        raise MailError("mail: missing '@' or angle-addr" if bare else "mail: no angle-addr")
    address, rest = _specification(rest[1:])
    if not rest.startswith(">"):
        raise MailError("mail: unclosed angle-addr")
    return address, rest[1:]


def _phrase(rest: str) -> tuple[str, str]:
    words: list[str] = []
    while rest:
        word = _QUOTED.match(rest) or _ATOM.match(rest)
        if word is None:
            break
        words.append(word[word.re.groups])
        rest = rest[word.end() :].lstrip(_BLANK)
    if not words:
        why = "unclosed quoted-string" if rest.startswith('"') else "invalid string"
        raise MailError(f"mail: missing word in phrase: mail: {why}")
    return " ".join(words), rest


def _specification(rest: str) -> tuple[str, str]:
    rest = rest.lstrip(_BLANK)
    if not rest:
        raise MailError("mail: no addr-spec")
    if rest.startswith('"'):
        quoted = _QUOTED.match(rest)
        if quoted is None or not quoted[1]:
            raise MailError("mail: empty quoted string in addr-spec")
        local, rest = quoted[1], rest[quoted.end() :]
    else:
        local, rest = _dot_atom(rest)
    if not rest.startswith("@"):
        raise MailError("mail: missing @ in addr-spec")
    rest = rest[1:].lstrip(_BLANK)
    if not rest:
        raise MailError("mail: no domain in addr-spec")
    domain, rest = _domain_literal(rest) if rest.startswith("[") else _dot_atom(rest)
    return f"{local}@{domain}", rest


def _dot_atom(rest: str) -> tuple[str, str]:
    found = _ATOM.match(rest)
    if found is None:
        raise MailError("mail: invalid string")
    atom = found[0]
    if atom.startswith("."):
        raise MailError("mail: leading dot in atom")
    if ".." in atom:
        raise MailError("mail: double dot in atom")
    if atom.endswith("."):
        raise MailError("mail: trailing dot in atom")
    return atom, rest[found.end() :]


def _domain_literal(rest: str) -> tuple[str, str]:
    found = _LITERAL.match(rest)
    if found is None:
        raise MailError("mail: unclosed domain-literal")
    try:
        ip_address(found[1])
    except ValueError:
        raise MailError(
            f"mail: invalid IP address in domain-literal: {go_quote(found[1])}"
        ) from None
    return found[0], rest[found.end() :]
