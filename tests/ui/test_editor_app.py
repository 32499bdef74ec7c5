"""The small editor, as somebody uses it."""

import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.ui.seen import text_of, until
from tutor.ui.editor.app import EditorApp
from tutor.ui.editor.area import Area
from tutor.ui.editor.colours import comment_spans, yaml_spans
from tutor.ui.editor.file import TextFile

TEXT = "# edit below\nspec:\n  mode: auto\n  type: LoadBalancer\n"


@dataclass
class Desk:
    path: Path
    app: EditorApp
    pilot: Pilot[int]

    @property
    def area(self) -> Area:
        return self.app.query_one(Area)

    def text(self) -> str:
        return text_of(self.app)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        names = {" ": "space", "\n": "enter", ":": "colon"}
        await self.press(*(names.get(each, each) for each in text))

    async def sees(self, text: str) -> None:
        await self.until(lambda: text in self.text())

    async def until(self, happened: Callable[[], object]) -> None:
        await until(self.pilot, happened)

    async def ended(self) -> int | None:
        await self.until(lambda: self.app._exit)
        return self.app.return_value


@asynccontextmanager
async def editing(
    folder: Path, text: str = TEXT, *, line: int = 1, size: tuple[int, int] = (80, 24)
) -> AsyncGenerator[Desk]:
    path = folder / "issuer.yaml"
    path.write_bytes(text.encode())
    file = TextFile(path)
    app = EditorApp(file, file.read(), line=line)
    async with app.run_test(size=size) as pilot:
        yield Desk(path, app, pilot)


async def test_text_is_typed_saved_and_left(tmp_path: Path) -> None:
    async with editing(tmp_path, line=3) as desk:
        await desk.press("end")
        await desk.type("\nport: 1")
        await desk.sees("changed · line 4, column 10")
        await desk.press("ctrl+s")
        await desk.sees("Saved 63 bytes.")
        assert desk.path.read_text() == TEXT.replace("auto\n", "auto\n  port: 1\n")
        await desk.press("escape")
        assert await desk.ended() == 0


async def test_leaving_a_changed_text_asks_and_goes_on(tmp_path: Path) -> None:
    async with editing(tmp_path) as desk:
        await desk.type("x")
        await desk.press("ctrl+q")
        await desk.sees("Not saved.  Y save and leave")
        await desk.press("escape")
        await desk.type("y")
        assert desk.area.text.startswith("xy#")
        assert desk.path.read_text() == TEXT


@pytest.mark.parametrize(("answer", "first"), [("y", "x# edit"), ("n", "# edit")])
async def test_answer_to_the_question_saves_or_leaves_the_file(
    tmp_path: Path, answer: str, first: str
) -> None:
    async with editing(tmp_path) as desk:
        await desk.type("x")
        await desk.press("escape")
        await desk.sees("Not saved.")
        await desk.press(answer)
        assert await desk.ended() == 0
        assert desk.path.read_text().startswith(first)


async def test_question_and_keys_can_be_clicked(tmp_path: Path) -> None:
    async with editing(tmp_path) as desk:
        await desk.type("x")
        await desk.pilot.click("#keys", offset=(11, 0))
        await desk.sees("Not saved.")
        await desk.pilot.click("LeaveQuestion", offset=(13, 0))
        assert await desk.ended() == 0
        assert desk.path.read_text().startswith("x#")


async def test_save_that_fails_keeps_the_text_and_tells_whoever_waits(tmp_path: Path) -> None:
    async with editing(tmp_path) as desk:
        await desk.type("x")
        desk.path.unlink()
        desk.path.mkdir()
        await desk.press("ctrl+s")
        await desk.sees("was changed by another program")
        await desk.press("ctrl+s")
        await desk.sees("cannot be written: Is a directory.")
        await desk.press("ctrl+o")
        await desk.type(str(tmp_path / "copy"))
        await desk.press("enter")
        await desk.sees("Saved a copy")
        assert (tmp_path / "copy").read_text() == f"x{TEXT}"
        await desk.press("escape")
        await desk.press("n")
        assert await desk.ended() == 1


async def test_find_goes_from_place_to_place(tmp_path: Path) -> None:
    async with editing(tmp_path, "one\ntwo\nOne\n") as desk:
        await desk.press("ctrl+f")
        await desk.type("one")
        for row in (0, 2, 0):
            await desk.press("enter")
            assert desk.area.selection.start[0] == row
        await desk.type("s")
        await desk.press("enter")
        await desk.sees("There is no “ones” here.")
        await desk.press("escape")
        assert desk.app.focused is desk.area


async def test_file_is_inserted_where_the_cursor_is(tmp_path: Path) -> None:
    (tmp_path / "ca.b64").write_text("QUJD\n")
    async with editing(tmp_path, "ca: \n") as desk:
        await desk.press("end", "ctrl+r")
        await desk.type(str(tmp_path / "nothing"))
        await desk.press("enter")
        await desk.sees("There is no file")
        await desk.press("ctrl+r")
        await desk.type(str(tmp_path / "ca.b64"))
        await desk.press("enter")
        assert desk.area.text == "ca: QUJD\n"


async def test_text_that_would_come_back_otherwise_is_refused(tmp_path: Path) -> None:
    mixed = "a\r\nb\nc\n"
    async with editing(tmp_path, mixed) as desk:
        assert await desk.ended() == 2
    assert desk.path.read_bytes() == mixed.encode()


async def test_windows_line_ends_stay(tmp_path: Path) -> None:
    async with editing(tmp_path, "a\r\nb\r\n") as desk:
        await desk.type("x")
        await desk.press("ctrl+s")
        await desk.sees("Saved")
        assert desk.path.read_bytes() == b"xa\r\nb\r\n"


async def test_control_characters_are_shown_and_kept(tmp_path: Path) -> None:
    async with editing(tmp_path, "a\x1b[31mb\n") as desk:
        await desk.sees("a␛[31mb")
        await desk.type("x")
        await desk.press("ctrl+s")
        await desk.sees("Saved")
        assert desk.path.read_text() == "xa\x1b[31mb\n"


def test_yaml_has_keys_comments_and_values() -> None:
    def parts(line: str) -> list[tuple[str, str]]:
        return [(line[start:end].strip(), part) for start, end, part in yaml_spans(line)]

    assert parts("  - name: 'x'  # why") == [("# why", "comment"), ("name", "key"), ("'x'", "text")]
    assert parts("  url: https://a/#b") == [("url", "key")]
    assert parts("ok: true") == [("ok", "key"), ("true", "word")]
    assert parts("- 8443") == [("8443", "word")]
    assert parts("just words: and more: here") == [("just words", "key")]
    assert parts('a: "# no comment"') == [("a", "key"), ('"# no comment"', "text")]
    assert [*comment_spans("no # comment")] == []


def test_editor_without_a_terminal_says_so(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "tutor.ui.editor", str(tmp_path / "x")],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("tutor-edit needs a terminal to draw on.")
