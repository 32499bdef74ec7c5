"""Start, end and exit code of commands, by marks that arrive byte by byte."""

import os
from pathlib import Path

import pytest

from tests.terminal.marked import run_marked
from tutor.terminal.launch import Program


@pytest.mark.timeout(120)
async def test_commands_are_told_apart_though_marks_come_byte_by_byte(
    program: Program, home: Path
) -> None:
    outcome = await run_marked(program, home, os.environ["PATH"], 30)
    assert [f"{name}: {wrong}" for name, wrong in outcome.items() if wrong] == []
