"""What is said to be waited for, and when."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.ui.lesson_world import Play, playing
from tutor.probes.base import Blind, Collection, Object
from tutor.ui.backstage import NAMESPACES
from tutor.ui.patience import Begun, tell
from tutor.ui.scene import clock_time
from tutor.ui.waiting import Wait
from tutor.ui.widgets.topbar import Told, TopBar

pytestmark = pytest.mark.timeout(90)

PODS = Collection("v1", "Pod", "demo")
STARTED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
POD, COMMAND = Wait("pods", "1 pod in demo"), Wait("command", "`make` to end")


def pod(name: str, *, phase: str = "Pending", ready: bool = False) -> Object:
    conditions = [{"type": "Ready", "status": str(ready)}]
    return {
        "metadata": {"name": name, "namespace": "demo"},
        "status": {"phase": phase, "conditions": conditions},
    }


def first_line(play: Play) -> str:
    return play.text().splitlines()[0]


def told_of(play: Play) -> str:
    told = play.screen.query_one(TopBar).told
    return told.words if told else ""


def test_nothing_is_told_before_half_a_second() -> None:
    begun = {"pods": Begun(10.0, STARTED)}
    told, due = tell([POD], begun, now=10.2, is_still=False)
    assert told is None
    assert due == pytest.approx(0.3)


def test_seconds_are_told_and_counted_on_at_the_next_whole_one() -> None:
    begun = {"pods": Begun(10.0, STARTED)}
    told, due = tell([POD], begun, now=14.25, is_still=False)
    assert told == Told("1 pod in demo", "4 s")
    assert due == pytest.approx(0.75)


def test_what_has_not_lasted_leaves_the_line_to_what_has() -> None:
    begun = {"pods": Begun(10.0, STARTED), "command": Begun(8.0, STARTED)}
    told, due = tell([POD, COMMAND], begun, now=10.25, is_still=False)
    assert told == Told("`make` to end", "2 s")
    assert due == pytest.approx(0.25)


def test_without_motion_the_time_stands_still_and_nothing_is_due() -> None:
    begun = {"pods": Begun(10.0, STARTED)}
    told, due = tell([POD], begun, now=14.25, is_still=True)
    assert told == Told("1 pod in demo", f"since {clock_time(STARTED)}")
    assert due is None


def test_nothing_is_due_when_nothing_is_waited_for() -> None:
    assert tell([], {}, now=1.0, is_still=False) == (None, None)


async def test_stage_that_takes_its_time_is_told_and_gone_when_it_is_set(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.sees("… waiting for the sandbox to start · ")
        assert "Your first Secret" not in first_line(play)
        await play.open()
        await play.until(lambda: first_line(play).startswith(" Your first Secret"))


async def test_pods_are_waited_for_until_they_are_ready(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.open()
        play.world.cluster.put(PODS, pod("a"), pod("b"), pod("job", phase="Succeeded"))
        await play.sees("… waiting for 2 pods in demo · ", "sandbox ● answers")
        play.world.cluster.put(PODS, pod("a", phase="Running", ready=True), pod("b"))
        await play.sees("… waiting for 1 pod in demo · ")
        play.world.cluster.put(PODS, pod("a", ready=True), pod("b", ready=True))
        await play.sees_not("waiting for")


async def test_cluster_that_no_longer_answers_is_waited_for_in_a_small_window(
    tmp_path: Path,
) -> None:
    async with playing(tmp_path, size=(80, 24)) as play:
        await play.open()
        play.world.cluster.say(NAMESPACES, Blind("connection refused"))
        await play.sees("… waiting for the sandbox to start again · ", "1/2 · sandbox ✗")
        play.world.cluster.put(NAMESPACES)
        await play.sees_not("waiting for")


async def test_command_of_the_lesson_is_waited_for_and_another_is_not(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        tool = play.desk.home / "bin" / "kubectl"
        tool.write_text("#!/bin/sh\nread line\n", encoding="utf-8")
        await play.open()
        await play.press("f5", "f5")
        await play.until(lambda: told_of(play).startswith("`kubectl create secret generic"))
        await play.press("enter")
        await play.prompt()
        await play.until(lambda: not play.screen.back.waits() and not told_of(play))
        await play.type("cat")
        await play.sees("Shell · cat")
        assert not [each for each in play.screen.back.waits() if "cat" in each.words]
        await play.press("ctrl+c")
        await play.prompt()
