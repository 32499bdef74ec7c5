"""Shells to test with: bash always, zsh where it is installed, in an empty home."""

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tutor.clock import SystemClock
from tutor.terminal.engine import Choice, engine
from tutor.terminal.launch import Launch, Program
from tutor.terminal.screen import Engine, Geometry
from tutor.terminal.shell import Shell

StartShell = Callable[..., Awaitable[Shell]]


def installed(name: str) -> str:
    """The path of a program; the test is skipped without it."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


@pytest.fixture(params=["libghostty-vt", "compatibility terminal"])
def choice(request: pytest.FixtureRequest) -> Choice:
    """Each engine."""
    return request.param


@pytest.fixture
def terminal(choice: Choice) -> Engine:
    """Each engine, 20 columns by 5 lines."""
    return engine(Geometry(columns=20, lines=5, scrollback=100), choice)


@pytest.fixture(params=["bash", "zsh"])
def program(request: pytest.FixtureRequest) -> Program:
    """Each kind of shell."""
    return Program(installed(request.param), request.param)


@pytest.fixture
def bash() -> Program:
    """One shell, where they do not differ."""
    return Program(installed("bash"), "bash")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home without any rc files."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def environment(home: Path) -> dict[str, str]:
    """What an ordinary terminal would hand down."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}


@pytest.fixture
async def start(home: Path, environment: dict[str, str]) -> AsyncIterator[StartShell]:
    """Start shells that end with the test."""
    shells: list[Shell] = []

    async def start_shell(
        program: Program,
        *,
        choice: Choice | None = None,
        geometry: Geometry | None = None,
        **launch: object,
    ) -> Shell:
        values: dict[str, object] = {"folder": home, "environment": environment, **launch}
        shell = Shell(
            Launch(program=program, **values),  # pyright: ignore[reportArgumentType]
            clock=SystemClock(),
            choice=choice,
        )
        await shell.start(geometry)
        shells.append(shell)
        return shell

    yield start_shell
    for shell in shells:
        await shell.close()
