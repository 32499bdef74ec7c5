"""How a learner gets about in a lesson: keys, mouse, palette, panes and windows of any size."""

from pathlib import Path

import pytest
from textual import events

from tests.ui.lesson_world import playing
from tutor.settings import load
from tutor.ui.keys import KEYS
from tutor.ui.screens.help import HelpScreen
from tutor.ui.widgets.block import BlockCard
from tutor.ui.widgets.facts import FactView
from tutor.ui.widgets.keybar import KeyBar
from tutor.ui.widgets.shell_pane import EndedLine, ShellPane
from tutor.ui.widgets.steps import StepList
from tutor.ui.widgets.terminal import Terminal

pytestmark = pytest.mark.timeout(90)


async def test_keys_of_the_shell_are_the_shells(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        await play.type("cat -v")
        await play.sees("Shell · cat -v")
        await play.press("ctrl+q", "ctrl+v", "ctrl+p", "tab", "escape", "enter")
        await play.sees("^P")
        await play.press("ctrl+c")
        await play.prompt()
        await play.sees("^C")
        assert isinstance(play.focused(), Terminal)


async def test_what_is_typed_beside_the_shell_goes_to_the_shell(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        await play.press("f6")
        await play.until(lambda: not isinstance(play.focused(), Terminal))
        await play.type("echo is $((40+2))")
        await play.sees("is 42")
        assert isinstance(play.focused(), Terminal)


async def test_prefix_reaches_what_function_keys_do(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        await play.press("ctrl+g")
        await play.sees("ctrl+g then")
        await play.press("1")
        await play.until(lambda: isinstance(play.app.screen, HelpScreen))
        await play.press("escape")
        await play.press("f6")
        await play.until(lambda: not isinstance(play.focused(), Terminal))
        await play.press("ctrl+g", "6")
        await play.until(lambda: isinstance(play.focused(), Terminal))


async def test_shell_that_ended_is_told_and_comes_back(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        await play.type("exit 3")
        await play.sees("The shell has ended (exit status 3). Press Enter for a new one.")
        assert isinstance(play.focused(), EndedLine)
        await play.press("f5")
        await play.until((play.world.folder / "word.txt").exists)
        await play.press("f5")
        await play.sees("Press Enter there for a new one.")
        await play.press("enter")
        await play.prompt()
        await play.type("echo again $((40+2))")
        await play.sees("again 42")


async def test_everything_of_a_small_window_can_be_reached(tmp_path: Path) -> None:
    async with playing(tmp_path, size=(80, 24)) as play:
        await play.open()
        await play.sees("✗ 0 of 2 · The file holds a word", "1/2", "F10 quit")
        await play.press("f8")
        await play.sees("Facts · 0 of 2 hold", "see it yourself: cat word.txt")
        await play.press("ctrl+g", "f", "escape")
        await play.sees("A Secret holds named values")
        await play.press("f3")
        await play.sees("▸○  1 Make a Secret")
        await play.press("escape", "f7")
        await play.sees_not("A Secret holds named values")
        await play.press("f7")
        await play.sees("A Secret holds named values")


async def test_program_that_takes_the_screen_gets_the_window_where_that_is_small(
    tmp_path: Path,
) -> None:
    async with playing(tmp_path, size=(80, 24)) as play:
        await play.open()
        await play.type("printf '\\033[?1049h'; cat; printf '\\033[?1049l'")
        await play.sees_not("A Secret holds named values")
        await play.press("ctrl+d")
        await play.sees("A Secret holds named values")


async def test_window_that_is_too_small_says_so(tmp_path: Path) -> None:
    async with playing(tmp_path, size=(50, 12)) as play:
        await play.sees("This window has 50 by 12 characters.")
        await play.pilot.resize_terminal(90, 30)
        await play.sees("A Secret holds named values")


async def test_palette_reaches_every_action_and_step(tmp_path: Path) -> None:
    async with playing(tmp_path, size=(120, 80)) as play:
        await play.open()
        await play.press("ctrl+g", "p")
        await play.sees(*(key.says[:40] for key in KEYS if key.id != "palette"))
        await play.press(*"step")
        await play.sees("Step 2: Read it back")


async def test_edge_between_lesson_and_shell_is_moved_by_keys_and_mouse(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        shell = play.screen.query_one(ShellPane)
        usual = shell.region.y
        await play.press("ctrl+g", "up")
        await play.until(lambda: shell.region.y < usual)
        await play.press("ctrl+g", "down")
        await play.until(lambda: shell.region.y == usual)
        await play.pilot.mouse_down(offset=(60, shell.region.y))
        await play.pilot._post_mouse_events([events.MouseMove], offset=(60, 10), button=1)
        await play.pilot.mouse_up(offset=(60, 10))
        await play.until(lambda: shell.region.y == 10)
        await play.pilot.resize_terminal(200, 60)
        await play.until(lambda: shell.region.x > 60 and shell.region.height > 50)


async def test_edge_is_let_go_when_the_mouse_comes_without_its_button(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        shell = play.screen.query_one(ShellPane)
        usual = shell.region.y
        await play.pilot.mouse_down(offset=(60, usual))
        await play.until(lambda: play.app.mouse_captured is shell)
        await play.pilot.hover(offset=(60, 10))
        await play.until(lambda: play.app.mouse_captured is None)
        assert shell.region.y == usual


async def test_settings_hold_at_once_and_are_saved(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        await play.press("ctrl+g", "e")
        await play.sees("Settings", "Colours", "◂ tutor ▸", "Pace", "◂ watchable ▸")
        await play.press("right", "down", "left", "down", "right", "down", "right")
        await play.sees("◂ tutor-light ▸", "◂ beside ▸", "◂ reduced ▸", "◂ real ▸")
        await play.until(lambda: play.app.theme == "tutor-light")
        saved = load({}, tmp_path)
        assert (saved.theme, saved.pace) == ("tutor-light", "real")
        assert (saved.layout, saved.motion) == ("beside", "reduced")
        assert play.app.animation_level == "none"
        await play.press("escape")
        await play.sees_not("Settings")
        await play.until(lambda: play.screen.query_one(ShellPane).region.x > 60)


async def test_everything_can_be_done_with_the_mouse(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        card = play.screen.query(BlockCard).first()
        await play.click_word(card, "[write")
        await play.until((play.world.folder / "word.txt").exists)
        await play.sees("✓ The file holds a word")
        await play.pilot.click("#fact-word-file")
        await play.sees("see it yourself: cat word.txt")
        await play.click_word(card, "[copy]")
        await play.until(lambda: play.app.clipboard == card.text)
        await play.click_word(play.screen.query_one("#fact-word-file", FactView), "[run]")
        await play.sees("hello")
        await play.prompt()
        await play.solve_first()
        bar = play.screen.query_one(KeyBar)
        await play.pilot.click(bar, offset=(bar.render().plain.index("next") + 1, 0))
        await play.until(lambda: play.screen.scene.step.id == "read-it-back")
        await play.pilot.click(StepList, offset=(8, 1))
        await play.until(lambda: play.screen.scene.step.id == "make-secret")


async def test_states_are_told_by_signs_where_there_are_no_colours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with playing(tmp_path) as play:
        await play.open()
        await play.sees("✗ The file holds a word", "▸○  1 Make a Secret", " ·  2 Read it back")
        strips = play.app.screen._compositor.render_strips()
        styles = [part.style for strip in strips for part in strip if part.style]
        colours = {style.color for style in styles if style.color}
        assert all(len({*colour.get_truecolor()}) == 1 for colour in colours)


async def test_search_finds_what_has_scrolled_away(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        await play.type("echo first needle; seq 200; echo last needle")
        await play.prompt()
        await play.press("ctrl+g", "slash")
        await play.press(*"needle")
        await play.sees("1 of 4")
        await play.press("enter", "enter", "enter")
        await play.sees("4 of 4", "echo first needle")
        await play.press("down")
        await play.sees("3 of 4")
        await play.press("escape")
        await play.until(lambda: isinstance(play.focused(), Terminal))
        await play.sees_not("3 of 4")


async def test_shell_that_ends_at_once_says_how_to_have_another(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        (tmp_path / ".bashrc").write_text("exit 7\n", encoding="utf-8")
        play.desk.gate.set()
        await play.sees("ended before its first prompt (exit status 7)", "SHELL=/bin/bash tutor")
        (tmp_path / ".bashrc").write_text("", encoding="utf-8")
        await play.press("enter")
        await play.prompt()


async def test_window_that_was_large_for_a_while_shows_what_came_last(tmp_path: Path) -> None:
    async with playing(tmp_path, size=(80, 24)) as play:
        await play.open()
        await play.solve_first()
        await play.sees("Done: what just happened")
        await play.sees_not("Make one called greeting")
        await play.pilot.resize_terminal(200, 60)
        await play.sees("Make one called greeting", "Done: what just happened")
        await play.pilot.resize_terminal(82, 24)
        await play.sees("Done: what just happened")
