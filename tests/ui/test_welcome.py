"""The first start: a lesson that shows how it works is offered once, and leads on to the next."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from textual.widgets import Button

from tests.ui.lesson_world import Play, mapping, playing
from tutor.errors import ProgressError
from tutor.session.journal import Journal
from tutor.session.record import Progress
from tutor.ui.screens.course import CourseScreen
from tutor.ui.screens.finished import Ending, FinishedScreen
from tutor.ui.screens.lesson import LessonScreen
from tutor.ui.screens.welcome import WelcomeScreen

pytestmark = pytest.mark.timeout(90)

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def _shows(play: Play, screen: type[object]) -> bool:
    return isinstance(play.app.screen, screen)


async def test_first_start_offers_the_lesson_and_enter_opens_it(tmp_path: Path) -> None:
    async with mapping(tmp_path, welcome=True) as play:
        await play.sees("“Your first Secret” takes 5 minutes", "show me how it works")
        await play.press("enter")
        await play.until(lambda: _shows(play, LessonScreen))
        await play.sees("Make a Secret")
    async with mapping(tmp_path, welcome=True) as play:
        await play.until(lambda: _shows(play, CourseScreen))


async def test_whoever_goes_to_the_lessons_is_never_asked_again(tmp_path: Path) -> None:
    async with mapping(tmp_path, welcome=True) as play:
        await play.until(lambda: _shows(play, WelcomeScreen))
        await play.press("down", "enter")
        await play.until(lambda: _shows(play, CourseScreen))
        await play.sees("Your first Secret", "0 of 2")
    async with mapping(tmp_path, welcome=True) as play:
        await play.until(lambda: _shows(play, CourseScreen))


async def test_whoever_leaves_at_once_is_asked_again(tmp_path: Path) -> None:
    async with mapping(tmp_path, welcome=True) as play:
        await play.until(lambda: _shows(play, WelcomeScreen))
        await play.press("f10")
        await play.until(lambda: not play.app.is_running)
    async with mapping(tmp_path, welcome=True) as play:
        await play.until(lambda: _shows(play, WelcomeScreen))


async def test_welcome_that_cannot_be_noted_says_why_and_goes_on(tmp_path: Path) -> None:
    async with mapping(tmp_path, welcome=True) as play:
        await play.until(lambda: _shows(play, WelcomeScreen))
        play.desk.failure = ProgressError("The disk is full.", next_action="Free some space.")
        await play.press("escape")
        await play.sees("The disk is full.", "0 of 2")


async def test_welcome_fits_into_a_small_window(tmp_path: Path) -> None:
    async with mapping(tmp_path, size=(60, 12), welcome=True) as play:
        await play.sees("takes 5 minutes", "show me", "go straight to the lessons", "F10 quit")
        await play.pilot.click("#course")
        await play.until(lambda: _shows(play, CourseScreen))


def _finished(home: Path) -> None:
    progress = Progress(lesson="first-secret", environment="sandbox", current="read-it-back")
    for step in ("make-secret", "read-it-back"):
        progress = progress.with_step(step, opened_at=AT, done="passed", done_at=AT)
    with Journal(home / "progress.db") as journal:
        journal.save(replace(progress, finished_at=AT))


async def test_button_at_the_end_leads_to_the_next_lesson(tmp_path: Path) -> None:
    _finished(tmp_path)
    async with playing(tmp_path) as play:
        (lesson,) = play.desk.course.lessons
        header = lesson.header.with_values(id="second", title="Another")
        second = replace(lesson, header=header)
        play.desk.course = replace(play.desk.course, lessons=(lesson, second))
        await play.open()
        await play.press("f9")
        await play.sees("You have finished", "Next: Another")
        await play.press("enter")
        await play.sees("step 1 of 2", "Make a Secret")
        assert play.screen.back.visit.lesson == second


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (80, 16), (80, 12), (60, 9)])
async def test_buttons_at_the_end_are_in_view(tmp_path: Path, size: tuple[int, int]) -> None:
    words = ("Say who signs the certificate that the proxy serves, and who has to trust it.",) * 4
    end = Ending(title="A lesson", objectives=words, passed=25, skipped=0, took="70 minutes")
    async with mapping(tmp_path, size=size) as play:
        await play.until(lambda: _shows(play, CourseScreen))
        play.app.push_screen(FinishedScreen(end, "Another"))
        await play.sees("You have finished", "next lesson", "stay here", "leave")
        box = play.app.screen.query_one("#box").content_region
        assert all(button.region in box for button in play.app.screen.query(Button))
