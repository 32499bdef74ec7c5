"""The head of an HTTP request, read from a connection that may be hostile."""

import asyncio
from dataclasses import dataclass

MAX_HEAD = 65_536
_HEAD_S = 30.0


@dataclass(frozen=True, slots=True)
class Head:
    """The start of a request."""

    method: str
    target: str
    version: str
    headers: tuple[tuple[str, str], ...]

    def header(self, name: str) -> str:
        """The first value of a header."""
        return next((value for key, value in self.headers if key.lower() == name), "")


class Refusal(Exception):
    """A request that ends in an error response."""

    def __init__(self, status: int, reason: str, headers: str = "") -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.headers = headers


async def read_head(reader: asyncio.StreamReader) -> Head | None:
    """The head of a request; None when the peer closed before one.

    Raises:
        Refusal: It is too large, too slow or malformed.
    """
    try:
        async with asyncio.timeout(_HEAD_S):
            data = await reader.readuntil(b"\r\n\r\n")
    except TimeoutError:
        raise Refusal(408, "Request Timeout") from None
    except asyncio.LimitOverrunError:
        raise Refusal(431, "Request Header Fields Too Large") from None
    except asyncio.IncompleteReadError as error:
        if not error.partial:
            return None
        raise Refusal(400, "Bad Request") from None
    lines = data.decode("latin-1").split("\r\n")[:-2]
    words = lines[0].split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise Refusal(400, "Bad Request")
    headers: list[tuple[str, str]] = []
    for line in lines[1:]:
        name, found, value = line.partition(":")
        if not found:
            raise Refusal(400, "Bad Request")
        headers.append((name.strip(), value.strip()))
    method, target, version = words
    return Head(method, target, version, tuple(headers))
