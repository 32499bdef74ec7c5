"""PodResizeValidator: a pod grows no larger than its node.

Source: Kubernetes' `plugin/pkg/admission/podresize`.
"""

from dataclasses import dataclass

from tutor.sandbox.api.builtin import quantity
from tutor.sandbox.api.builtin.admission.plugin import (
    NODES,
    PODS,
    Plugin,
    World,
    concerns,
    refusal,
)
from tutor.sandbox.api.builtin.pod.totals import pod_requests
from tutor.sandbox.api.builtin.reading import part, text
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.api.webhooks import Write
from tutor.sandbox.kinds import Object, labels_of, name_of

_OS = "kubernetes.io/os"


@dataclass(frozen=True, slots=True)
class PodResizeValidator(Plugin):
    """Compares what a pod asks for with what its node has."""

    resources = frozenset({PODS})

    world: World

    def validate(self, write: Write) -> None:
        """Refuse what can never fit."""
        if not concerns(write, PODS, "UPDATE", subresource="resize"):
            return
        new, old = write.new or {}, write.old or {}
        name = text(part(new, "spec"), "nodeName")
        same = part(new, "metadata").get("generation") == part(old, "metadata").get("generation")
        if not name or same:
            return
        node = self.world.find(NODES, "", name)
        if node is None:
            raise refusal(write, f'node "{name}" not found')
        system = labels_of(node).get(_OS, "linux")
        if system != "linux":
            why = f'pod resize is only supported on linux nodes, node "{name_of(node)}"'
            raise _refused(write, f'{why} is "{system}"', "UnsupportedPlatform")
        if lacking := _lacking(new, part(node, "status", "allocatable")):
            why = f"node didn't have enough allocatable resources: {'; '.join(lacking)}"
            raise _refused(write, why, "NodeCapacity")


def _refused(write: Write, why: str, reason: str) -> ApiError:
    error = refusal(write, why)
    error.details = {**(error.details or {}), "causes": [{"reason": reason}]}
    return error


def _lacking(pod: Object, allocatable: Object) -> list[str]:
    wanted, there = pod_requests(pod), quantity.parse_all(allocatable)
    said: list[str] = []
    for name in ("cpu", "memory"):
        asked, has = wanted.get(name, quantity.ZERO), there.get(name, quantity.ZERO)
        if asked > has:
            shown = (
                (asked.milli_value, has.milli_value) if name == "cpu" else (asked.value, has.value)
            )
            said.append(f"{name}, requested: {shown[0]}, allocatable: {shown[1]}")
    return said
