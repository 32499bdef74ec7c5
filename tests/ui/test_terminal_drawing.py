"""What a person sees in a terminal."""

import pytest
from textual import events

from tests.ui.terminal_world import HEIGHT, WIDTH, FakeShell, pointer, staged
from tutor.terminal.engine import Choice
from tutor.terminal.screen import Bell
from tutor.ui.widgets import terminal_messages as messages


async def test_output_is_drawn_in_its_colours(choice: Choice) -> None:
    async with staged(choice) as stage:
        await stage.say("plain \x1b[1;31mred\x1b[m \x1b[38;2;1;2;3mtrue\x1b[4m\x1b[9m!\x1b[m")
        assert stage.rows()[0] == "plain red true!"
        red = stage.style_at(6, 0)
        assert red.bold
        assert red.color is not None
        assert red.color.number == 1
        true = stage.style_at(10, 0)
        assert true.color is not None
        assert true.color.triplet == (1, 2, 3)
        assert (stage.style_at(14, 0).underline, stage.style_at(14, 0).strike) == (True, True)


async def test_text_without_a_colour_has_that_of_the_theme(fast: Choice) -> None:
    async with staged(fast) as stage:
        await stage.say("x")
        assert stage.style_at(0, 0).color == stage.terminal.colors[3].rich_color


async def test_theme_when_changed_draws_everything_anew_and_is_told_to_programs(
    fast: Choice,
) -> None:
    async with staged(fast) as stage:
        await stage.say("x")
        stage.app.theme = "textual-light"
        await stage.pilot.pause()
        assert stage.style_at(0, 0).color == stage.terminal.colors[3].rich_color
        stage.shell.say(b"\x1b]11;?\x07")
        red, _, _ = stage.terminal.colors[2].rgb
        assert f"rgb:{red:02x}" in stage.shell.engine.replies().decode().lower()


@pytest.mark.parametrize(
    "text",
    [
        "日本語",
        "e\u0301a\u0308",
        "👍🏽",
        "👨‍👩‍👧‍👦",
        "🇩🇪🇫🇷",
        "❤️",
        "1️⃣",
        "नि",
        "กำ",
        "\u202eabc",
        "a\u00adb",
        "한글",
        "☺️",
        "\ue0b0",
    ],
)
async def test_rows_of_any_characters_are_exactly_as_wide_as_the_terminal(
    choice: Choice, text: str
) -> None:
    async with staged(choice) as stage:
        await stage.say(f"{text}|\r\n")
        strip = stage.terminal.render_line(0)
        assert strip.cell_length == sum(segment.cell_length for segment in strip) == WIDTH
        assert "|" in strip.text
        assert not set(strip.text) & {"\u202e", "\x00", "\x7f"}


async def test_control_characters_in_cells_do_not_reach_the_outer_terminal(choice: Choice) -> None:
    async with staged(choice) as stage:
        await stage.say(b"a\x7fb\xc2\x85c\xc2\x9bd")
        assert all(character.isprintable() for character in stage.terminal.render_line(0).text)


async def test_cursor_is_a_block_while_focused_and_a_line_otherwise(choice: Choice) -> None:
    async with staged(choice) as stage:
        await stage.say("ab")
        assert stage.style_at(2, 0).reverse
        stage.app.set_focus(None)
        await stage.pilot.pause()
        assert (stage.style_at(2, 0).reverse, stage.style_at(2, 0).underline) == (None, True)


@pytest.mark.parametrize(
    ("sequence", "shown"),
    [("\x1b[4 q", "underline"), ("\x1b[6 q", "bar"), ("\x1b[?25l", "nothing")],
)
async def test_cursor_has_the_shape_that_the_program_chose(
    choice: Choice, sequence: str, shown: str
) -> None:
    async with staged(choice) as stage:
        await stage.say("ab" + sequence)
        style, text = stage.style_at(2, 0), stage.terminal.render_line(0).crop(2, 3).text
        assert not style.reverse
        assert (style.underline or False) == (shown == "underline")
        assert text == ("▏" if shown == "bar" else " ")


async def test_cursor_on_a_wide_character_covers_all_of_it(choice: Choice) -> None:
    async with staged(choice) as stage:
        await stage.say("日本\x1b[1;3H")
        assert (
            "".join(s.text for s in stage.terminal.render_line(0) if s.style and s.style.reverse)
            == "本"
        )


async def test_picture_is_held_until_the_program_has_finished_it(choice: Choice) -> None:
    async with staged(choice) as stage:
        await stage.say("before")
        await stage.say("\x1b[?2026h\x1b[2J\x1b[Hhalf")
        assert stage.rows()[0] == "before"
        await stage.say(" whole\x1b[?2026l")
        assert stage.rows()[0] == "half whole"


async def test_picture_held_too_long_is_shown(choice: Choice) -> None:
    async with staged(choice) as stage:
        await stage.say("\x1b[?2026hhalf")
        await stage.until(lambda: stage.rows()[0] == "half")


async def test_resize_is_passed_on_once_it_has_settled(choice: Choice) -> None:
    async with staged(choice) as stage:
        await stage.say("a line that is longer than thirty columns")
        for width in (36, 33, 30):
            stage.terminal.styles.width = width
            await stage.pilot.pause()
        await stage.until(lambda: stage.shell.engine.size == (30, HEIGHT))
        assert stage.shell.sizes[-1] == (30, HEIGHT)
        assert stage.rows()[:2] == ["a line that is longer than thi", "rty columns"]


async def test_program_that_makes_itself_wider_does_not_push_others_aside(choice: Choice) -> None:
    async with staged(choice) as stage:
        await stage.say(b"\x1b[?40h\x1b[?3h" + b"x" * 132)
        assert {stage.terminal.render_line(y).cell_length for y in range(HEIGHT)} == {WIDTH}


async def test_terminal_with_a_border_draws_and_points_inside_it(choice: Choice) -> None:
    async with staged(choice) as stage:
        stage.terminal.styles.border = ("solid", "red")
        await stage.until(lambda: stage.shell.engine.size == (WIDTH - 2, HEIGHT - 2))
        await stage.say("\x1b[?1000h\x1b[?1006h\x1b[3;1Hthird")
        assert "third" in stage.screen_row(3)
        stage.terminal.post_message(pointer(events.MouseDown, 1, 3))
        await stage.pilot.pause()
        assert stage.shell.took() == b"\x1b[<0;1;3M"


async def test_terminal_when_another_shell_is_shown_forgets_the_first(choice: Choice) -> None:
    async with staged(choice) as stage:
        await stage.say("first")
        second = FakeShell(stage.terminal.geometry, choice)
        second.engine.feed(b"second")
        stage.terminal.show(second)
        await stage.pilot.pause()
        assert stage.rows()[0] == "second"
        await stage.pilot.press("x")
        assert (stage.shell.took(), second.took()) == (b"", b"x")
        stage.shell.tell(Bell())
        await stage.pilot.pause()
        assert stage.told(messages.Rang) == []
