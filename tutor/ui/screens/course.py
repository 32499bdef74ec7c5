"""The map of all lessons: how far the learner is, how long the rest takes, what each is about."""

import asyncio
from collections.abc import Iterator
from typing import cast

from textual import getters, on, work
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tutor.course.model import Lesson, meant_for
from tutor.errors import TutorError
from tutor.session.record import Progress
from tutor.ui.atlas import (
    Entry,
    LessonEntry,
    LessonMark,
    StepEntry,
    entries,
    spelled_minutes,
    start,
)
from tutor.ui.commands import Command, ScreenCommands, bound
from tutor.ui.keyrow import as_chosen
from tutor.ui.keys import bind, keymap_of
from tutor.ui.map_palette import on_the_map
from tutor.ui.ports import Desk, Visit
from tutor.ui.screens.help import HelpScreen
from tutor.ui.screens.keys import KeysScreen
from tutor.ui.screens.question import QuestionScreen
from tutor.ui.screens.settings import SettingsScreen
from tutor.ui.widgets.keybar import KeyBar, Shown
from tutor.ui.widgets.prose import Prose
from tutor.ui.widgets.steps import SIGNS

LESSON_SIGNS: dict[LessonMark, str] = {"done": "✓", "begun": "▸", "new": "○"}
_COLOURS = {"passed": "$success", "skipped": "$quiet", "closed": "$faint"}
_BAR = 24
"""Columns of a progress bar."""

_BESIDE_TITLE = 16
"""Columns of a step's row that its title has not."""

_KEYS = (
    Shown(id="open", key="Enter", after_prefix="", label="open"),
    Shown(id="search", key="/", after_prefix="", label="search"),
    Shown(id="read", key="R", after_prefix="", label="read on", rank=2),
    Shown(id="begin_anew", key="A", after_prefix="", label="start anew", rank=1),
    Shown(id="help", key="F1", after_prefix="", label="help"),
    Shown(id="settings", key="S", after_prefix="", label="settings"),
    Shown(id="quit", key="F10", after_prefix="", label="quit"),
)


class Details(VerticalScroll):
    """What is highlighted, in more words; to be scrolled where they do not fit."""

    HELP = "What the lesson or step is about. The arrow keys scroll, Escape goes back to the list."

    def allow_focus(self) -> bool:
        return self.show_vertical_scrollbar


class CourseScreen(Screen[Visit | None]):
    """Dismissed with what to open; None to leave."""

    # As the library declares it, it is an app of who knows what.
    app = getters.app(cast("type[App[object]]", App))

    CSS_PATH = "course.tcss"
    COMMANDS = {ScreenCommands}  # noqa: RUF012 - as the library has it
    HELP = "All lessons and their steps. Enter opens one."
    BINDINGS = [  # noqa: RUF012 - as the library has it
        *(
            bind(f"map.{action}", keys, action, says)
            for keys, action, says in (
                ("o", "open", "Open the highlighted lesson or step (Enter does, too)"),
                ("slash", "search", "Search lessons and steps"),
                ("a", "begin_anew", "Start the highlighted lesson anew"),
                ("f1", "help", "Show the keys"),
                ("s", "settings", "Change colours and tools"),
                ("k", "keys", "Give actions other keys"),
                ("f10,q", "quit", "Leave"),
                ("r", "read", "Go to the text about it, to scroll that (Tab does, too)"),
                ("escape", "back", "Show all lessons and steps again"),
            )
        ),
        Binding("down", "go_down", "To the list", show=False),
    ]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal")]  # noqa: RUF012 - as the library
    VERTICAL_BREAKPOINTS = [(0, "-low"), (18, "-usual")]  # noqa: RUF012 - as the library has it

    search = ""
    """What the rows have to have."""

    def __init__(self, desk: Desk, *, here: str = "") -> None:
        """`here` is the lesson that the learner comes from."""
        super().__init__()
        self._desk = desk
        self._here = here
        self._entries: list[Entry] = []
        self._saved: dict[str, Progress | None] = {
            lesson.id: desk.progress(lesson.id, desk.visit(lesson).on)
            for lesson in desk.course.lessons
        }

    def compose(self) -> ComposeResult:
        course = self._desk.course
        yield Static(course.title, id="top", markup=False)
        with Horizontal(id="body"):
            with Vertical(id="left"):
                box = Input(placeholder="/ searches lessons and steps", id="search", compact=True)
                box.cursor_blink = False
                yield box
                yield OptionList(id="list")
            with Details(id="details"):
                yield Static(id="title", markup=False)
                yield Static(id="extent", markup=False)
                yield Prose("", id="text")
        bar = KeyBar(id="keys")
        bar.keys = as_chosen(_KEYS, keymap_of(self))
        yield bar

    def follow_keymap(self) -> None:
        """Show the keys that hold now."""
        goes_on = self.query_one(Details).allow_focus()
        keys = [each._replace(is_open=goes_on or each.id != "read") for each in _KEYS]
        self.query_one(KeyBar).keys = as_chosen(keys, keymap_of(self))

    def on_mount(self) -> None:
        self.query_one(OptionList).focus()
        self.watch(self.query_one(Details), "show_vertical_scrollbar", self.follow_keymap)

    def on_resize(self) -> None:
        # The rows are as wide as the list will be.
        self.call_after_refresh(self._fill)

    def _fill(self) -> None:
        lists = self.query_one(OptionList)
        before, was = self._entries, lists.highlighted
        self._entries = list(entries(self._desk.course, self._saved_of, self.search))
        lists.clear_options()
        width = lists.scrollable_content_region.width
        lists.add_options([Option(_prompt(each, width)) for each in self._entries])
        stays = was is not None and before == self._entries
        lists.highlighted = (was if stays else self._start()) if self._entries else None
        if not self._entries:
            self._tell("Nothing has these words.", "", "Escape shows all again.")

    def _start(self) -> int:
        return start(self._entries, self._desk.course, self._here)

    def _saved_of(self, lesson: Lesson) -> Progress | None:
        return self._saved[lesson.id]

    @on(Input.Changed)
    def _search(self, event: Input.Changed) -> None:
        event.stop()
        # Whoever is here already and presses the key for it has it in the text.
        self.search = event.value.lstrip("/")
        self._fill()

    @on(Input.Submitted)
    def _leave_search(self, event: Input.Submitted) -> None:
        event.stop()
        self.query_one(OptionList).focus()

    @on(OptionList.OptionHighlighted)
    def _show(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        if event.option_index < len(self._entries):
            entry = self._entries[event.option_index]
            self._tell(*_described(entry))

    def _tell(self, title: str, extent: str, text: str) -> None:
        self.query_one("#title", Static).update(title)
        self.query_one("#extent", Static).update(extent)
        self.query_one("#text", Prose).update(text)
        self.query_one(Details).scroll_home(animate=False)

    @on(OptionList.OptionSelected)
    def _open(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        entry = self._entries[event.option_index]
        if isinstance(entry, LessonEntry):
            self.action_open_lesson(entry.lesson.id)
        else:
            self.action_open_step(entry.lesson.id, entry.step.id)

    @on(KeyBar.Pressed)
    async def _press(self, event: KeyBar.Pressed) -> None:
        event.stop()
        await self.run_action(event.key)

    def commands(self) -> Iterator[Command]:
        """What the palette has besides the keys."""
        return on_the_map(entries(self._desk.course, self._saved_of))

    def action_open(self) -> None:
        """Open what is highlighted."""
        self.query_one(OptionList).action_select()

    def action_open_lesson(self, lesson: str) -> None:
        """Open a lesson where the learner was."""
        self.dismiss(self._desk.visit(self._desk.course.lesson(lesson)))

    def action_open_step(self, lesson: str, step: str) -> None:
        """Open a lesson at a step, if that is open."""
        course = self._desk.course
        for each in entries(course, self._saved_of):
            if isinstance(each, StepEntry) and (each.lesson.id, each.step.id) == (lesson, step):
                if each.mark == "closed":
                    self._say("This step is not open yet.", "Do the ones before it first.")
                else:
                    self.dismiss(self._desk.visit(each.lesson).to(step))

    @work(group="anew")
    async def action_begin_anew(self, lesson: str = "") -> None:
        """Forget what was done in a lesson, after a question; in the highlighted one if none."""
        found = self._desk.course.lesson(lesson) if lesson else self._highlighted()
        if found is None or self._saved[found.id] is None:
            self._say("This lesson was not begun yet.", "Enter begins it.")
            return
        question = QuestionScreen(
            f"Start “{found.header.title}” anew?", _forgets(found), yes="start anew", no="keep it"
        )
        if not await self.app.push_screen_wait(question):
            return
        try:
            told = await asyncio.to_thread(self._desk.begin_anew, found)
        except TutorError as error:
            self._say(error.message, error.next_action)
            return
        self._saved[found.id] = None
        self.call_later(self._fill)
        self._say(f"“{found.header.title}” starts anew.", *told)

    def _highlighted(self) -> Lesson | None:
        index = self.query_one(OptionList).highlighted
        return None if index is None else self._entries[index].lesson

    def _say(self, *lines: str) -> None:
        self.notify("\n".join(lines), markup=False)

    def action_search(self) -> None:
        """Go to the search."""
        self.query_one(Input).focus()

    def action_go_down(self) -> None:
        """From the search to what it found."""
        self.query_one(OptionList).focus()

    def action_read(self) -> None:
        """From the list to the text beside it."""
        self.query_one(Details).focus()

    def action_back(self) -> None:
        """Show everything again."""
        self.query_one(Input).value = ""
        self.query_one(OptionList).focus()

    def action_help(self) -> None:
        """Show the keys."""
        self.app.push_screen(HelpScreen(tuple(bound(self))))

    def action_settings(self) -> None:
        """Change what can be set."""
        self.app.push_screen(SettingsScreen(self._desk))

    def action_keys(self) -> None:
        """Choose other keys."""
        self.app.push_screen(KeysScreen(self._desk))

    def action_quit(self) -> None:
        """Leave."""
        self.dismiss(None)


def _forgets(lesson: Lesson) -> str:
    gone = "What you did in it is forgotten"
    cluster = ", and its cluster in the sandbox is deleted" if lesson.has_cluster else ""
    return f"{gone}{cluster}. Your files are put aside, and kept until the next time."


def _prompt(entry: Entry, width: int) -> Content:
    if isinstance(entry, StepEntry):
        colour = "$primary" if entry.is_current else _COLOURS.get(entry.mark, "$foreground")
        minutes = spelled_minutes(entry.step.minutes)
        room = max(width - _BESIDE_TITLE, 10)
        title = entry.step.title
        title = title if len(title) <= room else f"{title[: room - 1]}…"
        pointer = "▸" if entry.is_current else " "
        return Content.assemble(
            (f" {pointer}{SIGNS[entry.mark]} {entry.number:2} {title:{room}}", colour),
            (f"{minutes:>7}", "$quiet"),
        )
    share = round(_BAR * entry.done / max(entry.total, 1))
    left = f"{entry.minutes_left} min left" if entry.minutes_left else "done"
    return Content.assemble(
        (f"{LESSON_SIGNS[entry.mark]} {entry.lesson.header.title}\n", "bold"),
        "  ",
        ("━" * share, "$success"),
        ("━" * (_BAR - share), "$faint"),
        (f" {entry.done} of {entry.total} · {left}", "$quiet"),
    )


def _described(entry: Entry) -> tuple[str, str, str]:
    """Title, extent and text."""
    header = entry.lesson.header
    if isinstance(entry, StepEntry):
        word = {"passed": "done", "skipped": "left out", "open": "open", "closed": "not open yet"}
        extent = f"{spelled_minutes(entry.step.minutes)} · {SIGNS[entry.mark]} {word[entry.mark]}"
        facts = meant_for(header.environments[0], entry.step.facts)
        done = f"**It is done when**\n\n{_bullets(tuple(fact.label for fact in facts))}"
        return f"{entry.number} · {entry.step.title}", extent, f"{entry.step.say}\n\n{done}"
    match entry.mark:
        case "new":
            extent = f"{entry.total} steps, about {entry.minutes} minutes · Enter begins"
        case "begun":
            extent = (
                f"{entry.done} of {entry.total} steps · about {entry.minutes_left} minutes left"
                f" · Enter goes on with “{entry.current}”"
            )
        case "done":
            extent = f"✓ all {entry.total} steps done · Enter opens it again"
    parts = [header.summary, "**You will be able to**", _bullets(header.objectives)]
    if header.requirements:
        parts += ["**What you should know**", _bullets(header.requirements)]
    return header.title, extent, "\n\n".join(parts)


def _bullets(lines: tuple[str, ...]) -> str:
    return "\n".join(f"- {line}" for line in lines)
