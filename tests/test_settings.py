import os
import shutil
from pathlib import Path

import pytest

from tutor.errors import SettingsError
from tutor.keymap import Keymap
from tutor.paths import settings_file
from tutor.settings import Settings, load, save


def write(root: Path, text: str) -> None:
    (root / "settings.yaml").write_text(text)


def refusal(root: Path, environ: dict[str, str] | None = None) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        load(environ or {}, root)
    return caught.value


def test_settings_without_a_file_are_the_defaults(tmp_path: Path) -> None:
    assert load({}, tmp_path / "nowhere") == Settings()


def test_settings_of_an_empty_file_are_the_defaults(tmp_path: Path) -> None:
    write(tmp_path, "# nothing yet\n")
    assert load({}, tmp_path) == Settings()


def test_a_variable_wins_over_the_file_and_the_file_over_the_default(tmp_path: Path) -> None:
    write(tmp_path, "pace: real\nkubectl: own\ntheme: nord\n")
    found = load({"TUTOR_PACE": "instant", "TUTOR_THEME": ""}, tmp_path)
    assert (found.pace, found.kubectl, found.theme, found.shell) == ("instant", "own", "nord", "")


def test_a_misspelt_key_is_told_with_its_line_and_the_nearest_one(tmp_path: Path) -> None:
    write(tmp_path, "theme: nord\npase: real\n")
    error = refusal(tmp_path)
    assert f"{tmp_path / 'settings.yaml'}:2" in error.message
    assert "unknown setting `pase`: did you mean `pace`?" in error.message
    assert (
        error.next_action
        == "The settings are: kubectl, editor, shell, pace, theme, layout, motion, keys."
    )


def test_a_wrong_value_is_told_with_its_line_and_the_choices(tmp_path: Path) -> None:
    write(tmp_path, "\npace: reel\n")
    error = refusal(tmp_path)
    assert "settings.yaml:2: `pace` cannot be `reel`: did you mean `real`?" in error.message
    assert error.next_action == "Write one of: watchable, real, instant."


def test_a_wrong_variable_is_told_by_its_name(tmp_path: Path) -> None:
    error = refusal(tmp_path, {"TUTOR_KUBECTL": "mine"})
    assert error.message.startswith("the variable TUTOR_KUBECTL: `kubectl` cannot be `mine`")


def test_a_shell_that_cannot_be_had_is_refused(tmp_path: Path) -> None:
    missing = refusal(tmp_path, {"TUTOR_SHELL": str(tmp_path / "bash")})
    assert "should be a program that this machine has" in missing.message
    fish = refusal(tmp_path, {"TUTOR_SHELL": "/usr/bin/fish"})
    assert "should be the whole path of a bash or a zsh" in fish.message


def test_a_shell_of_this_machine_is_taken(tmp_path: Path) -> None:
    bash = shutil.which("bash")
    assert bash is not None
    assert load({"TUTOR_SHELL": bash}, tmp_path).shell == bash


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("pace: [real]\n", 1),
        ("theme: nord\npace: real\npace: real\n", 3),
        ("theme: 'nord\n", 2),
        ("just words\n", 1),
        ("a: &x [*x]\n", 1),
        ("[" * 50_000, 1),
    ],
)
def test_a_file_of_another_form_is_refused_and_says_where(
    tmp_path: Path, text: str, line: int
) -> None:
    write(tmp_path, text)
    error = refusal(tmp_path)
    assert f"settings.yaml:{line}" in error.message or "this is not YAML" in error.message
    assert error.next_action


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_bytes(b"pace: \xff\xfe\n")
    assert "it is not UTF-8 text" in refusal(tmp_path).message


def test_setting_that_is_saved_leaves_the_rest_of_the_file_alone(tmp_path: Path) -> None:
    file = settings_file(tmp_path)
    file.write_text("# mine\npace: real\n", encoding="utf-8")
    save(tmp_path, "theme", "tutor-light")
    save(tmp_path, "pace", "instant")
    assert file.read_text(encoding="utf-8") == "# mine\npace: instant\ntheme: tutor-light\n"
    with pytest.raises(SettingsError, match="cannot be `fast`"):
        save(tmp_path, "pace", "fast")
    assert load({}, tmp_path).pace == "instant"


def test_keys_of_the_file_are_those_chosen(tmp_path: Path) -> None:
    write(tmp_path, "pace: real\nkeys:\n  run: F4\n  hint: none\n")
    assert Keymap(load({}, tmp_path).keys)["run"] == "f4"
    assert Keymap(load({}, tmp_path).keys)["hint"] == ""
    assert Keymap(load({"TUTOR_KEYS": "run=f5, next=f12"}, tmp_path).keys)["next"] == "f12"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("keys:\n  run: f4\n  nxt: f5\n", 3, "nothing is called `nxt`: did you mean `next`?"),
        ("keys:\n  run: f99\n", 2, "`run` cannot have `f99`, which is no key: did you mean `f9`?"),
        ("keys:\n  run: f9\n", 2, "`run` cannot have `f9`: it is the key of `next`."),
        ("keys:\n  run: ctrl+c\n", 2, "it ends what runs in the shell."),
        ("keys:\n  run: x\n", 2, "`run` cannot have `x`: the shell needs it."),
        ("keys:\n  prefix: none\n", 2, "`prefix` has to have a key"),
        ("keys: f4\n", 1, "below `keys` stand actions, each with its key."),
        ("keys:\n  run: [f4]\n", 2, "a setting is one plain value."),
        ("keys:\n  run: f4\n  run: f5\n", 3, "`run` stands twice."),
    ],
)
def test_keys_that_cannot_be_had_are_told_with_their_line(
    tmp_path: Path, text: str, line: int, message: str
) -> None:
    write(tmp_path, text)
    error = refusal(tmp_path)
    assert f"settings.yaml:{line}: " in error.message
    assert message in error.message
    assert error.next_action


def test_keys_that_are_saved_take_the_place_of_those_before(tmp_path: Path) -> None:
    write(tmp_path, "# mine\nkeys:\n  run: f4\n  # why\n  next: f12\n# more\npace: real\n")
    save(tmp_path, "keys", {"hint": "none"})
    file = settings_file(tmp_path)
    assert file.read_text(encoding="utf-8") == ("# mine\nkeys:\n  hint: none\n# more\npace: real\n")
    save(tmp_path, "keys", {})
    assert file.read_text(encoding="utf-8") == "# mine\n# more\npace: real\n"
    save(tmp_path, "keys", {"run": "f4"})
    assert load({}, tmp_path).keys == {"run": "f4"}


def test_settings_file_that_is_a_pipe_is_told_of_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(settings_file(tmp_path))
    with pytest.raises(SettingsError, match="it is a pipe or a device"):
        load({}, tmp_path)
