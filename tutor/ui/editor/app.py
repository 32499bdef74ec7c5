"""The editor's window: the text, what it is, what the keys do."""

import asyncio
import signal
from contextlib import suppress
from pathlib import Path

from rich.text import Text
from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.widgets import Static, TextArea

from tutor.errors import TutorError
from tutor.ui.driver import Keyboard
from tutor.ui.editor.area import Area
from tutor.ui.editor.colours import comment_spans, yaml_spans
from tutor.ui.editor.file import ChangedMeanwhile, NotEditable, TextFile
from tutor.ui.editor.lines import Entry, LeaveQuestion, Purpose

_KEYS = "  ".join(
    f"[bold @click=app.{action}]{key}[/] {label}"
    for key, action, label in (
        ("^S", "save", "save"),
        ("Esc", "leave", "leave"),
        ("^F", "find", "find"),
        ("^R", "insert_file", "insert a file"),
        ("^O", "save_copy", "save a copy"),
        ("^Z", "undo", "undo"),
    )
)

_MIXED = (
    "it has line ends of several kinds, and this editor would make them all the same.\n"
    "Edit it with another program."
)


class EditorApp(App[int]):
    """Ends with 0; with 1 when what was typed could not be saved."""

    TITLE = "tutor-edit"
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    #head { height: 1; padding: 0 1; text-style: reverse; text-wrap: nowrap; }
    #note { height: auto; padding: 0 1; display: none; text-style: bold; }
    #note.-shown { display: block; }
    #keys { height: 1; padding: 0 1; text-wrap: nowrap; link-style: bold; link-color: ansi_default;
            link-background: ansi_default; }
    Area { height: 1fr; padding: 0 1; border: none; background: ansi_default; }
    Area .text-area--cursor, Area .text-area--selection, Input .input--cursor,
    Input .input--selection {
        color: ansi_default; background: ansi_default; text-style: reverse;
    }
    """
    BINDINGS = [  # noqa: RUF012 - as the library has it
        Binding("ctrl+s", "save", "Save", priority=True, show=False),
        Binding("ctrl+q,escape", "leave", "Leave", priority=True, show=False),
        Binding("ctrl+f", "find", "Find", priority=True, show=False),
        Binding("ctrl+r", "insert_file", "Insert a file", priority=True, show=False),
        Binding("ctrl+o", "save_copy", "Save a copy", priority=True, show=False),
    ]

    def __init__(self, file: TextFile, text: str, *, line: int = 1) -> None:
        """`line` is where to begin, from 1."""
        super().__init__(driver_class=Keyboard, ansi_color=True)
        self.theme = "ansi-dark"
        self._file = file
        self._saved = text
        self._line = line
        self._failed = False
        """Whether the last attempt to save did."""
        self._may_overwrite = False
        self._sought = ""
        self._noted = text
        """The text that the note below it is about."""

    def compose(self) -> ComposeResult:
        is_yaml = self._file.path.suffix in {".yaml", ".yml"}
        yield Static(id="head", markup=False)
        yield Area(self._saved, yaml_spans if is_yaml else comment_spans)
        yield Static(id="note", markup=False)
        yield Entry()
        yield LeaveQuestion()
        yield Static(_KEYS, id="keys")

    def on_mount(self) -> None:
        area = self._area
        if area.text != self._saved:
            self.exit(2, message=Text(f"{self._file.path}: {_MIXED}"))
            return
        area.move_cursor((min(self._line, area.document.line_count) - 1, 0))
        area.focus()
        if self._file.is_read_only:
            self._tell("This file is read-only.", "Ctrl+O saves a copy of it elsewhere.")
        if not self.is_headless:
            for each in (signal.SIGTERM, signal.SIGHUP):
                asyncio.get_running_loop().add_signal_handler(each, self._rescue)
        self._draw_head()

    @property
    def _area(self) -> Area:
        return self.query_one(Area)

    @property
    def _is_changed(self) -> bool:
        return self._area.text != self._saved

    @on(TextArea.Changed)
    @on(TextArea.SelectionChanged)
    def _draw_head(self) -> None:
        row, column = self._area.selection.end
        marks = " · changed" if self._is_changed else ""
        marks += " · read-only" if self._file.is_read_only else ""
        where = f" · line {row + 1}, column {column + 1}"
        room = max(self.size.width - len(marks) - len(where) - 2, 12)
        path = str(self._file.path)
        name = path if len(path) <= room else f"…{path[1 - room :]}"
        self.query_one("#head", Static).update(Content(name + marks + where))

    def on_resize(self) -> None:
        self._draw_head()

    @on(TextArea.Changed)
    def _forget_note(self) -> None:
        # What is told of a text may be told before its last change is.
        if self._area.text != self._noted:
            self._tell()

    def _tell(self, *words: str) -> None:
        note = self.query_one("#note", Static)
        note.update("  ".join(words))
        note.set_class(bool(words), "-shown")
        self._noted = self._area.text

    def _tell_error(self, error: TutorError) -> None:
        self._tell(error.message, error.next_action)

    def action_save(self) -> None:
        """Write the file, and say what becomes of it."""
        # After what was typed before: these keys overtake it.
        self._area.call_later(self._save)

    def _save(self) -> bool:
        self._close_lines()
        text = self._area.text
        try:
            self._file.write(text, over_changes=self._may_overwrite)
        except TutorError as error:
            self._failed = True
            self._may_overwrite = isinstance(error, ChangedMeanwhile)
            self._tell_error(error)
            return False
        self._failed = self._may_overwrite = False
        self._saved = text
        self._draw_head()
        self._tell(f"Saved {len(text.encode()):,} bytes.", "Escape leaves.")
        return True

    async def action_quit(self) -> None:
        self.action_leave()

    def action_leave(self) -> None:
        """Close what is open below the text; else leave, after a question where it is due."""
        self._area.call_later(self._leave)

    def _leave(self) -> None:
        if self.query_one(Entry).is_open or self.query_one(LeaveQuestion).is_open:
            self._close_lines()
        elif self._is_changed:
            self.query_one(LeaveQuestion).open()
        else:
            self.exit(0)

    def action_leave_saved(self) -> None:
        """Save, and leave when that went well."""
        if self._save():
            self.exit(0)

    def action_leave_unsaved(self) -> None:
        """Leave the file as it is."""
        self.exit(1 if self._failed else 0)

    def _close_lines(self) -> None:
        self.query_one(Entry).close()
        self.query_one(LeaveQuestion).close()
        self.screen.set_focus(self._area)

    def action_undo(self) -> None:
        """Take the last change back."""
        self._area.undo()

    def action_find(self) -> None:
        """Ask what to look for."""
        self._open("find", self._area.selected_text or self._sought)

    def action_insert_file(self) -> None:
        """Ask which file to insert."""
        self._open("insert", "")

    def action_save_copy(self) -> None:
        """Ask where to save a copy."""
        self._open("copy", "")

    def _open(self, purpose: Purpose, text: str) -> None:
        self._close_lines()
        self._tell()
        self.query_one(Entry).open(purpose, text)

    @on(Entry.Given)
    def _do(self, event: Entry.Given) -> None:
        event.stop()
        if event.purpose != "find":
            self._close_lines()
        path = Path(event.text).expanduser()
        try:
            match event.purpose:
                case "find":
                    self._find(event.text)
                case "insert":
                    self._insert(path)
                case "copy":
                    self._save_copy(path)
        except TutorError as error:
            self._tell_error(error)

    def _find(self, text: str) -> None:
        self._sought = text
        found = self._area.find(text)
        self._tell(*(() if found else (f"There is no “{text}” here.",)))

    def _insert(self, path: Path) -> None:
        if not path.exists():
            raise NotEditable(f"There is no file {path}.", next_action="Ctrl+R asks again.")
        text = TextFile(path).read().removesuffix("\n")
        self._area.put(text)

    def _save_copy(self, path: Path) -> None:
        if path.exists():
            raise NotEditable(f"{path} is there already.", next_action="Ctrl+O, and another name.")
        TextFile(path).write(self._area.text)
        self._tell(f"Saved a copy as {path}.", "What you edit is still the file above.")

    def _rescue(self) -> None:
        """The terminal goes: keep what is not saved beside the file, as other editors do."""
        if self._is_changed:
            path = self._file.path
            copy = TextFile(path.with_name(f"{path.name}.save"))
            # Where it cannot be written there is nobody left to tell.
            with suppress(TutorError):
                copy.write(self._area.text, over_changes=True)
        self.exit(1)
