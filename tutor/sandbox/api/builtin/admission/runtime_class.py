"""RuntimeClass: pods get the overhead and the scheduling rules of their container runtime.

Source: Kubernetes' `plugin/pkg/admission/runtimeclass`, `pkg/util/tolerations`.
"""

from dataclasses import dataclass

from tutor.sandbox.api.builtin import quantity
from tutor.sandbox.api.builtin.admission.plugin import PODS, Plugin, World, concerns, refusal
from tutor.sandbox.api.builtin.reading import ensure, items, part, same, text
from tutor.sandbox.api.webhooks import Write
from tutor.sandbox.kinds import GroupResource, Object, thaw

RUNTIME_CLASSES = GroupResource("node.k8s.io", "runtimeclasses")


@dataclass(frozen=True, slots=True)
class RuntimeClass(Plugin):
    """Applies runtime classes to new pods."""

    resources = frozenset({PODS})

    world: World

    def admit(self, write: Write) -> None:
        """Set overhead, node selector and tolerations."""
        if write.new is None or not concerns(write, PODS, "CREATE"):
            return
        spec = ensure(write.new, "spec")
        found = self._class_of(write, spec)
        overhead = part(found, "overhead").get("podFixed")
        if overhead is not None:
            if spec.get("overhead") and not _equal(spec["overhead"], overhead):
                raise _mismatch(write)
            spec["overhead"] = dict(overhead)
        if scheduling := found.get("scheduling"):
            _schedule(write, spec, scheduling)

    def validate(self, write: Write) -> None:
        """Refuse an overhead that is not that of the class."""
        if not concerns(write, PODS, "CREATE"):
            return
        spec = part(write.new or {}, "spec")
        overhead = part(self._class_of(write, spec), "overhead").get("podFixed")
        if overhead is not None:
            if not _equal(part(spec, "overhead"), overhead):
                raise _mismatch(write)
        elif spec.get("overhead") is not None:
            why = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined"
            raise refusal(write, f"{why} Overhead")

    def _class_of(self, write: Write, spec: Object) -> Object:
        name = spec.get("runtimeClassName")
        if name is None:
            return {}
        found = self.world.find(RUNTIME_CLASSES, "", name)
        if found is None:
            raise refusal(write, f'pod rejected: RuntimeClass "{name}" not found')
        return found


def _mismatch(write: Write) -> Exception:
    why = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"
    return refusal(write, why)


def _equal(one: Object, other: Object) -> bool:
    def amounts(listed: Object) -> Object:
        return {name: value.amount for name, value in quantity.parse_all(listed).items()}

    return amounts(one) == amounts(other)


def _schedule(write: Write, spec: Object, scheduling: Object) -> None:
    own = part(spec, "nodeSelector")
    for key, value in sorted(part(scheduling, "nodeSelector").items()):
        if key in own and own[key] != value:
            why = f"conflict: runtimeClass.scheduling.nodeSelector[{key}] = {value};"
            raise refusal(write, f"{why} pod.spec.nodeSelector[{key}] = {own[key]}")
        ensure(spec, "nodeSelector")[key] = value
    together = [*items(spec, "tolerations"), *thaw(items(scheduling, "tolerations"))]
    if merged := _merged(together):
        spec["tolerations"] = merged


def _merged(every: list[Object]) -> list[Object]:
    """Tolerations without those that another one covers."""
    merged: list[Object] = []
    for index, one in enumerate(every):
        later = (other for other in every[index + 1 :] if not same(one, other))
        if not any(_covers(other, one) for other in (*merged, *later)):
            merged.append(one)
    return merged


def _covers(wide: Object, narrow: Object) -> bool:
    if same(wide, narrow):
        return True
    exists = wide.get("operator") == "Exists"
    key, effect = text(wide, "key"), text(wide, "effect")
    if text(narrow, "key") != key and (key or not exists):
        return False
    if effect and text(narrow, "effect") != effect:
        return False
    limit, stays = wide.get("tolerationSeconds"), narrow.get("tolerationSeconds")
    if effect == "NoExecute" and limit is not None and (stays is None or stays > limit):
        return False
    return exists or (
        narrow.get("operator") == "Equal" and narrow.get("value") == wide.get("value")
    )
