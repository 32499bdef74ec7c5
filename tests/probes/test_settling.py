from datetime import timedelta

import pytest

from tutor.probes.base import TRUE, Verdict
from tutor.probes.settling import LATCHED, Standing, due_at, is_settling, judged, settled

NO = Verdict("not yet", "no")
TWO = timedelta(seconds=2)
ZERO = timedelta(0)


def test_fact_without_a_settle_time_is_true_at_once() -> None:
    standing = judged(Standing(), TRUE, settle=ZERO, is_edge=False, now=5.0)
    assert standing.verdict == TRUE
    assert due_at(standing, settle=ZERO) is None


def test_fact_that_holds_is_not_yet_until_it_has_settled() -> None:
    standing = judged(Standing(), TRUE, settle=TWO, is_edge=False, now=5.0)
    assert standing.verdict == Verdict("not yet", "it holds now, and has to hold for 2 s")
    assert is_settling(standing)
    assert due_at(standing, settle=TWO) == 7.0
    again = judged(standing, TRUE, settle=TWO, is_edge=False, now=6.9)
    assert again.verdict.state == "not yet"
    over = settled(again, settle=TWO, is_edge=False, now=7.0)
    assert over.verdict == TRUE
    assert not is_settling(over)


def test_fact_that_stops_holding_starts_again() -> None:
    standing = judged(Standing(), TRUE, settle=TWO, is_edge=False, now=5.0)
    broken = judged(standing, NO, settle=TWO, is_edge=False, now=6.0)
    assert broken == Standing(NO)
    assert not is_settling(broken)
    assert due_at(broken, settle=TWO) is None
    again = judged(broken, TRUE, settle=TWO, is_edge=False, now=7.5)
    assert due_at(again, settle=TWO) == 9.5


@pytest.mark.parametrize("is_edge", [True, False])
def test_only_an_edge_stays_true_when_it_no_longer_holds(is_edge: bool) -> None:
    standing = judged(Standing(), TRUE, settle=ZERO, is_edge=is_edge, now=5.0)
    after = judged(standing, NO, settle=ZERO, is_edge=is_edge, now=6.0)
    assert (after.verdict == TRUE) is is_edge


def test_latched_fact_is_true_whatever_is_seen() -> None:
    assert judged(LATCHED, NO, settle=TWO, is_edge=True, now=1.0) == LATCHED
    assert due_at(LATCHED, settle=TWO) is None
