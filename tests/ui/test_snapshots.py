"""Each screen and state looks as it did. `make snapshots` takes all of them anew."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.ui.lesson_world import SECRETS, FakeDesk, Play, mapping, playing, secret
from tests.ui.snapshot import FOLDER, holds
from tutor.ui.screens.course import CourseScreen
from tutor.ui.screens.finished import FinishedScreen
from tutor.ui.screens.help import HelpScreen
from tutor.ui.screens.keys import KeysScreen
from tutor.ui.screens.lesson import LessonScreen
from tutor.ui.screens.prefix import PrefixScreen
from tutor.ui.screens.question import QuestionScreen
from tutor.ui.screens.settings import SettingsScreen
from tutor.ui.screens.welcome import WelcomeScreen
from tutor.ui.theme import LIGHT

pytestmark = pytest.mark.timeout(180)

SMALL, LARGE, HUGE = (80, 24), (120, 40), (200, 60)
USUAL = pytest.mark.parametrize("size", [SMALL, LARGE], ids="{0[0]}x{0[1]}".format)

Take = Callable[[str], Awaitable[None]]


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this machine is like does not matter."""
    for name in ("NO_COLOR", "EDITOR", "VISUAL", "KUBE_EDITOR"):
        monkeypatch.delenv(name, raising=False)
    file = Path("~/tutor/settings.yaml")
    monkeypatch.setattr(FakeDesk, "settings_file", property(lambda _: file))


def taking(play: Play, size: tuple[int, int]) -> Take:
    """Compares with the snapshot of a name for this size."""
    play.app.animation_level = "none"

    async def take(name: str) -> None:
        await holds(play, f"{name}-{size[0]}x{size[1]}")

    return take


async def shown(play: Play, screen: type[object]) -> None:
    await play.until(lambda: isinstance(play.app.screen, screen))


@USUAL
async def test_lesson_looks_as_it_did(tmp_path: Path, size: tuple[int, int]) -> None:
    async with playing(tmp_path, size=size) as play:
        take = taking(play, size)
        await play.sees("waiting for the sandbox to start")
        await take("lesson-starting")
        await play.open()
        await take("lesson")
        await play.press("f2", "f2", "f2")
        await play.sees("The solution")
        await take("lesson-hints")
        play.world.cluster.put(SECRETS, secret("word.txt"))
        await play.sees("nown wrong turn")
        await take("lesson-mistake")
        await play.press("f8")
        await take("lesson-mistake-facts")
        await play.press("f8")
        await play.solve_first()
        await take("lesson-done")
        await play.press("f9")
        await play.until(lambda: play.screen.scene.step.id == "read-it-back")
        await take("lesson-next-step")


@USUAL
async def test_panes_look_as_they_did(tmp_path: Path, size: tuple[int, int]) -> None:
    async with playing(tmp_path, size=size) as play:
        take = taking(play, size)
        await play.open()
        await play.press("f5", "f5")
        await play.sees("✓ [write]", "secret/greeting created")
        await play.prompt()
        await take("shell-typed")
        await play.press("f7")
        await take("shell-zoomed")
        # How far a pane scrolls that grows and shrinks is the terminal's business.
        await play.press("ctrl+l")
        await play.sees_not("secret/greeting created")
        await play.press("f7", "f6", "f7")
        await take("lesson-zoomed")
        await play.press("f7", "f3")
        await take("steps")
        await play.press("escape")
        await play.press("ctrl+g", "c")
        await play.until(lambda: len(play.screen.back.shells.all) > 1)
        await play.prompt()
        await take("shells")
        await play.press("ctrl+g", "x")
        await play.until(lambda: len(play.screen.back.shells.all) == 1)
        await play.type("exit 3")
        await play.sees("The shell has ended (exit status 3).")
        await take("shell-ended")


@USUAL
async def test_boxes_look_as_they_did(tmp_path: Path, size: tuple[int, int]) -> None:
    async with playing(tmp_path, size=size) as play:
        take = taking(play, size)
        await play.open()
        await play.press("f1")
        await shown(play, HelpScreen)
        await take("help")
        await play.press("escape", "ctrl+g", "e")
        await shown(play, SettingsScreen)
        await take("settings")
        await play.press("escape", "ctrl+g", "k")
        await shown(play, KeysScreen)
        await take("keys")
        await play.press("escape", "f6", "ctrl+g")
        await shown(play, PrefixScreen)
        await take("prefix")
        await play.press("escape", "ctrl+g", "p")
        # All entries come in the order of who is quicker.
        await play.press(*"dragged")
        await take("palette")
        await play.press("escape", "escape")
        await play.press("ctrl+g", "/", *"secret")
        await take("shell-find")
        await play.press("escape")
        await play.type("cat")
        await play.sees("Shell · cat")
        await play.press("f10")
        await shown(play, QuestionScreen)
        await take("question")


@USUAL
async def test_map_looks_as_it_did(tmp_path: Path, size: tuple[int, int]) -> None:
    async with mapping(tmp_path, size=size) as play:
        take = taking(play, size)
        await play.sees("Your first Secret")
        await take("map")
        await play.press("slash", *"zzz")
        await play.sees("Nothing has these words.")
        await take("map-nothing-found")
        await play.press("escape", "enter")
        await shown(play, LessonScreen)
        await play.open()
        await play.solve_first()
        await play.press("ctrl+g", "m")
        await shown(play, CourseScreen)
        await take("map-one-done")


@USUAL
async def test_welcome_looks_as_it_did(tmp_path: Path, size: tuple[int, int]) -> None:
    async with mapping(tmp_path, size=size, welcome=True) as play:
        take = taking(play, size)
        await shown(play, WelcomeScreen)
        await take("welcome")


@USUAL
async def test_end_looks_as_it_did(tmp_path: Path, size: tuple[int, int]) -> None:
    async with playing(tmp_path, size=size) as play:
        take = taking(play, size)
        await play.open()
        await play.solve_first()
        await play.press("f9")
        await play.until(lambda: play.screen.scene.step.id == "read-it-back")
        await play.press("f2", "f2", "f2", "f2")
        await shown(play, QuestionScreen)
        await play.press("enter")
        await play.until(lambda: play.screen.scene.is_finished)
        await play.press("f9")
        await shown(play, FinishedScreen)
        await take("finished")


async def test_presenter_looks_as_it_did(tmp_path: Path) -> None:
    async with playing(tmp_path, shows_at=50) as play:
        take = taking(play, LARGE)
        await play.open()
        await take("presenter")


@pytest.mark.parametrize("look", ["light", "no-colour", "ansi"])
async def test_state_is_told_in_every_colour_scheme(
    tmp_path: Path, look: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if look == "no-colour":
        monkeypatch.setenv("NO_COLOR", "1")
    async with playing(tmp_path) as play:
        take = taking(play, LARGE)
        themes = {"light": LIGHT.name, "ansi": "ansi-dark"}
        play.app.theme = themes.get(look, play.app.theme)
        await play.open()
        play.world.cluster.put(SECRETS, secret("word.txt"))
        await play.sees("nown wrong turn")
        await take(f"mistake-{look}")


async def test_lesson_and_shell_stand_side_by_side_in_a_wide_window(tmp_path: Path) -> None:
    async with playing(tmp_path, size=HUGE) as play:
        take = taking(play, HUGE)
        await play.open()
        await take("lesson")


async def test_window_that_is_too_small_says_so(tmp_path: Path) -> None:
    async with playing(tmp_path, size=(40, 10)) as play:
        take = taking(play, (40, 10))
        await take("too-small")


def test_snapshots_tell_nothing_of_the_machine(tmp_path: Path) -> None:
    texts = [path.read_text(encoding="utf-8") for path in FOLDER.glob("*.txt")]
    assert texts
    assert not [text for text in texts if tmp_path.parts[1] in text]
