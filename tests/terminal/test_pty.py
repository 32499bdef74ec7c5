"""Processes on pseudo-terminals, from their start to their end."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import psutil
import pytest

from tutor.errors import ShellError
from tutor.terminal.pty import WRITE_LIMIT, Pty

DEADLINE_S = 40.0


class Terminal:
    """A process with what it wrote and how it ended."""

    def __init__(self, script: str, folder: Path, program: str = "/bin/sh") -> None:
        self.output = bytearray()
        self.status: int | None = None
        self._news = threading.Condition()
        self.pty = Pty(
            (program, "-c", script),
            environment={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            folder=folder,
            size=(80, 24),
            receive=self._receive,
            ended=self._end,
        )
        self.pty.start()

    def _receive(self, data: bytes) -> None:
        with self._news:
            self.output += data
            self._news.notify_all()

    def _end(self, status: int) -> None:
        with self._news:
            self.status = status
            self._news.notify_all()

    def wait(self, happened: Callable[[], bool]) -> None:
        with self._news:
            assert self._news.wait_for(happened, DEADLINE_S), bytes(self.output[-500:])

    def wait_output(self, text: bytes) -> None:
        self.wait(lambda: text in self.output)

    def wait_end(self) -> int | None:
        self.wait(lambda: self.status is not None)
        return self.status


StartTerminal = Callable[[str], Terminal]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartTerminal]:
    terminals: list[Terminal] = []

    def start_terminal(script: str) -> Terminal:
        terminals.append(Terminal(script, tmp_path))
        return terminals[-1]

    yield start_terminal
    for terminal in terminals:
        terminal.pty.close()


def session(pid: int) -> set[int]:
    members = set[int]()
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == pid and process.status() != psutil.STATUS_ZOMBIE:
                members.add(process.pid)
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue
    return members


def test_pty_of_a_process_is_its_controlling_terminal(start: StartTerminal) -> None:
    terminal = start("test -t 0 && test -t 1 && test -t 2 && echo yes >/dev/tty")
    assert terminal.wait_end() == 0
    assert terminal.output == b"yes\r\n"


def test_pty_when_the_process_exits_tells_its_status_after_all_output(start: StartTerminal) -> None:
    terminal = start("seq 1 20000; exit 7")
    assert terminal.wait_end() == 7
    assert terminal.output.endswith(b"\r\n20000\r\n")


def test_pty_when_the_process_is_killed_tells_the_signal(start: StartTerminal) -> None:
    assert start("kill -9 $$").wait_end() == -signal.SIGKILL


def test_pty_when_a_background_process_keeps_the_terminal_still_tells_the_end(
    start: StartTerminal,
) -> None:
    terminal = start("sleep 100 & exit 3")
    assert terminal.wait_end() == 3


def test_pty_when_written_to_is_the_keyboard(start: StartTerminal) -> None:
    terminal = start("read line; echo got $line")
    terminal.pty.write(b"x y\r")
    terminal.wait_output(b"got x y\r\n")


def test_pty_in_line_mode_erases_whole_characters(start: StartTerminal) -> None:
    terminal = start("read line; echo got [$line]")
    terminal.pty.write("aé\x7fb\r".encode())
    terminal.wait_output(b"got [ab]\r\n")


def test_pty_when_the_program_does_not_read_does_not_wait(start: StartTerminal) -> None:
    terminal = start("stty raw -echo; echo ready; read go < /dev/fd/3 3<&0; wc -c")
    terminal.wait_output(b"ready")
    terminal.pty.write(b"x" * 1_000_000)


def test_pty_when_the_program_reads_late_gets_everything(start: StartTerminal) -> None:
    terminal = start("stty raw -echo; echo ready; head -c 300000 | wc -c")
    terminal.wait_output(b"ready")
    terminal.pty.write(b"x" * 300_000)
    terminal.wait_output(b"300000")


def test_pty_when_more_is_written_than_may_wait_drops_it(
    start: StartTerminal, caplog: pytest.LogCaptureFixture
) -> None:
    terminal = start("stty raw -echo; echo ready; sleep 100")
    terminal.wait_output(b"ready")
    terminal.pty.write(b"x" * WRITE_LIMIT)
    terminal.pty.write(b"x" * WRITE_LIMIT)
    assert "input dropped" in caplog.text


def test_pty_when_resized_tells_the_program(start: StartTerminal) -> None:
    terminal = start("trap 'stty size; exit' WINCH; stty size; while :; do sleep 0.05; done")
    terminal.wait_output(b"24 80\r\n")
    terminal.pty.resize(100, 30)
    terminal.wait_output(b"30 100\r\n")


def test_pty_when_closed_ends_background_jobs_too(start: StartTerminal) -> None:
    terminal = start("set -m; trap '' HUP; sleep 101 & sleep 102 | sleep 103 & echo up; sleep 104")
    terminal.wait_output(b"up")
    assert len(session(terminal.pty.pid)) >= 4
    terminal.pty.close(grace_s=0.1)
    assert session(terminal.pty.pid) == set()
    assert terminal.status is not None


def test_pty_when_closed_ends_a_stopped_program(start: StartTerminal) -> None:
    terminal = start("echo up; kill -STOP $$")
    terminal.wait_output(b"up")
    terminal.pty.close()
    assert session(terminal.pty.pid) == set()


def test_pty_when_closed_twice_or_written_to_afterwards_does_nothing(start: StartTerminal) -> None:
    terminal = start("sleep 100")
    terminal.pty.close()
    terminal.pty.close()
    terminal.pty.write(b"x")
    terminal.pty.resize(10, 10)
    assert terminal.status == -signal.SIGHUP


def test_pty_when_this_program_is_killed_leaves_no_process() -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert owner.stdout is not None
    pid = int(owner.stdout.readline())
    shell = psutil.Process(pid)
    owner.kill()
    owner.wait()
    owner.stdout.close()
    gone, alive = psutil.wait_procs([shell], timeout=20)
    assert (len(gone), alive) == (1, [])


OWNER = """
import os
from pathlib import Path
from threading import Event
from tutor.terminal.pty import Pty
ready = Event()
pty = Pty(("/bin/sh", "-c", "echo up; read x"), environment=dict(os.environ), folder=Path("/"),
          size=(80, 24), receive=lambda data: ready.set(), ended=lambda status: None)
pty.start()
ready.wait()
print(pty.pid, flush=True)
Event().wait()
"""


def test_pty_when_the_shell_is_not_there_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(ShellError) as raised:
        Terminal("", tmp_path, program="/no/such/shell")
    assert "/no/such/shell" in raised.value.message
    assert "SHELL" in raised.value.next_action


def test_pty_when_the_folder_is_not_there_names_it(tmp_path: Path) -> None:
    with pytest.raises(ShellError) as raised:
        Terminal("", tmp_path / "gone")
    assert "gone" in raised.value.message


def test_pty_when_the_machine_has_no_terminals_left_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted() -> NoReturn:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "openpty", exhausted)
    with pytest.raises(ShellError) as raised:
        Terminal("", tmp_path)
    assert "pseudo-terminal" in raised.value.message


def test_pty_when_it_cannot_start_leaves_no_descriptor_open(tmp_path: Path) -> None:
    before = psutil.Process().num_fds()
    for _ in range(3):
        with pytest.raises(ShellError):
            Terminal("", tmp_path / "gone")
    assert psutil.Process().num_fds() == before


def test_pty_when_ended_leaves_no_descriptor_open(tmp_path: Path) -> None:
    before = psutil.Process().num_fds()
    terminal = Terminal("exit 0", tmp_path)
    terminal.wait_end()
    terminal.pty.close()
    assert psutil.Process().num_fds() == before
