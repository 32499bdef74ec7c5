"""A lesson that plays itself before an audience."""

import shutil
from pathlib import Path

import pytest

from tests.ui.lesson_world import LESSONS, SECRETS, playing, secret
from tutor.ui.screens.presenter import PresenterScreen

pytestmark = pytest.mark.timeout(90)


async def test_one_key_types_each_command_and_turns_to_the_next_step(tmp_path: Path) -> None:
    async with playing(tmp_path, shows_at=50) as play:
        await play.open()
        assert isinstance(play.screen, PresenterScreen)
        await play.sees("PgDn type", "F12 play", "[write PgDn]")
        assert "F5" not in play.text()
        await play.press("pagedown")
        await play.until((play.world.folder / "word.txt").exists)
        await play.press("pagedown")
        await play.sees("kubectl create secret generic greeting", "secret/greeting created")
        await play.sees("✓ [run]")
        await play.press("pagedown")
        assert play.screen.scene.step.id == "make-secret"
        play.world.cluster.put(SECRETS, secret("hello\n"))
        await play.sees("PgDn next step", "PgDn goes on")
        await play.press("pagedown")
        await play.until(lambda: play.screen.scene.step.id == "read-it-back")
        await play.press("pageup")
        await play.until(lambda: play.screen.scene.step.id == "make-secret")


async def test_it_goes_on_by_itself_until_it_is_stopped(tmp_path: Path) -> None:
    async with playing(tmp_path, shows_at=100) as play:
        await play.open()
        play.world.cluster.put(SECRETS, secret("hello\n"))
        await play.press("f12")
        await play.sees("F12 stop")
        await play.until(lambda: play.screen.scene.step.id == "read-it-back")
        await play.sees("jsonpath='{.data.word}'", "✓ [run]")
        await play.press("f12")
        await play.sees("F12 play")


async def test_step_without_commands_shows_its_hints_and_then_its_solution(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lessons = tmp_path / "lessons"
    shutil.copytree(LESSONS, lessons)
    step = lessons / "10-first-secret" / "steps" / "make-secret.yaml"
    text = step.read_text(encoding="utf-8").replace("solution: do\n", "")
    step.write_text(text.replace("\ndo:\n", "\nsolution:\n"), encoding="utf-8")
    monkeypatch.setattr("tests.ui.lesson_world.LESSONS", lessons)
    async with playing(tmp_path, shows_at=100) as play:
        await play.open()
        for told in ("Hint 1 of 2", "Hint 2 of 2", "The solution"):
            await play.sees("PgDn help")
            await play.press("pagedown")
            await play.sees(told)
        await play.sees("PgDn type")
        await play.press("pagedown")
        await play.until((play.world.folder / "word.txt").exists)


async def test_last_line_says_so_as_long_as_a_command_is_being_typed(tmp_path: Path) -> None:
    async with playing(tmp_path, shows_at=2) as play:
        await play.open()
        await play.press("pagedown")
        await play.until((play.world.folder / "word.txt").exists)
        await play.press("pagedown")
        await play.sees("PgDn types", "$ kubectl create")
        await play.sees("secret/greeting created", "PgDn wait")


async def test_command_that_failed_is_typed_again_with_the_same_key(tmp_path: Path) -> None:
    async with playing(tmp_path, shows_at=50) as play:
        await play.open()
        await play.press("pagedown")
        await play.until((play.world.folder / "word.txt").exists)
        await play.type("alias kubectl=false; echo al''iased")
        await play.sees("aliased\n")
        await play.prompt()
        await play.press("pagedown")
        await play.sees("✗ exit 1 [run PgDn]", "PgDn type again")
        await play.type("unalias kubectl; echo una''liased")
        await play.sees("unaliased\n")
        await play.prompt()
        await play.press("pagedown")
        await play.sees("secret/greeting created", "✓ [run]")
