"""PriorityClasses and RuntimeClasses.

Source: `apis/scheduling/validation`, `apis/node/validation`, and their registries.
"""

from tutor.sandbox.api import formats, metadata
from tutor.sandbox.api.builtin import checks, go_struct
from tutor.sandbox.api.builtin.behaviour import Behaviour, first_generation
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.pod.defaults import round_up_resources
from tutor.sandbox.api.builtin.pod.resources import requirements
from tutor.sandbox.api.builtin.pod.scheduling import tolerations
from tutor.sandbox.api.builtin.pod.warnings import NODE_LABELS
from tutor.sandbox.api.builtin.reading import fill_absent, items, number, part, text
from tutor.sandbox.api.status import duplicate, forbidden_field
from tutor.sandbox.kinds import Object, name_of

_HIGHEST = 1_000_000_000
_SYSTEM_CLASSES = {
    "system-node-critical": 2_000_001_000,
    "system-cluster-critical": 2_000_000_000,
}
_POLICIES = ("PreemptLowerPriority", "Never")


def _default_priority(obj: Object) -> None:
    fill_absent(obj, preemptionPolicy="PreemptLowerPriority")


def _validate_priority(obj: Object) -> Errors:
    errors = metadata.built_in(obj, metadata.dns_subdomain, namespaced=False)
    name, value = name_of(obj), number(obj, "value")
    if name.startswith("system-"):
        if why := _no_system_class(name, value, is_default=bool(obj.get("globalDefault"))):
            reserved = (
                "priority class names with 'system-' prefix are reserved for system use only."
            )
            errors.append(forbidden_field("metadata.name", f"{reserved} error: {why}"))
    elif value > _HIGHEST:
        why = f"maximum allowed value of a user defined priority is {_HIGHEST}"
        errors.append(forbidden_field("value", why))
    if (policy := obj.get("preemptionPolicy")) is not None:
        errors += checks.required_one_of(policy, _POLICIES, "preemptionPolicy")
    return errors


def _no_system_class(name: str, value: int, *, is_default: bool) -> str:
    """Why a class is none of the system's own; empty when it is."""
    if name not in _SYSTEM_CLASSES:
        return f"{name} is not a known system priority class"
    if value != _SYSTEM_CLASSES[name]:
        return f"value of {name} PriorityClass must be {_SYSTEM_CLASSES[name]}"
    return f"globalDefault of {name} PriorityClass must be false" if is_default else ""


def _validate_priority_update(new: Object, old: Object) -> Errors:
    errors = metadata.built_in_update(new, old)
    if number(new, "value") != number(old, "value"):
        errors.append(forbidden_field("value", "may not be changed in an update."))
    policy, before = new.get("preemptionPolicy"), old.get("preemptionPolicy")
    return errors + checks.immutable(policy, before, "preemptionPolicy")


PRIORITY_CLASS = Behaviour(
    default=_default_priority,
    prepare_create=first_generation,
    validate=_validate_priority,
    validate_update=_validate_priority_update,
)


def _default_runtime(obj: Object) -> None:
    round_up_resources(part(obj, "overhead").get("podFixed"))


def _validate_runtime(obj: Object) -> Errors:
    errors = metadata.built_in(obj, metadata.dns_subdomain, namespaced=False)
    handler = text(obj, "handler")
    if handler:
        errors += checks.obey(formats.dns1123_label, handler, "handler")
    else:
        errors += checks.required_one_of(handler, (), "handler")
    fixed = part(obj, "overhead").get("podFixed")
    if fixed is not None:
        errors += requirements({"limits": fixed}, (), "overhead")
    scheduling, path = part(obj, "scheduling"), "scheduling"
    errors += checks.labels(scheduling.get("nodeSelector"), f"{path}.nodeSelector")
    listed = items(scheduling, "tolerations")
    errors += tolerations(listed, f"{path}.tolerations")
    seen: list[Object] = []
    for index, toleration in enumerate(listed):
        key = {field: text(toleration, field) for field in ("key", "operator", "value", "effect")}
        if key in seen:
            shown = go_struct.render("Toleration", toleration)
            errors.append(duplicate(f"{path}.tolerations[{index}]", shown))
        seen.append(key)
    return errors


def _validate_runtime_update(new: Object, old: Object) -> Errors:
    errors = _validate_runtime(new) + metadata.built_in_update(new, old)
    return errors + checks.immutable(text(new, "handler"), text(old, "handler"), "handler")


def _runtime_warnings(obj: Object, _old: Object | None) -> list[str]:
    selector = part(obj, "scheduling", "nodeSelector")
    return [
        f"scheduling.nodeSelector: {NODE_LABELS[key]}" for key in selector if key in NODE_LABELS
    ]


RUNTIME_CLASS = Behaviour(
    default=_default_runtime,
    validate=_validate_runtime,
    validate_update=_validate_runtime_update,
    warnings=_runtime_warnings,
    create_on_update=True,
    unconditional_update=False,
)
