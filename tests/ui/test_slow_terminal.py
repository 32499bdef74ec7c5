"""The slower engine is told of, once, with why and what to do."""

from pathlib import Path

import pytest

from tests.ui.lesson_world import playing
from tutor.terminal import engine as engines
from tutor.terminal.engine import Choice


async def test_slower_engine_is_told_of_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(choice: Choice) -> None:
        raise ModuleNotFoundError(choice)

    monkeypatch.setattr(engines, "self_test", missing)
    engines.fallback.cache_clear()
    try:
        async with playing(tmp_path) as play:
            await play.open()
            await play.sees("The shell's terminal is the slower one", "is not installed")
            play.app.clear_notifications()
            await play.sees_not("is the slower one")
            await play.type("exit")
            await play.sees("The shell has ended")
            await play.press("enter")
            await play.prompt()
            assert "slower one" not in play.text()
    finally:
        engines.fallback.cache_clear()
