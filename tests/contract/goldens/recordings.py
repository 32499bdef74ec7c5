"""Reads the recorded cases: what kubectl or a plain client sent, and what the real server answered.

The README beside the recordings says what each field holds.
"""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path
from typing import Any, cast

from tutor.sandbox.schema import protobuf
from tutor.sandbox.schema.errors import DecodeError

GOLDENS = Path(__file__).resolve().parents[4] / "shared" / "goldens"
RUN = "1.32"
"""The client whose runs are replayed: its answers were kept whole."""
PROTOBUF = "application/vnd.kubernetes.protobuf"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its recorded answer."""

    method: str
    path: str
    """With the query, as it was sent."""
    user: str
    """Whose client certificate was shown; empty for none."""
    headers: Mapping[str, str]
    body: bytes | None
    body_left_out: bool
    status: int
    answer_headers: Mapping[str, str | list[str]]
    answer: bytes | None
    """None where the recording leaves the body out."""
    head: str
    """The start of a body that is left out."""
    events: int | None
    """Lines of a stream; None for an answer that is no stream."""
    ended_by_client: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One recorded command, or one request of a plain client."""

    name: str
    command: str
    exchanges: tuple[Exchange, ...]
    stdout: str
    whole_headers: bool
    """Whether every header of the answers was kept."""


def names() -> list[str]:
    """The cases in the order in which they were recorded."""
    index = json.loads((GOLDENS / "index.json").read_text())
    return [entry["case"] for entry in index["cases"]]


@cache
def _document(name: str) -> dict[str, Any]:
    return json.loads((GOLDENS / "cases" / f"{name}.json").read_text())


def load(name: str) -> Case:
    """One case."""
    document = _document(name)
    if "http" in document:
        only = document["http"]
        exchange = _exchange(only, "")
        return Case(name=name, command="", exchanges=(exchange,), stdout="", whole_headers=True)
    run = document["runs"][RUN]
    return Case(
        name=name,
        command=run["command"],
        exchanges=tuple(_exchange(request, run["user_agent"]) for request in run["requests"]),
        stdout=run["stdout"],
        whole_headers=False,
    )


def recorded_at(name: str) -> float:
    """When a plain client's request was answered, from the answer's `Date`."""
    headers = _document(name)["http"]["response_headers"]
    return parsedate_to_datetime(headers["Date"]).timestamp()


def _exchange(request: dict[str, Any], agent: str) -> Exchange:
    headers = dict(request["request_headers"])
    if agent:
        # kubectl sends both, and the recording leaves the latter out.
        headers |= {"User-Agent": agent, "Accept-Encoding": "gzip"}
    stream: list[dict[str, Any]] | None = request.get("stream")
    answer = _answer(request)
    return Exchange(
        method=request["method"],
        path=request["path"],
        user=request.get("client_cert") or "",
        headers=headers,
        body=_body(request),
        body_left_out="request_body_left_out" in request,
        status=request["status"],
        answer_headers=request["response_headers"],
        answer=answer,
        head=request.get("response_body_left_out", {}).get("head", ""),
        events=None if stream is None else (answer or b"").count(b"\n"),
        ended_by_client=request.get("ended") == "client closed the connection",
    )


def _body(request: dict[str, Any]) -> bytes | None:
    if "request_body_base64" in request:
        return base64.b64decode(request["request_body_base64"])
    text: str | None = request.get("request_body")
    return None if text is None else text.encode()


def _answer(request: dict[str, Any]) -> bytes | None:
    if "stream" in request:
        return "".join(chunk["data"] for chunk in request["stream"]).encode()
    if "response_body_base64" in request:
        return base64.b64decode(request["response_body_base64"])
    if "response_body_ref" in request:
        return (GOLDENS / request["response_body_ref"]).read_bytes()
    if "response_body" in request:
        return request["response_body"].encode()
    return None if "response_body_left_out" in request else b""


def parsed(body: bytes, media: str) -> Any:
    """A body as a JSON value; a list of them for the lines of a watch; None for other text."""
    if body.startswith(protobuf.MAGIC):
        try:
            return protobuf.decode(body)
        except DecodeError:
            return None
    if not media.startswith(("application/json", "text/plain")):
        return None
    try:
        return json.loads(body)
    except ValueError:
        pass
    try:
        return [json.loads(line) for line in body.splitlines()] or None
    except ValueError:
        return None


@cache
def last_applied() -> Mapping[tuple[str, str], str]:
    """What was applied, as annotations of recorded answers show it, by kind and name."""
    found: dict[tuple[str, str], str] = {}
    for name in names():
        document = _document(name)
        only = document.get("http")
        requests = [only] if only else document["runs"][RUN]["requests"]
        for request in requests:
            answer = _answer(request)
            if answer and LAST_APPLIED.encode() in answer:
                _collect(parsed(answer, "application/json"), found)
    return found


def _collect(value: Any, found: dict[tuple[str, str], str]) -> None:
    for text in _annotations(value):
        applied = json.loads(text)
        found.setdefault((applied["kind"], applied["metadata"]["name"]), text)


def _annotations(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            if key == LAST_APPLIED and isinstance(item, str):
                yield item
            else:
                yield from _annotations(item)
    elif isinstance(value, list):
        for item in cast("Sequence[Any]", value):
            yield from _annotations(item)
