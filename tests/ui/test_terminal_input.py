"""What a terminal sends for keys, pastes and the mouse, and what it tells its screen."""

from datetime import UTC, datetime

import pytest
from textual import events

from tests.ui.terminal_world import Host, pointer, staged, wheel
from tutor.terminal.engine import Choice
from tutor.terminal.news import CommandBegan, CommandRecord, Exited
from tutor.terminal.screen import Bell, ClipboardSet, Titled
from tutor.ui.widgets import terminal_messages as messages
from tutor.ui.widgets.terminal import Terminal


@pytest.mark.parametrize(
    ("key", "sent"),
    [
        ("a", b"a"),
        ("A", b"A"),
        ("enter", b"\r"),
        ("tab", b"\t"),
        ("shift+tab", b"\x1b[Z"),
        ("escape", b"\x1b"),
        ("ctrl+c", b"\x03"),
        ("ctrl+q", b"\x11"),
        ("ctrl+p", b"\x10"),
        ("up", b"\x1b[A"),
        ("pageup", b"\x1b[5~"),
        ("ctrl+z", b"\x1a"),
        ("space", b" "),
    ],
)
async def test_key_goes_to_the_shell_and_to_nobody_else(
    choice: Choice, key: str, sent: bytes
) -> None:
    async with staged(choice) as stage:
        stage.terminal.post_message(events.Key(key, key if len(key) == 1 else None))
        await stage.pilot.pause()
        assert stage.shell.took() == sent


async def test_reserved_key_is_the_application_s(fast: Choice) -> None:
    async with staged(fast) as stage:
        await stage.pilot.press("f6")
        await stage.pilot.press("tab")
        assert isinstance(stage.app, Host)
        assert (stage.app.left, stage.shell.took()) == (1, b"\t")


async def test_reserved_key_after_the_prefix_is_the_shell_s(fast: Choice) -> None:
    async with staged(fast) as stage:
        await stage.pilot.press("ctrl+g", "f6")
        assert isinstance(stage.app, Host)
        assert (stage.app.left, stage.shell.took()) == (0, b"\x1b[17~")
        assert stage.terminal.prefixed is False


async def test_prefix_twice_is_the_key_itself(choice: Choice) -> None:
    async with staged(choice) as stage:
        await stage.pilot.press("ctrl+g")
        assert (stage.terminal.prefixed, stage.shell.took()) == (True, b"")
        await stage.pilot.press("ctrl+g")
        assert (stage.terminal.prefixed, stage.shell.took()) == (False, b"\x07")


async def test_prefix_and_a_key_of_the_screen_tells_the_screen(fast: Choice) -> None:
    async with staged(fast) as stage:
        await stage.pilot.press("ctrl+g", "left", "x")
        assert [message.key for message in stage.told(messages.PrefixPressed)] == ["left"]
        assert stage.shell.took() == b"x"


async def test_paste_of_one_line_goes_in_at_once(choice: Choice) -> None:
    async with staged(choice) as stage:
        stage.terminal.post_message(events.Paste("kubectl get pods"))
        await stage.pilot.pause()
        assert stage.shell.took() == b"kubectl get pods"


async def test_paste_of_several_lines_asks_when_they_would_run(choice: Choice) -> None:
    async with staged(choice) as stage:
        stage.terminal.post_message(events.Paste("one\r\ntwo"))
        await stage.pilot.pause()
        [question] = stage.told(messages.PasteQuestion)
        assert (question.text, stage.shell.took()) == ("one\r\ntwo", b"")
        stage.terminal.paste(question.text)
        assert stage.shell.took() == b"one\rtwo"


async def test_paste_of_several_lines_into_a_bracket_does_not_ask(choice: Choice) -> None:
    async with staged(choice) as stage:
        await stage.say("\x1b[?2004h")
        stage.terminal.post_message(events.Paste("one\ntwo"))
        await stage.pilot.pause()
        assert stage.told(messages.PasteQuestion) == []
        assert stage.shell.took().startswith(b"\x1b[200~one")


async def test_focus_is_told_to_programs_that_ask(choice: Choice) -> None:
    async with staged(choice) as stage:
        await stage.say("\x1b[?1004h")
        stage.app.set_focus(None)
        await stage.pilot.pause()
        assert stage.shell.took() == b"\x1b[O"
        stage.terminal.focus()
        await stage.pilot.pause()
        assert stage.shell.took() == b"\x1b[I"


async def test_wheel_in_a_pager_is_arrow_keys(choice: Choice) -> None:
    async with staged(choice) as stage:
        await stage.say("\x1b[?1049h\x1b[?1h")
        stage.terminal.post_message(wheel(events.MouseScrollDown))
        await stage.pilot.pause()
        assert stage.shell.took() == b"\x1bOB" * 3


async def test_mouse_goes_to_a_program_that_asks_unless_shift_is_held(choice: Choice) -> None:
    async with staged(choice) as stage:
        await stage.say("select me\x1b[?1002h\x1b[?1006h")
        for kind, x in ((events.MouseDown, 0), (events.MouseMove, 5), (events.MouseUp, 5)):
            stage.terminal.post_message(pointer(kind, x, 0))
        stage.terminal.post_message(wheel(events.MouseScrollUp))
        await stage.pilot.pause()
        assert stage.shell.took() == b"\x1b[<0;1;1M\x1b[<32;6;1M\x1b[<0;6;1m\x1b[<64;4;3M"
        for kind, x in ((events.MouseDown, 0), (events.MouseMove, 5), (events.MouseUp, 5)):
            stage.terminal.post_message(pointer(kind, x, 0, shift=True))
        await stage.pilot.pause()
        assert stage.shell.took() == b""
        assert [message.text for message in stage.told(messages.Copied)] == ["select"]


async def test_what_the_shell_tells_is_told_to_the_screen(choice: Choice) -> None:
    async with staged(choice) as stage:
        now = datetime(2026, 1, 1, tzinfo=UTC)
        record = CommandRecord(
            text="ls", exit_code=0, output="", truncated=False, started=now, ended=now
        )
        for event in (
            CommandBegan("ls", now),
            record,
            Titled("t"),
            Bell(),
            ClipboardSet("c"),
            Exited(3),
        ):
            stage.shell.tell(event)
        await stage.pilot.pause()
        assert stage.told(messages.CommandStarted)[0].began.text == "ls"
        assert stage.told(messages.CommandFinished)[0].record == record
        assert stage.told(messages.TitleChanged)[0].title == "t"
        assert len(stage.told(messages.Rang)) == 1
        [copied] = stage.told(messages.Copied)
        assert (copied.text, copied.by_program) == ("c", True)
        [ended] = stage.told(messages.ShellEnded)
        assert (ended.status, ended.control) == (3, stage.terminal)


async def test_terminal_without_a_shell_is_blank_and_takes_no_harm() -> None:
    app = Host()
    async with app.run_test(size=(60, 12)) as pilot:
        terminal = app.query_one(Terminal)
        terminal.focus()
        await pilot.press("x", "ctrl+g", "v")
        terminal.post_message(events.Paste("a\nb"))
        terminal.post_message(pointer(events.MouseDown, 1, 1))
        terminal.paste("x")
        terminal.copy()
        assert terminal.search("x").total == 0
        await pilot.pause()
        assert terminal.render_line(0).text.strip() == ""


async def test_what_is_typed_before_there_is_a_shell_is_given_to_it(fast: Choice) -> None:
    async with staged(fast) as stage:
        stage.terminal.leave()
        await stage.pilot.press("n", "o", "ctrl+c", "l", "s", "ctrl+d")
        stage.terminal.post_message(events.Paste(" -l"))
        await stage.pilot.press("enter")
        assert stage.shell.took() == b""
        stage.terminal.show(stage.shell)
        assert stage.shell.took() == b"ls -l\r"


async def test_prefix_before_there_is_a_shell_tells_the_screen(fast: Choice) -> None:
    async with staged(fast) as stage:
        stage.terminal.leave()
        await stage.pilot.press("ctrl+g", "m")
        assert [message.key for message in stage.told(messages.PrefixPressed)] == ["m"]


async def test_key_sent_with_the_prefix_before_there_is_a_shell_is_given_to_it(
    fast: Choice,
) -> None:
    async with staged(fast) as stage:
        stage.terminal.leave()
        await stage.pilot.press("ctrl+g", "ctrl+g", "x")
        stage.terminal.show(stage.shell)
        assert stage.shell.took() == b"\x07x"
        assert not stage.terminal.prefixed
