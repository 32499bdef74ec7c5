"""Commands that a probe runs because its lesson was granted them."""

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tutor.probes.base import Absent, Blind, Completed

TIMEOUT_S = 10.0
OUTPUT_LIMIT = 256 * 1024


class GrantedCommands:
    """Runs commands in the working folder, with the environment of the learner's shell."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = environment

    async def run(self, words: tuple[str, ...]) -> Completed | Absent | Blind:
        """Run one without a shell and without input."""
        try:
            process = await asyncio.create_subprocess_exec(
                *words,
                cwd=self._folder,
                env=dict(self._environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        except FileNotFoundError:
            return Blind(f"there is no command {words[0]} on the PATH")
        except OSError as error:
            return Blind(f"the command {words[0]} cannot be run: {error.strerror}")
        try:
            async with asyncio.timeout(TIMEOUT_S):
                output, errors = await process.communicate()
        except TimeoutError:
            return Blind(f"`{' '.join(words)}` did not end within {TIMEOUT_S:g} s")
        finally:
            await _end(process)
        return Completed(
            exit_code=process.returncode or 0,
            output=_text(output),
            errors=_text(errors),
        )


async def _end(process: asyncio.subprocess.Process) -> None:
    """End the command and whatever it has started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    async with asyncio.timeout(1):
        await process.wait()


def _text(data: bytes) -> str:
    return data[:OUTPUT_LIMIT].decode(errors="replace")
