"""DaemonSets. Source: `apis/apps/validation/validation.go`, `registry/apps/daemonset`."""

from tutor.sandbox.api import metadata
from tutor.sandbox.api.builtin import checks, go_struct
from tutor.sandbox.api.builtin.behaviour import (
    Behaviour,
    Subpath,
    first_generation,
    keep_spec,
    keep_status,
)
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.pod.defaults import default_template
from tutor.sandbox.api.builtin.pod.spec import template_spec
from tutor.sandbox.api.builtin.reading import ensure, fill, fill_absent, part, same
from tutor.sandbox.api.builtin.workloads.template import (
    PATH,
    amount,
    count_changes,
    counts,
    int_or_percent,
    is_readable,
    not_decremented,
    not_over_100_percent,
    runs_always,
    selects_template,
    template_warnings,
)
from tutor.sandbox.api.status import invalid, not_supported, required
from tutor.sandbox.kinds import Object, annotations_of

TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"
_COUNTS = (
    "currentNumberScheduled",
    "numberMisscheduled",
    "desiredNumberScheduled",
    "numberReady",
    "observedGeneration",
    "updatedNumberScheduled",
    "numberAvailable",
    "numberUnavailable",
    "collisionCount",
)
_NEW_STATUS = ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled")


def _default(obj: Object) -> None:
    if TEMPLATE_GENERATION not in annotations_of(obj):
        _set_generation(obj, 0)
    spec = obj.setdefault("spec", {})
    default_template(spec.setdefault("template", {}))
    fill_absent(spec, revisionHistoryLimit=10)
    strategy = spec.setdefault("updateStrategy", {})
    fill(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        fill_absent(ensure(strategy, "rollingUpdate"), maxUnavailable=1, maxSurge=0)


def _generation(obj: Object) -> int:
    """The template's own count, which only an annotation shows nowadays."""
    written = annotations_of(obj).get(TEMPLATE_GENERATION, "0")
    return int(written) if written.lstrip("-").isdecimal() else 0


def _set_generation(obj: Object, generation: int) -> None:
    meta = obj.setdefault("metadata", {})
    meta["annotations"] = annotations_of(obj) | {TEMPLATE_GENERATION: str(generation)}


def _prepare_create(obj: Object) -> None:
    obj["status"] = dict.fromkeys((*_NEW_STATUS, "numberReady"), 0)
    first_generation(obj)
    _set_generation(obj, max(_generation(obj), 1))


def _prepare_update(new: Object, old: Object) -> None:
    keep_status(new, old)
    templates = (part(obj, "spec").get("template") for obj in (new, old))
    _set_generation(new, _generation(old) + (0 if same(*templates) else 1))
    count_changes(new, old)


def _spec(spec: Object) -> Errors:
    selector = spec.get("selector")
    errors = checks.label_selector(selector, "spec.selector")
    if is_readable(selector):
        errors += selects_template(spec)
    if selector is not None and not selector.get("matchLabels"):
        why = "empty selector is invalid for daemonset"
        empty = not selector.get("matchExpressions")
        errors += [invalid("spec.selector", selector, why)] if empty else []
    errors += template_spec(part(spec, "template"), PATH) + runs_always(spec, "DaemonSet")
    errors += checks.non_negative(spec.get("minReadySeconds"), "spec.minReadySeconds")
    errors += _strategy(part(spec, "updateStrategy"))
    return errors + checks.non_negative(
        spec.get("revisionHistoryLimit"), "spec.revisionHistoryLimit"
    )


def _strategy(strategy: Object) -> Errors:
    kind = strategy.get("type")
    if kind == "OnDelete":
        return []
    if kind != "RollingUpdate":
        shown = go_struct.render("DaemonSetUpdateStrategy", strategy)
        return [not_supported("spec.updateStrategy", shown, ["RollingUpdate", "OnDelete"])]
    path, rolling = "spec.updateStrategy.rollingUpdate", part(strategy, "rollingUpdate")
    unavailable, surge = rolling.get("maxUnavailable"), rolling.get("maxSurge")
    errors = int_or_percent(unavailable, f"{path}.maxUnavailable")
    errors += int_or_percent(surge, f"{path}.maxSurge")
    errors += not_over_100_percent(unavailable, f"{path}.maxUnavailable")
    errors += not_over_100_percent(surge, f"{path}.maxSurge")
    if amount(unavailable) and amount(surge):
        why = "may not be set when maxUnavailable is non-zero"
        errors.append(invalid(f"{path}.maxSurge", surge, why))
    if not amount(unavailable) and not amount(surge):
        why = "cannot be 0 when maxSurge is 0"
        errors.append(required(f"{path}.maxUnavailable", why))
    return errors


def _validate(obj: Object) -> Errors:
    return metadata.built_in(obj, metadata.dns_subdomain) + _spec(part(obj, "spec"))


def _validate_update(new: Object, old: Object) -> Errors:
    spec, before = part(new, "spec"), part(old, "spec")
    errors = metadata.built_in_update(new, old)
    errors += checks.immutable(spec.get("selector"), before.get("selector"), "spec.selector")
    return errors + _spec(spec)


def _warnings(obj: Object, old: Object | None) -> list[str]:
    if old is not None and _generation(obj) == _generation(old):
        return []
    return template_warnings(obj, None)


def _prepare_status(new: Object, old: Object) -> None:
    keep_spec(new, old)
    _set_generation(new, _generation(old))


def _validate_status(new: Object, old: Object) -> Errors:
    errors = metadata.built_in_update(new, old) + counts(part(new, "status"), *_COUNTS)
    return errors + not_decremented(new, old)


DAEMON_SET = Behaviour(
    default=_default,
    prepare_create=_prepare_create,
    prepare_update=_prepare_update,
    validate=_validate,
    validate_update=_validate_update,
    warnings=_warnings,
    subpaths={"status": Subpath(prepare=_prepare_status, validate=_validate_status)},
)
