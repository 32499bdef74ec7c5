"""A client for the few calls that the CLI makes to a Kubernetes API, with client-go's errors.

Source: k8s.io/client-go v0.27.4 (rest/request.go), k8s.io/apimachinery (NewGenericServerResponse).
"""

from __future__ import annotations

import json
import platform
import re
import sys
import time
from typing import Any, NamedTuple

from tutor.sandbox.shims import gotext, tree
from tutor.sandbox.shims.pinniped import dial, log
from tutor.sandbox.shims.pinniped.exchange import Answer, Headers, Server, exchange
from tutor.sandbox.shims.pinniped.execinfo import compact

_RETRIES = 10
_WARNING = re.compile(r'299 \S+ "((?:[^"\\]|\\.)*)"')
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
_GENERIC = {
    400: "the server rejected our request for an unknown reason",
    401: "the server has asked for the client to provide credentials",
    404: "the server could not find the requested resource",
    405: "the server does not allow this method on the requested resource",
    409: "the server reported a conflict",
    422: "the server rejected our request due to an error in our request",
    429: "the server has received too many requests and has asked us to try again later",
    503: "the server is currently unable to handle the request",
    504: "the server was unable to return a response in the time allotted, "
    "but may still be processing the request",
}


class ApiError(Exception):
    """A call failed; the text is client-go's. `reason` is a Status reason, "" for no answer."""

    def __init__(self, message: str, *, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason


class Resource(NamedTuple):
    """An API group and version with one of its cluster-scoped resources, in the plural."""

    group: str
    name: str
    version: str = "v1alpha1"

    def path(self, name: str = "") -> str:
        """The path of the collection, or of one object in it."""
        collection = f"/apis/{self.group}/{self.version}/{self.name}"
        return f"{collection}/{name}" if name else collection


class Client(NamedTuple):
    """A server and the headers that identify the caller."""

    server: Server
    headers: Headers

    def get(self, resource: Resource, *, name: str = "", seconds: float = 20) -> dict[str, Any]:
        """Read a collection, or one object by name.

        Raises:
            ApiError: with client-go's sentence.
        """
        return self._call("GET", resource, name, None, seconds)

    def create(self, resource: Resource, body: object, *, seconds: float = 20) -> dict[str, Any]:
        """Create an object; the server's answer is the result.

        Raises:
            ApiError: with client-go's sentence.
        """
        return self._call("POST", resource, "", body, seconds)

    def _call(
        self, method: str, resource: Resource, name: str, body: object, seconds: float
    ) -> dict[str, Any]:
        url = self.server.url.rstrip("/") + resource.path(name)
        headers: Headers = (
            ("User-Agent", _agent()),
            *((("Content-Type", "application/json"),) if body is not None else ()),
            ("Accept", "application/json, */*"),
            *self.headers,
        )
        sent = None if body is None else compact(body).encode("utf-8") + b"\n"
        try:
            answer = self._patiently(method, url, headers, sent, time.monotonic() + seconds)
        except dial.BodyBroken as error:
            what = "unexpected error when reading response body. Please retry. Original error"
            raise ApiError(f"{what}: {error}") from None
        except dial.TransportError as error:
            raise ApiError(f"{method.capitalize()} {gotext.quote(url)}: {error}") from None
        for text in answer.headers.get_all("Warning", []):
            for found in _WARNING.findall(text):
                log.warning(re.sub(r"\\(.)", r"\1", found))
        if not 200 <= answer.code <= 206:
            raise _refusal(method, resource, name, answer)
        return _object(answer.body)

    def _patiently(
        self, method: str, url: str, headers: Headers, body: bytes | None, deadline: float
    ) -> Answer:
        """Ask again as long as the server says when to."""
        attempts = 0
        while True:
            answer = exchange(
                self.server, method, url, headers=headers, body=body, deadline=deadline
            )
            wait = answer.headers.get("Retry-After", "")
            again = answer.code == 429 or answer.code >= 500
            if not again or not wait.isdigit() or attempts == _RETRIES:
                return answer
            if int(wait) > dial.left(deadline):
                raise dial.DeadlineExceeded
            time.sleep(int(wait))
            attempts += 1


def _agent() -> str:
    system = "darwin" if sys.platform == "darwin" else "linux"
    machine = platform.machine()
    return f"pinniped/v0.25.0 ({system}/{_MACHINES.get(machine, machine)}) kubernetes/c7b49d9"


def _refusal(method: str, resource: Resource, name: str, answer: Answer) -> ApiError:
    status = _status(answer.body)
    if status:
        return ApiError(tree.text(status.get("message")), reason=tree.text(status.get("reason")))
    kind = answer.headers.get_content_type()
    text = answer.body.decode("utf-8", "replace").strip()
    said = text if kind.startswith("text/") and text else "unknown"
    message = said if answer.code in (403, 415) else _GENERIC.get(answer.code)
    if message is None and answer.code >= 500:
        quoted = gotext.quote(said)
        message = f"an error on the server ({quoted}) has prevented the request from succeeding"
    if message is None:
        message = (
            f"the server responded with the status code {answer.code} "
            "but did not return more information"
        )
    what = f"{method.lower()} {resource.name}.{resource.group}" + (f" {name}" if name else "")
    reason = "NotFound" if answer.code == 404 else ""
    return ApiError(f"{message} ({what})", reason=reason)


def _object(body: bytes) -> dict[str, Any]:
    try:
        return tree.mapping(json.loads(body))
    except ValueError:
        first = body[:1].decode("utf-8", "replace")
        problem = f"invalid character '{first}' looking for beginning of value"
        problem = problem if first else "unexpected end of JSON input"
        raise ApiError(f"couldn't get version/kind; json parse error: {problem}") from None


def _status(body: bytes) -> dict[str, Any]:
    try:
        found = tree.mapping(json.loads(body))
    except ValueError:
        return {}
    return found if found.get("kind") == "Status" and found.get("status") == "Failure" else {}
