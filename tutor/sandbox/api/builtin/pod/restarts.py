"""Which containers of a pod may run again after they have ended.

Source: `apis/core/validation/validation.go`, `pkg/api/v1/pod/util.go`.
"""

from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.reading import indexed, items, number, part, text
from tutor.sandbox.api.status import forbidden_field
from tutor.sandbox.kinds import Object

_ALL = "RestartAllContainers"
_STATUSES = {
    "containerStatuses": "containers",
    "initContainerStatuses": "initContainers",
    "ephemeralContainerStatuses": "",
}


def transitions(status: Object, before: Object, spec: Object) -> Errors:
    """No container whose end was final is said to be anything but ended."""
    errors: Errors = []
    for field, listed in _STATUSES.items():
        if listed and _all_may_restart(spec):
            continue
        now = {text(entry, "name"): entry for entry in reversed(items(status, field))}
        own = {text(container, "name"): container for container in items(spec, listed or "-")}
        for entry, at in indexed(before, field, "status"):
            ended, name = part(entry, "state").get("terminated"), text(entry, "name")
            if ended is None or name not in now or part(now[name], "state").get("terminated"):
                continue
            if name not in own or not _restarts(own[name], spec, number(ended, "exitCode")):
                why = "may not be transitioned to non-terminated state"
                errors.append(forbidden_field(f"{at}.state", why))
    return errors


def _all_may_restart(spec: Object) -> bool:
    return any(
        rule.get("action") == _ALL
        for field in ("initContainers", "containers")
        for container in items(spec, field)
        for rule in items(container, "restartPolicyRules")
    )


def _restarts(container: Object, spec: Object, code: int) -> bool:
    own = container.get("restartPolicy")
    if own is not None and _rule_restarts(container, code):
        return True
    policy = own if own in ("Always", "OnFailure", "Never") else spec.get("restartPolicy")
    return code != 0 if policy == "OnFailure" else policy != "Never"


def _rule_restarts(container: Object, code: int) -> bool:
    """Whether the first rule about an exit code says so."""
    for rule in items(container, "restartPolicyRules"):
        codes = rule.get("exitCodes")
        if codes is None:
            continue
        listed = code in items(codes, "values")
        if listed == (codes.get("operator") == "In"):
            return rule.get("action") in ("Restart", _ALL)
    return False
