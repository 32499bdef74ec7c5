"""Deployments. Source: `apis/apps/validation/validation.go`, `registry/apps/deployment`."""

from tutor.sandbox.api import metadata
from tutor.sandbox.api.builtin import checks, go_struct
from tutor.sandbox.api.builtin.behaviour import (
    Behaviour,
    Subpath,
    first_generation,
    keep_spec,
    keep_status,
    next_generation,
)
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.pod.defaults import default_template
from tutor.sandbox.api.builtin.reading import ensure, fill, fill_absent, keep, number, part, same
from tutor.sandbox.api.builtin.workloads.template import (
    amount,
    counts,
    int_or_percent,
    named_warnings,
    not_decremented,
    not_more,
    not_over_100_percent,
    selector_and_template,
)
from tutor.sandbox.api.status import forbidden_field, invalid, not_supported
from tutor.sandbox.kinds import Object, annotations_of

_COUNTS = (
    "observedGeneration",
    "replicas",
    "updatedReplicas",
    "readyReplicas",
    "availableReplicas",
    "unavailableReplicas",
    "terminatingReplicas",
    "collisionCount",
)


def _default(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    default_template(spec.setdefault("template", {}))
    fill_absent(spec, replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600)
    strategy = spec.setdefault("strategy", {})
    fill(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        fill_absent(ensure(strategy, "rollingUpdate"), maxUnavailable="25%", maxSurge="25%")


def _prepare_create(obj: Object) -> None:
    obj["status"] = {}
    first_generation(obj)


def _prepare_update(new: Object, old: Object) -> None:
    keep_status(new, old)
    # Annotations count here, since the controller copies them to replica sets.
    annotated = annotations_of(new) != annotations_of(old)
    if annotated or not same(new.get("spec"), old.get("spec")):
        next_generation(new, old)


def _spec(spec: Object) -> Errors:
    errors = checks.non_negative(spec.get("replicas"), "spec.replicas")
    errors += selector_and_template(spec) + _strategy(part(spec, "strategy"))
    for field in ("minReadySeconds", "revisionHistoryLimit"):
        errors += checks.non_negative(spec.get(field), f"spec.{field}")
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is None:
        return errors
    path = "spec.progressDeadlineSeconds"
    errors += checks.non_negative(deadline, path)
    if deadline <= number(spec, "minReadySeconds"):
        errors.append(invalid(path, deadline, "must be greater than minReadySeconds"))
    return errors


def _strategy(strategy: Object) -> Errors:
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    path = "spec.strategy.rollingUpdate"
    if kind == "RollingUpdate":
        return _rolling(rolling or {}, path)
    if kind != "Recreate":
        shown = go_struct.render("DeploymentStrategy", strategy)
        return [not_supported("spec.strategy", shown, ["Recreate", "RollingUpdate"])]
    if rolling is None:
        return []
    why = "may not be specified when strategy `type` is 'Recreate'"
    return [forbidden_field(path, why)]


def _rolling(rolling: Object, path: str) -> Errors:
    unavailable, surge = rolling.get("maxUnavailable"), rolling.get("maxSurge")
    errors = int_or_percent(unavailable, f"{path}.maxUnavailable")
    errors += int_or_percent(surge, f"{path}.maxSurge")
    if amount(unavailable) == 0 and amount(surge) == 0:
        why = "may not be 0 when `maxSurge` is 0"
        errors.append(invalid(f"{path}.maxUnavailable", unavailable, why))
    return errors + not_over_100_percent(unavailable, f"{path}.maxUnavailable")


def _validate(obj: Object) -> Errors:
    return metadata.built_in(obj, metadata.dns_subdomain) + _spec(part(obj, "spec"))


def _validate_update(new: Object, old: Object) -> Errors:
    spec, before = part(new, "spec"), part(old, "spec")
    errors = metadata.built_in_update(new, old) + _spec(spec)
    return errors + checks.immutable(spec.get("selector"), before.get("selector"), "spec.selector")


def _prepare_status(new: Object, old: Object) -> None:
    keep_spec(new, old)
    keep(part(new, "metadata"), part(old, "metadata"), "labels")


def _validate_status(new: Object, old: Object) -> Errors:
    status = part(new, "status")
    errors = metadata.built_in_update(new, old) + counts(status, *_COUNTS)
    for field in ("updatedReplicas", "readyReplicas", "availableReplicas"):
        errors += not_more(status, field, "replicas", "status.replicas")
    errors += not_more(status, "availableReplicas", "readyReplicas", "readyReplicas")
    return errors + not_decremented(new, old)


DEPLOYMENT = Behaviour(
    default=_default,
    prepare_create=_prepare_create,
    prepare_update=_prepare_update,
    validate=_validate,
    validate_update=_validate_update,
    warnings=named_warnings,
    subpaths={"status": Subpath(prepare=_prepare_status, validate=_validate_status)},
)
