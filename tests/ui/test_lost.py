"""A cluster that has gone: which step makes one, and in which steps that is told."""

from dataclasses import replace
from typing import get_args

import pytest

from tutor import paths
from tutor.course.loader import load_course
from tutor.session.outline import outline_of
from tutor.session.record import Progress, StepRecord
from tutor.ui.lost import lost
from tutor.ui.scene import Scene
from tutor.ui.widgets.topbar import Health

LESSON = load_course(paths.lessons_dir()).lesson("pinniped-external-certificate")
MAKES_IT = "Step 2, “Create the kind cluster”, makes one."


def scene_at(current: str, *, is_done: bool = False) -> Scene:
    """The lesson at a step; all before it are done."""
    outline = outline_of(LESSON, "sandbox")
    ids = [step.id for step in outline]
    done = ids[: ids.index(current) + is_done]
    return Scene(
        lesson=LESSON,
        environment="sandbox",
        outline=outline,
        progress=Progress(
            lesson=LESSON.id,
            environment="sandbox",
            current=current,
            steps={each: StepRecord(done="passed") for each in done},
        ),
        findings=None,
    )


def test_step_that_needs_the_cluster_names_the_one_that_makes_it() -> None:
    notice = lost(scene_at("hand-over-the-certificate"), "none")
    assert notice is not None
    assert notice.text.startswith(MAKES_IT)


@pytest.mark.parametrize("step", ["look-around", "create-cluster", "clean-up"])
def test_step_before_there_is_a_cluster_or_after_tells_nothing(step: str) -> None:
    assert lost(scene_at(step), "none") is None


@pytest.mark.parametrize("health", get_args(Health))
def test_cluster_that_may_be_there_is_not_told_to_be_gone(health: Health) -> None:
    assert (lost(scene_at("install-contour"), health) is not None) == (health == "none")


def test_step_that_is_done_tells_nothing() -> None:
    assert lost(scene_at("install-contour", is_done=True), "none") is None


def test_cluster_that_was_never_made_here_is_nobodys_loss() -> None:
    scene = scene_at("install-contour")
    blank = replace(scene.progress, steps={})
    assert lost(scene._replace(progress=blank), "none") is None
