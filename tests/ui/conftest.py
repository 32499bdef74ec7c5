"""Which engine a terminal has."""

import pytest

from tutor.terminal.engine import Choice


@pytest.fixture(params=["libghostty-vt", "compatibility terminal"])
def choice(request: pytest.FixtureRequest) -> Choice:
    """Each engine."""
    return request.param


@pytest.fixture
def fast() -> Choice:
    """One engine, where they do not differ."""
    return "libghostty-vt"


@pytest.fixture(autouse=True)
def all_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the terminal has in which the tests run."""
    monkeypatch.setenv("COLORTERM", "truecolor")
