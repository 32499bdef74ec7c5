"""Several shells in the pane: another, the next one, one less; and what their programs ask for."""

from textual import events, on, work

from tutor.errors import TutorError
from tutor.ui.runner import Runner, abridged
from tutor.ui.screens.moving import Moving
from tutor.ui.screens.opening import question
from tutor.ui.screens.telling import SHORT_NOTICE_S
from tutor.ui.shells import LIMIT
from tutor.ui.widgets.shell_pane import EndedLine
from tutor.ui.widgets.steps import StepList
from tutor.ui.widgets.terminal import Terminal


class Tabbed(Moving):
    """What a lesson's screen does with its shells."""

    @work(group="shell")
    async def action_shell_new(self) -> None:
        """Open another shell, and go there."""
        if len(self.back.shells.all) >= LIMIT:
            close = self.way_to("shell_close")
            self.tell(f"There are {LIMIT} shells already.", f"{close} closes one.")
            return
        runner = Runner()
        runner.hands = self.back.runner.hands
        try:
            opened = await self.open_shell(runner)
        except TutorError as error:
            self.tell_error(error)
            return
        if not opened:
            self.tell("The lesson is still being prepared.", "Try again in a moment.")
            return
        self.back.shells.add(runner)
        self._go_there()

    def action_shell_next(self) -> None:
        """Go to the next shell."""
        if len(self.back.shells.all) == 1:
            self.tell("There is only one shell.", f"{self.way_to('shell_new')} opens another.")
        self.back.shells.turn_on()
        self._go_there()

    def on_key(self, event: events.Key) -> None:
        """Who types beside the shell means it, unless the key does something where they are."""
        if isinstance(self.focused, StepList) or not event.is_printable:
            return
        if event.key not in self.active_bindings:
            self.to_shell()
            self.terminal.on_key(event)

    def action_shell_turn(self, number: int) -> None:
        """Go to one of the shells, by its number from 1."""
        self.back.shells.turn(number)
        self._go_there()

    def _go_there(self) -> None:
        self.show_shell()
        self.to_shell()

    @work(group="shell")
    async def action_shell_close(self) -> None:
        """End the shell that is shown, after a question when something runs in it."""
        runner = self.back.runner
        shell = runner.shell
        if shell is None or len(self.back.shells.all) == 1:
            self.tell("This is the only shell.", "The lesson needs it.")
            return
        if shell.running is not None and not await self._may_close(shell.running.text):
            return
        # It may have been closed meanwhile.
        if runner in self.back.shells.all and len(self.back.shells.all) > 1:
            self.back.shells.remove(runner)
            self._go_there()
            await shell.close()

    async def _may_close(self, runs: str) -> bool:
        text = f"`{abridged(runs)}` still runs in it, and would be ended."
        asked = question("Close this shell?", text, yes="close it", no="keep it")
        return await self.app.push_screen_wait(asked)

    @on(EndedLine.Restarted)
    @work(group="shell")
    async def _restart(self) -> None:
        try:
            await self.open_shell(self.back.runner)
        except TutorError as error:
            self.tell_error(error)
        self.show_shell()

    @on(Terminal.Copied)
    def _copy(self, event: Terminal.Copied) -> None:
        event.stop()
        self.app.copy_to_clipboard(event.text)
        who = "The program in the shell copied" if event.by_program else "Copied"
        self.tell(f"{who} {len(event.text):,} characters.", seconds=SHORT_NOTICE_S)

    @on(Terminal.Rang)
    def _ring(self, event: Terminal.Rang) -> None:
        event.stop()
        self.app.bell()

    @on(Terminal.LinkOpened)
    def _open_link(self, event: Terminal.LinkOpened) -> None:
        event.stop()
        self.app.open_url(event.url)

    @on(Terminal.PasteQuestion)
    @work(group="paste")
    async def _ask_paste(self, event: Terminal.PasteQuestion) -> None:
        # Terminals part lines of a paste as if Enter had been pressed.
        lines = event.text.strip().splitlines()
        text = "\n".join(lines)
        asked = question(
            f"Paste {len(lines)} lines?" if len(lines) > 1 else "Paste this line?",
            f"The program in the shell takes each line as soon as it ends:\n\n{text}",
            yes="paste",
            no="do not",
        )
        if await self.app.push_screen_wait(asked):
            self.terminal.paste(event.text)
            self.terminal.focus()
