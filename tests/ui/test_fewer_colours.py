"""Colours in terminals that have 256."""

from pathlib import Path

import pytest
from rich.color_triplet import ColorTriplet

from tests.ui.lesson_world import playing
from tutor.ui.fewer_colours import nearest


@pytest.mark.parametrize(
    ("wanted", "number"),
    [
        ((0x12, 0x16, 0x1C), 233),
        ((0x21, 0x29, 0x34), 235),
        ((0x7D, 0xB4, 0xF0), 111),
        ((0, 0, 0), 16),
        ((255, 255, 255), 231),
        ((255, 0, 0), 196),
        ((0xFC, 0xFB, 0xF8), 231),
        ((0xE9, 0xE6, 0xDD), 254),
    ],
)
def test_nearest_colour_is_a_grey_where_the_cube_has_none_that_is_near(
    wanted: tuple[int, int, int], number: int
) -> None:
    assert nearest(ColorTriplet(*wanted)) == number


async def test_terminal_with_256_colours_is_given_those(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLORTERM", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    async with playing(tmp_path) as play:
        await play.open()
        strips = play.app.screen._compositor.render_strips()
        styles = [part.style for strip in strips for part in strip if part.style]
        colours = {colour for style in styles for colour in (style.color, style.bgcolor)}
        assert {colour.number for colour in colours if colour} >= {233, 235}
        assert not [colour for colour in colours if colour and colour.triplet]


async def test_terminal_with_16_colours_keeps_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLORTERM", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    async with playing(tmp_path) as play:
        await play.open()
        assert play.app.theme == "ansi-dark"
