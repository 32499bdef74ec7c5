"""Words on the control socket: one JSON object a line, one request a connection.

The client sends `{"do": OPERATION, ...}` and reads replies until the last, which has `ok`: true
with the result, or false with `error` (a word for programs) and `message` (a sentence for people).
Replies before the last report progress: `{"step": NAME, "state": "start" | "done" | "failed"}`.
"""

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any

from tutor.sandbox.api.values import is_list, is_map

MAX_LINE = 1_000_000
_MAX_NAME = 200
_NAME = re.compile(rf"(?=.{{1,{_MAX_NAME}}}$)[a-z0-9]+([.-]+[a-z0-9]+)*")


class Refused(Exception):
    """An operation that cannot be done: `error` for programs, the text for people."""

    def __init__(self, error: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.error = error
        self.message = message
        self.more = more

    def reply(self) -> dict[str, Any]:
        """The last line of the answer."""
        return {"ok": False, "error": self.error, "message": self.message, **self.more}


class Replies:
    """The answer to one request."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    async def send(self, reply: Mapping[str, Any]) -> None:
        """Send one line."""
        self._writer.write(json.dumps(reply, separators=(",", ":")).encode() + b"\n")
        await self._writer.drain()

    async def step(self, name: str, state: str) -> None:
        """Report progress."""
        await self.send({"step": name, "state": state})


async def read_request(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    """The request of a connection; None when the client only looked whether anybody listens.

    Raises:
        Refused: It is not a request.
    """
    try:
        line = await reader.readuntil(b"\n")
        request = json.loads(line)
    except asyncio.IncompleteReadError as error:
        if not error.partial:
            return None
        raise Refused("bad-request", "a request ends with a line end") from error
    except (asyncio.LimitOverrunError, ValueError, RecursionError) as error:
        raise Refused("bad-request", "a request is one line with a JSON object") from error
    if not is_map(request) or not isinstance(request.get("do"), str):
        raise Refused("bad-request", "a request is a JSON object with the key `do`")
    return request


def text_of(request: Mapping[str, Any], key: str) -> str:
    """A text that a request must have."""
    value = request.get(key)
    if not isinstance(value, str) or not value:
        raise Refused("bad-request", f"`{key}` must be a text")
    return value


def number_of(request: Mapping[str, Any], key: str) -> float:
    """A number; 0 when there is none."""
    value = request.get(key) or 0
    if not isinstance(value, int | float):
        raise Refused("bad-request", f"`{key}` must be a number")
    return value


def map_of(request: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """An object; empty when there is none."""
    value: Any = request.get(key) or {}
    if not is_map(value):
        raise Refused("bad-request", f"`{key}` must be an object")
    return value


def cluster_name_of(request: Mapping[str, Any]) -> str:
    """The name of a cluster, which names its folder and its node, too."""
    name = text_of(request, "name")
    if not _NAME.fullmatch(name):
        raise Refused("bad-request", f"a cluster cannot have the name {name[:_MAX_NAME]}")
    return name


def texts_of(request: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """A list of texts; empty when there is none."""
    value: Any = request.get(key) or []
    if not is_list(value) or not all(isinstance(each, str) for each in value):
        raise Refused("bad-request", f"`{key}` must be a list of texts")
    return tuple(value)


def peers_of(request: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    """Pairs of a Service, as `NAMESPACE/NAME`, and a port of this machine, in order of name."""
    found = sorted(map_of(request, "peers").items())
    if not all("/" in service and type(port) is int for service, port in found):
        why = "`peers` must be an object of `NAMESPACE/NAME` keys and port numbers"
        raise Refused("bad-request", why)
    return tuple(found)


def ports_of(request: Mapping[str, Any]) -> tuple[tuple[int, int], ...]:
    """Pairs of a port of the node and one of the host."""
    value: Any = request.get("ports") or []
    try:
        return tuple((int(port["container"]), int(port["host"])) for port in value)
    except (KeyError, TypeError, ValueError):
        why = "`ports` must be a list of objects with the numbers `container` and `host`"
        raise Refused("bad-request", why) from None
