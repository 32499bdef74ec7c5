import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.sandbox_process import order, sandbox_process
from tutor import paths
from tutor.cli.commands import run
from tutor.cli.reset import server_of
from tutor.clock import SystemClock
from tutor.session.journal import Journal
from tutor.session.lock import only_here
from tutor.session.record import Progress

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LESSON = "pinniped-external-certificate"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUTOR_HOME", str(tmp_path))
    return tmp_path


def begun(root: Path, **more: Any) -> Progress:
    """A learner who has created the cluster."""
    steps = Progress(lesson=LESSON, environment="sandbox", current="create-cluster", **more)
    made = steps.with_step(
        "look-around", done="passed", opened_at=AT, done_at=AT, mistakes=("guessed",)
    )
    with Journal(paths.progress_file(root)) as journal:
        journal.save(made)
    return made


def kubeconfig(root: Path, server: str) -> Path:
    file = paths.work_dir(root, LESSON, "sandbox") / "kind-with-contour.kubeconfig.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(f"clusters:\n- name: kind-x\n  cluster: {{server: '{server}'}}\n")
    return file


def test_list_names_lessons_and_where_the_learner_is(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    begun(root)
    assert run(["list"]) == 0
    said = capsys.readouterr().out
    assert f"{LESSON}  Pinniped: bring your own certificate" in said
    assert "25 steps, about" in said
    assert (
        "on sandbox: 1 of 25 steps done, now at create-cluster: Create the kind cluster"
    ) in said


def test_list_and_progress_when_nothing_was_begun_make_no_file(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["list"]) == 0
    assert run(["progress"]) == 0
    assert "No lesson was begun yet" in capsys.readouterr().out
    assert run(["progress", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"lessons": []}
    assert not list(root.iterdir())


def test_progress_as_json_tells_every_step(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begun(root)
    assert run(["progress", "--json"]) == 0
    (lesson,) = json.loads(capsys.readouterr().out)["lessons"]
    assert lesson["lesson"] == LESSON
    assert lesson["on"] == "sandbox"
    assert lesson["done"] == 1
    assert lesson["current"] == "create-cluster"
    assert lesson["steps"][0] == {
        "id": "look-around",
        "title": "Look around, check your tools",
        "state": "passed",
        "opened_at": "2026-01-02T03:04:05+00:00",
        "done_at": "2026-01-02T03:04:05+00:00",
        "hints_shown": 0,
        "solution_shown": False,
        "mistakes": ["guessed"],
    }
    assert [step["state"] for step in lesson["steps"][1:3]] == ["current", "waiting"]


def test_progress_of_a_lesson_that_is_gone_is_told_and_kept(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Journal(paths.progress_file(root)) as journal:
        journal.save(Progress(lesson="old", environment="kind", current="a", finished_at=AT))
    assert run(["progress"]) == 0
    assert "on kind: no longer one of the lessons; its progress is kept" in capsys.readouterr().out
    assert run(["progress", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["lessons"] == [
        {
            "lesson": "old",
            "on": "kind",
            "current": "a",
            "finished_at": "2026-01-02T03:04:05+00:00",
        }
    ]


def test_progress_when_finished_says_when(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begun(root, finished_at=AT)
    assert run(["progress"]) == 0
    assert "1 of 25 steps done, finished 2026-01-0" in capsys.readouterr().out


def test_progress_needs_neither_interface_nor_cluster(root: Path) -> None:
    heavy = "{'textual', 'kubernetes', 'aiohttp', 'cryptography'}"
    script = (
        "import sys; from tutor.cli.commands import run; run(['progress']);"
        f"print(*({heavy} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "TUTOR_HOME": str(root)},
    )
    assert done.stdout.splitlines()[-1] == ""


def test_reset_when_not_begun_changes_nothing(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["reset", LESSON]) == 0
    assert "was not begun" in capsys.readouterr().out
    assert not list(root.iterdir())


@pytest.mark.usefixtures("root")
def test_reset_of_an_unknown_lesson_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["reset", "pinniped-external-certificat"]) == 2
    assert f"Did you mean {LESSON}?" in capsys.readouterr().err


def test_reset_while_the_lesson_is_open_is_refused(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    begun(root)
    folder = paths.work_dir(root, LESSON, "sandbox").parent.parent
    with only_here(folder, LESSON, now=SystemClock().now()):
        assert run(["reset", LESSON]) == 2
    assert f"is open in another tutor (process {os.getpid()}" in capsys.readouterr().err
    with Journal(paths.progress_file(root)) as journal:
        assert journal.load(LESSON, "sandbox")


async def test_reset_deletes_the_lesson_s_cluster_alone_and_keeps_the_files(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    begun(root)
    with sandbox_process(root) as process:
        await process.start()
        made = await order(root, "create-cluster", name="kind-with-contour", ports=[])
        await order(root, "create-cluster", name="another", ports=[])
        file = kubeconfig(root, made["kubeconfig"]["server"])
        assert run(["reset", LESSON]) == 0
        assert (await order(root, "clusters"))["clusters"] == ["another"]
    said = capsys.readouterr().out
    assert "Deleted the cluster kind-with-contour of the sandbox." in said
    assert "other clusters: another." in said
    assert f"{LESSON} begins anew" in said
    assert not file.exists()
    kept = file.parent.parent.with_name("sandbox.before") / "work" / file.name
    assert kept.exists()
    with Journal(paths.progress_file(root)) as journal:
        assert journal.all() == []


def test_reset_leaves_a_cluster_that_is_not_the_sandbox_s(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = paths.work_dir(root, LESSON, "kind") / "kind-with-contour.kubeconfig.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("clusters:\n- {name: k, cluster: {server: 'https://10.0.0.1:6443'}}\n")
    assert run(["reset", LESSON]) == 0
    assert "https://10.0.0.1:6443 is not the sandbox's: it stays" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "clusters: []", "clusters: 3", "- :::", "{", "\x00"])
def test_kubeconfig_that_names_no_cluster_has_no_server(tmp_path: Path, text: str) -> None:
    file = tmp_path / "config"
    file.write_text(text)
    assert server_of(file) == ""
