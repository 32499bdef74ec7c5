"""The declarations of the terminal library that are kept as data."""

import json
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_kept_declarations_are_those_of_the_installed_library() -> None:
    pytest.importorskip("pyghostty", reason="there is no wheel of the library for this machine")
    tables = runpy.run_path(str(ROOT / ".ci/generate_terminal.py"))["tables"]()
    kept = json.loads((ROOT / "tutor/terminal/ghostty/declared.json").read_text())
    assert kept == tables, "run .ci/generate_terminal.py"
