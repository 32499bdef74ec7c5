"""A lesson that plays itself before an audience."""

from pathlib import Path

import pytest

from tests.ui.lesson_world import SECRETS, playing, secret
from tutor.ui.screens.presenter import PresenterScreen

pytestmark = pytest.mark.timeout(90)


async def test_one_key_types_each_command_and_turns_to_the_next_step(tmp_path: Path) -> None:
    async with playing(tmp_path, shows_at=50) as play:
        await play.open()
        assert isinstance(play.screen, PresenterScreen)
        await play.sees("PgDn type", "F12 play")
        await play.press("pagedown")
        await play.until((play.world.folder / "word.txt").exists)
        await play.press("pagedown")
        await play.sees("kubectl create secret generic greeting", "secret/greeting created")
        await play.sees("✓ [run]")
        await play.press("pagedown")
        assert play.screen.scene.step.id == "make-secret"
        play.world.cluster.put(SECRETS, secret("hello\n"))
        await play.sees("PgDn next step")
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
