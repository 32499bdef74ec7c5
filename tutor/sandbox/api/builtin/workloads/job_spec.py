"""What a job is to do, and when it has failed. Source: `apis/batch/validation/validation.go`."""

import re

from tutor.sandbox.api import formats
from tutor.sandbox.api.builtin import checks, go_struct
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.pod.spec import template_spec
from tutor.sandbox.api.builtin.reading import indexed, items, number, part, text
from tutor.sandbox.api.status import (
    FieldError,
    duplicate,
    go_quote,
    invalid,
    not_supported,
    required,
    too_long,
    too_many,
)
from tutor.sandbox.kinds import Object

_NUMBERS = (
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
    "backoffLimitPerIndex",
    "maxFailedIndexes",
)
_ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
_MANY, _FEWER = 100_000, 10_000
_RULES, _CODES, _LONGEST_MANAGER, _LONGEST_INDEXES = 20, 255, 63, 64 * 1024


def job_spec(spec: Object, path: str) -> Errors:
    """All rules of a job's spec but those of its selector."""
    errors: Errors = []
    for field in _NUMBERS:
        errors += checks.non_negative(spec.get(field), f"{path}.{field}")
    per_index, most = spec.get("backoffLimitPerIndex"), spec.get("maxFailedIndexes")
    if most is not None and per_index is None:
        why = "when maxFailedIndexes is specified"
        errors.append(required(f"{path}.backoffLimitPerIndex", why))
    if (manager := spec.get("managedBy")) is not None:
        errors += _manager(manager, f"{path}.managedBy")
    errors += _mode(spec, path) + _policies(spec, path)
    errors += template_spec(part(spec, "template"), f"{path}.template")
    return errors + _restart(spec, f"{path}.template.spec.restartPolicy")


def _manager(manager: str, path: str) -> Errors:
    errors = checks.domain_prefixed_path(manager, path)
    if len(manager) > _LONGEST_MANAGER:
        errors.append(too_long(path, _LONGEST_MANAGER))
    return errors


def _mode(spec: Object, path: str) -> Errors:
    mode = spec.get("completionMode")
    errors: Errors = []
    if mode not in (None, "NonIndexed", "Indexed"):
        modes = ("NonIndexed", "Indexed")
        errors.append(not_supported(f"{path}.completionMode", mode, modes))
    if mode == "Indexed":
        return errors + _indexed(spec, path)
    if mode in (None, "NonIndexed"):
        errors += [
            invalid(f"{path}.{field}", spec[field], "requires indexed completion mode")
            for field in ("backoffLimitPerIndex", "maxFailedIndexes")
            if spec.get(field) is not None
        ]
    return errors


def _indexed(spec: Object, path: str) -> Errors:
    errors: Errors = []
    completions, parallel = spec.get("completions"), number(spec, "parallelism")
    most, at = spec.get("maxFailedIndexes"), f"{path}.maxFailedIndexes"
    if completions is None:
        errors.append(required(f"{path}.completions", "when completion mode is Indexed"))
    if parallel > _MANY:
        why = f"must be less than or equal to {_MANY} when completion mode is Indexed"
        errors.append(invalid(f"{path}.parallelism", parallel, why))
    if completions is not None and most is not None and most > completions:
        errors.append(invalid(at, most, "must be less than or equal to completions"))
    if (most or 0) > _MANY:
        errors.append(invalid(at, most, f"must be less than or equal to {_MANY}"))
    if (completions or 0) > _MANY and spec.get("backoffLimitPerIndex") is not None:
        errors += _many(spec, path)
    return errors


def _many(spec: Object, path: str) -> Errors:
    errors: Errors = []
    most, parallel = spec.get("maxFailedIndexes"), number(spec, "parallelism")
    above = f"when completions are above {_MANY}"
    if most is None:
        why = f"must be specified {above}"
        errors.append(required(f"{path}.maxFailedIndexes", why))
    used = f"must be less than or equal to {_FEWER} {above} and used with backoff limit per index"
    if parallel > _FEWER:
        errors.append(invalid(f"{path}.parallelism", parallel, used))
    if (most or 0) > _FEWER:
        errors.append(invalid(f"{path}.maxFailedIndexes", most, used))
    return errors


def _policies(spec: Object, path: str) -> Errors:
    errors: Errors = []
    failure, success = spec.get("podFailurePolicy"), spec.get("successPolicy")
    if failure is not None:
        errors += _failure_policy(spec, failure, f"{path}.podFailurePolicy")
    if success is not None:
        at = f"{path}.successPolicy"
        if spec.get("completionMode") == "Indexed":
            errors += _success_policy(spec, success, at)
        else:
            shown = go_struct.render("SuccessPolicy", success)
            errors.append(invalid(at, shown, "requires indexed completion mode"))
    replacement = spec.get("podReplacementPolicy")
    if replacement is not None:
        known = ("Failed",) if failure is not None else ("Failed", "TerminatingOrFailed")
        errors += checks.one_of(replacement, known, f"{path}.podReplacementPolicy")
    return errors


def _restart(spec: Object, path: str) -> Errors:
    policy = text(part(spec, "template", "spec"), "restartPolicy")
    if policy in ("", "Always"):
        return [required(path, 'valid values: "OnFailure", "Never"')]
    if policy not in ("OnFailure", "Never"):
        return [not_supported(path, policy, ("OnFailure", "Never"))]
    if spec.get("podFailurePolicy") is not None and policy != "Never":
        why = 'only "Never" is supported when podFailurePolicy is specified'
        return [invalid(path, policy, why)]
    return []


def _listed(values: tuple[str, ...]) -> str:
    return "valid values: [" + " ".join(map(go_quote, values)) + "]"


def _failure_policy(spec: Object, policy: Object, path: str) -> Errors:
    rules = items(policy, "rules")
    errors = [too_many(f"{path}.rules", len(rules), _RULES)] if len(rules) > _RULES else []
    pod = part(spec, "template", "spec")
    names = {
        text(container, "name")
        for field in ("containers", "initContainers")
        for container in items(pod, field)
    }
    for rule, at in indexed(policy, "rules", path):
        errors += _failure_rule(spec, rule, names, at)
    return errors


def _failure_rule(spec: Object, rule: Object, names: set[str], path: str) -> Errors:
    errors: Errors = []
    action, at = text(rule, "action"), f"{path}.action"
    if not action:
        errors.append(required(at, _listed(_ACTIONS)))
    elif action not in _ACTIONS:
        errors.append(not_supported(at, action, _ACTIONS))
    elif action == "FailIndex" and spec.get("backoffLimitPerIndex") is None:
        errors.append(invalid(at, action, "requires the backoffLimitPerIndex to be set"))
    codes, conditions = rule.get("onExitCodes"), items(rule, "onPodConditions")
    if codes is not None:
        errors += _exit_codes(codes, names, f"{path}.onExitCodes")
    if len(conditions) > _RULES:
        errors.append(too_many(f"{path}.onPodConditions", len(conditions), _RULES))
    for pattern, here in indexed(rule, "onPodConditions", path):
        errors += checks.obey(formats.label_key, text(pattern, "type"), f"{here}.type")
        status, known = text(pattern, "status"), ("False", "True", "Unknown")
        errors += checks.one_of(status, known, f"{here}.status")
    if codes is not None and conditions:
        errors.append(_unshown(path, "both OnExitCodes and OnPodConditions is not supported"))
    if codes is None and not conditions:
        errors.append(_unshown(path, "one of OnExitCodes and OnPodConditions is required"))
    return errors


def _unshown(path: str, why: str) -> FieldError:
    """An invalid value that is not printed."""
    return FieldError(path, "Invalid value", "FieldValueInvalid", f"specifying {why}")


def _exit_codes(codes: Object, names: set[str], path: str) -> Errors:
    errors: Errors = []
    operator, known = text(codes, "operator"), ("In", "NotIn")
    if not operator:
        errors.append(required(f"{path}.operator", _listed(known)))
    else:
        errors += checks.one_of(operator, known, f"{path}.operator")
    container = codes.get("containerName")
    if container is not None and container not in names:
        why = "must be one of the container or initContainer names in the pod template"
        errors.append(invalid(f"{path}.containerName", container, why))
    values = items(codes, "values")
    if not values:
        errors.append(invalid(f"{path}.values", None, "at least one value is required"))
    elif len(values) > _CODES:
        errors.append(too_many(f"{path}.values", len(values), _CODES))
    seen: set[int] = set()
    for value, at in indexed(codes, "values", path):
        if operator == "In" and value == 0:
            errors.append(invalid(at, value, "must not be 0 for the In operator"))
        if value in seen:
            errors.append(duplicate(at, value))
        seen.add(value)
    if values != sorted(values):
        errors.append(invalid(f"{path}.values", values, "must be ordered"))
    return errors


def _success_policy(spec: Object, policy: Object, path: str) -> Errors:
    errors: Errors = []
    rules = items(policy, "rules")
    if not rules:
        why = "at least one rules must be specified when the successPolicy is specified"
        errors.append(required(f"{path}.rules", why))
    if len(rules) > _RULES:
        errors.append(too_many(f"{path}.rules", len(rules), _RULES))
    for rule, at in indexed(policy, "rules", path):
        errors += _success_rule(rule, number(spec, "completions"), at)
    return errors


def _success_rule(rule: Object, completions: int, path: str) -> Errors:
    errors: Errors = []
    count, indexes = rule.get("succeededCount"), rule.get("succeededIndexes")
    if count is None and indexes is None:
        why = "at least one of succeededCount or succeededIndexes must be specified"
        errors.append(required(path, why))
    total = 0
    if indexes is not None:
        at = f"{path}.succeededIndexes"
        if len(indexes) > _LONGEST_INDEXES:
            errors.append(too_long(at, _LONGEST_INDEXES))
        try:
            total = count_indexes(indexes, completions)
        except ValueError as error:
            errors.append(invalid(at, indexes, f"error parsing succeededIndexes: {error}"))
    if count is None:
        return errors
    at = f"{path}.succeededCount"
    errors += checks.non_negative(count, at)
    if count > completions:
        why = f"must be less than or equal to {completions} (the number of specified completions)"
        errors.append(invalid(at, count, why))
    if indexes is not None and count > total:
        why = (
            f"must be less than or equal to {total} (the number of indexes in the specified "
            "succeededIndexes field)"
        )
        errors.append(invalid(at, count, why))
    return errors


def count_indexes(written: str, completions: int) -> int:
    """How many indexes `0,2-4` names. Raises `ValueError` with the server's complaint."""
    total, last = 0, -1
    for interval in filter(None, [written] if "," not in written else written.split(",")):
        first, final = _interval(interval, completions)
        if last >= first:
            raise ValueError(f"non-increasing order, previous: {last}, current: {first}")
        total += final - first + 1
        last = final
    return total


def _interval(written: str, completions: int) -> tuple[int, int]:
    limits = written.split("-")
    if len(limits) > 2:
        raise ValueError(
            f'the fragment "{written}" violates the requirement that an index interval can have '
            "at most two parts separated by '-'"
        )
    numbers: list[int] = []
    for limit in limits:
        if not re.fullmatch(r"\+?\d+", limit):
            raise ValueError(f'cannot convert string to integer for index: "{limit}"')
        if int(limit) >= completions:
            raise ValueError(f'too large index: "{limit}"')
        numbers.append(int(limit))
    if len(numbers) == 2 and numbers[0] >= numbers[1]:
        why = f"non-increasing order, previous: {numbers[0]}, current: {numbers[1]}"
        raise ValueError(why)
    return numbers[0], numbers[-1]
