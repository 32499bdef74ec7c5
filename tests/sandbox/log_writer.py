"""Writes to a cluster's log until it is killed, again and again.

usage: python -m tests.sandbox.log_writer FOLDER. Each line of standard input starts a writer, a
fork of this process: `pid N` is printed, then `NAME REVISION` for each write that was acknowledged,
and `dead` when it has gone.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

from tutor.sandbox.kinds import Key
from tutor.sandbox.log import Log
from tutor.sandbox.store import Store

_WRITERS = 4
_NAMES = 40


def main() -> None:
    """Run writers as they are asked for."""
    folder = Path(sys.argv[1])
    for turn, _ in enumerate(iter(sys.stdin.readline, "")):
        child = os.fork()
        if not child:
            _say(f"pid {os.getpid()}")
            asyncio.run(write_forever(folder, turn))
        os.waitpid(child, 0)
        _say("dead")


async def write_forever(folder: Path, turn: int) -> None:
    """Several writers side by side; a few names each, so that objects are changed, too."""
    store = Store()
    log = Log(folder / "log.db", store)
    async with log.opened(), asyncio.TaskGroup() as group:
        for writer in range(_WRITERS):
            group.create_task(_write(log, store, f"{turn}-{writer}"))


async def _write(log: Log, store: Store, prefix: str) -> None:
    number = 0
    while True:
        number += 1
        name = f"{prefix}-{number % _NAMES}"
        obj = {"metadata": {"name": name}, "data": {"number": "x" * 300}}
        key = Key("", "configmaps", "here", name)
        event = store.put(key, obj, lambda obj: json.dumps(obj).encode())
        log.append(event.past)
        await log.durable(event.stored.revision)
        _say(f"{name} {event.stored.revision}")


def _say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


if __name__ == "__main__":
    main()
