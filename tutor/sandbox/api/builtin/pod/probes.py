"""Probes and lifecycle hooks. Source: `apis/core/validation/validation.go`."""

from tutor.sandbox.api.builtin import checks
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.reading import items, number, text
from tutor.sandbox.api.status import forbidden_field, invalid, not_supported, required
from tutor.sandbox.kinds import Object

PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")
_PROBE_NUMBERS = (
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
)


def probes(container: Object, path: str, grace: int) -> Errors:
    """The three probes of a container."""
    errors: Errors = []
    for name in PROBES:
        probe, at = container.get(name), f"{path}.{name}"
        if probe is None:
            continue
        errors += _probe(probe, at, grace)
        seconds = probe.get("terminationGracePeriodSeconds")
        if name != "readinessProbe":
            if number(probe, "successThreshold") != 1:
                value = number(probe, "successThreshold")
                errors.append(invalid(f"{at}.successThreshold", value, "must be 1"))
        elif seconds is not None:
            why = "must not be set for readinessProbes"
            errors.append(invalid(f"{at}.terminationGracePeriodSeconds", seconds, why))
    return errors


def _probe(probe: Object, path: str, grace: int) -> Errors:
    errors = handler(probe, path, grace)
    for field in _PROBE_NUMBERS:
        errors += checks.non_negative(probe.get(field), f"{path}.{field}")
    seconds = probe.get("terminationGracePeriodSeconds")
    if seconds is not None and seconds <= 0:
        at = f"{path}.terminationGracePeriodSeconds"
        errors.append(invalid(at, seconds, "must be greater than 0"))
    return errors


def hooks(lifecycle: Object, path: str, grace: int, system: str | None) -> Errors:
    """What runs after a container's start and before its end. `system`: the pod's `os.name`."""
    errors: Errors = []
    for hook in ("postStart", "preStop"):
        if lifecycle.get(hook) is not None:
            errors += handler(lifecycle[hook], f"{path}.{hook}", grace)
    if lifecycle.get("stopSignal") is not None and system is None:
        why = "may not be set for containers with empty `spec.os.name`"
        errors.append(forbidden_field(f"{path}.stopSignal", why))
    return errors


def handler(given: Object, path: str, grace: int) -> Errors:
    """Exactly one way to ask or to tell a container something."""
    errors: Errors = []
    found = [name for name in _HANDLERS if given.get(name) is not None]
    if not found:
        return [required(path, "must specify a handler type")]
    for position, name in enumerate(found):
        if position:
            why = "may not specify more than 1 handler type"
            errors.append(forbidden_field(f"{path}.{name}", why))
        else:
            errors += _action(name, given[name], f"{path}.{name}", grace)
    return errors


def _action(name: str, action: Object, path: str, grace: int) -> Errors:
    if name == "exec":
        return [] if action.get("command") else [required(f"{path}.command")]
    if name == "httpGet":
        return _http_get(action, path)
    if name == "tcpSocket":
        return checks.port_or_name(action.get("port"), f"{path}.port")
    if name == "grpc":
        return checks.port(number(action, "port"), f"{path}.port")
    seconds = number(action, "seconds")
    if 0 <= seconds <= grace:
        return []
    why = f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"
    return [invalid(path, seconds, why)]


def _http_get(action: Object, path: str) -> Errors:
    errors = [] if action.get("path") else [required(f"{path}.path")]
    errors += checks.port_or_name(action.get("port"), f"{path}.port")
    scheme = text(action, "scheme")
    if scheme not in ("HTTP", "HTTPS"):
        errors.append(not_supported(f"{path}.scheme", scheme, ("HTTP", "HTTPS")))
    for header in items(action, "httpHeaders"):
        errors += checks.obey(checks.header_name, text(header, "name"), f"{path}.httpHeaders")
    return errors
