"""A cluster that is not there any more, and the step that makes one. Pure."""

from tutor.course.model import Step, meant_for
from tutor.session.commands import commands_of
from tutor.ui.scene import Notice, Scene
from tutor.ui.widgets.topbar import Health

_SOURCES = frozenset({"object", "objects"})
"""What facts look at in a cluster."""


def lost(scene: Scene, health: Health) -> Notice | None:
    """What to say in a step that needs the cluster which an earlier one has made."""
    if health != "none" or scene.is_done or not _needs_cluster(scene):
        return None
    for number, step in enumerate(scene.lesson.steps_on(scene.environment), 1):
        if number >= scene.number or scene.progress.step(step.id).done is None:
            return None
        if _makes_cluster(step, scene):
            return Notice(
                "The cluster is gone",
                f"Step {number}, “{step.title}”, makes one. [F3](key:steps) leads there. "
                "Do the steps from there on once more: [F5](key:run) types them.",
            )
    return None


def _needs_cluster(scene: Scene) -> bool:
    step = scene.step
    given = [step.given, *(fact.given for fact in meant_for(scene.environment, step.facts))]
    return any(_SOURCES & set(value) for each in given for value in each.values())


def _makes_cluster(step: Step, scene: Scene) -> bool:
    """Whether it is the first whose commands name the kubeconfig: nothing can use it before."""
    blocks = step.solved_by(scene.environment)
    return any(scene.lesson.kubeconfig in line for block in blocks for line in commands_of(block))
