"""Prints what has grown past the sizes that house style stops at. A report: nothing fails by it.

usage: python .ci/house.py [--all]
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ("tutor", "tests", ".ci")
MODULE_LINES, STYLESHEET_LINES = 400, 150
CLASS_METHODS, CLASS_LINES = 25, 300
PARAMETERS = 6


@dataclass(frozen=True, slots=True)
class Large:
    """Something that is larger than it should be."""

    place: str
    what: str
    size: int
    stop: int

    def __str__(self) -> str:
        return f"{self.place}: {self.size} {self.what} (stop at {self.stop})"


def large_files() -> Iterator[Large]:
    """Modules and stylesheets past their stop."""
    for path in _files("py"):
        lines = len(path.read_text().splitlines())
        if lines > MODULE_LINES:
            yield Large(_place(path), "lines", lines, MODULE_LINES)
    for path in _files("tcss"):
        lines = len(path.read_text().splitlines())
        if lines > STYLESHEET_LINES:
            yield Large(_place(path), "lines", lines, STYLESHEET_LINES)


def large_definitions() -> Iterator[Large]:
    """Classes and parameter lists past their stop, in the program alone."""
    for path in _files("py"):
        if not path.is_relative_to(ROOT / "tutor"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            place = f"{_place(path)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.ClassDef):
                yield from _of_class(node, place)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                arguments = node.args
                wide = len(arguments.posonlyargs + arguments.args + arguments.kwonlyargs)
                if wide > PARAMETERS:
                    yield Large(place, f"parameters of {node.name}", wide, PARAMETERS)


def _of_class(node: ast.ClassDef, place: str) -> Iterator[Large]:
    methods = sum(isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) for part in node.body)
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    if methods > CLASS_METHODS:
        yield Large(place, f"methods of {node.name}", methods, CLASS_METHODS)
    if lines > CLASS_LINES:
        yield Large(place, f"lines of {node.name}", lines, CLASS_LINES)


def _files(suffix: str) -> list[Path]:
    return sorted(chain.from_iterable((ROOT / top).rglob(f"*.{suffix}") for top in SOURCE))


def _place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def main() -> int:
    """Print the report; the wide signatures only when asked."""
    found = [*large_files(), *large_definitions()]
    if "--all" not in sys.argv:
        found = [each for each in found if not each.what.startswith("parameters")]
    for each in sorted(found, key=lambda each: -each.size / each.stop):
        print(each)
    modules = _files("py")
    lines = sorted(len(path.read_text().splitlines()) for path in modules)
    print(
        f"{len(modules)} modules, {sum(lines)} lines; half have at most {lines[len(lines) // 2]},"
        f" nine in ten at most {lines[len(lines) * 9 // 10]}. Past a stop: {len(found)}."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
