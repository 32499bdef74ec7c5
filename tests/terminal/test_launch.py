"""Which shell is started, and with what environment."""

from pathlib import Path

import pytest

from tutor.errors import ShellError
from tutor.terminal.launch import Launch, Program, environment, find_program

BASH = Program("/bin/bash", "bash")


def program(folder: Path, name: str) -> str:
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def launch(environment: dict[str, str], **more: str | None) -> Launch:
    return Launch(program=BASH, folder=Path("/"), environment=environment, extra=more)


def test_find_program_when_the_preferred_shell_is_usable_takes_it(tmp_path: Path) -> None:
    zsh = program(tmp_path, "zsh")
    assert find_program(zsh, "") == Program(zsh, "zsh")


def test_find_program_when_the_preferred_shell_is_another_takes_one_from_the_path(
    tmp_path: Path,
) -> None:
    fish, bash = program(tmp_path, "fish"), program(tmp_path, "bash")
    assert find_program(fish, str(tmp_path)) == Program(bash, "bash")


def test_find_program_when_there_is_none_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tutor.terminal.launch.SYSTEM_PATH", str(tmp_path))
    with pytest.raises(ShellError) as raised:
        find_program(None, str(tmp_path))
    assert "Install bash" in raised.value.next_action


def test_environment_of_the_shell_names_our_terminal_and_not_the_outer_one() -> None:
    outer = {"TERM": "tmux", "TMUX": "x", "COLUMNS": "9", "TERM_PROGRAM_VERSION": "3", "LANG": "C"}
    given = environment(launch(outer), "key")
    assert given["TERM"] == "xterm-256color"
    assert given["COLORTERM"] == "truecolor"
    assert given["LANG"] == "C"
    assert not {"TMUX", "COLUMNS", "TERM_PROGRAM_VERSION"} & given.keys()


def test_environment_with_extra_variables_sets_and_removes_them() -> None:
    given = environment(launch({"A": "1", "B": "2"}, A=None, C="3"), "key")
    assert "A" not in given
    assert (given["B"], given["C"], given["TUTOR_KEEP"]) == ("2", "3", "A C")


def test_environment_of_zsh_remembers_where_its_files_are() -> None:
    zsh = Launch(
        program=Program("/bin/zsh", "zsh"), folder=Path("/"), environment={"ZDOTDIR": "/mine"}
    )
    given = environment(zsh, "key")
    assert given["TUTOR_ZDOTDIR"] == "/mine"
    assert (Path(given["ZDOTDIR"]) / ".zshrc").is_file()
