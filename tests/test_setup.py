"""How .venv is made: what a person on an unfit machine or without a network is told."""

import importlib.util
import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]
NO_WHEEL = """\
Collecting cel-expr-python==0.1.3
ERROR: Could not find a version that satisfies the requirement cel-expr-python==0.1.3
ERROR: No matching distribution found for cel-expr-python==0.1.3
"""
NO_WHEEL_UV = """\
error: No solution found when resolving dependencies
  cause: Because cel-expr-python==0.1.3 has no wheels with a matching Python ABI tag (e.g., `cp315`)
"""
NO_NETWORK = """\
WARNING: Retrying after connection broken by 'NewConnectionError(': Failed to establish a new \
connection: [Errno -3] Temporary failure in name resolution')': /simple/hatchling/
ERROR: No matching distribution found for hatchling>=1.27
"""
NO_NETWORK_UV = """\
error: Failed to fetch: `https://index.example/simple/hatchling/`
  Caused by: dns error
"""
NO_SPACE = (
    "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n"
)


@pytest.fixture
def setup() -> ModuleType:
    """The program that fills .venv."""
    spec = importlib.util.spec_from_file_location("setup_venv", ROOT / ".ci" / "setup.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (NO_WHEEL, "there is no wheel of cel-expr-python==0.1.3"),
        (NO_WHEEL_UV, "there is no wheel of cel-expr-python==0.1.3"),
        (NO_NETWORK, "the package index cannot be reached"),
        (NO_NETWORK_UV, "the package index cannot be reached"),
        (NO_SPACE, "the disk is full"),
        ("ERROR: something else\n", "a package could not be installed"),
        ("", "a package could not be installed"),
    ],
)
def test_failed_installation_is_told_with_what_to_do(
    setup: ModuleType, said: str, told: str
) -> None:
    text = setup.explained(said)
    assert text.startswith(told)
    assert "\nNext: " in text
    assert "setup.log" in text


def test_musl_is_refused_in_a_sentence(setup: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    alpine = {"SOABI": "cpython-312-x86_64-linux-musl", "HOST_GNU_TYPE": "x86_64-alpine-linux-musl"}
    monkeypatch.setattr(sysconfig, "get_config_var", alpine.get)
    with pytest.raises(setup.Unready, match=r"no wheel for musl(.|\n)*Next: use a glibc system"):
        setup.judge_machine()


def test_this_machine_is_fit(setup: ModuleType) -> None:
    setup.judge_machine()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("Collecting aiohttp>=3.14\n", "package 3, aiohttp"),
        ("Installing collected packages: a, b\n", "unpacking 3 packages"),
        ("Resolved 54 packages in 1.8s\n", "Resolved 54 packages"),
        ("  Downloading x.whl (5 kB)\n", ""),
        ("\n", ""),
    ],
)
def test_progress_names_what_is_at_work(setup: ModuleType, line: str, told: str) -> None:
    assert setup.progress(line, 3) == told


def stand_in(folder: Path, name: str, text: str) -> None:
    """Put a program of that name into a folder."""
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)


def begin(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the first script with nothing on the PATH but that folder and the shell's own tools."""
    for tool in ("dirname", "cat"):
        stand_in(folder, tool, f'exec /usr/bin/env PATH=/usr/bin:/bin {tool} "$@"')
    environment = {"PATH": str(folder), "HOME": str(folder), **variables}
    command = ["/bin/sh", str(ROOT / ".ci" / "setup"), "nothing"]
    return subprocess.run(command, env=environment, check=False, capture_output=True, text=True)


def test_old_python_is_refused_with_what_to_install(tmp_path: Path) -> None:
    stand_in(tmp_path, "python3", '[ "$1" = --version ] && echo Python 3.9.2 || exit 1')
    done = begin(tmp_path)
    assert done.returncode == 2
    assert "needs Python 3.11 to 3.14, and this machine has Python 3.9.2" in done.stderr
    assert "sudo apt install python3 python3-venv" in done.stderr


def test_missing_python_is_refused_with_what_to_install(tmp_path: Path) -> None:
    done = begin(tmp_path)
    assert done.returncode == 2
    assert "this machine has no python3" in done.stderr


def test_fitting_python_is_taken_wherever_it_is_named(tmp_path: Path) -> None:
    stand_in(tmp_path, "python3", "exit 1")
    done = begin(tmp_path, PYTHON=sys.executable)
    # It has come as far as the second script, which knows no such stage.
    assert "usage: .ci/setup" in done.stderr


def test_uv_brings_a_python_where_there_is_none(tmp_path: Path) -> None:
    stand_in(tmp_path, "uv", 'echo "$@"')
    done = begin(tmp_path)
    assert done.stdout.split()[:2] == ["run", "--quiet"]
    assert ">=3.11,<3.15" in done.stdout


def test_python_without_venv_is_told_the_package(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(setup, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(setup, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    monkeypatch.setenv("PATH", os.devnull)
    monkeypatch.setattr(setup, "find_spec", {"venv": "there"}.get)
    with pytest.raises(setup.Unready, match=r"without its venv module\.\nNext: sudo apt install"):
        setup.make_venv()
