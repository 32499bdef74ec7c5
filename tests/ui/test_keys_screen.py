"""Other keys for actions: chosen in the app, shown wherever a key is named, and kept."""

from pathlib import Path

from tests.ui.lesson_world import mapping, playing
from tutor.settings import load, save
from tutor.ui.screens.keys import ActionRow, KeysScreen
from tutor.ui.widgets.callout import Callout


async def test_key_that_is_chosen_holds_at_once_and_is_shown_and_saved(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        await play.press("ctrl+g", "k")
        await play.until(lambda: isinstance(play.app.screen, KeysScreen))
        await play.press("down", "down", "down", "enter")
        await play.sees("press a key")
        await play.press("f4")
        await play.sees_not("press a key")
        await play.press("escape")
        await play.sees("F4 run", " F4]")
        await play.press("f4")
        await play.until((play.world.folder / "word.txt").exists)
        await play.press("f1")
        await play.sees("let F4 type")
        await play.press("escape", "f2", "f2", "f2")
        await play.sees("F4 types it, one after the other")
    assert load({}, tmp_path).keys == {"run": "f4"}


async def test_key_that_is_taken_is_told_and_changes_nothing(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        await play.press("ctrl+g", "k")
        await play.until(lambda: isinstance(play.app.screen, KeysScreen))
        await play.press("enter", "f9")
        await play.sees("cannot have `f9`")
        await play.press("enter", "ctrl+q")
        await play.sees("cannot have `ctrl+q`")
        await play.press("enter", "escape")
        assert isinstance(play.app.focused, ActionRow)
        assert play.app.focused.pressed == "f1"
        assert play.desk.settings.keys == {}


async def test_keys_of_the_settings_are_there_from_the_start(tmp_path: Path) -> None:
    save(tmp_path, "keys", {"hint": "none", "prefix": "ctrl+t", "next": "alt+n"})
    async with playing(tmp_path) as play:
        await play.sees("alt+n next")
        await play.sees_not("F2")
        await play.open()
        await play.press("ctrl+g", "f9", "f2")
        assert not play.screen.terminal.prefixed
        await play.press("ctrl+t")
        await play.sees("ctrl+t then", "2 hint", "p palette")
        await play.press("2")
        await play.sees("Hint 1 of 2")
        await play.press("alt+n")
        await play.sees("Not yet:", "ctrl+t 2 helps.")


async def test_message_that_is_told_again_is_shown_once(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        await play.press("f9", "f9", "f9")
        await play.sees("Not yet:")
        assert play.text().count("Not yet:") == 1


async def test_map_has_the_chosen_keys_for_help_and_leaving(tmp_path: Path) -> None:
    save(tmp_path, "keys", {"help": "f12", "quit": "none"})
    async with mapping(tmp_path) as play:
        await play.sees("F12 help", "Q quit")
        await play.press("f12")
        await play.sees("How this works")
        await play.press("f12")
        await play.sees_not("How this works")


async def test_key_in_the_text_of_a_lesson_does_what_it_says(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        await play.press("f2", "f2", "f2")
        await play.sees("F5 types it")
        await play.click_word(play.screen.query_one("#lesson").query(Callout).last(), "F5")
        await play.until((play.world.folder / "word.txt").exists)
