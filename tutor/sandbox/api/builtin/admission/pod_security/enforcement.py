"""PodSecurity: pods obey the security level of their namespace.

Source: pod-security-admission's `admission`, Kubernetes' `plugin/pkg/admission/security`.
"""

from collections import Counter
from dataclasses import dataclass

from tutor.sandbox.api.builtin.admission.plugin import (
    NAMESPACES,
    PODS,
    Plugin,
    World,
    namespace_labels,
    refusal,
)
from tutor.sandbox.api.builtin.admission.pod_security.checks import evaluate
from tutor.sandbox.api.builtin.admission.pod_security.findings import Finding
from tutor.sandbox.api.builtin.admission.pod_security.policy import Policy, Rules, policy_of
from tutor.sandbox.api.builtin.reading import items, part, text
from tutor.sandbox.api.status import invalid_object
from tutor.sandbox.api.webhooks import Write
from tutor.sandbox.kinds import GroupResource, Object, labels_of, name_of

_TEMPLATES = {
    GroupResource("", "replicationcontrollers"): ("spec", "template"),
    GroupResource("", "podtemplates"): ("template",),
    GroupResource("apps", "replicasets"): ("spec", "template"),
    GroupResource("apps", "deployments"): ("spec", "template"),
    GroupResource("apps", "statefulsets"): ("spec", "template"),
    GroupResource("apps", "daemonsets"): ("spec", "template"),
    GroupResource("batch", "jobs"): ("spec", "template"),
    GroupResource("batch", "cronjobs"): ("spec", "jobTemplate", "spec", "template"),
}
"""Where the kinds that make pods keep the template."""

_JUDGED_SUBRESOURCES = ("", "ephemeralcontainers", "resize")
_MAX_PODS = 3000


@dataclass(frozen=True, slots=True)
class PodSecurity(Plugin):
    """Judges pods, warns of templates, and checks the labels that say how strictly."""

    resources = frozenset({NAMESPACES, PODS, *_TEMPLATES})

    world: World

    def validate(self, write: Write) -> None:
        """Refuse pods that the level of their namespace forbids, and labels that make no sense."""
        if write.operation not in ("CREATE", "UPDATE") or write.new is None:
            return
        resource, subresource = write.served.kind.group_resource, write.call.subresource
        if resource == NAMESPACES and not subresource:
            self._namespace(write, write.new)
        elif resource == PODS and subresource in _JUDGED_SUBRESOURCES:
            if write.old is None or _is_significant(write.new, write.old):
                self._pod(write, write.new)
        elif resource in _TEMPLATES and not subresource:
            template = part(write.new, *_TEMPLATES[resource])
            self._warn(write, self._policy(write), template)

    def _policy(self, write: Write) -> Policy:
        return policy_of(namespace_labels(self.world, write.namespace))

    def _pod(self, write: Write, pod: Object) -> None:
        policy = self._policy(write)
        if found := _findings(policy.enforce, pod):
            why = f'violates PodSecurity "{policy.enforce}": {_told(found)}'
            raise refusal(write, why)
        self._warn(write, policy, pod)

    def _warn(self, write: Write, policy: Policy, pod: Object) -> None:
        if found := _findings(policy.warn, pod):
            write.call.warn([f'would violate PodSecurity "{policy.warn}": {_told(found)}'])

    def _namespace(self, write: Write, namespace: Object) -> None:
        policy = policy_of(labels_of(namespace))
        before = policy_of(labels_of(write.old)) if write.old else None
        if policy.errors and (before is None or policy.errors != before.errors):
            raise invalid_object("", "Namespace", write.name, policy.errors)
        if before is None or policy.enforce == before.enforce:
            return
        same_version = policy.enforce.minor == before.enforce.minor
        if same_version and policy.enforce.strictness <= before.enforce.strictness:
            return
        write.call.warn(self._of_pods(write.name, policy.enforce))

    def _of_pods(self, namespace: str, rules: Rules) -> list[str]:
        """What is said of the pods that are there when their namespace grows stricter."""
        pods = _by_controller(list(self.world.objects_of(PODS, namespace)))
        names: dict[str, str] = {}
        counts: Counter[str] = Counter()
        for pod in pods[:_MAX_PODS]:
            if found := _findings(rules, pod):
                reasons = ", ".join(finding.reason for finding in found)
                counts[reasons] += 1
                names[reasons] = min(names.get(reasons, name_of(pod)), name_of(pod))
        said: list[str] = []
        if rules.level != "privileged" and len(pods) > _MAX_PODS:
            counted = f"against the first {_MAX_PODS} of {len(pods)} existing pods"
            said.append(f"new PodSecurity enforce level only checked {counted}")
        if counts:
            said.append(
                f'existing pods in namespace "{namespace}" violate the new PodSecurity enforce'
                f' level "{rules}"'
            )
        return said + sorted(
            f"{names[reasons]}{_others(count)}: {reasons}" for reasons, count in counts.items()
        )


def _others(count: int) -> str:
    if count == 1:
        return ""
    return f" (and {count - 1} other {'pod' if count == 2 else 'pods'})"


def _findings(rules: Rules, pod: Object) -> list[Finding]:
    return evaluate(rules, part(pod, "metadata"), part(pod, "spec"))


def _told(found: list[Finding]) -> str:
    return ", ".join(str(finding) for finding in found)


def _is_significant(new: Object, old: Object) -> bool:
    """Whether a change of a pod can make it more dangerous."""
    for field in ("containers", "initContainers"):
        before, after = items(old, "spec", field), items(new, "spec", field)
        if [text(one, "image") for one in before] != [text(one, "image") for one in after]:
            return True
    known = {
        text(one, "name"): text(one, "image") for one in items(old, "spec", "ephemeralContainers")
    }
    return any(
        known.get(text(one, "name")) != text(one, "image")
        for one in items(new, "spec", "ephemeralContainers")
    )


def _by_controller(pods: list[Object]) -> list[Object]:
    """One pod of each controller before the others of it."""
    first: list[Object] = []
    further: list[Object] = []
    seen: set[str] = set()
    for pod in pods:
        owners = items(pod, "metadata", "ownerReferences")
        owner = next((text(one, "uid") for one in owners if one.get("controller")), "")
        (further if owner in seen else first).append(pod)
        seen |= {owner} if owner else set()
    return first + further
