"""What a lesson looks like: the panes, what is in them now, and their shape in this window."""

from collections.abc import Mapping
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical

from tutor.course.model import Block
from tutor.terminal.news import Event, PromptShown
from tutor.ui.blocks import BlockText, shown
from tutor.ui.keyrow import key_row
from tutor.ui.keys import spelled
from tutor.ui.patience import Patience
from tutor.ui.ports import Desk, Visit
from tutor.ui.scene import Scene
from tutor.ui.screens.shaped import ReadingPane, ShapedScreen
from tutor.ui.shells import title
from tutor.ui.widgets.facts import FactsLine, FactsPane, summary
from tutor.ui.widgets.keybar import KeyBar, Shown
from tutor.ui.widgets.lesson import LessonPane
from tutor.ui.widgets.sheet import Sheet
from tutor.ui.widgets.shell_pane import ShellPane
from tutor.ui.widgets.steps import StepList
from tutor.ui.widgets.topbar import Standing, Told, TopBar


class _Room(Vertical):
    """Has panes beside or above one another, and nothing of its own to draw."""

    BLANK = True


class DrawnScreen(ShapedScreen):
    """Steps, step, facts, shell. `redraw` shows what is so now; nothing here changes anything."""

    AUTO_FOCUS = "Terminal"
    BLANK = True  # the panes cover it
    HORIZONTAL_BREAKPOINTS = []  # noqa: RUF012 - it takes its shape itself, before it is seen

    KEYS_BESIDE: ClassVar[frozenset[str]] = frozenset()
    """What does something here besides the keys that can be chosen."""

    _ended = ""
    """The step whose end has been shown."""
    _stands: tuple[str, ...] = ()
    """The step, its end, and the facts that do not hold."""
    looked_at = ""
    """The clock time at which the learner last asked for a look."""
    _was_shown = False

    def __init__(self, desk: Desk, visit: Visit) -> None:
        super().__init__(desk, visit)
        self._patience = Patience(self, self._tell_wait)
        self._blocks: Mapping[str, Block] = {}
        self._shown: Mapping[str, BlockText] = {}

    def compose(self) -> ComposeResult:
        # Before there is anything in it, so that everything is styled once.
        self.take_shape(*self.app.size)
        scene, log = self.scene, self.back.log
        lesson, facts = LessonPane(id="lesson"), FactsPane(id="facts")
        lesson.begin(scene, self._texts(scene), log.standings(), log.upcoming())
        facts.begin(scene.facts())
        yield TopBar(id="top")
        with _Room(id="body"):
            yield StepList(id="steps")
            with _Room(id="work"):
                with ReadingPane(id="reading"):
                    yield lesson
                    yield facts
                yield FactsLine(id="facts-line")
                yield ShellPane(id="shell")
        yield KeyBar(id="keys")

    def on_mount(self) -> None:
        self.fit(*self.app.size)
        self.watch(self.terminal, "prefixed", self._show_prefix)
        self.watch(self.terminal, "has_focus", self.redraw, init=False)
        self.watch(self.terminal, "takes_screen", self.make_room, init=False)
        self._leave_keys()
        self.terminal.focus()

    def _texts(self, scene: Scene) -> Mapping[str, BlockText]:
        """The blocks of the step as they are shown; made anew for others alone."""
        blocks = scene.blocks()
        if blocks != self._blocks:
            self._blocks = blocks
            self._shown = {key: shown(block, scene.lesson) for key, block in blocks.items()}
        return self._shown

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        # The first time everything has just been styled.
        event.refresh_styles = event.refresh_styles and self._was_shown
        if self._was_shown:
            # Another layout may have been chosen meanwhile.
            self.fit(*self.app.size)
        self._was_shown = True

    def follow_keymap(self) -> None:
        """Have and show the keys that hold now."""
        self._leave_keys()
        for sheet in self.query(Sheet):
            sheet.redraw()
        self.redraw()

    def _leave_keys(self) -> None:
        """Leave all keys to the shell but those that do something here."""
        self.terminal.reserved = self.KEYS_BESIDE | self.keymap.taken - {self.keymap["prefix"]}
        self.terminal.prefix = self.keymap["prefix"]

    @property
    def scene(self) -> Scene:
        """What there is to see now."""
        return self.back.scene

    async def until_drawn(self) -> None:
        """Wait until everything has been on the screen once."""
        await self.query_one(LessonPane).drawn.wait()
        await self.query_one(FactsPane).drawn.wait()
        await self.wait_for_refresh()

    def redraw(self) -> None:
        """Show what is so now."""
        if not self.is_attached:
            return
        scene = self.scene
        self._show_end(scene)
        self.query_one(TopBar).standing = Standing(
            title=scene.lesson.header.title,
            number=scene.number,
            total=len(scene.outline),
            place=self.back.visit.on if scene.lesson.has_cluster else "",
            health="gone" if self.back.lost else self.back.health,
            minutes_left=scene.minutes_left,
        )
        self.query_one(StepList).rows = scene.steps()
        self._redraw_lesson(scene)
        self._redraw_facts(scene)
        pane = self.query_one(ShellPane)
        pane.border_title = title(self.back.shells.names(), pane.size.width)
        self._redraw_keys()
        self._patience.wait_for(self.back.waits())

    def _tell_wait(self, told: Told | None) -> None:
        self.query_one(TopBar).told = told

    def _show_end(self, scene: Scene) -> None:
        """Make room for what a step says at its end, in place of the facts that led to it."""
        ended = scene.step.id if scene.is_done else ""
        if ended and ended != self._ended and self.terminal.has_focus:
            self.facts_open = False
        self._ended = ended
        stands = scene.step.id, ended, *scene.missing()
        if stands != self._stands:
            self.step_has_changed()
        self._stands = stands

    def _redraw_lesson(self, scene: Scene) -> None:
        pane, log = self.query_one(LessonPane), self.back.log
        done = {"passed": " · ✓ done", "skipped": " · » left out"}.get(scene.record.done or "", "")
        pane.border_title = _plain(f"{scene.number} · {scene.step.title}{done}")
        pane.blocks = self._texts(scene)
        pane.scene = scene
        pane.standings = log.standings()
        pane.upcoming = log.upcoming() if scene.is_done else self.back.runs_next

    def _redraw_facts(self, scene: Scene) -> None:
        rows, notices = scene.facts(), self.back.notices()
        facts, line = self.query_one(FactsPane), self.query_one(FactsLine)
        facts.rows, facts.notices = rows, notices
        held = sum(row.state == "true" for row in rows)
        count, onward = f"{held} of {len(rows)} hold", self._onward(scene)
        looked = f" · looked {self.looked_at}" if self.looked_at and not onward else ""
        facts.border_title = f"Facts · {count}{onward}{looked}"
        told = summary(rows, notices, look=self.way_to("look"))
        line.update((f"✗ {count} now" if scene.is_undone else told) + onward)
        is_held = scene.is_done and not scene.is_undone
        line.update_classes({"-done": is_held, "-wrong": bool(notices)})

    def _onward(self, scene: Scene) -> str:
        """Which keys lead on from a step that is done."""
        if not scene.is_done:
            return ""
        again = f" · {self.way_to('run')} does it again" if scene.is_undone else ""
        return f"{again} · {self.way_to('next')} {scene.onward}"

    def _redraw_keys(self) -> None:
        self.query_one(KeyBar).keys = self.keys_now()

    def keys_now(self) -> tuple[Shown, ...]:
        """What the keys do now."""
        return key_row(
            self.scene,
            self.keymap,
            in_shell=self.terminal.has_focus,
            is_typing=self.back.is_typing,
            is_short=self.has_class("-short"),
            upcoming=self.back.runs_next,
        )

    def on_resize(self, event: events.Resize) -> None:
        self.fit(*event.size)
        self._redraw_keys()

    def _show_prefix(self, prefixed: bool) -> None:
        self.query_one(KeyBar).prefix = spelled(self.keymap["prefix"]) if prefixed else ""

    def notice_shell(self, event: Event) -> None:
        if isinstance(event, PromptShown):
            self._patience.wait_for(self.back.waits())


def _plain(text: str) -> str:
    """A text for a border, whose brackets are no markup."""
    return text.replace("[", "\\[")
