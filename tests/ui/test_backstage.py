"""What stands behind a lesson's screen, as far as it is there."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from tutor.course.loader import load_course
from tutor.session.outline import Outline
from tutor.session.record import Progress
from tutor.terminal.news import CommandRecord
from tutor.ui.backstage import Backstage
from tutor.ui.ports import Session, Stage, Visit

LESSONS = Path(__file__).resolve().parents[1] / "course/data/lessons"
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Listening:
    """A session that only hears what was run."""

    outline: Outline = ()
    findings = None

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.heard: list[str] = []

    def listen(self, listener: Callable[[object], None]) -> Callable[[], None]:
        del listener
        return lambda: None

    def command_ended(self, record: CommandRecord) -> None:
        self.heard.append(record.text)


def ran(text: str) -> CommandRecord:
    return CommandRecord(text=text, exit_code=0, output="", truncated=False, started=AT, ended=AT)


def test_what_is_run_before_the_session_is_there_is_told_to_it() -> None:
    lesson = load_course(LESSONS).lessons[0]
    back = Backstage(Visit(lesson, "sandbox", "sandbox"), None, lambda: None)
    back.command_ended(ran("cat early"))
    heard = Listening(back.scene.progress)
    back.enter(Stage(cast("Session", heard), cast("Any", None), cast("Any", None), str))
    back.command_ended(ran("cat late"))
    assert heard.heard == ["cat early", "cat late"]
