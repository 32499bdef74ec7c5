"""The app on a pseudo-terminal: its first frames, beside a Textual hello-world, and its rest."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping

import psutil

from bench.figure import Figure
from bench.home import PROGRAMS, Home, home
from bench.screen import screen
from tutor import paths
from tutor.cli.choice import chosen
from tutor.course.loader import load_course

_ROUNDS = 7
_SETTLE_S = 6.0
_IDLE_S = 60.0
_PROMPT = b"PROMPT-OF-THE-BENCH"
_HELLO = """from textual.app import App
from textual.widgets import Static


class Hello(App):
    def compose(self):
        yield Static("HELLO-OF-THE-BENCH")


Hello().run()
"""


def measure() -> Iterator[Figure]:
    """The figures of this group."""
    lesson = chosen(load_course(paths.lessons_dir()), "")
    title = lesson.steps[0].title.encode()
    with home() as place:
        environment = _environment(place)
        place.up()
        place.until_quiet()
        learn = [str(PROGRAMS / "tutor"), "learn", lesson.id]
        hello: list[float] = []
        first: list[float] = []
        frame: list[float] = []
        whole: list[float] = []
        for _ in range(_ROUNDS):
            hello.append(_hello(place, environment))
            with screen(learn, environment, place.root) as shown:
                frame.append(shown.until(title))
                whole.append(shown.until(_PROMPT))
                first.append(shown.first_s)
        yield Figure(name="app, first bytes, best of 7", value=min(first) * 1e3, unit="ms", bar=100)
        ratio = min(frame) / min(hello)
        yield Figure(name="app, first frame of a lesson", value=ratio, unit="x hello", bar=1.5)
        yield Figure(name="app, first frame of a lesson", value=min(frame), unit="s")
        yield Figure(
            name="app, with its shell", value=min(whole) / min(hello), unit="x hello", bar=2.3
        )
        yield Figure(name="app, with its shell", value=min(whole), unit="s")
        yield Figure(name="Textual hello-world", value=min(hello), unit="s")
        with screen(learn, environment, place.root) as shown:
            shown.until(_PROMPT)
            time.sleep(_SETTLE_S)
            yield from _rest(shown.pty.pid, lambda: shown.bytes)


def _environment(place: Home) -> Mapping[str, str]:
    user = place.root / "user"
    (user / ".bashrc").write_text(f"PS1='{_PROMPT.decode()} '\n")
    return {
        **place.environment,
        "SHELL": "/bin/bash",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "LC_ALL": "C.UTF-8",
    }


def _hello(place: Home, environment: Mapping[str, str]) -> float:
    file = place.root / "hello.py"
    file.write_text(_HELLO)
    with screen([sys.executable, str(file)], environment, place.root) as shown:
        return shown.until(b"HELLO-OF-THE-BENCH")


def _rest(pid: int, written: Callable[[], int]) -> Iterator[Figure]:
    process = psutil.Process(pid)
    yield Figure(
        name="app with its shell, resident",
        value=process.memory_info().rss / 1e6,
        unit="MB",
        bar=130,
    )
    before, bytes_before = process.cpu_times(), written()
    time.sleep(_IDLE_S)
    after = process.cpu_times()
    used = after.user + after.system - before.user - before.system
    yield Figure(name="app, idle for 60 s", value=100 * used / _IDLE_S, unit="% core", bar=0.5)
    yield Figure(
        name="app, written while idle", value=written() - bytes_before, unit="bytes", bar=0
    )
