"""A world for sources, in an empty working folder."""

from pathlib import Path

import pytest

from tests.fakes.world import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A world without anything in it."""
    folder = tmp_path / "work"
    folder.mkdir()
    return Stage(folder)
