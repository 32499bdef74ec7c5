"""DefaultTolerationSeconds: pods stay five minutes on a node that has gone.

Source: Kubernetes' `plugin/pkg/admission/defaulttolerationseconds`.
"""

from tutor.sandbox.api.builtin.admission.plugin import PODS, Plugin, concerns
from tutor.sandbox.api.builtin.reading import ensure, items, text
from tutor.sandbox.api.webhooks import Write

_SECONDS = 300
_TAINTS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
_EFFECT = "NoExecute"


class DefaultTolerationSeconds(Plugin):
    """Adds tolerations to pods that have none of their own."""

    __slots__ = ()
    resources = frozenset({PODS})

    def admit(self, write: Write) -> None:
        """Add a toleration for each taint of a lost node."""
        if write.new is None or not concerns(write, PODS, "CREATE", "UPDATE"):
            return
        spec = ensure(write.new, "spec")
        given = items(spec, "tolerations")
        missing = [
            {"key": key, "operator": "Exists", "effect": _EFFECT, "tolerationSeconds": _SECONDS}
            for key in _TAINTS
            if not any(
                text(one, "key") in (key, "") and text(one, "effect") in (_EFFECT, "")
                for one in given
            )
        ]
        if missing:
            spec["tolerations"] = [*given, *missing]
