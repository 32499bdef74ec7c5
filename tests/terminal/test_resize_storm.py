"""A window that is dragged about while vim is in it."""

import os
import random
import shutil
import threading
from pathlib import Path

import pytest

from tests.terminal.picture import Picture, picture
from tutor.terminal.engine import Choice, engine
from tutor.terminal.pty import Pty
from tutor.terminal.screen import Geometry

FIRST, LAST = (90, 25), (100, 30)
RESIZES = 200
DEADLINE_S = 30.0


class Vim:
    """vim on a file, in a terminal that answers it."""

    def __init__(self, program: str, file: Path, choice: Choice) -> None:
        self._news = threading.Condition()
        self.engine = engine(Geometry(columns=FIRST[0], lines=FIRST[1]), choice)
        self.pty = Pty(
            (
                program,
                "-u",
                "NONE",
                "-N",
                "--cmd",
                "syntax on | set nu ruler rulerformat=%{&columns}x%{&lines}",
                str(file),
            ),
            environment={
                "PATH": os.environ["PATH"],
                "HOME": str(file.parent),
                "TERM": "xterm-256color",
                "LC_ALL": "C.UTF-8",
            },
            folder=file.parent,
            size=FIRST,
            receive=self._receive,
            ended=lambda _: None,
        )
        self.pty.start()

    def _receive(self, data: bytes) -> None:
        with self._news:
            self.engine.feed(data)
            self.pty.write(self.engine.replies())
            self._news.notify_all()

    def resize(self, columns: int, lines: int) -> None:
        with self._news:
            self.engine.resize(columns, lines)
            self.pty.resize(columns, lines)

    def see(self, text: str) -> Picture:
        with self._news:
            seen = self._news.wait_for(lambda: text in self.engine.text(), DEADLINE_S)
            assert seen, f"waited for {text!r} on:\n{self.engine.text()}"
            return picture(self.engine)

    def say(self, word: str) -> Picture:
        """Have vim keep a word in its last line: all before it is done then."""
        self.pty.write(f":let &rulerformat = '{word[:2]}' . '{word[2:]}'\r".encode())
        return self.see(word)


@pytest.mark.timeout(120)
def test_screen_after_many_resizes_is_what_vim_draws_anew(choice: Choice, tmp_path: Path) -> None:
    program = shutil.which("vim")
    if program is None:
        pytest.skip("vim is not installed")
    file = tmp_path / "sample.py"
    file.write_text("".join(f"def f{number}(a):  # {'日本 x' * 9}\n" for number in range(200)))
    vim = Vim(program, file, choice)
    try:
        vim.see("def f9")
        source = random.Random(3)
        for _ in range(RESIZES):
            vim.resize(source.randrange(5, 99), source.randrange(2, 60))
        vim.resize(*LAST)
        vim.see(f"{LAST[0]}x{LAST[1]}")
        before = vim.say("settled")
        vim.pty.write(b"\x0c")
        after = vim.say("again")
        # The last line has the word.
        assert before.texts()[:-1] == after.texts()[:-1]
        assert before._replace(rows=before.rows[:-1]).differs(
            after._replace(rows=after.rows[:-1])
        ) in ("", f"cursor {before.cursor}, not {after.cursor}")
        vim.pty.write(b":qa!\r")
    finally:
        vim.pty.close()
