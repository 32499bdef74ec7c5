"""The blocks of a step: how they are shown, and which of them have been done. Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, assert_never

from tutor.course.model import Block, Edit, File, Lesson, Look, Run, Set
from tutor.probes.base import CommandRecord
from tutor.session.commands import commands_of
from tutor.value import filled

BlockState = Literal["new", "running", "done", "failed"]

INTERRUPTED = 130
"""The exit code of a command that ctrl+c has ended."""


class Standing(NamedTuple):
    """How far a block is."""

    state: BlockState = "new"
    exit_code: int = 0
    """Of the last command that failed."""


NEW = Standing()


class BlockText(NamedTuple):
    """A block as it is shown."""

    note: str
    """Markdown."""
    title: str = ""
    """For a file: its name."""
    commands: Sequence[str] = ()
    content: str = ""
    """Of a file."""
    changes: Sequence[str] = ()
    """What is to change in the editor."""
    verb: Literal["run", "write"] = "run"


def shown(block: Block, lesson: Lesson) -> BlockText:
    """What a learner sees of a block."""
    match block:
        case Run() | Look():
            return BlockText(note=block.note, commands=commands_of(block))
        case Edit():
            return BlockText(
                note=block.note,
                commands=commands_of(block),
                changes=tuple(_change(each) for each in block.changes),
            )
        case File():
            content = lesson.text(block.source) if block.source else block.content or ""
            return BlockText(note=block.note, title=block.file, content=content, verb="write")
        case _:
            assert_never(block)


def _change(change: Set) -> str:
    if change.remove:
        return f"{change.path}   take it out"
    if change.source is not None:
        return f"{change.path}: (the text of {change.source})"
    return f"{change.path}: {_plain(change.to)}"


def _plain(value: object) -> str:
    """A value as YAML has it on one line, of which JSON is a part."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@filled
class _Done:
    commands: Sequence[str]
    ended: int = 0
    standing: Standing = NEW


class BlockLog:
    """Which blocks of one step have been done, by the program or by hand."""

    def __init__(self) -> None:
        self._done: dict[str, _Done] = {}

    def add(self, blocks: Mapping[str, Block], *, done: bool) -> None:
        """Follow these too, by key. `done`: whether the step was, before any of this log."""
        standing = Standing(state="done") if done and not self._done else NEW
        for key, block in blocks.items():
            if key not in self._done:
                commands = [_normal(each) for each in commands_of(block)]
                ended = len(commands) if standing.state == "done" else 0
                self._done[key] = _Done(commands, ended, standing)

    def begin_again(self) -> None:
        """All of it is to be done once more."""
        for each in self._done.values():
            each.ended, each.standing = 0, NEW

    def standings(self) -> Mapping[str, Standing]:
        """How far each block is."""
        return {key: each.standing for key, each in self._done.items()}

    def upcoming(self) -> str | None:
        """The first block that has not been done; a solution that is shown goes first."""
        return _first(key for key, each in self._done.items() if each.standing == NEW)

    def first(self) -> str | None:
        """The first block, done or not; one of a solution that is shown."""
        return _first(self._done)

    def failed(self) -> str | None:
        """The first block that failed."""
        states = self._done.items()
        return next((key for key, each in states if each.standing.state == "failed"), None)

    def again(self) -> str | None:
        """The block to do once more when all have been: one that failed, or the only one.

        None while one is being typed: what is asked for ahead is not to come twice.
        """
        states = {key: each.standing.state for key, each in self._done.items()}
        if "running" in states.values():
            return None
        return self.failed() or (next(iter(states)) if len(states) == 1 else None)

    def note(self, record: CommandRecord) -> None:
        """A command ended: it may be one of a block that is not done, typed by whomever."""
        text = _normal(record.text)
        for each in self._done.values():
            if each.ended < len(each.commands) and each.commands[each.ended] == text:
                each.ended += 1
                _judge(each, record.exit_code or 0)
                return
        # A whole block that is typed once more.
        for each in self._done.values():
            if len(each.commands) == 1 and each.commands[0] == text:
                each.standing = NEW
                _judge(each, record.exit_code or 0)

    def began(self, key: str) -> None:
        """The program types a block, from its beginning."""
        self._done[key].ended, self._done[key].standing = 0, Standing(state="running")

    def ended(self, key: str, *, typed: bool) -> None:
        """It has typed all of it, or gave up."""
        each = self._done[key]
        if each.standing.state == "running":
            each.standing = Standing(state="done") if typed else NEW


def _first(keys: Iterable[str]) -> str | None:
    return min(keys, key=lambda key: not key.startswith("solution"), default=None)


def _judge(each: _Done, exit_code: int) -> None:
    if exit_code:
        each.standing = Standing(state="failed", exit_code=exit_code)
    elif each.ended == len(each.commands) and each.standing.state != "failed":
        each.standing = Standing(state="done")


def _normal(command: str) -> str:
    """A command without what a shell's history changes in it."""
    return " ".join(command.replace("\\\n", " ").split())
