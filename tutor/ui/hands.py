"""Types a command key by key, so that an audience can read along."""

import asyncio

from tutor.terminal.news import CommandRecord, Event, Exited
from tutor.ui.ports import Shell

KEY_S = 0.028
"""Between two keys, at speed 1."""

LINE_S = 0.25
"""At the end of a line, and before the first key."""


async def type_out(shell: Shell, command: str, *, speed: float) -> CommandRecord | None:
    """Type one command line and wait for its end; None when the shell ended.

    Raises:
        ShellError: The shell ended before.
    """
    ended = asyncio.get_running_loop().create_future()

    def hear(event: Event) -> None:
        if isinstance(event, CommandRecord | Exited) and not ended.done():
            ended.set_result(event)

    await shell.wait_prompt()
    unlisten = shell.listen(hear)
    try:
        await asyncio.sleep(LINE_S / speed)
        for key in f"{command.rstrip()}\n":
            shell.type(key)
            await asyncio.sleep((LINE_S if key == "\n" else KEY_S) / speed)
        found = await ended
    finally:
        unlisten()
    return found if isinstance(found, CommandRecord) else None
