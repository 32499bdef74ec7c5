"""What a lesson looks like: the panes, what is in them now, and their shape in this window."""

from collections.abc import Mapping
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.reactive import var
from textual.widgets import Static

from tutor.course.model import Block
from tutor.terminal.marks import PromptShown
from tutor.terminal.shell import Event
from tutor.ui.blocks import BlockText, shown
from tutor.ui.keyrow import key_row
from tutor.ui.keys import spelled
from tutor.ui.layout import (
    SMALLEST,
    SMALLEST_SHARE,
    USUAL_SHARE,
    USUAL_SHARE_BESIDE,
    Pane,
    Shape,
    shape,
)
from tutor.ui.patience import Patience
from tutor.ui.ports import Desk, Visit
from tutor.ui.scene import Scene
from tutor.ui.screens.staged import StagedScreen
from tutor.ui.shells import title
from tutor.ui.widgets.edge import EdgePane
from tutor.ui.widgets.facts import FactsLine, FactsPane, summary
from tutor.ui.widgets.keybar import KeyBar, Shown
from tutor.ui.widgets.lesson import LessonPane
from tutor.ui.widgets.sheet import Sheet
from tutor.ui.widgets.shell_pane import ShellPane
from tutor.ui.widgets.steps import StepList
from tutor.ui.widgets.topbar import Standing, Told, TopBar


class ReadingPane(EdgePane):
    """Lesson and facts; its right edge can be dragged where the shell stands beside it."""

    EDGE = "right"


class DrawnScreen(StagedScreen):
    """Steps, step, facts, shell. `redraw` shows what is so now; nothing here changes anything."""

    AUTO_FOCUS = "Terminal"
    HORIZONTAL_BREAKPOINTS = []  # noqa: RUF012 - it takes its shape itself, before it is seen

    KEYS_BESIDE: ClassVar[frozenset[str]] = frozenset()
    """What does something here besides the keys that can be chosen."""

    zoom: var[Pane | None] = var(None)
    """The pane that has the whole window."""
    share: var[float | None] = var(None)
    """Which part of the room the lesson has, beside or above the shell; None for the usual one."""
    facts_open: var[bool] = var(False)
    """Whether the facts stand in for the lesson, where there is no room for both."""
    steps_open: var[bool] = var(False)
    """Whether the drawer with the steps is open, where there is no room for it."""

    _ended = ""
    """The step whose end has been shown."""
    _stands: tuple[str, ...] = ()
    """The step, its end, and the facts that do not hold."""
    looked_at = ""
    """The clock time at which the learner last asked for a look."""
    _zoomed_for_program = False
    _was_shown = False

    def __init__(self, desk: Desk, visit: Visit) -> None:
        super().__init__(desk, visit)
        self._patience = Patience(self, self._tell_wait)
        self._blocks: Mapping[str, Block] = {}
        self._shown: Mapping[str, BlockText] = {}

    def compose(self) -> ComposeResult:
        # Before there is anything in it, so that everything is styled once.
        self._take_shape(*self.app.size)
        scene, log = self.scene, self.back.log
        lesson, facts = LessonPane(id="lesson"), FactsPane(id="facts")
        lesson.begin(scene, self._texts(scene), log.standings(), log.upcoming())
        facts.begin(scene.facts())
        yield TopBar(id="top")
        with Horizontal(id="body"):
            yield StepList(id="steps")
            with Vertical(id="work"):
                with ReadingPane(id="reading"):
                    yield lesson
                    yield facts
                yield FactsLine(id="facts-line")
                yield ShellPane(id="shell")
        yield KeyBar(id="keys")
        yield Static(id="tiny", markup=False)

    def on_mount(self) -> None:
        self._fit(*self.app.size)
        self.watch(self.terminal, "prefixed", self._show_prefix)
        self.watch(self.terminal, "has_focus", self.redraw, init=False)
        self.watch(self.terminal, "takes_screen", self._make_room, init=False)
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
            self._fit(*self.app.size)
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
            health=self.back.health,
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
        pane.upcoming = log.upcoming()

    def _redraw_facts(self, scene: Scene) -> None:
        rows, mistakes = scene.facts(), scene.mistakes()
        facts, line = self.query_one(FactsPane), self.query_one(FactsLine)
        facts.rows, facts.mistakes = rows, mistakes
        held = sum(row.state == "true" for row in rows)
        does = "ends it" if scene.is_at_end else "goes on"
        onward = f" · {self.way_to('next')} {does}" if scene.is_done else ""
        looked = f" · looked {self.looked_at}" if self.looked_at and not onward else ""
        facts.border_title = f"Facts · {held} of {len(rows)} hold{onward}{looked}"
        line.update(summary(rows, len(mistakes), look=self.way_to("look")) + onward)
        line.set_class(scene.is_done, "-done")

    def _redraw_keys(self) -> None:
        self.query_one(KeyBar).keys = self.keys_now()

    def keys_now(self) -> tuple[Shown, ...]:
        """What the keys do now."""
        return key_row(
            self.scene,
            self.keymap,
            in_shell=self.terminal.has_focus,
            is_typing=self.back.runner.is_typing,
            is_short=self.has_class("-short"),
            upcoming=self.back.log.upcoming(),
        )

    def on_resize(self, event: events.Resize) -> None:
        self._fit(*event.size)
        self._redraw_keys()

    def _fit(self, width: int, height: int) -> None:
        """Fit into a window of this size."""
        now = self._take_shape(width, height)
        self._divide()
        self.query_one(TopBar).brief = now.is_narrow
        if now.is_tiny:
            least = "{} by {}".format(*SMALLEST)
            self.query_one("#tiny", Static).update(
                f"This window has {width} by {height} characters.\n"
                f"A lesson needs {least}: make it larger, or the letters smaller."
            )

    def _take_shape(self, width: int, height: int) -> Shape:
        now = shape(width, height, self.desk.settings.layout)
        self.update_classes(
            {
                "-tiny": now.is_tiny,
                "-narrow": now.is_narrow,
                "-short": now.is_short,
                "-roomy": now.is_roomy,
                "-large": now.is_large,
                "-wide": now.is_wide,
            }
        )
        return now

    def watch_zoom(self, zoom: Pane | None) -> None:
        self._zoomed_for_program = False
        self.update_classes({"-zoom-lesson": zoom == "lesson", "-zoom-shell": zoom == "shell"})

    def watch_share(self) -> None:
        self._divide()

    def _divide(self) -> None:
        """Share the room out, along the side on which lesson and shell meet."""
        share, is_wide = self.share, self.has_class("-wide")
        for pane in (ReadingPane, ShellPane):
            styles = self.query_one(pane).styles
            styles.clear_rule("width")
            styles.clear_rule("height")
            if share is not None:
                part = f"{100 * (share if pane is ReadingPane else 1 - share):.1f}fr"
                styles.width, styles.height = (part, "1fr") if is_wide else ("1fr", part)

    @on(EdgePane.Dragged)
    def _drag(self, event: EdgePane.Dragged) -> None:
        event.stop()
        room = self.query_one("#work").region
        if self.has_class("-wide"):
            self.divide((event.x + 1 - room.x) / max(room.width, 1))
        else:
            self.divide((event.y - room.y) / max(room.height, 1))

    @property
    def usual_share(self) -> float:
        """Which part of the room the lesson has as long as nobody divides it."""
        return USUAL_SHARE_BESIDE if self.has_class("-wide") else USUAL_SHARE

    def divide(self, share: float) -> None:
        """Give the lesson another part of the room, within reason."""
        self.share = min(max(share, SMALLEST_SHARE), 1 - SMALLEST_SHARE)

    def watch_facts_open(self, facts_open: bool) -> None:
        self.set_class(facts_open, "-facts-open")

    def watch_steps_open(self, steps_open: bool) -> None:
        self.set_class(steps_open, "-steps-open")

    def _show_prefix(self, prefixed: bool) -> None:
        self.query_one(KeyBar).prefix = spelled(self.keymap["prefix"]) if prefixed else ""

    def notice_shell(self, event: Event) -> None:
        if isinstance(event, PromptShown):
            self._patience.wait_for(self.back.waits())

    def _make_room(self, takes_screen: bool) -> None:
        """A program that takes the whole screen gets the whole window, where that is small."""
        is_free = self.zoom is None and self.terminal.has_focus
        if takes_screen and is_free and self.has_class("-short"):
            self.zoom = "shell"
            self._zoomed_for_program = True
        elif not takes_screen and self._zoomed_for_program:
            self.zoom = None


def _plain(text: str) -> str:
    """A text for a border, whose brackets are no markup."""
    return text.replace("[", "\\[")
