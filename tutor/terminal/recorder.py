"""What a shell's output means: it fills the screen, and says what was run and what came of it."""

from collections.abc import Iterable, Sequence

from tutor.clock import Clock
from tutor.terminal.marks import CommandFinished, CommandStarted, Mark, Tap
from tutor.terminal.news import CommandBegan, CommandRecord, News, PromptShown
from tutor.terminal.screen import Engine


class Recorder:
    """Reads the output of one shell, in the order of its bytes, on one thread."""

    def __init__(self, engine: Engine, tap: Tap, clock: Clock) -> None:
        self._engine = engine
        self._tap = tap
        self._clock = clock
        self._began: CommandBegan | None = None
        self.pasted: str | None = None
        """The command line that a program sends now: more exact than what a shell says of it."""

    def feed(self, data: bytes) -> Sequence[News]:
        """Show output; what it told, oldest first."""
        return self._read(self._tap.feed(data), None)

    def end(self, status: int) -> Sequence[News]:
        """The shell has ended with an exit status: so has, with it, the command that ran."""
        return self._read([self._tap.end()], status)

    def _read(
        self, pieces: Iterable[tuple[bytes, Sequence[Mark]]], status: int | None
    ) -> Sequence[News]:
        news: list[News] = []
        for piece, marks in pieces:
            self._engine.feed(piece)
            news += [self._noted(mark, status) for mark in marks]
        news += self._engine.signals()
        return news

    def _noted(self, mark: Mark, status: int | None) -> News:
        match mark:
            case PromptShown():
                self._engine.mark()
                return mark
            case CommandStarted(text):
                known = self.pasted or text
                if known is None:
                    known = self._engine.text_since_mark().strip()
                self.pasted = None
                self._began = CommandBegan(known, self._clock.now())
                return self._began
            case CommandFinished(exit_code, output, truncated):
                now = self._clock.now()
                began = self._began or CommandBegan("", now)
                self._began = None
                return CommandRecord(
                    text=began.text,
                    exit_code=status if exit_code is None else exit_code,
                    output=output,
                    truncated=truncated,
                    started=began.started,
                    ended=now,
                )
