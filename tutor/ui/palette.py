"""The command palette: all that keys do, the steps, and the commands of the step."""

from collections.abc import Iterator
from dataclasses import dataclass

from textual.command import DiscoveryHit, Hit, Hits, Provider

from tutor.ui.keys import KEYS, keymap_of, spelled
from tutor.ui.widgets.steps import SIGNS, StepList

_LEAVES_OUT = frozenset({"palette"})


@dataclass(frozen=True, slots=True)
class _Entry:
    text: str
    action: str
    help: str
    is_listed: bool
    """Whether it is shown before anything is typed."""


class LessonCommands(Provider):
    """Of the lesson's screen. Each runs the action that its key runs."""

    async def discover(self) -> Hits:
        for entry in self._entries():
            if entry.is_listed:
                yield DiscoveryHit(entry.text, self._runner(entry), help=entry.help)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for entry in self._entries():
            if (score := matcher.match(entry.text)) > 0:
                yield Hit(
                    score, matcher.highlight(entry.text), self._runner(entry), help=entry.help
                )

    def _runner(self, entry: _Entry):
        screen = self.screen

        async def run() -> None:
            await screen.run_action(entry.action)

        return run

    def _entries(self) -> Iterator[_Entry]:
        keymap = keymap_of(self.screen)
        prefix = spelled(keymap["prefix"])
        for key in KEYS:
            if key.id not in _LEAVES_OUT:
                ways = f"{spelled(keymap[key.id])} or " if keymap[key.id] else ""
                yield _Entry(key.says, key.id, f"{ways}{prefix} {key.after_prefix}", True)
        steps = self.screen.query_one_optional(StepList)
        for row in steps.rows if steps else ():
            text = f"Step {row.number}: {row.title}"
            yield _Entry(text, f"go_to({row.id!r})", f"{SIGNS[row.mark]} {row.mark}", False)
