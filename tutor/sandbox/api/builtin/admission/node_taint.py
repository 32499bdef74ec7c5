"""TaintNodesByCondition: a new node takes no pods until the node controller finds it ready.

Source: Kubernetes' `plugin/pkg/admission/nodetaint`.
"""

from tutor.sandbox.api.builtin.admission.plugin import NODES, Plugin, concerns
from tutor.sandbox.api.builtin.reading import ensure
from tutor.sandbox.api.webhooks import Write

_NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}


class TaintNodesByCondition(Plugin):
    """Taints nodes as they register."""

    __slots__ = ()
    resources = frozenset({NODES})

    def admit(self, write: Write) -> None:
        """Add the taint of a node that is not ready."""
        if write.new is None or not concerns(write, NODES, "CREATE"):
            return
        taints = ensure(write.new, "spec").setdefault("taints", [])
        kinds = [(taint.get("key"), taint.get("effect")) for taint in taints]
        if (_NOT_READY["key"], _NOT_READY["effect"]) not in kinds:
            taints.append(dict(_NOT_READY))
