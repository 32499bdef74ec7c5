"""Words on the control socket: one JSON object a line, one request a connection.

The client sends `{"do": OPERATION, ...}` and reads replies until the last, which has `ok`: true
with the result, or false with `error` (a word for programs) and `message` (a sentence for people).
Replies before the last report progress: `{"step": NAME, "state": "start" | "done" | "failed"}`.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from tutor.sandbox.api.values import is_map

MAX_LINE = 1_000_000


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
    except (asyncio.LimitOverrunError, ValueError) as error:
        raise Refused("bad-request", "a request is one line with a JSON object") from error
    if not is_map(request) or not isinstance(request.get("do"), str):
        raise Refused("bad-request", "a request is a JSON object with the key `do`")
    return request
