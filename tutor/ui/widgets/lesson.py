"""What the step says: its text, what to type, hints, questions, and what just happened."""

import asyncio
from collections.abc import Mapping

from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.reactive import reactive
from textual.widget import Widget

from tutor.ui.blocks import NEW, BlockText, Standing
from tutor.ui.scene import Scene
from tutor.ui.widgets.block import BlockCard
from tutor.ui.widgets.callout import Callout
from tutor.ui.widgets.prose import Prose
from tutor.ui.widgets.quiz import Quiz

_ABOVE = (
    "Do what stands above. [F5](key:run) types it, one after the other; "
    "where an editor opens, the changes are made for you."
)


class LessonPane(VerticalScroll, can_focus=True):
    """One step, top to bottom, in the order in which it is done."""

    HELP = "The lesson. The arrow keys scroll, Tab goes to commands and questions."

    DEFAULT_CSS = """
    LessonPane {
        scrollbar-size-vertical: 1;
        padding: 1 2 0 2;
        & > Prose { margin: 0 0 1 0; }
    }
    """

    scene: reactive[Scene | None] = reactive(None)
    blocks: reactive[Mapping[str, BlockText]] = reactive(dict[str, BlockText])
    """By key, in the order of the step; those of the solution too, when it is shown."""

    standings: reactive[Mapping[str, Standing]] = reactive(dict[str, Standing])
    upcoming: reactive[str | None] = reactive(None)
    """The block that the run key does."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - the interface library's name
        super().__init__(id=id)
        self.drawn = asyncio.Event()
        """Set when a step has been placed."""
        self._shown: list[str] = []
        """What is there, by name, top to bottom."""
        self._seen: Widget | None = None
        """What came last, and was brought into view."""
        self._width = 0
        self._is_new = True
        """Whether nothing has been done since the step was turned to."""

    def begin(
        self,
        scene: Scene,
        blocks: Mapping[str, BlockText],
        standings: Mapping[str, Standing],
        upcoming: str | None,
    ) -> None:
        """Have a step there when it is mounted: what comes later is laid out and painted again."""
        self.set_reactive(LessonPane.scene, scene)
        self.set_reactive(LessonPane.blocks, blocks)
        self.set_reactive(LessonPane.standings, standings)
        self.set_reactive(LessonPane.upcoming, upcoming)
        self._is_new = all(standing == NEW for standing in standings.values())

    def compose(self) -> ComposeResult:
        if self.scene is not None:
            parts = self._parts(self.scene)
            self._shown = list(parts)
            yield from parts.values()

    def on_mount(self) -> None:
        if self.scene is not None:
            self._follow(self.scene)

    async def watch_scene(self, before: Scene | None, scene: Scene | None) -> None:
        if scene is None:
            return
        is_new = before is None or before.step.id != scene.step.id
        wanted = self._parts(scene)
        if is_new:
            self._shown, self._is_new, self._seen = [], True, None
            async with self.batch():
                await self.remove_children()
                await self._place(wanted)
            self.scroll_home(animate=False)
        else:
            await self._place(wanted)
        self._follow(scene)

    def _follow(self, scene: Scene) -> None:
        """Have what is there show what is so."""
        for quiz in self.query(Quiz):
            quiz.answer = scene.record.answers.get(quiz.question.id, "")
            quiz.is_done = scene.is_done
        self._mark()
        self.drawn.set()

    async def _place(self, wanted: Mapping[str, Widget]) -> None:
        """Mount what is not there yet, each behind what it follows, and bring it into view."""
        fresh: list[Widget] = []
        for index, (name, widget) in enumerate(wanted.items()):
            if name not in self._shown:
                self._shown.insert(index, name)
                fresh.append(widget)
                await self.mount(widget, before=index if index < len(self.children) else None)
        if fresh and len(fresh) < len(wanted):
            self._seen = fresh[0]
            self.call_after_refresh(self.scroll_to_widget, fresh[0], animate=False, top=True)

    def on_resize(self, event: events.Resize) -> None:
        """Keep in view what came last: a window that had room for everything has lost it."""
        is_wrapped_anew = event.size.width != self._width
        self._width = event.size.width
        if is_wrapped_anew and self._seen is not None and not self.has_focus_within:
            self.call_after_refresh(self.scroll_to_widget, self._seen, animate=False, top=True)

    def _parts(self, scene: Scene) -> Mapping[str, Widget]:
        """All that is to be seen now; nothing of a step ever goes away while it is shown."""
        step = scene.step
        parts: dict[str, Widget] = {"say": Prose(step.say)}
        questions = {f"question-{each.id}": Quiz(each) for each in scene.questions()}
        for each in step.ask:
            if each.kind == "predict":
                name = f"question-{each.id}"
                parts[name] = questions.pop(name)
        for key, block in self.blocks.items():
            if key.startswith("do"):
                parts[f"block-{key}"] = BlockCard(key, block)
        total = len(scene.all_hints())
        for number, hint in enumerate(scene.hints(), 1):
            parts[f"hint-{number}"] = Callout("hint", f"Hint {number} of {total}", hint.say)
        if scene.record.solution_shown:
            text = _ABOVE if step.solution == "do" else ""
            parts["solution"] = Callout("hint", "The solution", text)
        for key, block in self.blocks.items():
            if not key.startswith("do"):
                parts[f"block-{key}"] = BlockCard(key, block)
        if scene.is_done and step.debrief:
            title = "Done: what just happened" if scene.record.done == "passed" else "Left out"
            parts["debrief"] = Callout("debrief", title, step.debrief)
        return parts | questions

    def watch_standings(self) -> None:
        self._is_new = all(standing == NEW for standing in self.standings.values())
        self._mark()

    def watch_upcoming(self) -> None:
        self._mark()
        card = self.card(self.upcoming) if self.upcoming and not self._is_new else None
        if card is not None and not self.has_focus_within:
            self.scroll_to_widget(card, animate=False)

    def _mark(self) -> None:
        for card in self.query(BlockCard):
            card.standing = self.standings.get(card.key, NEW)
            card.is_next = card.key == self.upcoming

    def card(self, key: str) -> BlockCard | None:
        """The block of that key, where it is shown."""
        return self.query_one_optional(f"#block-{key}", BlockCard)
