"""How a person looks back, selects, searches and follows links in a terminal."""

import pytest
from textual import events

from tests.ui.terminal_world import numbered, pointer, staged, wheel
from tutor.terminal.engine import Choice
from tutor.ui.widgets import terminal_messages as messages


async def test_wheel_scrolls_back_and_typing_returns(choice: Choice) -> None:
    async with staged(choice) as stage:
        await stage.say(numbered(50))
        assert stage.rows()[0] == "line 43"
        stage.terminal.post_message(wheel(events.MouseScrollUp))
        await stage.pilot.pause()
        assert stage.rows()[0].rstrip("│┃ ") == "line 40"
        assert {row[-1] for row in stage.rows()} == {"│", "┃"}
        await stage.say(b"more\r\n")
        assert stage.rows()[0].rstrip("│┃ ") == "line 40"
        await stage.pilot.press("x")
        assert stage.rows()[0] == "line 44"


async def test_drag_selects_marks_and_copies(choice: Choice) -> None:
    async with staged(choice) as stage:
        await stage.say("first line\r\nsecond")
        stage.terminal.post_message(pointer(events.MouseDown, 6, 0))
        stage.terminal.post_message(pointer(events.MouseMove, 2, 1))
        await stage.pilot.pause()
        selected = stage.terminal.get_component_rich_style("terminal--selection").bgcolor
        assert stage.style_at(6, 0).bgcolor == stage.style_at(2, 1).bgcolor == selected
        assert stage.style_at(5, 0).bgcolor != selected
        stage.terminal.post_message(pointer(events.MouseUp, 2, 1))
        await stage.pilot.pause()
        [copied] = stage.told(messages.Copied)
        assert (copied.text, copied.by_program) == ("line\nsec", False)
        await stage.pilot.press("x")
        assert stage.style_at(6, 0).bgcolor != selected


@pytest.mark.parametrize(("clicks", "text"), [(1, None), (2, "two"), (3, "one two three")])
async def test_repeated_clicks_take_words_and_lines(
    choice: Choice, clicks: int, text: str | None
) -> None:
    async with staged(choice) as stage:
        await stage.say("one two three")
        for _ in range(clicks):
            stage.terminal.post_message(pointer(events.MouseDown, 5, 0))
            stage.terminal.post_message(pointer(events.MouseUp, 5, 0))
        await stage.pilot.pause()
        copied = [message.text for message in stage.told(messages.Copied)]
        assert (copied[-1] if copied else None) == text


async def test_drag_beyond_the_edge_scrolls_on(choice: Choice) -> None:
    async with staged(choice) as stage:
        await stage.say(numbered(50))
        stage.terminal.post_message(pointer(events.MouseDown, 3, 4))
        stage.terminal.post_message(pointer(events.MouseMove, 3, -1))
        await stage.until(lambda: "line 40" in stage.rows()[0])
        stage.terminal.post_message(pointer(events.MouseUp, 3, -1))
        await stage.pilot.pause()
        assert stage.told(messages.Copied)[-1].text.endswith("line 46\nline")


async def test_keyboard_selects_and_copies(choice: Choice) -> None:
    async with staged(choice) as stage:
        await stage.say("copy this\x1b[1;1H")
        await stage.pilot.press("ctrl+g", "v")
        assert stage.terminal.marking
        await stage.pilot.press("right", "right", "right", "y")
        assert not stage.terminal.marking
        assert [message.text for message in stage.told(messages.Copied)] == ["copy"]
        assert stage.shell.took() == b""


async def test_keyboard_selects_upwards_through_the_history(choice: Choice) -> None:
    async with staged(choice) as stage:
        await stage.say(numbered(50))
        await stage.pilot.press("ctrl+g", "v", "pageup", "pageup", "home", "enter")
        [copied] = stage.told(messages.Copied)
        assert copied.text.startswith("line 34\n")
        assert copied.text.rstrip().endswith("line 49")


async def test_keyboard_selection_that_is_left_copies_nothing(choice: Choice) -> None:
    async with staged(choice) as stage:
        await stage.say("text\x1b[1;1H")
        await stage.pilot.press("ctrl+g", "v", "right", "escape")
        assert (stage.terminal.marking, stage.told(messages.Copied)) == (False, [])


async def test_prefix_and_page_keys_look_through_the_history(choice: Choice) -> None:
    async with staged(choice) as stage:
        await stage.say(numbered(50))
        await stage.pilot.press("ctrl+g", "pageup")
        assert stage.rows()[0].rstrip("│┃ ") == "line 36"
        await stage.pilot.press("ctrl+g", "home")
        assert stage.rows()[0].rstrip("│┃ ") == "line 0"
        await stage.pilot.press("ctrl+g", "end")
        assert stage.rows()[0] == "line 43"


async def test_search_marks_matches_and_goes_from_one_to_the_next(choice: Choice) -> None:
    async with staged(choice) as stage:
        await stage.say(b"needle\r\n" + numbered(50) + b"a Needle here")
        assert stage.terminal.search("needle").total == 2
        assert stage.terminal.search_on(older=True).current == 1
        current = stage.terminal.get_component_rich_style("terminal--current-hit").bgcolor
        row = next(y for y, text in enumerate(stage.rows()) if "Needle" in text)
        assert stage.style_at(2, row).bgcolor == current
        assert stage.terminal.search_on(older=True).current == 2
        assert stage.rows()[0].startswith("needle")
        assert stage.terminal.search_on(older=False).current == 1
        stage.terminal.search("")
        assert stage.style_at(2, row).bgcolor != current


async def test_link_is_underlined_under_the_pointer_and_followed_with_ctrl(choice: Choice) -> None:
    async with staged(choice) as stage:
        await stage.say("\x1b]8;;https://kubernetes.io/\x1b\\docs\x1b]8;;\x1b\\ plain")
        stage.terminal.post_message(pointer(events.MouseMove, 1, 0, 0))
        await stage.pilot.pause()
        assert (stage.style_at(0, 0).underline, stage.style_at(5, 0).underline) == (True, None)
        stage.terminal.post_message(pointer(events.MouseDown, 1, 0, ctrl=True))
        await stage.pilot.pause()
        assert [message.url for message in stage.told(messages.LinkOpened)] == [
            "https://kubernetes.io/"
        ]


@pytest.mark.parametrize("address", ["file:///etc/passwd", "javascript:alert(1)", "ssh://host"])
async def test_link_to_anything_but_the_web_is_not_followed(choice: Choice, address: str) -> None:
    async with staged(choice) as stage:
        await stage.say(f"\x1b]8;;{address}\x07link\x1b]8;;\x07")
        stage.terminal.post_message(pointer(events.MouseDown, 1, 0, ctrl=True))
        await stage.pilot.pause()
        assert stage.told(messages.LinkOpened) == []


async def test_output_selected_at_a_row_is_that_of_its_command(choice: Choice) -> None:
    async with staged(choice) as stage:
        await stage.say(
            "\x1b]133;A\x07$ \x1b]133;B\x07ls\r\n\x1b]133;C\x07one\r\ntwo\r\n"
            "\x1b]133;D;0\x07\x1b]133;A\x07$ \x1b]133;B\x07"
        )
        assert stage.terminal.select_output(1)
        stage.terminal.copy()
        await stage.pilot.pause()
        assert [message.text.rstrip() for message in stage.told(messages.Copied)] == ["one\ntwo"]
