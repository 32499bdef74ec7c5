"""The values that lessons are made of."""

import pickle

import pytest

from tutor.course.model import Hint, Option, Tool


def test_part_has_what_it_was_given_and_else_what_its_kind_has() -> None:
    tool = Tool(name="kubectl")
    assert (tool.name, tool.version) == ("kubectl", "")
    assert tool.with_values(version="1.28") == Tool(name="kubectl", version="1.28")
    assert repr(Option(answer="a", why="b")) == "Option(answer='a', right=False, why='b')"


def test_parts_are_equal_when_kind_and_values_are() -> None:
    assert Hint(say="a") == pickle.loads(pickle.dumps(Hint(say="a")))
    assert len({Hint(say="a"), Hint(say="a"), Hint(say="b")}) == 2
    assert Hint(say="a") != Tool(name="a")


def test_part_is_never_changed_and_never_wrong() -> None:
    with pytest.raises(AttributeError, match="cannot be changed"):
        Hint(say="a").say = "b"  # type: ignore[misc]
    with pytest.raises(TypeError, match="Hint needs say"):
        Hint()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="Hint has no text"):
        Hint(say="a", text="b")  # type: ignore[call-arg]
