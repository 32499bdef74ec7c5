"""Several shells in the pane."""

import os
from pathlib import Path

import psutil
import pytest
from textual import events
from textual.content import Content
from textual.geometry import Offset

from tests.fakes.waiting import until
from tests.ui.lesson_world import Play, playing
from tutor.session.session import Session
from tutor.ui.ports import Shell
from tutor.ui.screens.question import QuestionScreen
from tutor.ui.shells import LIMIT, Name, title
from tutor.ui.widgets.shell_pane import EndedLine, ShellPane

pytestmark = pytest.mark.timeout(120)


def shell_of(play: Play) -> Shell:
    shell = play.screen.back.runner.shell
    assert shell is not None
    return shell


async def open_another(play: Play) -> Shell:
    count = len(play.screen.back.shells.all)
    await play.press("ctrl+g", "c")
    await play.until(lambda: len(play.screen.back.shells.all) == count + 1)
    await play.prompt()
    return shell_of(play)


async def click(play: Play, text: str) -> None:
    """Click a part of the pane's title."""
    pane = play.screen.query_one(ShellPane)
    row = play.text().splitlines()[pane.region.y]
    await play.pilot.click(offset=Offset(row.index(text) + 1, pane.region.y))


async def test_pane_with_one_shell_has_no_names(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        await play.sees("━Shell   + new━")


async def test_new_shell_is_shown_and_has_the_lesson_s_environment(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        await play.type("echo first-one")
        await play.until(lambda: play.text().count("first-one") == 2)
        await open_another(play)
        await play.sees(" 1 shell  ▸2 shell [x]  + new")
        assert "first-one" not in play.text()
        await play.type("kubectl; pwd")
        await play.sees("secret/greeting created", str(play.world.folder.name))
        await play.press("ctrl+g", "n")
        await play.sees("first-one", "▸1 shell [x]   2 shell")


async def test_commands_of_every_shell_count_also_of_those_that_are_not_shown(
    tmp_path: Path,
) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        first, session = shell_of(play), play.screen.back.session
        assert isinstance(session, Session)
        await open_another(play)
        first.type("echo hidden\n")
        await play.type("echo shown")
        log = session.place.world.shell
        await play.until(lambda: len(log.records()) == 2)
        assert {each.text for each in log.records()} == {"echo hidden", "echo shown"}


async def test_name_says_what_runs_in_a_shell_that_is_not_shown(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        await play.type("cat")
        await play.sees("Shell · cat   + new")
        await open_another(play)
        await play.sees(" 1 cat  ▸2 shell [x]")


async def test_block_is_typed_where_nothing_runs(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        await play.type("cat")
        await play.until(lambda: shell_of(play).running)
        await play.press("f5")
        await play.until((play.world.folder / "word.txt").exists)
        await play.press("f5")
        await play.sees("`cat` still runs in the shell.")
        await open_another(play)
        await play.press("f5")
        await play.sees("secret/greeting created")


async def test_names_can_be_clicked(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        first = shell_of(play)
        await click(play, "+ new")
        await play.until(lambda: shell_of(play) is not first)
        await play.sees("▸2 shell [x]")
        await click(play, " 1 shell")
        await play.until(lambda: shell_of(play) is first)
        await play.sees("▸1 shell [x]")
        await click(play, "[x]")
        await play.sees("━Shell   + new━")
        assert shell_of(play) is not first


async def test_close_ends_the_shell_and_what_it_started(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        first = shell_of(play)
        second = await open_another(play)
        await play.type("sleep 1000 & echo $! $$ > pids")
        await play.until(lambda: (play.world.folder / "pids").exists() and second.at_prompt)
        pids = [int(pid) for pid in (play.world.folder / "pids").read_text().split()]
        await play.press("ctrl+g", "x")
        await play.until(lambda: shell_of(play) is first)
        await play.until(lambda: not any(map(psutil.pid_exists, pids)))
        await play.press("ctrl+g", "x")
        await play.sees("This is the only shell.")


async def test_close_of_a_shell_that_runs_something_asks(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        await open_another(play)
        await play.type("cat")
        await play.until(lambda: shell_of(play).running)
        await play.press("ctrl+g", "x")
        await play.until(lambda: isinstance(play.app.screen, QuestionScreen))
        await play.sees("Close this shell?", "`cat` still runs in it")
        await play.press("escape")
        await play.sees("▸2 cat [x]")
        assert len(play.screen.back.shells.all) == 2


async def test_shell_that_ends_leaves_nothing_and_starts_again_in_its_place(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        first = shell_of(play)
        second = await open_another(play)
        await play.type("sleep 1000 & echo $! > pid; disown; exit 3")
        await play.sees("The shell has ended (exit status 3). Press Enter for a new one.")
        await play.sees("▸2 has ended [x]")
        pid = int((play.world.folder / "pid").read_text())
        await play.until(lambda: not psutil.pid_exists(pid))
        await play.press("ctrl+g", "n")
        await play.sees("▸1 shell [x]   2 has ended")
        assert not play.screen.query_one(EndedLine).display
        assert shell_of(play) is first
        await play.press("ctrl+g", "n")
        await play.until(lambda: isinstance(play.focused(), EndedLine))
        await play.press("enter")
        await play.until(lambda: shell_of(play) not in {first, second})
        await play.prompt()
        await play.sees("▸2 shell [x]")


async def test_leaving_asks_for_what_runs_in_any_shell_and_ends_them_all(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        for name in ("first", "second"):
            await play.type(f"echo $$ > {name}; cat")
            await play.until(lambda: shell_of(play).running)
            if name == "first":
                await open_another(play)
        await play.until((play.world.folder / "second").exists)
        await play.press("f10")
        await play.sees("first; cat` and `echo $$ > second; cat` still run")
        await play.press("y")
        await play.until(lambda: play.app._exit)
    for name in ("first", "second"):
        pid = int((play.world.folder / name).read_text())
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def test_search_ends_when_another_shell_is_shown(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        await open_another(play)
        await play.press("ctrl+g", "slash")
        await play.sees("Enter: older")
        await click(play, " 1 shell")
        await play.sees_not("Enter: older")
        assert play.focused() is play.screen.terminal


async def test_there_is_a_last_shell(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        for _ in range(LIMIT - 1):
            await open_another(play)
        await play.press("ctrl+g", "c")
        await play.sees("There are 9 shells already.", "ctrl+g x closes one.")


async def test_every_shell_ends_with_the_app(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        for _ in range(2):
            await open_another(play)
        shells = [each.shell for each in play.screen.back.shells.all]
    assert len(shells) == 3
    await until(lambda: all(each and each.exit_status is not None for each in shells))


@pytest.mark.parametrize("width", [60, 80, 120])
def test_title_of_two_shells_fits_and_shows_what_is_typed_as_it_is(width: int) -> None:
    runs = "kubectl get pods --all-namespaces -o jsonpath='{.items[*].metadata.name}'"
    text = Content.from_markup(title((Name(runs, False), Name("[b]", True)), width)).plain
    assert len(text) <= width
    assert text.startswith(" 1 kubectl get")
    assert text.endswith("▸2 [b] [x]  + new")


def test_title_of_a_command_that_ends_in_a_backslash_stays_in_its_link() -> None:
    text = Content.from_markup(title((Name("cat \\", False), Name("", True)), 80))
    assert text.plain.startswith(" 1 cat   ▸2 shell")
    assert (text.spans[0].start, text.spans[0].end) == (0, len(" 1 cat "))


async def test_lines_of_a_paste_are_asked_for_as_lines_however_they_are_parted(
    tmp_path: Path,
) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        await play.type("cat")
        await play.sees("Shell · cat")
        play.screen.terminal.post_message(events.Paste("the first\rthe second\r"))
        await play.sees("Paste 2 lines?", "  the first  ", "  the second  ")
        await play.press("enter")
        await play.sees("the first\n", "the second\n")
