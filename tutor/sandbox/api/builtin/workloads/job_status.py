"""What may be said of a job's progress. Source: `apis/batch/validation/validation.go`.

Each rule is asked only when something that it depends on changes.
"""

from tutor.sandbox.api import metadata
from tutor.sandbox.api.builtin import checks, go_struct
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.reading import indexed, items, number, part, same
from tutor.sandbox.api.builtin.workloads.job_spec import count_indexes
from tutor.sandbox.api.status import FieldError, duplicate, invalid, required
from tutor.sandbox.kinds import Object

_COUNTS = ("active", "succeeded", "failed", "ready", "terminating")
_CONDITIONS = "status.conditions"
_COMPLETED = "status.completionTime"


def _is_true(status: Object, kind: str) -> bool:
    return any(
        condition.get("type") == kind and condition.get("status") == "True"
        for condition in items(status, "conditions")
    )


def _finished(status: Object) -> bool:
    return _is_true(status, "Complete") or _is_true(status, "Failed")


def _about_conditions(why: str) -> FieldError:
    return FieldError(_CONDITIONS, "Invalid value", "FieldValueInvalid", why)


def validate_job_status(new: Object, old: Object) -> Errors:
    """A change of a job's status."""
    errors = metadata.built_in_update(new, old)
    status, before, spec = part(new, "status"), part(old, "status"), part(new, "spec")
    for field in _COUNTS:
        errors += checks.non_negative(status.get(field), f"status.{field}")
    errors += _uncounted(part(status, "uncountedTerminatedPods"))
    errors += _complete(status, before) + _finish(spec, status, before)
    errors += _indexes(spec, status, before) + _criteria(spec, status)
    return errors + _backwards(spec, status, before)


def _uncounted(pods: Object) -> Errors:
    errors: Errors = []
    seen: set[str] = set()
    for field in ("succeeded", "failed"):
        for uid, path in indexed(pods, field, "status.uncountedTerminatedPods"):
            if not uid:
                errors.append(invalid(path, uid, "must not be empty"))
            elif uid in seen:
                errors.append(duplicate(path, uid))
            seen.add(uid)
    return errors


def _changed(status: Object, before: Object, *fields: str) -> bool:
    return any(not same(status.get(field), before.get(field)) for field in fields)


def _turned(status: Object, before: Object, *kinds: str) -> bool:
    return any(_is_true(status, kind) != _is_true(before, kind) for kind in kinds)


def _complete(status: Object, before: Object) -> Errors:
    errors: Errors = []
    complete, failed = _is_true(status, "Complete"), _is_true(status, "Failed")
    if complete and failed and _turned(status, before, "Complete", "Failed"):
        errors.append(_about_conditions("cannot set Complete=True and Failed=true conditions"))
    doomed = _is_true(status, "FailureTarget")
    if complete and doomed and _turned(status, before, "Complete", "FailureTarget"):
        why = "cannot set Complete=True and FailureTarget=true conditions"
        errors.append(_about_conditions(why))
    ended, started = status.get("completionTime"), status.get("startTime")
    if _turned(status, before, "Complete") or _changed(status, before, "completionTime"):
        if ended and not complete:
            why = "cannot set completionTime when there is no Complete=True condition"
            errors.append(invalid(_COMPLETED, ended, why))
        if complete and not ended:
            why = "completionTime is required for Complete jobs"
            errors.append(required(_COMPLETED, why))
    timed = _changed(status, before, "completionTime", "startTime")
    # Both are in UTC and to the second, so that their texts compare as times do.
    if timed and started and ended and ended < started:
        errors.append(invalid(_COMPLETED, ended, "must be equal to or after `startTime`"))
    return errors


def _finish(spec: Object, status: Object, before: Object) -> Errors:
    errors: Errors = []
    failed, complete = _is_true(status, "Failed"), _is_true(status, "Complete")
    asked = _turned(status, before, "Failed") or _changed(status, before, "failedIndexes")
    if asked and failed and not _is_true(status, "FailureTarget"):
        why = "cannot set Failed=True condition without the FailureTarget=true condition"
        errors.append(_about_conditions(why))
    asked = _turned(status, before, "Complete", "SuccessCriteriaMet")
    if asked and complete and not _is_true(status, "SuccessCriteriaMet"):
        why = "cannot set Complete=True condition without the SuccessCriteriaMet=true condition"
        errors.append(_about_conditions(why))
    if not _finished(status):
        return errors
    ended = not _finished(before)
    active = number(status, "active")
    if active > 0 and (ended or _changed(status, before, "active")):
        errors.append(invalid("status.active", active, "active>0 is invalid for finished job"))
    nothing_to_do = bool(spec.get("suspend")) and spec.get("completions") == 0
    asked = (ended or _changed(status, before, "startTime")) and not nothing_to_do
    if asked and not status.get("startTime"):
        errors.append(required("status.startTime", "startTime is required for finished job"))
    return errors + _left_over(status, before, ended=ended)


def _left_over(status: Object, before: Object, *, ended: bool) -> Errors:
    pods = part(status, "uncountedTerminatedPods")
    if not ended and not _changed(status, before, "uncountedTerminatedPods"):
        return []
    if not pods.get("failed") and not pods.get("succeeded"):
        return []
    shown = go_struct.render("UncountedTerminatedPods", pods)
    path = "status.uncountedTerminatedPods"
    return [invalid(path, shown, "must be empty for finished job")]


def _indexes(spec: Object, status: Object, before: Object) -> Errors:
    errors: Errors = []
    done, failed = status.get("completedIndexes") or "", status.get("failedIndexes")
    completions, per_index = spec.get("completions"), spec.get("backoffLimitPerIndex")
    done_changed = _changed(status, before, "completedIndexes")
    failed_changed = _changed(status, before, "failedIndexes")
    if done_changed and completions is not None:
        errors += _readable(done, completions, "completedIndexes")
    if failed_changed and completions is not None and per_index is not None:
        errors += _readable(failed or "", completions, "failedIndexes")
    if done_changed and done and spec.get("completionMode") != "Indexed":
        why = "cannot set non-empty completedIndexes when non-indexed completion mode"
        errors.append(invalid("status.completedIndexes", done, why))
    if failed_changed and failed is not None and per_index is None:
        why = "cannot set non-null failedIndexes when backoffLimitPerIndex is null"
        errors.append(invalid("status.failedIndexes", failed, why))
    terminating = number(status, "terminating")
    asked = _finished(status) != _finished(before) or _changed(status, before, "terminating")
    if asked and terminating > 0 and _finished(status):
        why = "terminating>0 is invalid for finished job"
        errors.append(invalid("status.terminating", terminating, why))
    ready = status.get("ready")
    asked = _changed(status, before, "ready", "active")
    if asked and ready is not None and ready > number(status, "active"):
        errors.append(invalid("status.ready", ready, "cannot set more ready pods than active"))
    return errors


def _readable(written: str, completions: int, field: str) -> Errors:
    try:
        count_indexes(written, completions)
    except ValueError as error:
        return [invalid(f"status.{field}", written, f"error parsing {field}: {error}")]
    return []


def _criteria(spec: Object, status: Object) -> Errors:
    errors: Errors = []
    met = _is_true(status, "SuccessCriteriaMet")
    for kind in ("Failed", "FailureTarget"):
        if met and _is_true(status, kind):
            why = f"cannot set SuccessCriteriaMet=True and {kind}=true conditions"
            errors.append(_about_conditions(why))
    if spec.get("successPolicy") is not None and not met and _is_true(status, "Complete"):
        why = "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True"
        errors.append(_about_conditions(why))
    return errors


def _backwards(spec: Object, status: Object, before: Object) -> Errors:
    """What was said once is not taken back."""
    errors: Errors = []
    for kind in ("Failed", "Complete", "FailureTarget"):
        if _is_true(before, kind) and not _is_true(status, kind):
            why = f"cannot disable the terminal {kind}=True condition"
            errors.append(_about_conditions(why))
    elastic = spec.get("completionMode") == "Indexed" and same(
        spec.get("completions"), spec.get("parallelism")
    )
    for field in ("failed",) if elastic else ("failed", "succeeded"):
        if number(status, field) < number(before, field):
            why = f"cannot decrease the {field} counter"
            errors.append(invalid(f"status.{field}", number(status, field), why))
    ended, was = status.get("completionTime"), before.get("completionTime")
    if ended and was and ended != was:
        errors.append(invalid(_COMPLETED, ended, "field is immutable"))
    started, was = status.get("startTime"), before.get("startTime")
    resuming = _is_true(before, "Suspended") and not _is_true(status, "Suspended")
    if was and started != was and not spec.get("suspend") and not resuming:
        why = "field is immutable for unsuspended job once set"
        errors.append(invalid("status.startTime", started, why))
    return errors + _met(status, before)


def _met(status: Object, before: Object) -> Errors:
    met, was_met = (_is_true(one, "SuccessCriteriaMet") for one in (status, before))
    if was_met and not met:
        return [_about_conditions("cannot disable the SuccessCriteriaMet=True condition")]
    if _is_true(before, "Complete") and met and not was_met:
        why = "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions"
        return [_about_conditions(why)]
    return []
