"""A process on a pseudo-terminal: read by a thread, written without waiting, ended without remains.

One thread reads and writes the terminal's end, one waits for the process. What is read goes to
`receive` on the reading thread; `ended` is called there once, last, with the exit status.

The process is not forked from here (this program has threads, and Python code between fork and exec
may then deadlock; from 3.12 on Python says so): a bare interpreter is spawned in a session of its
own, takes the terminal as its controlling one, and becomes the shell. That costs 10 ms.
"""

import contextlib
import errno
import fcntl
import logging
import os
import selectors
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from tutor.errors import ShellError

log = logging.getLogger(__name__)

READ_SIZE = 65536

WRITE_LIMIT = 8 * 1024 * 1024
"""Bytes that may wait for a program that does not read; beyond that they are dropped."""

KILL_S = 2.0
"""How long a killed process may take to go (one that waits for a dead disk takes for ever)."""

_IUTF8 = 0x4000
"""Backspace takes a whole character. The same on Linux and macOS; `termios` does not have it."""

_BECOME = (
    "import fcntl, os, signal, sys, termios\n"
    "fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
    "for name in 'HUP INT QUIT PIPE TERM CHLD TSTP TTIN TTOU'.split():\n"
    "    signal.signal(getattr(signal, 'SIG' + name), signal.SIG_DFL)\n"
    "signal.pthread_sigmask(signal.SIG_SETMASK, ())\n"
    "os.execv(sys.argv[1], sys.argv[1:])\n"
)


class Pty:
    """A process and the terminal it runs on. Threads may call any method."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path,
        size: tuple[int, int],
        receive: Callable[[bytes], None],
        ended: Callable[[int], None],
    ) -> None:
        """Start the process; `start` begins to read it. `size` is columns and lines.

        Raises:
            ShellError: no terminal is to be had, or the program or folder is not there.
        """
        self._receive = receive
        self._ended = ended
        self._lock = threading.Lock()
        self._unwritten = bytearray()
        self._closed = False
        self._is_gone = False
        self._fd, inner = _open(size)
        try:
            self._process = _spawn(arguments, inner, environment, folder)
        except BaseException:
            os.close(self._fd)
            raise
        finally:
            os.close(inner)
        self.pid = self._process.pid
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._woken, False)
        self._thread = threading.Thread(target=self._run, name=f"pty {self.pid}", daemon=True)
        self._waiter = threading.Thread(target=self._wait, name=f"wait {self.pid}", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._waiter.start()
        self._thread.start()

    def write(self, data: bytes) -> None:
        """Send bytes as the keyboard would; what the program does not take yet waits."""
        with self._lock:
            if self._closed:
                return
            if not self._unwritten:
                data = data[_write(self._fd, data) :]
            if not data:
                return
            if len(self._unwritten) + len(data) > WRITE_LIMIT:
                log.warning("input dropped", extra={"bytes": len(data)})
                return
            self._unwritten += data
            os.write(self._wake, b"w")

    def resize(self, columns: int, lines: int) -> None:
        """Tell the program (SIGWINCH) that its window has another size."""
        with self._lock:
            if not self._closed:
                _set_size(self._fd, columns, lines)

    def close(self, grace_s: float = 0.5) -> None:
        """End every process of the session: SIGHUP, after `grace_s` SIGKILL. Blocks."""
        # Once it is gone, another process may have its number.
        if not self._is_gone and not _ended(self.pid, signal.SIGHUP, grace_s):
            _ended(self.pid, signal.SIGKILL, KILL_S)
        self._is_gone = True
        self._waiter.join(KILL_S)
        self._thread.join(KILL_S)

    def _wait(self) -> None:
        self._process.wait()
        os.write(self._wake, b"e")

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._woken, selectors.EVENT_READ)
            selector.register(self._fd, selectors.EVENT_READ)
            alive = True
            while alive:
                if not self._read():
                    selector.unregister(self._fd)
                    self._process.wait()
                    break
                self._flush()
                wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._unwritten else 0)
                selector.modify(self._fd, wanted)
                selector.select()
                alive = b"e" not in _drained(self._woken)
            else:
                self._read()
        with self._lock:
            self._closed = True
            os.close(self._fd)
        self._ended(self._process.wait())
        self._waiter.join()
        os.close(self._woken)
        os.close(self._wake)

    def _read(self) -> bool:
        """Read until there is nothing more for now; False when the terminal is hung up."""
        while True:
            try:
                data = os.read(self._fd, READ_SIZE)
            except BlockingIOError:
                return True
            except OSError as error:
                if error.errno == errno.EIO:  # Linux: no process has the terminal open
                    return False
                raise
            if not data:  # macOS says it so
                return False
            self._receive(data)
            if self._unwritten:
                self._flush()

    def _flush(self) -> None:
        with self._lock:
            if self._unwritten:
                del self._unwritten[: _write(self._fd, self._unwritten)]


def _open(size: tuple[int, int]) -> tuple[int, int]:
    try:
        outer, inner = os.openpty()
    except OSError as error:
        raise ShellError(
            f"This machine has no pseudo-terminal left for the shell ({error.strerror}).",
            next_action="Close other terminal windows, or raise kernel.pty.max, and try again.",
        ) from error
    os.set_blocking(outer, False)
    _set_size(inner, *size)
    modes = termios.tcgetattr(inner)
    modes[0] |= _IUTF8
    termios.tcsetattr(inner, termios.TCSANOW, modes)
    return outer, inner


def _spawn(
    arguments: Sequence[str], inner: int, environment: Mapping[str, str], folder: Path
) -> subprocess.Popen[bytes]:
    if not os.access(arguments[0], os.X_OK):
        raise ShellError(
            f"The shell {arguments[0]} cannot be started.",
            next_action="Set SHELL to the path of a bash or zsh and start again.",
        )
    try:
        return subprocess.Popen(  # noqa: S603 - the learner's own shell
            [sys.executable, "-I", "-S", "-c", _BECOME, *arguments],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            cwd=folder,
            env=dict(environment),
            start_new_session=True,
        )
    except OSError as error:
        raise ShellError(
            f"The shell could not be started in {folder}: {error.strerror}.",
            next_action=f"Check that {folder} is there and may be entered, and start again.",
        ) from error


def _set_size(fd: int, columns: int, lines: int) -> None:
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))


def _write(fd: int, data: bytes | bytearray) -> int:
    try:
        return os.write(fd, data)
    except BlockingIOError:
        return 0
    except OSError as error:
        if error.errno == errno.EIO:  # nobody is there to read it
            return len(data)
        raise


def _drained(fd: int) -> bytes:
    with contextlib.suppress(BlockingIOError):
        return os.read(fd, READ_SIZE)
    return b""


def _signal(session: int, number: signal.Signals) -> None:
    """Signal every process of a session; stopped ones are woken to receive it."""
    for pid in _members(session):
        for each in (number, signal.SIGCONT):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, each)


def _ended(session: int, number: signal.Signals, within_s: float) -> bool:
    """Signal a session until nobody is left in it; False when time is up.

    Once is not enough: a shell that is about to read looks at a signal only when a key comes.
    """
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        _signal(session, number)
        for _ in range(5):
            if not any(True for _ in _members(session)):
                return True
            time.sleep(0.01)
    return False


def _members(session: int) -> Iterator[int]:
    """The living processes of a session: background jobs have process groups of their own."""
    for pid in _processes():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getsid(pid) == session and not _is_zombie(pid):
                yield pid


def _processes() -> Iterator[int]:
    if sys.platform == "linux":
        yield from (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal())
        return
    listing = subprocess.run(["/bin/ps", "-Axo", "pid="], capture_output=True, check=True)
    yield from map(int, listing.stdout.split())


def _is_zombie(pid: int) -> bool:
    if sys.platform != "linux":
        return False
    try:
        state = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return True
    return state[state.rindex(b")") + 2 :][:1] in b"ZX"
