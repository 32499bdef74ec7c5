"""What a person sees and does in a terminal."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import ClassVar, TypeVar

import pytest
from rich.style import Style
from textual import events
from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import Static

from tutor.terminal.engine import Choice, engine
from tutor.terminal.recorder import CommandBegan, CommandRecord
from tutor.terminal.screen import Bell, ClipboardSet, Engine, Frame, Geometry, Titled
from tutor.terminal.shell import Event, Exited, Listener, ScreenChanged
from tutor.ui.widgets import terminal_messages as messages
from tutor.ui.widgets.terminal import Terminal

WIDTH, HEIGHT = 40, 8

Said = TypeVar("Said", bound=Message)


class FakeShell:
    """A shell whose program is the test: it prints with `say`, and reads `written`."""

    def __init__(self, geometry: Geometry, choice: Choice) -> None:
        self.engine: Engine = engine(geometry, choice)
        self.received = 0
        self.written = bytearray()
        self.sizes: list[tuple[int, int]] = []
        self._listeners: list[Listener] = []
        self.unseen = False

    def frame(self, *, through_hold: bool = False, whole: bool = False) -> Frame:
        self.unseen = False
        return self.engine.frame(through_hold=through_hold, whole=whole)

    def write(self, data: bytes) -> None:
        self.written += data

    def resize(self, columns: int, lines: int) -> None:
        self.sizes.append((columns, lines))
        self.engine.resize(columns, lines)

    def listen(self, listener: Listener) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def tell(self, event: Event) -> None:
        for listener in self._listeners:
            listener(event)

    def say(self, data: bytes) -> None:
        self.received += len(data)
        self.engine.feed(data)
        for signal in self.engine.signals():
            self.tell(signal)
        if not self.unseen:
            self.unseen = True
            self.tell(ScreenChanged())

    def took(self) -> bytes:
        """What was sent since the last time."""
        taken = bytes(self.written)
        self.written.clear()
        return taken


class Host(App[None]):
    """An application around one terminal, with a neighbour to its right."""

    CSS = f"Horizontal {{ height: auto; }} Terminal {{ width: {WIDTH}; height: {HEIGHT}; }}"
    BINDINGS: ClassVar = [("f6", "leave", "Leave"), ("tab", "leave", "Leave")]

    def __init__(self) -> None:
        super().__init__()
        self.left = 0

    def compose(self) -> ComposeResult:
        yield Terminal(id="shell")
        yield Static("neighbour")

    def action_leave(self) -> None:
        self.left += 1


class Stage:
    """A running application, its terminal, and the shell in it."""

    def __init__(self, pilot: Pilot[None], shell: FakeShell, seen: list[Message]) -> None:
        self.pilot = pilot
        self.shell = shell
        self.seen = seen
        self.app = pilot.app
        self.terminal = pilot.app.query_one(Terminal)

    async def say(self, data: bytes | str) -> None:
        """The program prints; returns when it has been drawn."""
        self.shell.say(data.encode() if isinstance(data, str) else data)
        await self.until(lambda: not self.shell.unseen)

    def screen_row(self, y: int) -> str:
        """A row of the whole screen, as it was sent to the outer terminal."""
        return "".join(segment.text for segment in self.app.screen._compositor.render_strips()[y])

    async def until(self, happened: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not happened():  # noqa: ASYNC110 - there is no event for what a person sees
                await asyncio.sleep(0)
        await self.pilot.pause()

    def rows(self) -> list[str]:
        return [self.terminal.render_line(y).text.rstrip() for y in range(HEIGHT)]

    def told(self, kind: type[Said]) -> list[Said]:
        # A message is seen by each widget that it bubbles through.
        unique = {id(message): message for message in self.seen}
        return [message for message in unique.values() if isinstance(message, kind)]

    def style_at(self, x: int, y: int) -> Style:
        style = next(iter(self.terminal.render_line(y).crop(x, x + 1))).style
        assert style is not None
        return style


@asynccontextmanager
async def staged(choice: Choice, size: tuple[int, int] = (60, 12)) -> AsyncGenerator[Stage]:
    seen = list[Message]()
    app = Host()
    async with app.run_test(size=size, message_hook=seen.append) as pilot:
        terminal = app.query_one(Terminal)
        shell = FakeShell(terminal.geometry, choice)
        terminal.show(shell)
        terminal.focus()
        await pilot.pause()
        shell.took()
        yield Stage(pilot, shell, seen)


@pytest.fixture(params=["libghostty-vt", "compatibility terminal"])
def choice(request: pytest.FixtureRequest) -> Choice:
    """Each engine."""
    return request.param


@pytest.fixture
def fast() -> Choice:
    """One engine, where they do not differ."""
    return "libghostty-vt"


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


def numbered(count: int) -> bytes:
    return b"".join(b"line %d\r\n" % number for number in range(count))


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


def wheel(kind: type[events.MouseEvent], **held: bool) -> events.MouseEvent:
    return pointer(kind, 3, 2, 0, **held)


def pointer(
    kind: type[events.MouseEvent], x: int, y: int, button: int = 1, **held: bool
) -> events.MouseEvent:
    return kind(
        None,
        x,
        y,
        0,
        0,
        button,
        held.get("shift", False),
        held.get("meta", False),
        held.get("ctrl", False),
    )


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
        assert stage.terminal.search_older().current == 1
        current = stage.terminal.get_component_rich_style("terminal--current-hit").bgcolor
        row = next(y for y, text in enumerate(stage.rows()) if "Needle" in text)
        assert stage.style_at(2, row).bgcolor == current
        assert stage.terminal.search_older().current == 2
        assert stage.rows()[0].startswith("needle")
        assert stage.terminal.search_newer().current == 1
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
