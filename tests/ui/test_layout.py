"""Which shape the lesson has."""

import pytest

from tutor.ui.layout import shape


@pytest.mark.parametrize(
    ("size", "beside"),
    [
        ((120, 40), False),
        ((149, 30), False),
        ((150, 44), True),
        ((150, 45), False),
        ((189, 60), False),
        ((190, 60), True),
        ((200, 60), True),
    ],
)
def test_shell_stands_beside_the_lesson_where_both_have_room(
    size: tuple[int, int], beside: bool
) -> None:
    assert shape(*size).is_wide == beside


def test_shell_stands_where_the_learner_wants_it_while_there_is_room() -> None:
    assert shape(100, 40, "beside").is_wide
    assert not shape(99, 40, "beside").is_wide
    assert not shape(200, 60, "below").is_wide


def test_facts_are_one_line_only_below_one_another_in_low_windows() -> None:
    assert shape(120, 31).is_short
    assert not shape(160, 31).is_short
