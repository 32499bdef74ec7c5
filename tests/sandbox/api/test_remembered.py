"""Values that are worked out once for each object."""

from tutor.sandbox.api.remembered import Remembered


def test_value_when_the_same_object_asks_again_is_not_worked_out_again() -> None:
    asked: list[tuple[int, ...]] = []
    size = Remembered[tuple[int, ...], int](lambda one: asked.append(one) or len(one))
    one = (1, 2)

    assert [size(one), size(one)] == [2, 2]
    assert asked == [one]


def test_value_when_more_objects_asked_than_are_kept_is_that_of_its_object() -> None:
    size = Remembered[tuple[int, ...], int](len)

    assert [size(tuple(range(n))) for n in range(500)] == list(range(500))
