"""Jobs and cron jobs. Source: `apis/batch/validation/validation.go`, `registry/batch`."""

from tutor.sandbox.api import formats, metadata
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
from tutor.sandbox.api.builtin.pod.warnings import name_warning, pod_warnings
from tutor.sandbox.api.builtin.reading import (
    INT32_MAX,
    ensure,
    fill,
    fill_absent,
    items,
    keep,
    number,
    ordered,
    part,
    same,
    text,
)
from tutor.sandbox.api.builtin.workloads.job_spec import job_spec
from tutor.sandbox.api.builtin.workloads.job_status import validate_job_status
from tutor.sandbox.api.builtin.workloads.schedule import schedule_errors, time_zone_errors
from tutor.sandbox.api.builtin.workloads.template import count_changes, counted
from tutor.sandbox.api.status import invalid, not_supported, required
from tutor.sandbox.kinds import Object, labels_of, name_of, thaw

_NAME_LABELS = ("job-name", "batch.kubernetes.io/job-name")
_AFTER_LABELS = ("annotations", "ownerReferences", "finalizers", "managedFields")
_UID_LABELS = ("controller-uid", "batch.kubernetes.io/controller-uid")
_IMMUTABLE = {
    "completionMode": "",
    "podFailurePolicy": "PodFailurePolicy",
    "backoffLimitPerIndex": "",
    "managedBy": "",
    "successPolicy": "SuccessPolicy",
}
_MANY_COMPLETIONS, _MANY_PODS = 100_000, 10_000
_LONGEST_CRON_JOB = 52


def default_job_spec(spec: Object) -> None:
    """Fill in a job's spec as far as a cron job's template does it too, in place."""
    default_template(spec.setdefault("template", {}))
    for rule in items(spec, "podFailurePolicy", "rules"):
        for pattern in items(rule, "onPodConditions"):
            fill(pattern, status="True")


def _default(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    default_job_spec(spec)
    if spec.get("parallelism") is None and spec.get("completions") is None:
        spec["completions"] = 1
    per_index = spec.get("backoffLimitPerIndex") is not None
    judged = spec.get("podFailurePolicy") is not None
    fill_absent(
        spec,
        parallelism=1,
        backoffLimit=INT32_MAX if per_index else 6,
        completionMode="NonIndexed",
        suspend=False,
        podReplacementPolicy="Failed" if judged else "TerminatingOrFailed",
        manualSelector=False,
    )
    _share_labels(obj)


def _share_labels(obj: Object) -> None:
    labels = part(obj, "spec", "template", "metadata", "labels")
    if labels and not labels_of(obj):
        # One map, as in the real server: the job shows what is added to its template's labels.
        meta = obj.setdefault("metadata", {})
        later = [name for name in _AFTER_LABELS if name in meta]
        meta["labels"] = labels
        meta |= {name: meta.pop(name) for name in later}


def _prepare_create(obj: Object) -> None:
    spec = part(obj, "spec")
    if not spec.get("manualSelector"):
        _generate_selector(obj, spec)
    obj["status"] = {}
    first_generation(obj)


def _generate_selector(obj: Object, spec: Object) -> None:
    """A job finds its pods by its own UID, which must be there already."""
    name, uid = name_of(obj), text(part(obj, "metadata"), "uid")
    meta = spec["template"].setdefault("metadata", {})
    given = dict.fromkeys(_NAME_LABELS, name) | dict.fromkeys(_UID_LABELS, uid)
    labels = ensure(meta, "labels")
    for key, value in given.items():
        labels.setdefault(key, value)
    selector = ensure(spec, "selector")
    selector["matchLabels"] = ordered({_UID_LABELS[1]: uid} | part(selector, "matchLabels"))


def _prepare_update(new: Object, old: Object) -> None:
    keep_status(new, old)
    count_changes(new, old)


def _generated(obj: Object, *, prefixed: bool) -> Errors:
    """The labels that a generated selector needs are on the template."""
    spec = part(obj, "spec")
    selector = spec.get("selector")
    if spec.get("manualSelector") or selector is None:
        return []
    uid, name = text(part(obj, "metadata"), "uid"), name_of(obj)
    errors = [] if uid else [required("metadata.uid")]
    labels = part(spec, "template", "metadata", "labels")
    expected: dict[str, str] = {}
    for position in (0, 1) if prefixed else (0,):
        pair = {_UID_LABELS[position]: uid, _NAME_LABELS[position]: name}
        expected |= pair
        errors += [_label(labels, *wanted) for wanted in pair.items() if _lacks(labels, *wanted)]
    readable = not checks.label_selector(selector, "")
    if readable and not checks.selector_matches(selector, expected):
        errors.append(invalid("spec.selector", selector, "`selector` not auto-generated"))
    return errors


def _lacks(labels: Object, key: str, value: str) -> bool:
    return labels.get(key) != value


def _label(labels: Object, key: str, value: str) -> checks.FieldError:
    path, why = f"spec.template.metadata.labels[{key}]", f"must be '{value}'"
    return invalid(path, ordered(labels), why) if key in labels else required(path, why)


def _spec(spec: Object) -> Errors:
    errors = job_spec(spec, "spec")
    selector = spec.get("selector")
    if selector is None:
        errors.append(required("spec.selector"))
    errors += checks.label_selector(selector, "spec.selector")
    labels = part(spec, "template", "metadata", "labels")
    if checks.label_selector(selector, ""):
        return errors
    if selector is None or not checks.selector_matches(selector, labels):
        why = "`selector` does not match template `labels`"
        path = "spec.template.metadata.labels"
        errors.append(invalid(path, ordered(labels) or None, why))
    return errors


def _validate(obj: Object) -> Errors:
    return _validate_job(obj, prefixed=True)


def _validate_job(obj: Object, *, prefixed: bool) -> Errors:
    errors = metadata.built_in(obj, metadata.dns_subdomain)
    spec = part(obj, "spec")
    errors += _generated(obj, prefixed=prefixed) + _spec(spec)
    completions = number(spec, "completions")
    if spec.get("completionMode") == "Indexed" and completions > 0:
        host = f"{name_of(obj)}-{completions - 1}"
        if formats.dns1123_label(host):
            why = f"will not able to create pod with invalid DNS label: {host}"
            errors.append(invalid("metadata.name", name_of(obj), why))
    return errors


def _validate_update(new: Object, old: Object) -> Errors:
    spec, before = part(new, "spec"), part(old, "spec")
    known = part(before, "template", "metadata", "labels")
    prefixed = _NAME_LABELS[1] in known and _UID_LABELS[1] in known
    errors = _validate_job(new, prefixed=prefixed)
    errors += metadata.built_in_update(new, old) + _spec(spec)
    errors += _completions(spec, before)
    errors += checks.immutable(spec.get("selector"), before.get("selector"), "spec.selector")
    errors += _template_change(spec, before, part(old, "status"))
    for field, structure in _IMMUTABLE.items():
        if not same(spec.get(field), before.get(field)):
            given = spec.get(field)
            shown = go_struct.render(structure, given) if structure and given else given
            errors.append(invalid(f"spec.{field}", shown, checks.IMMUTABLE))
    return errors


def _completions(spec: Object, before: Object) -> Errors:
    now, was = spec.get("completions"), before.get("completions")
    if spec.get("completionMode") != "Indexed":
        return checks.immutable(now, was, "spec.completions")
    if now in (None, was) or now == spec.get("parallelism"):
        return []
    why = "can only be modified in tandem with spec.parallelism"
    return [invalid("spec.completions", now, why)]


def _template_change(spec: Object, before: Object, status: Object) -> Errors:
    """A job that is suspended and has nothing running may be given other pods to make."""
    template, known = part(spec, "template"), thaw(part(before, "template"))
    suspended = bool(before.get("suspend"))
    idle = not status.get("startTime") or _is_true(status, "Suspended")
    if suspended and idle and not number(status, "active"):
        _take_scheduling(known, template)
        _take_resources(part(known, "spec"), part(template, "spec"))
        if same(part(template, "spec"), part(known, "spec")):
            return []
        shown = go_struct.render("PodSpec", part(template, "spec"))
        return [invalid("spec.template.spec", shown, checks.IMMUTABLE)]
    if same(template, known):
        return []
    shown = go_struct.render("PodTemplateSpec", template)
    return [invalid("spec.template", shown, checks.IMMUTABLE)]


def _is_true(status: Object, kind: str) -> bool:
    return any(
        condition.get("type") == kind and condition.get("status") == "True"
        for condition in items(status, "conditions")
    )


def _take_scheduling(known: Object, template: Object) -> None:
    pod, wanted = part(known, "spec"), part(template, "spec")
    keep(pod, wanted, "nodeSelector", "tolerations", "schedulingGates")
    keep(known.setdefault("metadata", {}), part(template, "metadata"), "annotations", "labels")
    affinity = dict(part(pod, "affinity"))
    keep(affinity, part(wanted, "affinity"), "nodeAffinity")
    pod["affinity"] = affinity or wanted.get("affinity")


def _take_resources(known: Object, pod: Object) -> None:
    for field in ("containers", "initContainers"):
        listed, wanted = items(known, field), items(pod, field)
        if len(listed) != len(wanted):
            continue
        for container, other in zip(listed, wanted, strict=True):
            if container.get("name") == other.get("name"):
                keep(container, other, "resources")


def _spec_warnings(spec: Object, path: str) -> list[str]:
    said: list[str] = []
    completions, parallel = number(spec, "completions"), number(spec, "parallelism")
    indexed = spec.get("completionMode") == "Indexed"
    if indexed and completions > _MANY_COMPLETIONS and parallel > _MANY_PODS:
        said.append(
            f"{path}: In Indexed Jobs with a number of completions higher than 10^5 and a "
            "parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes "
            "when a big number of indexes fail"
        )
    template = part(spec, "template")
    meta, pod = part(template, "metadata"), part(template, "spec")
    return said + pod_warnings(meta, pod, f"{path}.template")


def _warnings(obj: Object, old: Object | None) -> list[str]:
    said = [] if old is not None else name_warning(name_of(obj), "Pod names and hostnames")
    return said + (_spec_warnings(part(obj, "spec"), "spec") if counted(obj, old) else [])


JOB = Behaviour(
    default=_default,
    read_back=_share_labels,
    prepare_create=_prepare_create,
    prepare_update=_prepare_update,
    validate=_validate,
    validate_update=_validate_update,
    warnings=_warnings,
    subpaths={"status": Subpath(prepare=keep_spec, validate=validate_job_status)},
)


def _default_cron_job(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    fill(spec, concurrencyPolicy="Allow")
    fill_absent(spec, suspend=False, successfulJobsHistoryLimit=3, failedJobsHistoryLimit=1)
    default_job_spec(spec.setdefault("jobTemplate", {}).setdefault("spec", {}))


def _prepare_cron_job(obj: Object) -> None:
    obj["status"] = {}
    first_generation(obj)


def _cron_spec(spec: Object, before: Object | None) -> Errors:
    errors: Errors = []
    zone = spec.get("timeZone")
    if schedule := text(spec, "schedule"):
        zoned_before = before is not None and "TZ" in text(before, "schedule")
        errors += schedule_errors(schedule, zoned_before=zoned_before, time_zone=zone)
    else:
        errors.append(required("spec.schedule"))
    seconds = spec.get("startingDeadlineSeconds")
    errors += checks.non_negative(seconds, "spec.startingDeadlineSeconds")
    if before is None or before.get("timeZone") != zone:
        errors += time_zone_errors(zone)
    policies = ("Allow", "Forbid", "Replace")
    errors += checks.required_one_of(
        spec.get("concurrencyPolicy"), policies, "spec.concurrencyPolicy"
    )
    errors += _job_template(part(spec, "jobTemplate", "spec"), "spec.jobTemplate.spec")
    for field in ("successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
        errors += checks.non_negative(spec.get(field), f"spec.{field}")
    return errors


def _job_template(spec: Object, path: str) -> Errors:
    errors = job_spec(spec, path)
    if (selector := spec.get("selector")) is not None:
        errors.append(invalid(f"{path}.selector", selector, "`selector` will be auto-generated"))
    if spec.get("manualSelector"):
        errors.append(not_supported(f"{path}.manualSelector", True, ["nil", "false"]))
    return errors


def _validate_cron_job(obj: Object) -> Errors:
    errors = metadata.built_in(obj, metadata.dns_subdomain)
    errors += _cron_spec(part(obj, "spec"), None)
    if len(name_of(obj)) > _LONGEST_CRON_JOB:
        why = f"must be no more than {_LONGEST_CRON_JOB} characters"
        errors.append(invalid("metadata.name", name_of(obj), why))
    return errors


def _validate_cron_job_update(new: Object, old: Object) -> Errors:
    errors = metadata.built_in_update(new, old)
    return errors + _cron_spec(part(new, "spec"), part(old, "spec"))


def _cron_job_warnings(obj: Object, old: Object | None) -> list[str]:
    said = [] if old is not None else name_warning(name_of(obj), "Pod names and hostnames")
    if counted(obj, old):
        said += _spec_warnings(part(obj, "spec", "jobTemplate", "spec"), "spec.jobTemplate.spec")
    if old is not None and "TZ" in text(part(obj, "spec"), "schedule"):
        where = "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/"
        said.append(
            "cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see "
            f"{where} for more details"
        )
    return said


def _no_errors(_new: Object, _old: Object) -> Errors:
    return []


CRON_JOB = Behaviour(
    default=_default_cron_job,
    prepare_create=_prepare_cron_job,
    prepare_update=_prepare_update,
    validate=_validate_cron_job,
    validate_update=_validate_cron_job_update,
    warnings=_cron_job_warnings,
    subpaths={"status": Subpath(prepare=keep_spec, validate=_no_errors)},
)
