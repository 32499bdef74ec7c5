"""What is to be seen of an app, and waiting for it."""

import asyncio
from collections.abc import Callable
from typing import Any

from textual.app import App
from textual.pilot import Pilot

LIMIT_S = 40.0


def text_of(app: App[Any]) -> str:
    """All that is to be seen."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(part.text for part in strip).rstrip() for strip in strips)


async def until(pilot: Pilot[Any], happened: Callable[[], object]) -> None:
    """Wait for something; what is seen instead is in the message when it does not happen."""
    try:
        async with asyncio.timeout(LIMIT_S):
            while not happened():
                await pilot.pause()
    except TimeoutError:
        raise AssertionError(text_of(pilot.app)) from None
