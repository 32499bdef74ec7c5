"""NamespaceLifecycle: nothing is made in a namespace that is missing or on its way out.

Source: apiserver's `admission/plugin/namespace/lifecycle`.
"""

from dataclasses import dataclass

from tutor.sandbox.api.builtin.admission.plugin import NAMESPACES, Plugin, World, refusal
from tutor.sandbox.api.builtin.reading import part
from tutor.sandbox.api.status import forbidden, not_found
from tutor.sandbox.api.webhooks import Write
from tutor.sandbox.kinds import GroupResource

IMMORTAL = ("default", "kube-system", "kube-public")
_ACCESS_REVIEW = GroupResource("authorization.k8s.io", "localsubjectaccessreviews")


@dataclass(frozen=True, slots=True)
class NamespaceLifecycle(Plugin):
    """Guards namespaces, and what is written in them."""

    world: World

    def admit(self, write: Write) -> None:
        """Refuse writes to a missing namespace, and new objects in a terminating one."""
        resource, namespace = write.served.kind.group_resource, write.namespace
        if not namespace or resource in (NAMESPACES, _ACCESS_REVIEW):
            return
        found = self.world.find(NAMESPACES, "", namespace)
        if found is None:
            raise not_found(NAMESPACES, namespace)
        if write.operation != "CREATE" or part(found, "status").get("phase") != "Terminating":
            return
        why = f"unable to create new content in namespace {namespace} because it is being"
        error = refusal(write, f"{why} terminated")
        cause = {
            "reason": "NamespaceTerminating",
            "message": f"namespace {namespace} is being terminated",
            "field": "metadata.namespace",
        }
        error.details = {**(error.details or {}), "causes": [cause]}
        raise error

    def validate(self, write: Write) -> None:
        """Refuse to delete the namespaces that every cluster has."""
        resource = write.served.kind.group_resource
        if write.operation == "DELETE" and resource == NAMESPACES and write.name in IMMORTAL:
            raise forbidden(NAMESPACES, write.name, "this namespace may not be deleted")
