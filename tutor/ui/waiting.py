"""What the learner waits for now, as a function of what is known. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from tutor.course.model import Grants, Look, Run, meant_for
from tutor.probes.base import Collection, Object
from tutor.session.commands import commands_of
from tutor.ui.runner import abridged
from tutor.ui.scene import Scene
from tutor.ui.widgets.topbar import Health

NAMED_NAMESPACES = 2
"""With more of them, they are counted."""


class Wait(NamedTuple):
    """Something that takes its time."""

    subject: str
    """As long as this is the same, so is the wait."""
    words: str
    """Goes on from "waiting for"."""


class Behind(NamedTuple):
    """What is known of what stands behind a lesson's screen."""

    is_set: bool
    """Whether the stage is."""
    health: Health
    pods: Sequence[Object]
    is_shell_ready: bool
    """Whether the shell has shown its first prompt, or has ended."""
    running: str
    """What runs in the shell and does not take the whole screen; empty when nothing does."""


def pods_of(grants: Grants) -> tuple[Collection, ...]:
    """The pods that a lesson is about."""
    names = (None,) if grants.cluster else grants.namespaces
    return tuple(Collection("v1", "Pod", name) for name in names)


def waits(scene: Scene, behind: Behind) -> tuple[Wait, ...]:
    """All that is waited for; what says most comes first."""
    is_sandbox = scene.environment == "sandbox" and scene.lesson.has_cluster
    if not behind.is_set:
        return (Wait("stage", "the sandbox to start" if is_sandbox else "the lesson to open"),)
    found: list[Wait] = []
    if behind.health == "silent":
        words = "the sandbox to start again" if is_sandbox else "the cluster to answer"
        found.append(Wait("cluster", words))
    found += _settling(scene)
    found += _starting(behind.pods)
    if behind.running and _is_of_step(scene, behind.running):
        found.append(Wait(behind.running, f"`{abridged(behind.running)}` to end"))
    if not behind.is_shell_ready:
        found.append(Wait("shell", "the shell's prompt"))
    if scene.findings is None:
        found.append(Wait(f"look {scene.step.id}", "the first look at the facts"))
    return tuple(found)


def _settling(scene: Scene) -> list[Wait]:
    settles = {fact.id: fact.settle.total_seconds() for fact in scene.step.facts}
    return [
        Wait(f"fact {row.id}", f"“{row.label}” to have held for {settles[row.id]:g} s")
        for row in scene.facts()
        if row.is_settling
    ]


def _starting(pods: Sequence[Object]) -> list[Wait]:
    unready = [pod["metadata"]["namespace"] for pod in pods if _is_starting(pod)]
    if not unready:
        return []
    names = sorted(set(unready))
    where = " and ".join(names) if len(names) <= NAMED_NAMESPACES else f"{len(names)} namespaces"
    count = f"{len(unready)} pod{'s' if len(unready) > 1 else ''}"
    return [Wait(f"pods {' '.join(names)}", f"{count} in {where}")]


def _is_starting(pod: Object) -> bool:
    """Whether it is on its way to be ready."""
    status = pod.get("status", {})
    if "deletionTimestamp" in pod["metadata"] or status.get("phase") in {"Succeeded", "Failed"}:
        return False
    conditions = status.get("conditions", [])
    return not any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _is_of_step(scene: Scene, command: str) -> bool:
    """Whether the lesson has it typed; an editor, in which the learner works, is none."""
    step = scene.step
    blocks = [*meant_for(scene.environment, step.do), *step.solved_by(scene.environment)]
    told = (
        line for block in blocks if isinstance(block, Run | Look) for line in commands_of(block)
    )
    return _words(command) in (_words(line) for line in told)


def _words(command: str) -> list[str]:
    return command.replace("\\\n", " ").split()
