"""The list of steps: what is drawn of it, and the ways through it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from textual.app import App, ComposeResult
from textual.pilot import Pilot

from tests.ui.seen import text_of
from tutor.ui.scene import StepRow
from tutor.ui.widgets.steps import StepList

ROWS = tuple(
    StepRow(id=f"s{number}", number=number, title=f"Step {number}", mark="open", is_current=False)
    for number in range(1, 31)
)


class _Listing(App[None]):
    CSS = "StepList { width: 16; height: 10; }"

    def __init__(self) -> None:
        super().__init__()
        self.chosen: list[str] = []

    def compose(self) -> ComposeResult:
        yield StepList()

    def on_step_list_chosen(self, event: StepList.Chosen) -> None:
        self.chosen.append(event.step_id)


@asynccontextmanager
async def listing(rows: tuple[StepRow, ...]) -> AsyncGenerator[tuple[Pilot[None], list[str]]]:
    app = _Listing()
    async with app.run_test(size=(40, 12)) as pilot:
        steps = app.query_one(StepList)
        steps.rows = rows
        steps.focus()
        await pilot.pause()
        yield pilot, app.chosen


async def test_keys_go_through_all_steps_and_scroll_to_them() -> None:
    async with listing(ROWS) as (pilot, chosen):
        for keys, step in (
            ("down j enter", "s3"),
            ("k up up enter", "s30"),
            ("home enter", "s1"),
            ("pagedown enter", "s11"),
            ("pageup pageup enter", "s1"),
            ("end space", "s30"),
        ):
            await pilot.press(*keys.split())
            await pilot.pause()
            assert chosen.pop() == step
            assert f" {step[1:]} Step" in text_of(pilot.app)


async def test_click_chooses_the_step_that_is_seen_there() -> None:
    async with listing(ROWS) as (pilot, chosen):
        await pilot.press("end")
        await pilot.pause()
        line = next(n for n, each in enumerate(text_of(pilot.app).split("\n")) if "Step 28" in each)
        await pilot.click(offset=(5, line))
        await pilot.pause()
        assert chosen == ["s28"]


async def test_title_that_is_too_long_ends_in_an_ellipsis() -> None:
    row = ROWS[0]._replace(title="A title that has no room", is_current=True)
    async with listing((row,)) as (pilot, _):
        assert "▸○  1 A title …" in text_of(pilot.app)


async def test_list_without_steps_chooses_none() -> None:
    async with listing(()) as (pilot, chosen):
        await pilot.press("down", "up", "end", "pagedown", "enter")
        await pilot.pause()
        assert not chosen
