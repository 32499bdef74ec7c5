"""The heart of the flagship lesson, by hand: `kubectl edit` with an editor inside the pane."""

import asyncio
import os
import shutil
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.e2e.window import Window, environment, window
from tests.lessons.rehearsal import rehearsing
from tutor import paths
from tutor.cli.cluster import stop
from tutor.cli.run import find_lesson
from tutor.course.model import Edit

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

STEP = "hand-over-the-certificate"
CA = "self-signed-ca-for-kind-testing.pem.b64"


@pytest.fixture
def home(tmp_path: Path) -> Generator[Path]:
    """A home folder in which the steps before the edit are done."""
    root = tmp_path / "home"
    root.mkdir()
    asyncio.run(_play_up_to_the_edit(root))
    yield root
    stop(root)


async def _play_up_to_the_edit(root: Path) -> None:
    lesson = find_lesson("pinniped-external-certificate")
    async with rehearsing(lesson, root) as rehearsal:
        for step in lesson.steps_on("sandbox"):
            if step.id == STEP:
                await rehearsal.session.go_to(STEP)
                return
            await rehearsal.player.begin(step)
            await rehearsal.player.solve(step)
            await rehearsal.player.pass_(step)


@pytest.mark.parametrize("editor", ["vim", "vi"])
def test_edit_in_vim_inside_the_pane_passes_the_step(home: Path, editor: str) -> None:
    path = shutil.which(editor)
    if path is None:
        pytest.skip(f"{editor} is not installed")
    lesson = find_lesson("pinniped-external-certificate")
    assert any(isinstance(block, Edit) for block in lesson.step(STEP).do)
    variables = environment(home, EDITOR=f"{path} -u NONE -N", TUTOR_PACE="instant")
    with window(home) as terminal:
        terminal.start(f"{sys.executable} -m tutor", size=(120, 40), environment=variables)
        # The first look comes after the shell has been started.
        terminal.sees("step 13 of 25", "answers", "✗ The proxy's mode is enabled")
        terminal.press("F5")
        terminal.sees("# Please edit the object below")
        for command in (
            r":%s/^    mode: auto/    mode: enabled/",
            r":%s/^      type: LoadBalancer/      type: ClusterIP/",
            r":g/^    mode: enabled/normal! Otls:",
            (
                r":%s/^ *tls:/    tls:\r      secretName: impersonation-proxy-tls-serving-cert"
                r"\r      certificateAuthorityData: CA\r"
                r"    externalEndpoint: impersonation-proxy-mtls.local/"
            ),
            rf":%s/CA$/\=readfile('{CA}')[0]/",
        ):
            terminal.type(command)
        terminal.sees("externalEndpoint: impersonation-proxy-mtls.local")
        terminal.type(":wq")
        terminal.sees("pinniped-concierge-config edited")
        terminal.sees("6 of 6 hold · F9 goes on", "Done: what just happened")
        terminal.press("F9")
        terminal.sees("step 14 of 25", "See the CA advertised")
        terminal.press("F10")
        assert terminal.ended() == 0
    assert (paths.work_dir(home, lesson.id, "sandbox") / CA).exists()


def without_editors(folder: Path) -> str:
    """A PATH with all that the machine has, but for editors."""
    folder.mkdir()
    for place in os.environ["PATH"].split(os.pathsep):
        for program in Path(place).glob("*"):
            link = folder / program.name
            if not program.name.startswith(("vi", "nvim", "nano", "rvi")) and not link.exists():
                link.symlink_to(program)
    return str(folder)


def test_edit_in_the_app_s_own_editor_passes_the_step(home: Path, tmp_path: Path) -> None:
    variables = environment(home, TUTOR_PACE="instant")
    # tmux has a PATH of its own.
    program = f"env PATH={without_editors(tmp_path / 'bin')} {sys.executable} -m tutor"
    with window(home) as terminal:
        terminal.start(program, size=(120, 40), environment=variables)
        terminal.sees("step 13 of 25", "answers", "✗ The proxy's mode is enabled")
        terminal.press("F5")
        terminal.sees("# Please edit the object below", "Esc leave")
        terminal.press("Escape")
        terminal.sees("Edit cancelled, no changes made.")
        terminal.press("F5")
        terminal.sees("# Please edit the object below", "Esc leave")
        for found, column, line, end in (
            ("mode: auto", 15, "mode: enabled", 18),
            ("type: LoadBalancer", 25, "type: ClusterIP", 22),
        ):
            find(terminal, found, column)
            terminal.write(line)
            terminal.sees(f", column {end}\n")
        find(terminal, "mode: enabled", 18)
        terminal.press("End")
        terminal.type("")
        terminal.type("externalEndpoint: impersonation-proxy-mtls.local")
        terminal.type("tls:")
        terminal.type("  secretName: impersonation-proxy-tls-serving-cert")
        terminal.write("certificateAuthorityData: ")
        terminal.sees(", column 33\n")
        terminal.press("C-r")
        terminal.sees("Insert the file:")
        terminal.type(CA)
        terminal.sees("LS0tLS1CRUdJTi")
        terminal.press("Escape")
        terminal.sees("Not saved.", "leave without saving")
        terminal.press("y")
        terminal.sees("pinniped-concierge-config edited")
        terminal.sees("6 of 6 hold · F9 goes on", "Done: what just happened")
        terminal.press("F10")
        assert terminal.ended() == 0


def find(terminal: Window, text: str, column: int) -> None:
    """Have the editor select a text, which ends in a column."""
    terminal.press("C-f")
    terminal.sees("Find:")
    terminal.type(text)
    terminal.sees(f", column {column}\n")
    terminal.press("Escape")
    terminal.until(lambda: "Find:" not in terminal.text(), "the text, not the entry")
