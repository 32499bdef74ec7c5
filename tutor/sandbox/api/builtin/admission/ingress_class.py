"""DefaultIngressClass: an Ingress that names no class gets the default one.

Source: Kubernetes' `plugin/pkg/admission/network/defaultingressclass`.
"""

from dataclasses import dataclass

from tutor.sandbox.api.builtin.admission.plugin import Plugin, World, concerns, newest
from tutor.sandbox.api.builtin.reading import ensure
from tutor.sandbox.api.webhooks import Write
from tutor.sandbox.kinds import GroupResource, annotations_of, name_of

INGRESSES = GroupResource("networking.k8s.io", "ingresses")
INGRESS_CLASSES = GroupResource("networking.k8s.io", "ingressclasses")
OLD_CLASS = "kubernetes.io/ingress.class"
_IS_DEFAULT = "ingressclass.kubernetes.io/is-default-class"


@dataclass(frozen=True, slots=True)
class DefaultIngressClass(Plugin):
    """Gives the default class to Ingresses that name none."""

    resources = frozenset({INGRESSES})

    world: World

    def admit(self, write: Write) -> None:
        """Set the ingress class."""
        if write.new is None or not concerns(write, INGRESSES, "CREATE"):
            return
        spec = ensure(write.new, "spec")
        if spec.get("ingressClassName") is not None or OLD_CLASS in annotations_of(write.new):
            return
        classes = self.world.objects_of(INGRESS_CLASSES)
        marked = [one for one in classes if annotations_of(one).get(_IS_DEFAULT) == "true"]
        if default := newest(marked):
            spec["ingressClassName"] = name_of(default)
