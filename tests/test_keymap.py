import pytest

from tutor.keymap import ACTIONS, Keymap, canonical, fault_of
from tutor.ui.keys import KEYS as SHOWN


def test_each_action_that_is_shown_can_have_another_key() -> None:
    assert {key.id for key in SHOWN} | {"prefix"} == set(ACTIONS)


def test_keys_that_come_with_the_program_are_without_fault() -> None:
    assert fault_of({name: key or "none" for name, key in ACTIONS.items()}) is None


@pytest.mark.parametrize(
    ("written", "name"),
    [("F4", "f4"), ("Ctrl + N", "ctrl+n"), ("shift+ctrl+left", "ctrl+shift+left")],
)
def test_key_is_known_however_it_is_written(written: str, name: str) -> None:
    assert canonical(written) == name


def test_keys_of_two_actions_can_be_exchanged() -> None:
    assert fault_of({"run": "f9"}) is not None
    assert fault_of({"run": "f9", "next": "f5"}) is None
    assert fault_of({"run": "f9", "next": "none"}) is None


def test_key_that_is_given_back_is_the_first_one_again() -> None:
    changed = Keymap().with_key("run", "f4").with_key("next", "f12")
    assert (changed["run"], changed["next"], changed["hint"]) == ("f4", "f12", "f2")
    assert "f5" not in changed.taken
    assert changed.with_key("run", "").with_key("next", "f9") == Keymap()
