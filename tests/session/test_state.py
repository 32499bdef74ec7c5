from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.session.event import (
    Answered,
    Event,
    HintAsked,
    Latched,
    MistakeMade,
    Passed,
    Returned,
    Skipped,
    SolutionAsked,
    Went,
)
from tutor.session.outline import StepOutline, fitted, is_done, next_step, open_steps
from tutor.session.record import Progress
from tutor.session.state import NotAllowed, advance, begin

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
OUTLINE = (
    StepOutline(id="a", title="A", hints=2, skip="allowed"),
    StepOutline(id="b", title="B", hints=3, skip="never"),
    StepOutline(id="c", title="C", hints=2, skip="with-solution"),
)


def after(*events: Event, progress: Progress | None = None) -> Progress:
    progress = progress or begin("l", "sandbox", OUTLINE, AT)
    for event in events:
        progress = advance(progress, event, outline=OUTLINE)
    return progress


def test_lesson_begins_with_its_first_step_open() -> None:
    progress = after()
    assert progress.current == "a"
    assert open_steps(progress, OUTLINE) == {"a"}
    assert progress.step("a").opened_at == AT


def test_passing_a_step_opens_the_next_and_does_not_move() -> None:
    progress = after(Passed("a", AT))
    assert progress.current == "a"
    assert open_steps(progress, OUTLINE) == {"a", "b"}
    assert after(Went("b", AT), progress=progress).current == "b"


def test_step_that_is_not_open_cannot_be_turned_to() -> None:
    with pytest.raises(NotAllowed, match="The step 'C' is not open yet") as caught:
        after(Passed("a", AT), Went("c", AT))
    assert caught.value.next_action == "Do 'B' first."


def test_step_that_is_unknown_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(NotAllowed, match="no step 'x'") as caught:
        after(Went("x", AT))
    assert "a, b, c" in caught.value.next_action


def test_step_that_may_not_be_skipped_is_not() -> None:
    with pytest.raises(NotAllowed, match="cannot be left out"):
        after(Passed("a", AT), Went("b", AT), Skipped("b", AT))


def test_skipped_step_can_still_be_passed_and_a_passed_one_stays_so() -> None:
    assert after(Skipped("a", AT)).step("a").done == "skipped"
    assert after(Skipped("a", AT), Passed("a", AT)).step("a").done == "passed"
    assert after(Passed("a", AT), Skipped("a", AT)).step("a").done == "passed"


def test_lesson_is_finished_when_every_step_is_done() -> None:
    later = AT + timedelta(minutes=5)
    progress = after(Passed("a", AT), Passed("b", AT), Skipped("c", later))
    assert progress.finished_at == later
    assert next_step(progress, OUTLINE) is None
    assert open_steps(progress, OUTLINE) == {"a", "b", "c"}


def test_hints_come_one_by_one_and_the_solution_after_them() -> None:
    with pytest.raises(NotAllowed) as caught:
        after(HintAsked("a", AT), SolutionAsked("a", AT))
    assert caught.value.next_action == "Look at hint 2 of 2 first."
    progress = after(HintAsked("a", AT), HintAsked("a", AT), HintAsked("a", AT))
    assert progress.step("a").hints_shown == 2
    assert after(SolutionAsked("a", AT), progress=progress).step("a").solution_shown


def test_what_happened_in_a_step_is_kept_once() -> None:
    record = after(
        Latched("a", ("f", "g"), AT),
        Latched("a", ("f",), AT),
        MistakeMade("a", "m", AT),
        MistakeMade("a", "m", AT),
        Answered("a", "q", "no", AT),
        Answered("a", "q", "yes", AT),
    ).step("a")
    assert record.latched == ("f", "g")
    assert record.mistakes == ("m",)
    assert record.answers == {"q": "yes"}


def test_going_back_forgets_that_step_and_all_after_it() -> None:
    progress = after(
        Passed("a", AT),
        Went("b", AT),
        Latched("b", ("f",), AT),
        Passed("b", AT),
        Passed("c", AT),
        Returned("b", AT),
    )
    assert progress.current == "b"
    assert progress.finished_at is None
    assert is_done(progress, "a")
    assert progress.step("b").latched == ()
    assert open_steps(progress, OUTLINE) == {"a", "b"}


def test_progress_fits_a_lesson_that_has_other_steps_now() -> None:
    progress = after(Passed("a", AT), Passed("b", AT), Went("c", AT))
    changed = (
        OUTLINE[0],
        StepOutline(id="new", title="N", hints=2, skip="never"),
        OUTLINE[1],
    )
    moved = fitted(progress, changed)
    assert moved.current == "new"
    assert open_steps(moved, changed) == {"a", "b", "new"}
    assert fitted(progress, OUTLINE) == progress


STEPS = st.sampled_from(["a", "b", "c"])
EVENTS = st.one_of(
    *(st.builds(kind, STEPS, st.just(AT)) for kind in (Went, Passed, Skipped, HintAsked, Returned)),
    st.builds(Latched, STEPS, st.just(("f",)), st.just(AT)),
)


@given(st.lists(EVENTS, max_size=30))
def test_whatever_happens_the_current_step_is_open_and_something_can_be_done(
    events: list[Event],
) -> None:
    progress = after()
    for event in events:
        try:
            progress = after(event, progress=progress)
        except NotAllowed as error:
            assert error.next_action  # noqa: PT017 - most events are allowed
        assert open_steps(progress, OUTLINE)
        assert (next_step(progress, OUTLINE) is None) == (progress.finished_at is not None)
        assert progress.step(progress.current).opened_at is not None
