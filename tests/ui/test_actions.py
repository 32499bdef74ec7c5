"""Whatever can be done has an id and a sentence, and is in the palette and the help."""

import importlib
import inspect
import pkgutil
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.binding import Binding
from textual.command import CommandList, CommandPalette
from textual.screen import Screen
from textual.widget import Widget

from tests.ui.lesson_world import Play, mapping, playing
from tutor.ui import screens, widgets
from tutor.ui.screens.course import CourseScreen
from tutor.ui.screens.finished import Ending, FinishedScreen
from tutor.ui.screens.help import HelpScreen
from tutor.ui.screens.keys import KeysScreen
from tutor.ui.screens.lesson import LessonScreen
from tutor.ui.screens.presenter import PresenterScreen
from tutor.ui.screens.question import QuestionScreen
from tutor.ui.screens.settings import SettingsScreen
from tutor.ui.screens.welcome import WelcomeScreen

pytestmark = pytest.mark.timeout(90)

MOVES = {
    "app.focus_next",
    "app.focus_previous",
    "cursor_down",
    "cursor_up",
    "first",
    "go_down",
    "last",
    "move(1)",
    "move(-1)",
    "page(1)",
    "page(-1)",
    "step(1)",
    "step(-1)",
}
"""What only goes from one thing to the next is no action."""

END = Ending(title="A lesson", objectives=("Do it.",), passed=2, skipped=0, took="a minute")


def _declared() -> Iterator[tuple[type[Widget], Binding]]:
    """Every key of every screen and widget of ours."""
    for package in (screens, widgets):
        for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            for _, each in inspect.getmembers(importlib.import_module(found.name), inspect.isclass):
                if each.__module__ == found.name and issubclass(each, Widget):
                    for binding in vars(each).get("BINDINGS", ()):
                        assert isinstance(binding, Binding)
                        yield each, binding


def _of_actions() -> list[tuple[type[Widget], Binding]]:
    return [(owner, key) for owner, key in _declared() if key.action not in MOVES]


def test_every_action_has_an_id_a_sentence_and_a_method() -> None:
    found = _of_actions()
    assert len(found) > len(MOVES)
    for owner, key in found:
        assert key.id, (owner, key)
        assert key.tooltip, (owner, key)
        assert not key.tooltip.endswith("."), (owner, key)
        name = key.action.rpartition(".")[2].partition("(")[0]
        whose = App if key.action.startswith("app.") else owner
        assert hasattr(whose, f"action_{name}"), (owner, key)


def test_no_two_keys_of_a_widget_have_the_same_id() -> None:
    for owner in {owner for owner, _ in _of_actions()}:
        ids = [key.id for each, key in _of_actions() if each is owner]
        assert len(ids) == len(set(ids)), owner


@asynccontextmanager
async def _lesson(home: Path) -> AsyncGenerator[Play]:
    async with playing(home, size=(120, 90)) as play:
        await play.open()
        yield play


@asynccontextmanager
async def _presenter(home: Path) -> AsyncGenerator[Play]:
    async with playing(home, size=(120, 90), shows_at=50) as play:
        await play.open()
        yield play


@asynccontextmanager
async def _map(home: Path) -> AsyncGenerator[Play]:
    async with mapping(home, size=(120, 90)) as play:
        await play.until(lambda: isinstance(play.app.screen, CourseScreen))
        yield play


@asynccontextmanager
async def _welcome(home: Path) -> AsyncGenerator[Play]:
    async with mapping(home, size=(120, 90), welcome=True) as play:
        await play.until(lambda: isinstance(play.app.screen, WelcomeScreen))
        yield play


Opened = Callable[[Path], AbstractAsyncContextManager[Play]]


def _above(make: Callable[[Play], Screen[Any]]) -> Opened:
    """A window above the map."""

    @asynccontextmanager
    async def opened(home: Path) -> AsyncGenerator[Play]:
        async with _map(home) as play:
            window = make(play)
            await play.app.push_screen(window)
            await play.until(lambda: play.app.screen is window and window.is_attached)
            yield play

    return opened


OPENED: dict[type[Screen[Any]], tuple[Opened, tuple[str, ...]]] = {
    LessonScreen: (_lesson, ("ctrl+g", "p")),
    PresenterScreen: (_presenter, ("ctrl+g", "p")),
    CourseScreen: (_map, ("ctrl+p",)),
    WelcomeScreen: (_welcome, ("ctrl+p",)),
    HelpScreen: (_above(lambda _: HelpScreen(())), ("ctrl+p",)),
    SettingsScreen: (_above(lambda play: SettingsScreen(play.desk)), ("ctrl+p",)),
    KeysScreen: (_above(lambda play: KeysScreen(play.desk)), ("ctrl+p",)),
    QuestionScreen: (_above(lambda _: QuestionScreen("?", "", yes="y", no="n")), ("ctrl+p",)),
    FinishedScreen: (_above(lambda _: FinishedScreen(END, "Another")), ("ctrl+p",)),
}


def test_all_screens_are_opened_here() -> None:
    assert {owner for owner, _ in _of_actions() if issubclass(owner, Screen)} == {*OPENED}


def _sentences(screen: Screen[Any]) -> set[str]:
    """What keys do on a screen, but for waiting for another key and for opening the palette."""
    keys = [key for owner, key in _of_actions() if isinstance(screen, owner)]
    return {key.tooltip for key in keys if key.id not in _TO_ALL}


_TO_ALL = {"lesson.prefix", "lesson.palette", "window.palette"}


@pytest.mark.parametrize("screen", OPENED, ids=lambda screen: screen.__name__)
async def test_palette_has_every_action_of_a_screen(
    screen: type[Screen[Any]], tmp_path: Path
) -> None:
    opened, keys = OPENED[screen]
    async with opened(tmp_path) as play:
        here = play.app.screen
        assert type(here) is screen
        await play.press(*keys)
        await play.until(lambda: isinstance(play.app.screen, CommandPalette))
        await play.sees(*(each[:60] for each in _sentences(here)))


@pytest.mark.parametrize(
    "screen",
    [LessonScreen, PresenterScreen, CourseScreen, WelcomeScreen],
    ids=lambda screen: screen.__name__,
)
async def test_help_has_every_action_of_a_screen(screen: type[Screen[Any]], tmp_path: Path) -> None:
    opened, _ = OPENED[screen]
    async with opened(tmp_path) as play:
        here = play.app.screen
        await play.press("f1")
        await play.until(lambda: isinstance(play.app.screen, HelpScreen))
        await play.sees(*(each[:60] for each in _sentences(here)))


async def _choose(play: Play, search: str, found: str) -> None:
    """Choose what the palette finds first."""
    await play.until(lambda: isinstance(play.app.screen, CommandPalette))
    await play.press(*search)
    await play.until(lambda: _first_found(play).startswith(found))
    await play.press("enter")


def _first_found(play: Play) -> str:
    found = play.app.screen.query_one(CommandList)
    return str(found.get_option_at_index(0).prompt) if found.option_count else ""


async def test_palette_of_a_question_answers_it(tmp_path: Path) -> None:
    async with OPENED[QuestionScreen][0](tmp_path) as play:
        await play.press("ctrl+p")
        await _choose(play, "yes", "Yes")
        await play.until(lambda: isinstance(play.app.screen, CourseScreen))


async def test_palette_of_a_lesson_has_what_the_step_has(tmp_path: Path) -> None:
    async with _lesson(tmp_path) as play:
        await play.press("ctrl+g", "p")
        await _choose(play, "copy: word", "Copy: word.txt")
        await play.until(lambda: play.app.clipboard == "hello\n")
        await play.press("ctrl+g", "p")
        await _choose(play, "see for yourself", "See for yourself: The file")
        await play.sees("cat: word.txt: No such file")
        await play.prompt()
        await play.press("ctrl+g", "p")
        await _choose(play, "write the", "Write the file: word.txt")
        await play.until((play.world.folder / "word.txt").exists)
        await play.press("ctrl+g", "p")
        await _choose(play, "select in", "Select in the shell")
        await play.until(lambda: play.screen.terminal.marking)
