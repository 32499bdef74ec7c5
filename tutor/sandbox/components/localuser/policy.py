"""What the webhook answers: a function of a request and of the Secrets in its namespace.

Source: pinniped.md 5.2 and 5.3 (order of checks, statuses, exact bodies, log messages).
"""

import json
import re
from base64 import b64decode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import bcrypt

from tutor.sandbox.api.builtin.reading import part, text
from tutor.sandbox.api.values import is_map
from tutor.sandbox.kinds import Object

PATH = "/authenticate"
API_VERSION = "authentication.k8s.io/v1beta1"
_JSON = "application/json"
_ACCEPTED = (_JSON, "application/*", "*/*")
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')
_END = re.compile(r"[,\n]")
_LINE_END = re.compile(r"\r?(?:\n|$)")
_BARE_QUOTE = 'bare " in non-quoted-field'
_ODD_QUOTE = 'extraneous or missing " in quoted-field'

FindUser = Callable[[str], Object | None]
"""A user's name to the Secret that defines the user."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A status, the body (None for an empty one), and the line for the log."""

    status: int
    body: Object | None
    message: str
    fields: dict[str, Any] = field(default_factory=dict[str, Any])


def judge(
    method: str, path: str, headers: Sequence[tuple[str, str]], body: bytes, find: FindUser
) -> Verdict:
    """Answer a request. Header names are lower-case."""
    if path != PATH:
        message = "received request path other than /authenticate"
        return Verdict(404, None, message, {"path": path})
    if method != "POST":
        message = "received request method other than post"
        return Verdict(405, None, message, {"method": method})
    content_types = [value for name, value in headers if name == "content-type"]
    if _JSON not in _media_types(content_types):
        message = "content type is not application/json"
        return Verdict(415, None, message, {"Content-Type": content_types})
    accepts = [value for name, value in headers if name == "accept"]
    if not any(media in _ACCEPTED for media in _media_types(accepts)):
        message = "client does not accept application/json"
        return Verdict(415, None, message, {"Accept": accepts})
    return _review(body, find)


def _media_types(values: Sequence[str]) -> list[str]:
    clauses = [clause for value in values for clause in value.split(",")]
    return [clause.split(";")[0].strip().lower() for clause in clauses]


def _review(body: bytes, find: FindUser) -> Verdict:
    try:
        review = json.loads(body) if body else None
    except (ValueError, RecursionError) as error:
        return Verdict(400, None, "failed to decode body", {"err": str(error)})
    if not is_map(review):
        return Verdict(400, None, "failed to decode body", {"err": "EOF"})
    api_version = review.get("apiVersion", "")
    if api_version != API_VERSION:
        message = "invalid TokenReview apiVersion"
        return Verdict(400, None, message, {"apiVersion": api_version})
    kind = review.get("kind", "")
    if kind != "TokenReview":
        return Verdict(400, None, "invalid TokenReview kind", {"kind": kind})
    token = part(review, "spec").get("token", "")
    if not isinstance(token, str) or ":" not in token:
        return Verdict(400, None, "bad token format in request")
    user, _, password = token.partition(":")
    return _login(user, password, find)


def _login(user: str, password: str, find: FindUser) -> Verdict:
    secret = find(user)
    if secret is None:
        return Verdict(200, _answer({"user": {}}), "user not found")
    data = part(secret, "data")
    if not matches(password, b64decode(text(data, "passwordHash"))):
        return Verdict(200, _answer({"user": {}}), "authentication failed: wrong password")
    try:
        groups = read_groups(b64decode(text(data, "groups")).decode())
    except ValueError as error:
        return Verdict(500, None, "could not read groups", {"err": str(error)})
    who: Object = {"username": user}
    if groups:
        who["groups"] = groups
    answer = _answer({"authenticated": True, "user": who})
    return Verdict(200, answer, "successful authentication")


def matches(password: str, digest: bytes) -> bool:
    """Whether bcrypt accepts the password for a hash; anything that is no hash refuses."""
    try:
        return bcrypt.checkpw(password.encode()[:72], digest)
    except ValueError:
        return False


def read_groups(content: str) -> list[str]:
    """The groups of a user: the fields of the first CSV record, trimmed.

    Raises:
        ValueError: It is not CSV, or has no record.
    """
    if not content:
        return []
    record = content.lstrip("\r\n")
    if not record:
        raise ValueError("EOF")
    return [group.strip() for group in _fields(record)]


def _fields(content: str) -> list[str]:
    """The fields of the first record, by the rules of Go's encoding/csv."""
    fields: list[str] = []
    at = 0
    while True:
        found = _QUOTED.match(content, at)
        if found is not None:
            fields.append(found[1].replace('""', '"'))
        elif content.startswith('"', at):
            raise _not_csv(content, len(content), _ODD_QUOTE)
        else:
            end = _END.search(content, at)
            plain = content[at : end.start() if end else len(content)]
            if '"' in plain:
                raise _not_csv(content, at + plain.index('"'), _BARE_QUOTE)
            fields.append(plain)
        at = found.end() if found else at + len(fields[-1])
        if content[at : at + 1] != ",":
            if not _LINE_END.match(content, at):
                raise _not_csv(content, at - 1, _ODD_QUOTE)
            return fields
        at += 1


def _not_csv(content: str, at: int, why: str) -> ValueError:
    line = content.count("\n", 0, at) + 1
    column = at - content.rfind("\n", 0, at)
    start = "" if line == 1 else "record on line 1; "
    return ValueError(f"{start}parse error on line {line}, column {column}: {why}")


def _answer(status: Object) -> Object:
    return {
        "kind": "TokenReview",
        "apiVersion": API_VERSION,
        "metadata": {"creationTimestamp": None},
        "spec": {},
        "status": status,
    }
