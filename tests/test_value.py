"""Classes that are made of fields, without the compiling of dataclasses."""

import pickle

import pytest
from textual.message import Message

from tutor.value import filled, value


@value
class Spot:
    x: int
    y: int = 0


@value
class Named(Spot):
    name: str = ""


@value
class Other:
    x: int
    y: int


@filled
class Found(Message):
    spot: Spot


@filled
class FoundAgain(Found):
    times: int


def test_fields_are_given_in_order_or_by_name_or_left_out() -> None:
    assert Spot(1) == Spot(x=1, y=0) == Spot(1, y=0)
    assert Named(1, 2, "a").name == "a"
    assert repr(Named(1, name="a")) == "Named(x=1, y=0, name='a')"


@pytest.mark.parametrize("given", [(), (1, 2, 3)])
def test_fields_that_are_missing_or_too_many_are_refused(given: tuple[int, ...]) -> None:
    with pytest.raises(TypeError):
        Spot(*given)


@pytest.mark.parametrize("named", [{"z": 1}, {"x": 1}])
def test_names_that_are_unknown_or_given_twice_are_refused(named: dict[str, int]) -> None:
    with pytest.raises(TypeError):
        Spot(1, **named)


def test_values_of_different_classes_are_never_equal() -> None:
    assert Spot(1, 2) != Other(1, 2)
    assert len({Spot(1, 2), Other(1, 2), Spot(1, 2)}) == 2


def test_value_cannot_be_changed() -> None:
    spot = Spot(1)
    with pytest.raises(AttributeError, match="x of a Spot cannot be changed"):
        spot.x = 2  # pyright: ignore[reportAttributeAccessIssue] -- that is the point
    assert spot.x == 1


def test_value_is_matched_by_its_fields_and_survives_pickling() -> None:
    match pickle.loads(pickle.dumps(Named(1, 2, "a"))):
        case Named(x, y, name):
            assert (x, y, name) == (1, 2, "a")
        case other:
            raise AssertionError(other)


def test_message_is_made_of_what_its_base_and_it_annotate() -> None:
    message = FoundAgain(Spot(1), times=2)
    assert (message.spot, message.times) == (Spot(1), 2)
    assert message.time > 0
    assert message != FoundAgain(Spot(1), times=2)
