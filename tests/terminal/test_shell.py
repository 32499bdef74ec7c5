"""Real shells, run by a player: what they were told, and what came of it."""

import asyncio
import contextlib
import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tutor.errors import ShellError
from tutor.terminal.engine import Choice
from tutor.terminal.launch import Program
from tutor.terminal.news import CommandBegan, CommandRecord, Event, Exited
from tutor.terminal.screen import Geometry
from tutor.terminal.shell import Shell

StartShell = Callable[..., Awaitable[Shell]]

pytestmark = pytest.mark.timeout(30)


async def shown(shell: Shell, text: str) -> None:
    """Wait until the screen has a text."""
    changed = asyncio.Event()
    stop = shell.listen(lambda _event: changed.set())
    while text not in shell.screen_text():
        changed.clear()
        shell.frame()
        if text not in shell.screen_text():
            await changed.wait()
    stop()


async def test_run_in_a_shell_gives_text_output_and_exit_code(
    start: StartShell, program: Program
) -> None:
    shell = await start(program, own_rc=False)
    record = await shell.run("echo out; echo err >&2; (exit 3)")
    assert record is not None
    assert (record.text, record.exit_code) == ("echo out; echo err >&2; (exit 3)", 3)
    assert (record.output, record.truncated) == ("out\nerr\n", False)
    assert record.started <= record.ended


@pytest.mark.parametrize(
    ("command", "output"),
    [
        ("cat <<'EOF'\na\tb\n\nc\nEOF", "a\tb\n\nc\n"),
        ("for i in 1 2\ndo\n\techo $i\ndone", "1\n2\n"),
        ("echo 'é 日本 👍'", "é 日本 👍\n"),
        (r"echo 'a;b%c\"' '!!' \\", None),
        ("printf 'no line end'", "no line end"),
        ("true", ""),
        (" echo with a space first", "with a space first\n"),
        ("echo one | tr a-z A-Z | cat", "ONE\n"),
        ("test -t 1 && echo terminal", "terminal\n"),
        (r"printf '\033[31mred\033[m\n'", "red\n"),
    ],
)
async def test_run_of_any_command_line_records_it_whole(
    start: StartShell, program: Program, command: str, output: str | None
) -> None:
    shell = await start(program, own_rc=False)
    record = await shell.run(command)
    assert record is not None
    assert (record.text, record.exit_code) == (command, 0)
    assert output is None or record.output == output


async def test_run_of_the_same_command_twice_records_it_twice(
    start: StartShell, program: Program
) -> None:
    shell = await start(program, own_rc=False)
    records = [await shell.run("echo x") for _ in range(2)]
    assert [record and record.output for record in records] == ["x\n", "x\n"]


async def test_run_of_a_comment_records_nothing(start: StartShell, program: Program) -> None:
    shell = await start(program, own_rc=False)
    assert await shell.run("# only a remark") is None
    record = await shell.run("echo after")
    assert record is not None
    assert record.text == "echo after"


async def test_run_when_the_line_is_half_typed_gives_that_up(
    start: StartShell, program: Program
) -> None:
    shell = await start(program, own_rc=False)
    await shell.wait_prompt()
    shell.type("echo never run")
    await shown(shell, "never run")
    record = await shell.run("echo run")
    assert record is not None
    assert (record.text, record.output) == ("echo run", "run\n")


async def test_run_when_another_command_runs_waits_for_its_end(
    start: StartShell, program: Program
) -> None:
    shell = await start(program, own_rc=False)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(shell.run(f"sleep 0.1; echo {each}")) for each in (1, 2)]
    records = [task.result() for task in tasks]
    assert [record and record.output for record in records] == ["1\n", "2\n"]


async def test_typed_command_is_recorded_as_typed(start: StartShell, program: Program) -> None:
    shell = await start(program, own_rc=False)
    await shell.wait_prompt()
    records = asyncio.Queue[Event]()
    shell.listen(records.put_nowait)
    shell.type("echo  'a;b%'  # spaces\n")
    while not isinstance(event := await records.get(), CommandRecord):
        pass
    assert (event.text, event.output) == ("echo  'a;b%'  # spaces", "a;b%\n")


@pytest.mark.parametrize("typed", ["echo same", " echo same", "echo 'é ü'"])
async def test_typed_command_that_the_history_leaves_out_is_read_from_the_screen(
    start: StartShell, bash: Program, typed: str
) -> None:
    shell = await start(bash, own_rc=False, geometry=Geometry(columns=20))
    await shell.run("HISTCONTROL=ignoreboth; echo same")
    records = asyncio.Queue[Event]()
    shell.listen(records.put_nowait)
    for _ in range(2):
        shell.type(typed + "\n")
        while not isinstance(event := await records.get(), CommandRecord):
            pass
        assert event.text == typed.strip()
        await shell.wait_prompt()


async def test_prompt_when_the_learner_has_no_rc_file_is_simple(
    start: StartShell, program: Program
) -> None:
    shell = await start(program, own_rc=False)
    await shell.wait_prompt()
    assert shell.screen_text() in ("$", "#")


RC = """
PS1='mine> '
alias printf='echo WRONG'
export KUBECONFIG=/elsewhere NOT_WANTED=1
export PATH=/their/bin:$PATH
"""


async def test_own_rc_is_read_but_what_the_lesson_sets_holds(
    start: StartShell, program: Program, home: Path
) -> None:
    (home / ".bashrc").write_text(RC)
    (home / ".zshrc").write_text(RC)
    shell = await start(
        program,
        extra={"KUBECONFIG": "/the lesson's/config", "NOT_WANTED": None},
        path=(Path("/first/bin"),),
    )
    await shell.wait_prompt()
    assert shell.screen_text() == "mine>"
    record = await shell.run('echo "$KUBECONFIG,${NOT_WANTED-unset}"; echo $PATH')
    assert record is not None
    first, second = record.output.splitlines()
    assert first == "/the lesson's/config,unset"
    assert second.startswith("/first/bin:/their/bin:")


async def test_own_rc_with_hooks_of_its_own_keeps_them(
    start: StartShell, program: Program, home: Path
) -> None:
    (home / ".bashrc").write_text("PROMPT_COMMAND='hook=$?; PS1=\"[$hook] \"'\n")
    (home / ".zshrc").write_text('precmd() { PS1="[$?] "; }\n')
    shell = await start(program)
    record = await shell.run("(exit 5)")
    assert record is not None
    assert record.exit_code == 5
    assert shell.screen_text().endswith("[5]")
    record = await shell.run("echo $?")
    assert record is not None
    assert record.output == "5\n"


async def test_own_rc_that_ctrl_c_ends_leaves_a_shell_that_tells_of_its_commands(
    start: StartShell, program: Program, home: Path
) -> None:
    """Who waits for a slow rc file presses it."""
    text = "sh -c 'echo reading; exec sleep 600'\necho never\n"
    (home / f".{program.kind}rc").write_text(text, encoding="utf-8")
    shell = await start(program)
    await shown(shell, "reading")
    shell.press("ctrl+c")
    record = await shell.run("echo $((40+2))")
    assert record is not None
    assert (record.output, "never" in shell.screen_text()) == ("42\n", False)
    # From then on it ends what runs, and nothing else.
    shell.type("sh -c 'echo and; echo again; exec sleep 600'\n")
    await shown(shell, "and\nagain")
    shell.press("ctrl+c")
    again = await shell.run("trap; echo $((2+2))")
    assert again is not None
    assert again.output == "4\n"


async def test_own_zsh_files_elsewhere_are_read_and_stay_known(
    start: StartShell, environment: dict[str, str], home: Path, program: Program
) -> None:
    if program.kind != "zsh":
        pytest.skip("only zsh has ZDOTDIR")
    (home / "z").mkdir()
    (home / "z" / ".zshrc").write_text("theirs=yes\n")
    shell = await start(program, environment={**environment, "ZDOTDIR": str(home / "z")})
    record = await shell.run("echo $theirs $ZDOTDIR")
    assert record is not None
    assert record.output == f"yes {home}/z\n"


async def test_the_key_of_the_marks_is_not_handed_to_programs(
    start: StartShell, program: Program
) -> None:
    shell = await start(program, own_rc=False)
    record = await shell.run("env | grep -i tutor")
    assert record is not None
    assert (record.exit_code, record.output) == (1, "")


async def test_bash_of_macos_that_has_no_ps0_is_watched_by_its_debug_trap(
    start: StartShell, bash: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    """The branches for bash 3.2, run by the bash that is here."""
    scripts = Path("tutor/terminal/shellrc")
    text = (
        (scripts / "bash.sh")
        .read_text()
        .replace("BASH_VERSINFO[0] >", "0 >")
        .replace("BASH_VERSINFO[0] ==", "0 ==")
    )
    (tmp_path / "bash.sh").write_text(text)
    monkeypatch.setattr("tutor.terminal.launch.SCRIPTS", tmp_path)
    (home / ".bashrc").write_text(
        "trap 'trapped=yes' DEBUG; bind 'set enable-bracketed-paste off'\n"
    )
    shell = await start(bash)
    record = await shell.run("for i in 1 2\ndo\n\techo $i $trapped\ndone")
    assert record is not None
    assert (record.exit_code, record.output) == (0, "1 yes\n2 yes\n")
    again = await shell.run("echo $PS0; (exit 4)")
    assert again is not None
    assert (again.exit_code, again.output) == (4, "\n")


async def test_shell_when_a_program_takes_the_screen_records_no_output_of_it(
    start: StartShell, bash: Program
) -> None:
    shell = await start(bash, own_rc=False)
    record = await shell.run(r"printf '\e[?1049hscreen\e[?1049l'; echo out")
    assert record is not None
    assert record.output == "out\n"


async def test_program_when_it_asks_the_terminal_is_answered(
    start: StartShell, bash: Program
) -> None:
    shell = await start(bash, own_rc=False)
    record = await shell.run(r"""IFS= read -rs -d R -p $'\e[6n' place; printf '%q\n' "$place" """)
    assert record is not None
    assert "[" in record.output
    assert record.exit_code == 0


async def test_shell_when_it_exits_ends_the_record_and_refuses_more(
    start: StartShell, program: Program
) -> None:
    shell = await start(program, own_rc=False)
    await shell.wait_prompt()
    seen = list[Event]()
    shell.listen(seen.append)
    with pytest.raises(ShellError) as raised:
        await shell.run("exit 3")
    assert "exit status 3" in raised.value.message
    records = [event for event in seen if isinstance(event, CommandRecord)]
    assert [(record.text, record.exit_code) for record in records] == [("exit 3", 3)]
    assert seen[-1] == Exited(3)
    with pytest.raises(ShellError):
        await shell.wait_prompt()


async def test_shell_when_closed_is_gone_and_its_screen_stays(
    start: StartShell, bash: Program
) -> None:
    shell = await start(bash, own_rc=False)
    await shell.run("echo last words")
    await shell.close()
    assert "last words" in shell.screen_text()


async def test_shell_when_resized_tells_program_and_screen(
    start: StartShell, bash: Program
) -> None:
    shell = await start(bash, own_rc=False, geometry=Geometry(columns=80, lines=24))
    await shell.wait_prompt()
    shell.resize(100, 30)
    record = await shell.run("stty size")
    assert record is not None
    assert record.output == "30 100\n"
    assert shell.engine.size == (100, 30)


async def test_keys_pressed_by_name_reach_the_program(start: StartShell, bash: Program) -> None:
    shell = await start(bash, own_rc=False)
    await shell.run("echo first")
    shell.press("up")
    await shown(shell, "first\n$ echo first".replace("$", "#" if os.geteuid() == 0 else "$"))
    running = asyncio.Event()
    shell.listen(lambda event: running.set() if isinstance(event, CommandBegan) else None)
    shell.press("enter")
    await running.wait()
    await shell.wait_prompt()
    assert shell.screen_text().count("\nfirst") == 2


async def test_shell_when_it_cannot_start_can_still_be_closed(
    start: StartShell, bash: Program, tmp_path: Path
) -> None:
    with pytest.raises(ShellError):
        await start(bash, folder=tmp_path / "gone")


async def test_many_commands_are_each_recorded_with_their_own_exit_code(
    start: StartShell, program: Program
) -> None:
    shell = await start(program, own_rc=False)
    for number in range(200):
        record = await shell.run(f"printf 'n%d' {number}; (exit {number % 7})")
        assert record is not None
        assert (record.output, record.exit_code) == (f"n{number}", number % 7)


async def test_resizing_under_an_editor_ends_in_the_picture_of_the_last_size(
    start: StartShell, bash: Program, choice: Choice, home: Path
) -> None:
    if shutil.which("vim") is None:
        pytest.skip("vim is not installed")
    (home / "text").write_text("".join(f"line {number} {'x' * number}\n" for number in range(120)))
    vim = "vim -n -u NONE --cmd 'set nu' text\n"
    fresh = await start(bash, own_rc=False, choice=choice, geometry=Geometry(columns=70, lines=20))
    stormy = await start(bash, own_rc=False, choice=choice)
    for shell in (fresh, stormy):
        await shell.wait_prompt()
        shell.type(vim)
        await shown(shell, "line 1")
    for number in range(60):
        stormy.resize(20 + number * 7 % 90, 5 + number * 3 % 30)
        if number % 10 == 0:
            await asyncio.sleep(0)
    stormy.resize(70, 20)
    for _ in range(20):  # a resize that vim sees late wipes the message off
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                for shell in (fresh, stormy):
                    shell.type(":redraw!\n:echo 'set'\n")
                    await shown(shell, "\nset")
        if stormy.screen_text() == fresh.screen_text():
            break
    assert stormy.screen_text() == fresh.screen_text()
