"""Read one Go package's declarations: structs with tags and markers, named types, constants.

Go's formatter lays sources out one declaration a line, which is all that this reader relies on.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_TYPE = re.compile(r"^type (\w+) (=)?\s*(.+)$")
_FIELD = re.compile(r"^\t(?:(\w+)\s+)?([\w.*\[\]]+)\s+`([^`]*)`")
_EMBEDDED_WITHOUT_TAG = re.compile(r"^\t(\w+)$")
_CONSTANT = re.compile(r"^(?:const |\t)(\w+)\s+(\w+)\s*=\s*(?:(\w+)\()?\"((?:[^\"\\]|\\.)*)\"")
_CONVERTED = re.compile(r"^(?:const |\t)(\w+)\s*=\s*(\w+)\(\"((?:[^\"\\]|\\.)*)\"\)")
_BORROWED = re.compile(r"^\t(\w+)\s*=\s*(\w+)\((\w+)\.(\w+)\)")
_GROUP = re.compile(r'^const GroupName = "([^"]*)"')
_IMPORT = re.compile(r'^(?:import |\t)(?:(\w+) )?"([\w./-]+)"$')
_KNOWN = re.compile(r"^\t\t&(\w+)\{\},")


@dataclass
class Field:
    """One field of a struct; `name` is empty for an embedded one."""

    name: str
    type: str
    tags: dict[str, str]
    markers: dict[str, list[str]]


@dataclass
class Declared:
    """One `type` declaration; `fields` is None unless it is a struct."""

    name: str
    underlying: str
    alias: bool
    markers: dict[str, list[str]]
    imports: dict[str, str]
    fields: list[Field] | None = None


@dataclass
class Package:
    """What the sources of one folder declare."""

    types: dict[str, Declared] = field(default_factory=dict)
    constants: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Name to (type, value), string constants only."""
    borrowed: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    """Constants that are another package's: name to (type, import path, name there)."""
    registered: list[str] = field(default_factory=list)
    """Types that `register.go` adds to the scheme."""
    group: str = ""
    """The API group, from `register.go`."""
    markers: dict[str, list[str]] = field(default_factory=dict)
    """Markers of the package clause."""
    messages: dict[str, dict[int, str]] = field(default_factory=dict)
    """From `generated.proto`: message to field number to type, `repeated` left out."""


def read_package(folder: Path) -> Package:
    """Read every hand-written source of a package."""
    package = Package()
    for path in sorted(folder.glob("*.go")):
        generated = (
            path.name.startswith(("zz_generated", "generated")) or "swagger_doc" in path.name
        )
        if not generated and not path.name.endswith("_test.go"):
            _read_file(path, package)
    proto = folder / "generated.proto"
    if proto.exists():
        package.messages = _read_messages(proto.read_text())
    return package


def _read_messages(text: str) -> dict[str, dict[int, str]]:
    bare = re.sub(r"//[^\n]*", "", text)
    return {
        message[1]: {
            int(number): kind
            for kind, number in re.findall(
                r"(?:optional|repeated|required)?\s*(map<[^>]+>|[\w.]+)\s+\w+ = (\d+)", message[2]
            )
        }
        for message in re.finditer(r"message (\w+) \{(.*?)\n\}", bare, re.DOTALL)
    }


def _read_file(path: Path, package: Package) -> None:
    lines = path.read_text().splitlines()
    imports = {
        m[1] or m[2].rsplit("/", 1)[-1]: m[2] for line in lines if (m := _IMPORT.match(line))
    }
    comments: list[str] = []
    rest = iter(lines)
    for line in rest:
        text = line.strip()
        if text.startswith("//"):
            comments.append(text[2:].strip())
            continue
        if path.name == "doc.go" and line.startswith("package "):
            package.markers = _file_markers(lines)
        if declared := _TYPE.match(line):
            _read_type(declared, comments, imports, rest, package)
        elif constant := _CONSTANT.match(line):
            package.constants[constant[1]] = (constant[2], constant[4])
        elif converted := _CONVERTED.match(line):
            package.constants[converted[1]] = (converted[2], converted[3])
        elif (borrowed := _BORROWED.match(line)) and borrowed[3] in imports:
            package.borrowed[borrowed[1]] = (borrowed[2], imports[borrowed[3]], borrowed[4])
        elif group := _GROUP.match(line):
            package.group = group[1]
        elif path.name == "register.go" and (known := _KNOWN.match(line)):
            package.registered.append(known[1])
        comments = []


def _file_markers(lines: list[str]) -> dict[str, list[str]]:
    return _markers([line.strip()[2:].strip() for line in lines if line.strip().startswith("//")])


def _read_type(
    found: re.Match[str],
    comments: list[str],
    imports: dict[str, str],
    rest: Iterator[str],
    package: Package,
) -> None:
    underlying = found[3].split("//")[0].strip()
    declared = Declared(found[1], underlying, bool(found[2]), _markers(comments), imports)
    if underlying == "struct {":
        declared.fields = list(_read_fields(rest))
    elif underlying == "struct{}":
        declared.fields = []
    package.types[declared.name] = declared


def _read_fields(rest: Iterator[str]) -> Iterator[Field]:
    comments: list[str] = []
    for line in rest:
        if line == "}":
            return
        text = line.strip()
        if text.startswith("//"):
            comments.append(text[2:].strip())
            continue
        if found := _FIELD.match(line):
            yield Field(found[1] or "", found[2], _tags(found[3]), _markers(comments))
        elif found := _EMBEDDED_WITHOUT_TAG.match(line):
            yield Field("", found[1], {}, {})
        comments = []


def _tags(text: str) -> dict[str, str]:
    return dict(re.findall(r'(\w+):"([^"]*)"', text))


def _markers(comments: list[str]) -> dict[str, list[str]]:
    markers: dict[str, list[str]] = {}
    for comment in comments:
        if found := re.match(r"\+([\w:.-]+)(?:=(.*))?$", comment):
            markers.setdefault(found[1], []).append((found[2] or "").strip())
    return markers
