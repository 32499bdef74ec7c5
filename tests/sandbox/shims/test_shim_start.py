"""The commands start on every use: what they load before they are needed is held down."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from shim_kind import POST, Sandbox

from tutor.sandbox import shims

FOLDER = Path(shims.__file__).parent
HEAVY = {"ssl", "yaml", "json", "re", "socket", "subprocess", "typing", "cryptography", "bcrypt"}


def loaded(name: str, *arguments: str) -> set[str]:
    """The modules that a run of a command imports."""
    done = subprocess.run(
        [sys.executable, "-I", "-X", "importtime", str(FOLDER / name), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TERM": "dumb"},
    )
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines}


@pytest.mark.parametrize(
    ("line", "kept_away"),
    [
        ("pinniped version", HEAVY),
        ("pinniped --help", HEAVY),
        ("pinniped get kubeconfig --help", HEAVY),
        ("pinniped completion bash", HEAVY),
        ("pinniped login static --token x", {"ssl", "yaml", "http.client", "cryptography"}),
        ("kind version", HEAVY),
        ("kind --help", HEAVY),
        ("kind create cluster --help", HEAVY),
        ("htpasswd.py -nbs x y", HEAVY),
        ("htpasswd.py", HEAVY | {"hashlib"}),
        ("yq --version", HEAVY),
    ],
)
def test_command_that_needs_little_loads_little(line: str, kept_away: set[str]) -> None:
    found = loaded(*line.split())
    assert "tutor.sandbox.shims" in found or line.startswith("htpasswd")
    assert found & kept_away == set()


@pytest.mark.usefixtures("world")
def test_kind_get_clusters_reads_no_yaml() -> None:
    found = loaded("kind", "get", "clusters")
    assert "tutor.sandbox.shims.kind.sandbox" in found
    assert found & {"yaml", "subprocess", "ssl"} == set()


def test_pinniped_login_that_is_cached_loads_no_tls(home: Path) -> None:
    (home / "c.yaml").write_text("")
    found = loaded("pinniped", "login", "static", "--token=x", "--credential-cache=c.yaml")
    assert "yaml" in found
    assert found & {"ssl", "http.client", "cryptography", "subprocess"} == set()


@pytest.mark.parametrize("name", ["pinniped", "kind", "yq", "htpasswd"])
def test_command_runs_as_a_module_and_by_its_path(name: str, home: Path) -> None:
    path = FOLDER / (f"{name}.py" if name == "htpasswd" else name)
    root = FOLDER.parents[2]
    by_path = subprocess.run(
        [sys.executable, "-I", str(path), "--help"], capture_output=True, text=True, check=False
    )
    as_module = subprocess.run(
        [sys.executable, "-m", f"tutor.sandbox.shims.{name}", "--help"],
        capture_output=True,
        text=True,
        check=False,
        cwd=root,
    )
    assert by_path.stdout + by_path.stderr == as_module.stdout + as_module.stderr
    assert "Usage:" in by_path.stdout + by_path.stderr
    assert list(home.iterdir()) == []


def test_commands_import_nothing_of_the_program_but_themselves(world: Sandbox) -> None:
    modules = loaded("kind", *POST) | loaded("pinniped", "whoami", "--kubeconfig=none")
    ours = {module for module in modules if module.startswith("tutor.")}
    stray = {module for module in ours if not module.startswith("tutor.sandbox.shims")}
    assert stray == {"tutor.sandbox"}
    assert len(world.requests) == 2


def test_command_whose_reader_has_gone_ends_as_if_by_sigpipe() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-I", str(FOLDER / "kind"), "version"],
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")
