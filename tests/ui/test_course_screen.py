"""What a learner can do and see on the map of all lessons."""

from pathlib import Path

import pytest
from textual.widgets import Input, OptionList

from tests.ui.lesson_world import mapping
from tutor.errors import TutorError
from tutor.ui.screens.course import CourseScreen, Details
from tutor.ui.screens.lesson import LessonScreen

pytestmark = pytest.mark.timeout(90)


async def test_map_shows_lessons_steps_and_how_long_they_take(tmp_path: Path) -> None:
    async with mapping(tmp_path) as play:
        await play.sees("Your first Secret", "0 of 2 · 5 min left", "Make a Secret", "3 min")
        await play.sees("Make a Secret from a file and read it back", "Say where a Secret keeps")
        await play.press("down", "down")
        await play.sees("2 · Read it back", "not open yet", "Read the value with kubectl")


async def test_search_shows_what_has_all_words(tmp_path: Path) -> None:
    async with mapping(tmp_path) as play:
        await play.sees("Make a Secret")
        await play.press("slash", *"back", "space", *"value")
        await play.sees_not("○  1 Make a Secret")
        await play.sees("·  2 Read it back")
        await play.press(*"xyz")
        await play.sees("Nothing has these words.")
        await play.press("escape")
        await play.sees("○  1 Make a Secret", "·  2 Read it back")
        assert not isinstance(play.focused(), Input)


async def test_key_for_the_search_is_no_part_of_what_is_searched(tmp_path: Path) -> None:
    async with mapping(tmp_path) as play:
        await play.sees("Make a Secret")
        await play.press("slash", "slash", *"value")
        await play.sees("·  2 Read it back")


async def test_text_that_does_not_fit_is_read_on_with_the_keyboard(tmp_path: Path) -> None:
    async with mapping(tmp_path, size=(80, 24)) as play:
        await play.sees("R read on")
        details = play.app.screen.query_one(Details)
        await play.until(details.allow_focus)
        await play.press("r", "end")
        await play.until(lambda: details.is_vertical_scroll_end and details.scroll_y > 0)
        await play.press("escape")
        await play.until(lambda: isinstance(play.focused(), OptionList))
        await play.press("down")
        await play.until(lambda: details.scroll_y == 0)


async def test_lesson_opens_from_the_map_and_leads_back_to_it(tmp_path: Path) -> None:
    async with mapping(tmp_path) as play:
        await play.sees("Your first Secret")
        await play.press("enter")
        await play.until(lambda: isinstance(play.app.screen, LessonScreen))
        await play.open()
        await play.solve_first()
        await play.press("ctrl+g", "m")
        await play.until(lambda: isinstance(play.app.screen, CourseScreen))
        await play.sees("1 of 2 · 2 min left", "✓  1 Make a Secret", "○  2 Read it back")
        await play.press("down", "enter")
        await play.until(lambda: isinstance(play.app.screen, LessonScreen))
        await play.until(lambda: play.screen.scene.step.id == "read-it-back")


async def test_step_that_is_not_open_is_not_opened_from_the_map(tmp_path: Path) -> None:
    async with mapping(tmp_path) as play:
        await play.sees("Your first Secret")
        await play.press("end", "enter")
        await play.sees("This step is not open yet.")
        assert isinstance(play.app.screen, CourseScreen)


async def test_map_fits_into_a_small_window(tmp_path: Path) -> None:
    async with mapping(tmp_path, size=(80, 24)) as play:
        await play.sees("Your first Secret", "Make a Secret from a file", "F10 quit", "3 min")
        await play.press("f10")
        await play.until(lambda: not play.app.is_running)


async def test_palette_of_the_map_opens_goes_on_and_starts_anew(tmp_path: Path) -> None:
    async with mapping(tmp_path) as play:
        await play.sees("Your first Secret")
        await play.press("ctrl+p")
        await play.sees("Begin: Your first Secret", "2 steps, about 5 minutes", "Show the keys")
        assert "Start anew: Your" not in play.text()
        await play.press(*"begin", "enter")
        await play.until(lambda: isinstance(play.app.screen, LessonScreen))
        await play.open()
        await play.solve_first()
        await play.press("ctrl+g", "m")
        await play.until(lambda: isinstance(play.app.screen, CourseScreen))
        await play.press("ctrl+p")
        await play.sees("Go on with: Your first Secret", "1 of 2 steps done")
        await play.press(*"anew", "enter")
        await play.sees("Start “Your first Secret” anew?", "its cluster in the sandbox")
        await play.press("y")
        await play.sees("0 of 2", "starts anew", "The files are kept.")
        await play.press("ctrl+p", *"begin: your", "enter")
        await play.until(lambda: isinstance(play.app.screen, LessonScreen))


async def test_steps_are_in_the_palette_of_the_map(tmp_path: Path) -> None:
    async with mapping(tmp_path) as play:
        await play.sees("Your first Secret")
        await play.press("ctrl+p", *"read it")
        await play.sees("Your first Secret: 2 · Read it back")
        await play.press("enter")
        await play.sees("This step is not open yet.")


async def test_lesson_that_was_not_begun_does_not_start_anew(tmp_path: Path) -> None:
    async with mapping(tmp_path) as play:
        await play.sees("Your first Secret")
        await play.press("a")
        await play.sees("This lesson was not begun yet.")


async def test_start_anew_that_fails_says_why(tmp_path: Path) -> None:
    async with mapping(tmp_path) as play:
        await play.sees("Your first Secret")
        await play.press("enter")
        await play.until(lambda: isinstance(play.app.screen, LessonScreen))
        await play.open()
        await play.press("ctrl+g", "m")
        await play.until(lambda: isinstance(play.app.screen, CourseScreen))
        play.desk.failure = TutorError("It is open elsewhere.", next_action="Close it there.")
        await play.press("a", "y")
        await play.sees("It is open elsewhere.", "Close it there.")
        assert isinstance(play.app.screen, CourseScreen)


async def test_map_and_settings_are_all_in_reach_in_a_low_window(tmp_path: Path) -> None:
    async with mapping(tmp_path, size=(80, 12)) as play:
        await play.sees("○ Your first Secret", "Enter begins", "F10 quit")
        await play.press("s")
        await play.sees("Colours", "Saved in")
        await play.press(*["down"] * 6)
        await play.sees("Another key for each action", "Saved in")
        await play.press("enter")
        await play.sees("Show the keys", "Saved in")
        await play.press("up", "up")
        await play.sees("prefix", "course", "Saved in")
