"""The probes lean on nothing of the sandbox: what holds with its kubeconfig holds anywhere."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.lessons.looking import PLACE
from tests.lessons.rehearsal import go_back, rehearsing
from tests.lessons.roads import LESSONS, Roads
from tutor import paths
from tutor.course.model import Lesson

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "lesson",
    [lesson for lesson in LESSONS if lesson.has_cluster],
    ids=lambda lesson: lesson.id,
)
def test_cluster_facts_when_taken_to_another_process_hold_there(
    lesson: Lesson, roads: Roads, tmp_path: Path
) -> None:
    road = roads.of(lesson)
    last = lesson.steps_on(PLACE)[-1].id
    go_back(road.root, road.moments[last])
    found = asyncio.run(_look_elsewhere(lesson, road.root, tmp_path))
    assert not {"sandbox", "cli", "ui"} & {*found["rooms"]}
    steps = found["facts"].items()
    held = [verdict for step, facts in steps if step != last for verdict in facts.values()]
    assert held
    assert not [verdict for verdict in held if verdict["state"] != "true"]


async def _look_elsewhere(lesson: Lesson, root: Path, folder: Path) -> dict[str, Any]:
    async with rehearsing(lesson, root) as rehearsal:
        kubeconfig = folder / "kubeconfig"
        shutil.copy(rehearsal.stage.folder.root / lesson.kubeconfig, kubeconfig)
        with _without_socket(root):
            return await asyncio.to_thread(_ask, lesson, kubeconfig, folder)


@contextmanager
def _without_socket(root: Path) -> Generator[None]:
    socket = paths.socket_path(root)
    hidden = socket.with_name("hidden")
    socket.rename(hidden)
    try:
        yield
    finally:
        hidden.rename(socket)


def _ask(lesson: Lesson, kubeconfig: Path, folder: Path) -> dict[str, Any]:
    empty = folder / "empty"
    empty.mkdir()
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("TUTOR_") and "PROXY" not in name.upper()
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.lessons.elsewhere", lesson.folder, kubeconfig, empty],
        cwd=CHECKOUT,
        env={**environment, "HOME": str(empty)},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)
