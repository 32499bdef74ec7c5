"""`EDITOR` and `KUBE_EDITOR` of a shell whose machine has no editor."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tutor.terminal.launch import Program
from tutor.terminal.shell import Shell

StartShell = Callable[..., Awaitable[Shell]]

pytestmark = pytest.mark.timeout(30)


@pytest.mark.parametrize(
    ("rc", "own", "editors"),
    [
        ("", {}, "tutor-edit tutor-edit"),
        ("", {"EDITOR": "joe"}, "joe none"),
        ("", {"VISUAL": "code --wait"}, "code --wait code --wait"),
        ("", {"KUBE_EDITOR": "joe"}, "tutor-edit joe"),
        ("export EDITOR=emacs\n", {}, "emacs none"),
    ],
)
async def test_editor_of_last_resort_is_set_only_where_nothing_else_names_one(
    start: StartShell,
    environment: dict[str, str],
    home: Path,
    program: Program,
    rc: str,
    own: dict[str, str],
    editors: str,
) -> None:
    for name in (".bashrc", ".zshrc"):
        (home / name).write_text(rc)
    shell = await start(program, environment={**environment, **own}, editor="tutor-edit")
    record = await shell.run("sh -c 'echo $EDITOR ${KUBE_EDITOR-none}'")
    assert record is not None
    assert record.output == f"{editors}\n"
