"""The library's C functions with errors raised, and the types that its binding cannot express."""

import functools
import json
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import _cffi_backend

from tutor.terminal.screen import EngineError

_LIBRARY = "libghostty-vt"


def _declared() -> Any:
    """The library's declarations, parsed once and for all (`.ci/generate_terminal.py`)."""
    text = Path(__file__).with_name("declared.json").read_text(encoding="ascii")
    tables = {name: _bytes(value) for name, value in json.loads(text).items()}
    return _cffi_backend.FFI(_LIBRARY, **tables)


def _bytes(value: Any) -> Any:
    match value:
        case str():
            return value.encode("latin-1")
        case list():
            return tuple(map(_bytes, cast("list[Any]", value)))
        case _:
            return value


def _file() -> str:
    """The library of the binding, which is not imported: it would parse the declarations."""
    binding = find_spec("pyghostty")
    if binding is None or binding.origin is None:
        raise ImportError("pyghostty is not installed")
    suffix = "dylib" if sys.platform == "darwin" else "so"
    return str(Path(binding.origin).parent / "_lib" / f"{_LIBRARY}.{suffix}")


# Neither carries types: everything that comes out of them is Any.
ffi: Any = _declared()
lib: Any = ffi.dlopen(_file())

CELL_WIDTH_PX, CELL_HEIGHT_PX = 8, 16
"""Programs ask for pixels; ours are those of a common font."""

NO_VALUE: int = lib.GHOSTTY_NO_VALUE


def check(result: int, what: str) -> None:
    """Raise EngineError unless a call succeeded."""
    if result:
        raise EngineError(f"libghostty-vt: {what} failed with {result}")


def new(
    kind: str,
    function: Callable[..., int],
    *arguments: object,
    free: Callable[[Any], None],
    owner: object = None,
) -> Any:
    """Call a constructor (allocator, place for the handle, arguments); gives the handle's place.

    The handle is freed when nobody has its place any more, so that no call can come too late; it
    keeps `owner` until then.
    """
    place = ffi.new(f"{kind}*")
    check(function(ffi.NULL, place, *arguments), kind)
    return _freed(place, free, owner)


def _freed(place: Any, free: Callable[[Any], None], owner: object) -> Any:
    def release(done: Any, _kept: object = owner) -> None:
        free(done[0])

    return ffi.gc(place, release)


def sized(kind: str) -> Any:
    """A new structure of a kind that carries its own size, nested ones included."""
    place = ffi.new(f"{kind}*")
    _set_sizes(place)
    return place


def _set_sizes(place: Any) -> None:
    layout = ffi.typeof(place).item
    for name, member in layout.fields:
        if name == "size":
            place.size = ffi.sizeof(layout)
        elif member.type.kind == "struct":
            _set_sizes(ffi.addressof(place[0], name))


def string(text: Any) -> str:
    """A copy of a borrowed GhosttyString."""
    return bytes(ffi.buffer(text.ptr, text.len)).decode("utf-8", "replace") if text.len else ""


def fill(call: Callable[[Any, int, Any], int], what: str) -> bytes:
    """Run a call that wants a buffer: once for the size, once for the content."""
    needed = ffi.new("size_t*")
    call(ffi.NULL, 0, needed)
    buffer = ffi.new("char[]", max(needed[0], 1))
    check(call(buffer, len(buffer), needed), what)
    return bytes(ffi.buffer(buffer, needed[0]))


def terminal_size(terminal: Any) -> tuple[int, int]:
    """Columns and lines: a program may have changed them (DECCOLM)."""
    columns, lines = ffi.new("uint16_t*"), ffi.new("uint16_t*")
    lib.ghostty_terminal_get(terminal, lib.GHOSTTY_TERMINAL_DATA_COLS, columns)
    lib.ghostty_terminal_get(terminal, lib.GHOSTTY_TERMINAL_DATA_ROWS, lines)
    return columns[0], lines[0]


@functools.cache
def cell_shifts() -> dict[str, int]:
    """How far to shift a packed cell for each of its fields; the library says so itself."""
    text = lib.ghostty_type_json()
    bits = json.loads(ffi.string(text))["types"]["GhosttyCell"]["bits"]
    return {name: field["lsb"] for name, field in bits.items()}


@functools.cache
def _twin(name: str, signature: str) -> Any:
    return ffi.cast(signature, ffi.addressof(lib, name))


def grid_ref(terminal: Any, x: int, y: int, tag: int) -> Any:
    """A reference to a cell, good until the terminal changes.

    Raises:
        EngineError: there is no such cell.
    """
    function = _twin(
        "ghostty_terminal_grid_ref",
        "GhosttyResult (*)(GhosttyTerminal, TutorPoint, GhosttyGridRef*)",
    )
    reference = sized("GhosttyGridRef")
    check(function(terminal, _point(x, y, tag), reference), f"cell {x},{y}")
    return reference


def active_screen(terminal: Any) -> int:
    """Which screen is in use, primary or alternate."""
    screen = ffi.new("GhosttyTerminalScreen*")
    lib.ghostty_terminal_get(terminal, lib.GHOSTTY_TERMINAL_DATA_ACTIVE_SCREEN, screen)
    return screen[0]


class Tracked:
    """A cell that is followed as it moves, scrolls away or is wrapped anew."""

    def __init__(self, owner: Any, x: int, y: int, tag: int) -> None:
        """Follow a cell of the terminal in a place.

        Raises:
            EngineError: there is no such cell.
        """
        function = _twin(
            "ghostty_terminal_grid_ref_track",
            "GhosttyResult (*)(GhosttyTerminal, TutorPoint, GhosttyTrackedGridRef*)",
        )
        place = ffi.new("GhosttyTrackedGridRef*")
        check(function(owner[0], _point(x, y, tag), place), f"tracked cell {x},{y}")
        self._terminal = owner[0]
        self._screen = active_screen(self._terminal)
        self._place = _freed(place, lib.ghostty_tracked_grid_ref_free, owner)

    def now(self) -> Any | None:
        """A reference to where it is; None when it is gone, or is not on the screen in use.

        The library crashes on a range from one screen to the other.
        """
        reference = sized("GhosttyGridRef")
        if active_screen(self._terminal) != self._screen:
            return None
        gone = lib.ghostty_tracked_grid_ref_snapshot(self._place[0], reference)
        return None if gone else reference


def scroll_viewport(terminal: Any, tag: int, value: int = 0) -> None:
    """Move the viewport; the tag says what `value` is."""
    function = _twin("ghostty_terminal_scroll_viewport", "void (*)(GhosttyTerminal, TutorScroll)")
    function(terminal, ffi.new("TutorScroll*", {"tag": tag, "value": {"value": value}})[0])


def _point(x: int, y: int, tag: int) -> Any:
    return ffi.new("TutorPoint*", {"tag": tag, "value": {"x": x, "y": y}})[0]
