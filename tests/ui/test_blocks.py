"""Which block F5 does: the next, one that failed, or the only one."""

from datetime import UTC, datetime

from tutor.course.model import Run
from tutor.terminal.news import CommandRecord
from tutor.ui.blocks import BlockLog

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def log_of(*commands: str) -> BlockLog:
    log = BlockLog()
    log.add({f"do-{command}": Run(run=command) for command in commands}, done=False)
    return log


def ran(text: str, exit_code: int) -> CommandRecord:
    return CommandRecord(
        text=text, exit_code=exit_code, output="", truncated=False, started=NOON, ended=NOON
    )


def test_failed_block_when_all_were_done_is_the_one_to_repeat() -> None:
    log = log_of("ls", "kubectl edit", "pwd")
    for text, code in (("ls", 0), ("kubectl edit", 1), ("pwd", 0)):
        log.note(ran(text, code))
    assert (log.upcoming(), log.again()) == (None, "do-kubectl edit")


def test_all_blocks_when_none_failed_leave_nothing_to_repeat() -> None:
    log = log_of("ls", "pwd")
    for text in ("ls", "pwd"):
        log.note(ran(text, 0))
    assert (log.upcoming(), log.again()) == (None, None)


def test_only_block_is_repeated_but_not_while_it_runs() -> None:
    log = log_of("kubectl edit")
    log.began("do-kubectl edit")
    assert (log.upcoming(), log.again()) == (None, None)
    log.note(ran("kubectl edit", 0))
    assert log.again() == "do-kubectl edit"
