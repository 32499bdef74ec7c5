r"""Where each command of the shell begins and ends, read out of its output.

The scripts in `shellrc/` make bash and zsh print OSC 133 sequences, each with the session's key, so
that no other program can print one that counts:

    ESC ] 133 ; B ; k=KEY BEL                        the prompt is complete, the shell reads
    ESC ] 133 ; C ; cmdline_url=TEXT ; k=KEY BEL     a command line begins to run
    ESC ] 133 ; D ; STATUS ; k=KEY BEL               it has ended (also after an empty line)

TEXT is percent-encoded; it is missing when the shell does not know. BEL may be ESC \. The engine
is given these sequences too: it knows them, and unknown parameters do not disturb it.

Source: the "semantic prompts" of FinalTerm; `cmdline_url` is kitty's.
"""

import re
from collections.abc import Iterator, Sequence
from urllib.parse import unquote

from tutor.terminal.news import PromptShown
from tutor.terminal.plain import plain_text
from tutor.value import value

OUTPUT_LIMIT = 256 * 1024
"""Bytes of a command's output that are kept, from its beginning."""

MARK_LIMIT = 128 * 1024
"""A sequence longer than this is not one of ours."""

_BEGIN = b"\x1b]133;"
_MARK = re.compile(rb"\x1b\]133;([^\x07\x1b\x18\x1a]*)(\x07|\x1b\\)")
_UNFINISHED = re.compile(rb"\x1b\]133;[^\x07\x1b\x18\x1a]*\x1b?\Z")


@value
class CommandStarted:
    """The shell runs a command line; `text` is None when the shell does not know it."""

    text: str | None


@value
class CommandFinished:
    """It ended.

    `exit_code` is None when the shell has lost count (it was replaced, or its hooks were).
    `output` is `plain_text` of what came between; `truncated` says that there was more.
    """

    exit_code: int | None
    output: str
    truncated: bool


Mark = PromptShown | CommandStarted | CommandFinished


class Tap:
    """Watches a shell's output pass by. Sequences may be cut anywhere between two feeds."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._held = b""
        self._running = False
        self._at_prompt = False
        self._output: list[bytes] = []
        self._kept = 0
        self._truncated = False

    def feed(self, data: bytes) -> Iterator[tuple[bytes, Sequence[Mark]]]:
        """The same bytes in pieces, each with what the mark at its end says.

        What may be the beginning of a mark is held back until the rest comes.
        """
        data, self._held = self._held + data, b""
        at = 0
        while (start := data.find(_BEGIN, at)) >= 0:
            found = _MARK.match(data, start)
            if found is None:
                if len(data) - start <= MARK_LIMIT and _UNFINISHED.match(data, start):
                    break
                yield self._pass(data[at : start + len(_BEGIN)]), ()
                at = start + len(_BEGIN)
                continue
            self._pass(data[at:start])
            yield data[at : found.end()], self._mark(found[1])
            at = found.end()
        cut = start if start >= 0 else _cut(data, at)
        self._held = data[cut:]
        if cut > at:
            yield self._pass(data[at:cut]), ()

    def end(self) -> tuple[bytes, Sequence[Mark]]:
        """The shell is gone: what was held back, and the end of a command that still ran."""
        held, self._held = self._held, b""
        return self._pass(held), self._finish(None)

    def _pass(self, piece: bytes) -> bytes:
        if self._running and not self._truncated:
            room = OUTPUT_LIMIT - self._kept
            self._output.append(piece[:room])
            self._kept += min(len(piece), room)
            self._truncated = len(piece) > room
        return piece

    def _mark(self, body: bytes) -> Sequence[Mark]:
        kind, *parts = body.decode("utf-8", "replace").split(";")
        fields = dict(part.split("=", 1) for part in parts if "=" in part)
        if fields.get("k") != self._key:
            return ()
        match kind:
            case "B":
                again, self._at_prompt = self._at_prompt, True
                return (*self._finish(None), PromptShown(again))
            case "C":
                return (*self._finish(None), self._start(fields.get("cmdline_url")))
            case "D":
                self._at_prompt = False
                return self._finish(_status(parts))
            case _:
                return ()

    def _start(self, text: str | None) -> CommandStarted:
        self._running, self._at_prompt = True, False
        return CommandStarted(None if text is None else unquote(text))

    def _finish(self, exit_code: int | None) -> Sequence[CommandFinished]:
        if not self._running:
            return ()
        finished = CommandFinished(exit_code, plain_text(b"".join(self._output)), self._truncated)
        self._running, self._truncated, self._kept = False, False, 0
        self._output.clear()
        return (finished,)


def _cut(data: bytes, at: int) -> int:
    """Where the last bytes begin that may be the first ones of a mark, or the end."""
    last = data.rfind(b"\x1b", max(at, len(data) - len(_BEGIN)))
    return last if last >= 0 and _BEGIN.startswith(data[last:]) else len(data)


def _status(parts: list[str]) -> int | None:
    return int(parts[0]) if parts and parts[0].isdecimal() else None
