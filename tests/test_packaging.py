"""What is built from the checkout: a wheel that needs no checkout, and a source archive."""

import ast
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FORBIDDEN = ("textual", "kubernetes", "aiohttp", "cryptography", "pydantic", "asyncio", "yaml")

pytestmark = pytest.mark.timeout(180)


def build(source: Path, target: Path, kind: str) -> Path:
    """Build a distribution; the path of the file."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", kind, "-d", str(target)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (built,) = target.iterdir()
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel."""
    return build(ROOT, tmp_path_factory.mktemp("wheel"), "wheel")


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the wheel installs."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source archive, unpacked."""
    archive = build(ROOT, tmp_path_factory.mktemp("sdist"), "sdist")
    folder = tmp_path_factory.mktemp("source")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    (top,) = folder.iterdir()
    return top


def python(code: str, site: Path, home: Path) -> str:
    """What a Python prints that finds the installed files first, and no checkout."""
    environment = {**os.environ, "PYTHONPATH": str(site), "TUTOR_HOME": str(home)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=home, env=environment, check=False, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def data_files(folder: Path) -> set[str]:
    """Every file that is no Python and was not made by running."""
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc") and path.name != ".gitkeep"
    }


@pytest.mark.parametrize("name", ["lessons", "assets"])
def test_wheel_carries_what_the_program_shows(installed: Path, name: str) -> None:
    assert data_files(installed / "tutor" / "_data" / name) == data_files(ROOT / name)
    assert data_files(ROOT / name)


def test_wheel_carries_the_data_of_its_rooms(installed: Path) -> None:
    carried = {path for path in data_files(installed / "tutor") if not path.startswith("_data/")}
    assert carried == data_files(ROOT / "tutor")


def test_wheel_is_the_program_alone(installed: Path) -> None:
    tops = {path.name for path in installed.iterdir()}
    assert {name.partition("-")[0] for name in tops} == {"tutor", "pinniped_tutor"}
    (info,) = installed.glob("*.dist-info")
    head = HeaderParser().parsestr((info / "METADATA").read_text())
    assert head["Name"] == "pinniped-tutor"
    assert head["License-Expression"] == "Apache-2.0"
    assert [line for line in head.get_all("Requires-Dist", []) if "@" in line] == []
    assert "tutor = tutor.cli.main:main" in (info / "entry_points.txt").read_text()
    assert (info / "licenses" / "LICENSE").is_file()


def test_installed_program_finds_its_lessons_without_a_checkout(
    installed: Path, tmp_path: Path
) -> None:
    code = (
        "import tutor; from tutor.cli.main import main; print(tutor.__file__);"
        "code = main(['list']); code = code or main(['check']); raise SystemExit(code)"
    )
    first, *rest = python(code, installed, tmp_path).splitlines()
    assert Path(first).is_relative_to(installed)
    assert any("pinniped-external-certificate" in line for line in rest)


@pytest.mark.parametrize("words", [["--version"], ["-V"], ["--help"], ["demo", "--help"]])
def test_short_answers_import_nothing_heavy(
    installed: Path, tmp_path: Path, words: list[str]
) -> None:
    allowed = () if words in (["--version"], ["-V"]) else ("asyncio",)
    code = (
        "import json, sys\n"
        "from tutor.cli.main import main\n"
        "try:\n"
        f"    main({words!r})\n"
        "except SystemExit as end:\n"
        "    assert not end.code\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))\n"
    )
    loaded = set(json.loads(python(code, installed, tmp_path).splitlines()[-1]))
    assert loaded & (set(FORBIDDEN) - set(allowed)) == set()


def test_source_archive_builds_the_same_wheel(sdist: Path, installed: Path, tmp_path: Path) -> None:
    again = build(sdist, tmp_path, "wheel")
    with zipfile.ZipFile(again) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
    first = {
        path.relative_to(installed).as_posix()
        for path in installed.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert names == first


def test_source_archive_can_be_set_up_and_tested(sdist: Path) -> None:
    needed = ("Makefile", "constraints.txt", ".ci/setup", ".ci/setup.py", "tests/test_house.py")
    assert [name for name in needed if not (sdist / name).is_file()] == []
    ast.parse((sdist / ".ci" / "setup.py").read_text())
