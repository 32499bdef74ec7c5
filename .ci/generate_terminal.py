"""Write what the terminal library's declarations say as data, from those of its installed binding.

usage: generate_terminal.py

The binding parses its declarations whenever it is imported, which takes a third of a second: longer
than all else that the shell needs. What the parser makes of them is kept in
tutor/terminal/ghostty/declared.json, for the functions that are used there, and is to be written
again when another version of the binding is pinned. Byte strings are kept as Latin-1 text.
"""

import ast
import json
import re
import tempfile
from pathlib import Path
from typing import Any

from cffi import FFI
from cffi.recompiler import make_py_source
from pyghostty._cdef import CDEF

ENGINE = Path(__file__).resolve().parents[1] / "tutor" / "terminal" / "ghostty"
OURS = """
    typedef struct { int tag; struct { uint16_t x; uint32_t y; uint64_t rest; } value; } TutorPoint;
    typedef struct { int tag; struct { int64_t value; uint64_t rest; } value; } TutorScroll;
"""
"""By value these are passed as the unions of the library would be: same size, same alignment."""


def tables() -> dict[str, Any]:
    """The arguments of the `FFI` that needs no parser."""
    text = "".join(path.read_text() for path in sorted(ENGINE.glob("*.py")))
    used = set(re.findall(r"\bghostty_\w+", text))
    builder = FFI()
    builder.cdef("\n".join(_wanted(CDEF, used)) + OURS)
    builder.set_source("declared", None)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "declared.py"
        make_py_source(builder, "declared", str(target))
        call = ast.parse(target.read_text()).body[-1].value
    return {each.arg: _plain(ast.literal_eval(each.value)) for each in call.keywords}


def _wanted(declarations: str, used: set[str]) -> list[str]:
    """All declarations but those of functions that nobody calls."""
    return [
        each
        for each in re.split(r"(?<=;)\n", declarations)
        if (name := re.search(r"\b(ghostty_\w+)\s*\(", each)) is None or name[1] in used
    ]


def _plain(value: Any) -> Any:
    match value:
        case bytes():
            return value.decode("latin-1")
        case tuple():
            return [_plain(each) for each in value]
        case _:
            return value


if __name__ == "__main__":
    text = json.dumps(tables(), indent=0, separators=(",", ":"))
    (ENGINE / "declared.json").write_text(text + "\n")
