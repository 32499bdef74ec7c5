"""What the command palette has on a screen: all that its keys do, and what else it can do now."""

from collections.abc import Callable, Coroutine, Iterator
from typing import Any, NamedTuple, Protocol, runtime_checkable

from textual.binding import ActiveBinding
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.dom import DOMNode
from textual.screen import Screen

from tutor.ui.keys import bind, spelled

_ITSELF = "command_palette"
PALETTE = bind(
    "window.palette", "ctrl+p", f"app.{_ITSELF}", "Search everything there is to do here"
)
"""For windows, which leave the app's own keys to what is below them."""

_NAMES = {"slash": "/", "escape": "Esc", "enter": "Enter", "space": "Space"}
"""Of the interface library, for keys that people call otherwise."""


class Command(NamedTuple):
    """Something to choose in the palette."""

    text: str
    action: str
    help: str
    is_listed: bool = True
    """Whether it is shown before anything is typed."""
    node: DOMNode | None = None
    """Whose action it is; None for the screen's."""


@runtime_checkable
class Commanding(Protocol):
    """A screen that can do more than its keys say."""

    def commands(self) -> Iterator[Command]:
        """What it can do besides."""
        ...


_ANYWHERE = (
    Command(text="Try other colours", action="app.change_theme", help="The themes"),
    Command(
        text="Take a picture of this screen", action="app.screenshot", help="Saved as an SVG file"
    ),
)


class ScreenCommands(Provider):
    """Of any screen. Each runs the action that its key runs."""

    async def discover(self) -> Hits:
        for each in self._all():
            if each.is_listed:
                yield DiscoveryHit(each.text, self._runner(each), help=each.help)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for each in self._all():
            if (score := matcher.match(each.text)) > 0:
                text = matcher.highlight(each.text)
                yield Hit(score, text, self._runner(each), help=each.help)

    def beside_screen(self) -> Iterator[Command]:
        """What can be done besides what the screen itself says."""
        yield from bound(self.screen)

    def _all(self) -> Iterator[Command]:
        yield from self.beside_screen()
        if isinstance(self.screen, Commanding):
            yield from self.screen.commands()
        yield from _ANYWHERE

    def _runner(self, command: Command) -> Callable[[], Coroutine[object, object, None]]:
        app, node = self.app, command.node or self.screen

        async def run() -> None:
            await app.run_action(command.action, node)

        return run


def bound(screen: Screen[Any]) -> Iterator[Command]:
    """What keys do on a screen, where the learner is, each once."""
    keys: dict[str, list[str]] = {}
    first: dict[str, ActiveBinding] = {}
    for key, active in screen.active_bindings.items():
        does = active.binding.action
        if active.tooltip and not does.endswith(_ITSELF):
            keys.setdefault(does, []).append(_NAMES.get(key) or spelled(key))
            first.setdefault(does, active)
    for does, active in first.items():
        ways = " or ".join(keys[does])
        yield Command(text=active.tooltip, action=does, help=ways, node=active.node)
