"""What engines show and answer, beside two other terminals. `make conformance` prints it all."""

from collections.abc import Mapping

from tests.terminal import probing
from tests.terminal.surviving import cut_streams, survives
from tutor.terminal.engine import Choice
from tutor.terminal.screen import Geometry

SCREENS: Mapping[Choice, int] = {"libghostty-vt": 267, "compatibility terminal": 250}
REPORTS = 21
STEPS: Mapping[Choice, int] = {"libghostty-vt": 3, "compatibility terminal": 25}
NONSENSE: Mapping[Choice, int] = {"libghostty-vt": 4_000_000, "compatibility terminal": 100_000}


def test_probes_are_as_many_as_were_recorded() -> None:
    assert len(probing.recorded()["screens"]) == 271
    assert len(probing.recorded()["reports"]) == 23


def test_screens_are_those_of_other_terminals(choice: Choice) -> None:
    outcome = probing.screens(choice)
    wrong = {name: why for name, why in outcome.items() if why}
    assert len(outcome) - len(wrong) >= SCREENS[choice], wrong


def test_questions_get_the_answers_of_other_terminals(choice: Choice) -> None:
    outcome = probing.reports(choice)
    wrong = {name: why for name, why in outcome.items() if why}
    assert len(outcome) - len(wrong) >= REPORTS, wrong


def test_screen_after_a_stream_that_was_cut_and_a_reset_is_right(choice: Choice) -> None:
    streams = [(each["name"], probing.stream(each)) for each in probing.recorded()["screens"]]
    short = [(name, data) for name, data in streams if len(data) < 600]
    cut = cut_streams(choice, short, probing.geometry(), step=STEPS[choice])
    assert [f"{name}: {wrong}" for name, wrong in cut if wrong] == []


def test_screen_after_bytes_without_sense_and_a_reset_is_right(choice: Choice) -> None:
    assert survives(choice, NONSENSE[choice], Geometry(columns=80, lines=24, scrollback=500)) == ""
