"""Priority: pods get the number that their priority class stands for.

Source: Kubernetes' `plugin/pkg/admission/priority`, `registry/scheduling/priorityclass/storage`.
"""

from dataclasses import dataclass

from tutor.sandbox.api.builtin.admission.plugin import PODS, Plugin, World, concerns, refusal
from tutor.sandbox.api.builtin.reading import ensure, number, part, text
from tutor.sandbox.api.status import forbidden
from tutor.sandbox.api.webhooks import Write
from tutor.sandbox.kinds import GroupResource, Object, name_of

PRIORITY_CLASSES = GroupResource("scheduling.k8s.io", "priorityclasses")
_OF_THE_SYSTEM = ("system-cluster-critical", "system-node-critical")
_NO_CLASS: Object = {"metadata": {"name": ""}, "preemptionPolicy": "PreemptLowerPriority"}


@dataclass(frozen=True, slots=True)
class Priority(Plugin):
    """Resolves priority classes, and sees to it that one at most is the default."""

    resources = frozenset({PODS, PRIORITY_CLASSES})

    world: World

    def admit(self, write: Write) -> None:
        """Set a new pod's priority, and keep an old one's."""
        if write.new is None or not concerns(write, PODS, "CREATE", "UPDATE"):
            return
        spec = ensure(write.new, "spec")
        if concerns(write, PODS, "CREATE"):
            self._establish(write, spec)
        else:
            before = part(write.old or {}, "spec")
            for field in ("priority", "preemptionPolicy"):
                if spec.get(field) is None and before.get(field) is not None:
                    spec[field] = before[field]

    def validate(self, write: Write) -> None:
        """Refuse a second default class, and that those of the system go."""
        new = write.new or {}
        if concerns(write, PRIORITY_CLASSES, "DELETE") and write.name in _OF_THE_SYSTEM:
            why = "this is a system priority class and cannot be deleted"
            raise forbidden(PRIORITY_CLASSES, write.name, why)
        if not concerns(write, PRIORITY_CLASSES, "CREATE", "UPDATE"):
            return
        default = self._default() if new.get("globalDefault") else None
        if default and (write.operation == "CREATE" or name_of(default) != name_of(new)):
            why = f"PriorityClass {name_of(default)} is already marked as default."
            raise refusal(write, f"{why} Only one default can exist")

    def _establish(self, write: Write, spec: Object) -> None:
        found = self._class_of(write, text(spec, "priorityClassName"))
        if name_of(found):
            spec["priorityClassName"] = name_of(found)
        priority, policy = number(found, "value"), found.get("preemptionPolicy")
        given = spec.get("priority", priority)
        how = "priority admission controller computed"
        if given != priority:
            why = f"the integer value of priority ({given}) must not be provided in pod spec; {how}"
            raise refusal(write, f"{why} {priority} from the given PriorityClass name")
        spec["priority"] = priority
        if policy is None:
            return
        given = spec.get("preemptionPolicy", policy)
        if given != policy:
            why = f"the string value of PreemptionPolicy ({given}) must not be provided in pod spec"
            raise refusal(write, f"{why}; {how} {policy} from the given PriorityClass name")
        spec["preemptionPolicy"] = policy

    def _class_of(self, write: Write, name: str) -> Object:
        if not name:
            return self._default() or _NO_CLASS
        found = self.world.find(PRIORITY_CLASSES, "", name)
        if found is None:
            raise refusal(write, f"no PriorityClass with name {name} was found")
        return found

    def _default(self) -> Object | None:
        """The class of pods that name none; of several, the one that matters least."""
        classes = self.world.objects_of(PRIORITY_CLASSES)
        defaults = [one for one in classes if one.get("globalDefault")]
        return min(defaults, key=lambda one: number(one, "value"), default=None)
