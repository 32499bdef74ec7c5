"""The `yq` command line.

Source: mikefarah's yq v4.44, cmd/.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence

from tutor.sandbox.shims import flags, gotext
from tutor.sandbox.shims.flags import UsageError, Values

_VERSION = "yq (the tutorial's small one, after https://github.com/mikefarah/yq/) version v4.44.3"
_FORMATS = {
    "auto": "auto",
    "a": "auto",
    "yaml": "yaml",
    "y": "yaml",
    "json": "json",
    "j": "json",
}
_ELSEWHERE = "the whole yq is at https://github.com/mikefarah/yq"
_HELP = """\
A small yq after https://github.com/mikefarah/yq (v4): it prints parts of YAML and JSON.

Usage:
  yq [flags] [expression] [file]...
  yq eval [flags] [expression] [file]...

Expressions:
  .a.b  ."x-y"  .a[0]  .a[-1]  .a[]  .  ..      paths
  a | b   a, b   a // b                         one after the other, both, the first that is there
  ==  !=  and  or  not                          comparing; * in a text stands for anything
  select(.a == "b")  map(.a)  has("a")
  keys  length  type  @base64  @base64d

Without files, or for -, it reads its input. Comments are not kept, and no file is ever changed.

Flags:
{flags}
"""


def _read_indent(raw: str) -> int:
    return max(0, gotext.parse_int(raw, bits=64, signed=True))


def _flags() -> list[flags.Flag]:
    return [
        flags.switch("exit-status", "exit 1 for no result, null or false", short="e"),
        flags.switch("help", "help for yq", short="h"),
        flags.Flag(
            "indent",
            "indent of the output",
            kind="int",
            short="I",
            default=2,
            shown="2",
            read=_read_indent,
        ),
        flags.switch("inplace", "not in this small yq", short="i", hidden=True),
        flags.text("input-format", "[auto|a|yaml|y|json|j]", short="p", default="auto"),
        flags.switch("no-colors", "no colours, of which there are none", short="M", hidden=True),
        flags.switch("colors", "not in this small yq", short="C", hidden=True),
        flags.switch("no-doc", "no separators (---) between documents", short="N"),
        flags.switch("null-input", "read nothing", short="n"),
        flags.text("output-format", "[auto|a|yaml|y|json|j]", short="o", default="auto"),
        flags.switch("prettyPrint", "print YAML in block style without needless quotes", short="P"),
        flags.switch(
            "unwrapScalar", "print scalars without quotes (default true for YAML)", short="r"
        ),
        flags.switch("version", "version of yq", short="V"),
    ]


def main(arguments: Sequence[str]) -> int:
    """Run one command line; the result is the exit code."""
    known = _flags()
    try:
        values, rest = flags.parse(known, arguments)
        if values.truth("version"):
            print(_VERSION)
            return 0
        if values.truth("help") or (not rest and sys.stdin.isatty()):
            print(_HELP.format(flags=flags.describe(known).rstrip()), end="")
            return 0
        return _evaluate(values, rest)
    except UsageError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1


def _evaluate(values: Values, rest: list[str]) -> int:
    if values.truth("inplace"):
        raise UsageError(
            f"this small yq changes no files (-i): edit the file yourself, or {_ELSEWHERE}"
        )
    if rest[:1] in (["eval-all"], ["ea"]):
        raise UsageError(f"this small yq has eval only, not {rest[0]}; {_ELSEWHERE}")
    if rest[:1] in (["eval"], ["e"]):
        rest = rest[1:]
    expression, files = _split(rest)
    from tutor.sandbox.shims.yq.printer import Printer

    printer = Printer(
        indent=values.number("indent"),
        pretty=values.truth("prettyPrint"),
        unwrap=values.truth("unwrapScalar") if "unwrapScalar" in values.changed else None,
        separate=not values.truth("no-doc"),
    )
    wanted = _format(values.text("output-format"))
    for text, name, found in _inputs(values, files):
        printer.evaluate(expression, text, name, found, found if wanted == "auto" else wanted)
    if values.truth("exit-status") and not printer.good:
        raise UsageError("no matches found")
    return 0


def _split(rest: list[str]) -> tuple[str, list[str]]:
    """Expression and files: a first argument that is a file is no expression."""
    if not rest or (rest[0] == "-" or os.path.isfile(rest[0])):
        return ".", rest
    return rest[0], rest[1:]


def _format(name: str) -> str:
    if name not in _FORMATS:
        raise UsageError(
            f"unknown format '{name}' please use [yaml|y|json|j]: this small yq has no other; "
            f"{_ELSEWHERE}"
        )
    return _FORMATS[name]


def _inputs(values: Values, files: list[str]) -> Iterator[tuple[str, str, str]]:
    """Texts with their names and formats."""
    asked = _format(values.text("input-format"))
    if values.truth("null-input"):
        yield "null", "-", "yaml"
        return
    for name in files or ["-"]:
        found = "json" if asked == "auto" and name.endswith(".json") else asked
        try:
            yield _read(name), name, "yaml" if found == "auto" else found
        except OSError as error:
            verb = "read" if os.path.isdir(name) else "open"
            reason = (error.strerror or "").lower()
            raise UsageError(f"{verb} {name}: {reason}") from None


def _read(name: str) -> str:
    if name == "-":
        return sys.stdin.read()
    with open(name, encoding="utf-8", errors="replace") as file:
        return file.read()
