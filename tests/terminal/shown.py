"""What an engine shows, and something to be shown."""

from tutor.terminal.screen import PLAIN, Engine, Run


def row(terminal: Engine, y: int = 0) -> list[Run]:
    """A row's runs, without the blanks at its end."""
    runs = list(terminal.frame().rows[y])
    while runs and runs[-1].style == PLAIN and not runs[-1].text.strip(" "):
        runs.pop()
    return runs


def rows(terminal: Engine) -> list[str]:
    """All rows as text, as they are shown."""
    frame = terminal.frame(whole=True)
    return ["".join(run.text for run in frame.rows[y]).rstrip() for y in sorted(frame.rows)]


def numbered(count: int) -> bytes:
    """So many lines of output."""
    return b"".join(b"line %d\r\n" % number for number in range(count))
