"""Requests to servers on this machine, as the tests of the Concierge make them."""

import asyncio
import base64
import json
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.fakes.waiting import DEADLINE_S
from tutor.sandbox.kinds import Object


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: status, headers in order, text."""

    status: int
    headers: Sequence[tuple[str, str]]
    text: str

    @property
    def body(self) -> Any:
        """The text as JSON."""
        return json.loads(self.text)

    @property
    def message(self) -> str:
        """The message of a Status."""
        return self.body["message"]

    def header(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for key, value in self.headers if key.lower() == name.lower()]


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that has ended."""

    code: int
    out: str
    err: str


async def ask(
    port: int,
    path: str,
    context: ssl.SSLContext,
    name: str,
    *,
    body: Object | None = None,
    headers: Sequence[tuple[str, str]] = (),
    method: str = "",
) -> Reply:
    """One request to a port of this machine; `name` is what the certificate is held against."""
    async with (
        aiohttp.ClientSession() as session,
        session.request(
            method or ("GET" if body is None else "POST"),
            f"https://127.0.0.1:{port}{path}",
            json=body,
            ssl=context,
            server_hostname=name,
            headers=list(headers),
        ) as answer,
    ):
        return Reply(answer.status, list(answer.headers.items()), await answer.text())


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until a question that takes a request is answered with yes. Raises `TimeoutError`."""
    async with asyncio.timeout(DEADLINE_S):
        while not await condition():  # noqa: ASYNC110 - there is no event to await
            await asyncio.sleep(0.005)


def login_request(token: str, **authenticator: str) -> Object:
    """The body that the CLI sends."""
    reference = {
        "apiGroup": "authentication.concierge.pinniped.dev",
        "kind": "WebhookAuthenticator",
        "name": "local-user-authenticator",
    }
    return {
        "kind": "TokenCredentialRequest",
        "apiVersion": "login.concierge.pinniped.dev/v1alpha1",
        "metadata": {"creationTimestamp": None},
        "spec": {"token": token, "authenticator": reference | authenticator},
        "status": {},
    }


IDENTITY_REQUEST: Object = {
    "kind": "WhoAmIRequest",
    "apiVersion": "identity.concierge.pinniped.dev/v1alpha1",
    "metadata": {"creationTimestamp": None},
    "spec": {},
    "status": {},
}


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
