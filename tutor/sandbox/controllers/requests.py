"""Requests on paths, for controllers that have to reach what the server only hands on.

They take the same road as HTTPS, as a user of their own; failures are told as client-go tells them.

Source: client-go's rest/request.go and apimachinery's NewGenericServerResponse.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, cast
from urllib.parse import quote, urlencode

from tutor.sandbox.api.request import Answer, Request, Response
from tutor.sandbox.api.status import ApiError, go_quote
from tutor.sandbox.kinds import Object

_PATIENCE_S = 60.0
"""How long the real server lets a request last."""
_TOO_LATE = 504
_OF_SERVER = 500
_PLAIN = {
    400: "the server rejected our request for an unknown reason",
    401: "the server has asked for the client to provide credentials",
    404: "the server could not find the requested resource",
    405: "the server does not allow this method on the requested resource",
    409: "the server reported a conflict",
    422: "the server rejected our request due to an error in our request",
    429: "the server has received too many requests and has asked us to try again later",
    503: "the server is currently unable to handle the request",
    504: "the server was unable to return a response in the time allotted, but may still be"
    " processing the request",
}
_WITH_OWN_WORDS = (403, 406, 415)

Respond = Callable[[Request], Awaitable[Answer]]


class Requests:
    """Sends requests into the server that this process is."""

    def __init__(self, respond: Respond, now: Callable[[], datetime], agent: str) -> None:
        self._respond = respond
        self._now = now
        self._agent = agent

    async def get(
        self, path: str, query: Mapping[str, str] | None = None, asked: str = ""
    ) -> Object:
        """Read a path; `asked` is what failures name where the answer itself says nothing.

        Raises:
            ApiError: With the sentence of client-go.
        """
        given = {key: value for key, value in (query or {}).items() if value}
        target = quote(path, safe="/*") + (f"?{urlencode(given)}" if given else "")
        return await self._send("GET", target, b"", asked)

    async def put(self, path: str, body: Object) -> Object:
        """Write to a path; raises ApiError."""
        return await self._send("PUT", quote(path), json.dumps(body).encode(), "")

    async def _send(self, method: str, target: str, body: bytes, asked: str) -> Object:
        headers = [("user-agent", self._agent), ("accept", "application/json")]
        if body:
            headers.append(("content-type", "application/json"))
        request = Request(
            method=method, target=target, headers=headers, body=body, received=self._now()
        )
        try:
            async with asyncio.timeout(_PATIENCE_S):
                answer = await self._respond(request)
        except TimeoutError:
            raise _refusal(_TOO_LATE, method, "", asked) from None
        if not isinstance(answer, Response):
            raise _refusal(answer.status, method, "unknown", asked)
        return _read(answer, method, asked)


def _read(answer: Response, method: str, asked: str) -> Object:
    said = answer.body.decode(errors="replace").strip()
    good = 200 <= answer.status < 300
    try:
        value: Any = json.loads(said)
    except ValueError as error:
        if good:
            raise ApiError(500, "InternalError", f"unable to read the answer: {error}") from error
        value = None
    found = cast("Object", value) if isinstance(value, dict) else {}
    if good:
        return found
    if found.get("kind") == "Status" and isinstance(found.get("message"), str):
        raise ApiError(answer.status, found.get("reason") or "", found["message"])
    is_text = answer.content_type.startswith("text/")
    raise _refusal(answer.status, method, said if is_text else "unknown", asked)


def _refusal(code: int, method: str, said: str, asked: str) -> ApiError:
    told = f"the server responded with the status code {code} but did not return more information"
    if code in _PLAIN:
        told = _PLAIN[code]
    elif code in _WITH_OWN_WORDS:
        told = said
    elif code >= _OF_SERVER:
        told = (
            f"an error on the server ({go_quote(said)}) has prevented the request from succeeding"
        )
    return ApiError(code, "", f"{told} ({method.lower()} {asked})" if asked else told)
