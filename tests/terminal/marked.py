"""Many commands in a real shell, whose output comes byte by byte: what was made of the marks."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from tutor.clock import SystemClock
from tutor.terminal.launch import Launch, Program
from tutor.terminal.news import CommandBegan, CommandRecord, Event
from tutor.terminal.shell import Shell

KINDS = (
    "(exit {code})",
    "echo {number}; (exit {code})",
    "printf 'no line end {number}'; (exit {code})",
    "true && false || (exit {code})",
    "echo 'a;b%{number}' | tr a-z A-Z | cat; (exit {code})",
)


class ByteByByte(Shell):
    """A shell whose reader is handed one byte at a time."""

    def _receive(self, data: bytes) -> None:
        for at in range(len(data)):
            super()._receive(data[at : at + 1])


def commands(count: int) -> Sequence[tuple[str, int]]:
    """Command lines, with the exit code of each."""
    return [
        (KINDS[number % len(KINDS)].format(number=number, code=number % 251), number % 251)
        for number in range(count)
    ]


async def run_marked(program: Program, folder: Path, path: str, count: int) -> dict[str, str]:
    """Run commands one by one; by number and text of each what is wrong, or nothing."""
    environment = {"PATH": path, "HOME": str(folder), "LC_ALL": "C.UTF-8", "PS1": "$ "}
    launch = Launch(program=program, folder=folder, environment=environment, own_rc=False)
    shell = ByteByByte(launch, clock=SystemClock())
    seen: list[Event] = []
    outcome: dict[str, str] = {}
    await shell.start()
    try:
        shell.listen(seen.append)
        for number, (text, code) in enumerate(commands(count)):
            seen.clear()
            async with asyncio.timeout(30):
                record = await shell.run(text)
            outcome[f"{number} {text}"] = _wrong(record, seen, text, code)
    finally:
        await shell.close()
    return outcome


def _wrong(record: CommandRecord | None, seen: Sequence[Event], text: str, code: int) -> str:
    begun = [event.text for event in seen if isinstance(event, CommandBegan)]
    ended = [(each.text, each.exit_code) for each in seen if isinstance(each, CommandRecord)]
    if record is None:
        return "was not seen"
    if begun != [text] or ended != [(text, code)]:
        return f"began {begun}, ended {ended}"
    return ""
