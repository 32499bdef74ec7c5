"""PodDisruptionBudgets. Source: `apis/policy/validation/validation.go`, `registry/policy`."""

from tutor.sandbox.api.builtin import checks, go_struct
from tutor.sandbox.api.builtin.behaviour import (
    Behaviour,
    Subpath,
    first_generation,
    keep_status,
)
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.conditions import conditions
from tutor.sandbox.api.builtin.reading import part
from tutor.sandbox.api.builtin.workloads.template import (
    count_changes,
    counts,
    int_or_percent,
    not_over_100_percent,
)
from tutor.sandbox.api.status import invalid
from tutor.sandbox.kinds import Object

_POLICIES = ("AlwaysAllow", "IfHealthyBudget")
_COUNTS = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")


def _prepare_create(obj: Object) -> None:
    obj["status"] = dict.fromkeys(_COUNTS, 0)
    first_generation(obj)


def _prepare_update(new: Object, old: Object) -> None:
    keep_status(new, old)
    count_changes(new, old)


def _validate(obj: Object) -> Errors:
    return _spec(part(obj, "spec"), any_value=False)


def _validate_update(new: Object, old: Object) -> Errors:
    before = part(old, "spec").get("selector")
    lax = bool(checks.label_selector(before, "spec.selector"))
    return _spec(part(new, "spec"), any_value=lax)


def _spec(spec: Object, *, any_value: bool) -> Errors:
    errors: Errors = []
    limits = ("minAvailable", "maxUnavailable")
    given = [field for field in limits if spec.get(field) is not None]
    if len(given) == len(limits):
        shown = go_struct.render("PodDisruptionBudgetSpec", spec)
        errors.append(invalid("spec", shown, "minAvailable and maxUnavailable cannot be both set"))
    for field in given:
        errors += int_or_percent(spec[field], f"spec.{field}")
        errors += not_over_100_percent(spec[field], f"spec.{field}")
    selector = spec.get("selector")
    errors += checks.label_selector(selector, "spec.selector", any_value=any_value)
    if (policy := spec.get("unhealthyPodEvictionPolicy")) is not None:
        errors += checks.one_of(policy, _POLICIES, "spec.unhealthyPodEvictionPolicy")
    return errors


def _validate_status(new: Object, _old: Object) -> Errors:
    status = part(new, "status")
    return conditions(status, "status") + counts(status, *_COUNTS)


POD_DISRUPTION_BUDGET = Behaviour(
    prepare_create=_prepare_create,
    prepare_update=_prepare_update,
    validate=_validate,
    validate_update=_validate_update,
    subpaths={"status": Subpath(validate=_validate_status)},
    unconditional_update=False,
)
