"""Containers of all three sorts. Source: `apis/core/validation/validation.go`."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from tutor.sandbox.api import formats
from tutor.sandbox.api.builtin import checks, go_struct
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.network.service import PROTOCOLS
from tutor.sandbox.api.builtin.pod import env, mounts
from tutor.sandbox.api.builtin.pod.probes import PROBES, hooks, probes
from tutor.sandbox.api.builtin.pod.reading import is_sidecar
from tutor.sandbox.api.builtin.pod.resources import requirements
from tutor.sandbox.api.builtin.pod.security import container_context
from tutor.sandbox.api.builtin.reading import indexed, items, number, part, text
from tutor.sandbox.api.status import (
    duplicate,
    forbidden_field,
    invalid,
    not_found_field,
    not_supported,
    required,
    too_many,
)
from tutor.sandbox.kinds import Object

_PULL = ("Always", "IfNotPresent", "Never")
_POLICIES = ("Always", "Never", "OnFailure")
_MESSAGES = ("File", "FallbackToLogsOnError")
_ONLY_SIDECARS = "may not be set for init containers without restartPolicy=Always"
_NOT_FOR_EPHEMERAL = "cannot be set for an Ephemeral Container"
_NOT_EPHEMERAL_FIELDS = (
    *("ports", "resources", "resizePolicy", "restartPolicy", "restartPolicyRules"),
    *(*PROBES, "lifecycle"),
)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a container's rules need to know of its pod."""

    spec: Object
    volumes: Collection[str]
    """Names of the volumes that can be mounted."""
    claims: Collection[str]
    """Names of the pod's resource claims."""

    @property
    def grace(self) -> int:
        """Seconds between being asked and being made to stop."""
        return number(self.spec, "terminationGracePeriodSeconds")

    @property
    def system(self) -> str | None:
        """The operating system that the pod names, if it does."""
        return part(self.spec, "os").get("name")

    @property
    def host_users(self) -> bool:
        """Whether its users are those of the host."""
        return self.spec.get("hostUsers") is not False


def regular(around: Surroundings, path: str) -> Errors:
    """`containers`."""
    listed = items(around.spec, "containers")
    if not listed:
        return [required(path)]
    errors: Errors = []
    names: set[str] = set()
    for container, at in _numbered(listed, path):
        errors += _any(container, around, at)
        name = text(container, "name")
        if name in names:
            errors.append(duplicate(f"{at}.name", name))
        names.add(name)
        errors += _running(container, around, at) + _restarts(container, at)
    return errors + host_port_conflicts(listed, path)


def _running(container: Object, around: Surroundings, path: str) -> Errors:
    errors: Errors = []
    if (lifecycle := container.get("lifecycle")) is not None:
        errors += hooks(lifecycle, f"{path}.lifecycle", around.grace, around.system)
    return errors + probes(container, path, around.grace)


def init(around: Surroundings, path: str) -> Errors:
    """`initContainers`, of which sidecars have probes and others have none."""
    errors: Errors = []
    names = {text(container, "name") for container in items(around.spec, "containers")}
    for container, at in _numbered(items(around.spec, "initContainers"), path):
        errors += _any(container, around, at) + _restarts(container, at)
        name = text(container, "name")
        if name in names:
            errors.append(duplicate(f"{at}.name", name))
        elif name:
            names.add(name)
        errors += host_port_conflicts([container], path)
        if is_sidecar(container):
            errors += _running(container, around, at)
            continue
        errors += [
            forbidden_field(f"{at}.{field}", _ONLY_SIDECARS)
            for field in ("lifecycle", *PROBES)
            if container.get(field) is not None
        ]
        for policy, there in indexed(container, "resizePolicy", at):
            if policy.get("restartPolicy") == "RestartContainer":
                why = "must not be set to 'RestartContainer' for non-sidecar initContainers"
                errors.append(invalid(f"{there}.restartPolicy", "RestartContainer", why))
    return errors


def ephemeral(around: Surroundings, path: str) -> Errors:
    """`ephemeralContainers`, which only debug others."""
    errors: Errors = []
    others = {
        text(container, "name")
        for field in ("containers", "initContainers")
        for container in items(around.spec, field)
    }
    names = set(others)
    for container, at in _numbered(items(around.spec, "ephemeralContainers"), path):
        errors += _any(container, around, at) + no_spaces(container, at)
        name, target = text(container, "name"), text(container, "targetContainerName")
        if name in names:
            errors.append(duplicate(f"{at}.name", name))
        names.add(name)
        if target and target not in others:
            errors.append(not_found_field(f"{at}.targetContainerName", target))
        errors += [
            forbidden_field(f"{at}.{field}", _NOT_FOR_EPHEMERAL)
            for field in _NOT_EPHEMERAL_FIELDS
            if container.get(field)
        ]
        for mount, there in indexed(container, "volumeMounts", at):
            errors += [
                forbidden_field(f"{there}.{field}", _NOT_FOR_EPHEMERAL)
                for field in ("subPath", "subPathExpr")
                if mount.get(field)
            ]
    return errors


def no_spaces(container: Object, path: str) -> Errors:
    """A pod's image is not padded; a template's may be."""
    image = text(container, "image")
    if image == image.strip():
        return []
    return [invalid(f"{path}.image", image, "must not have leading or trailing whitespace")]


def _numbered(listed: Iterable[Object], path: str) -> Iterable[tuple[Object, str]]:
    return ((container, f"{path}[{index}]") for index, container in enumerate(listed))


def _any(container: Object, around: Surroundings, path: str) -> Errors:
    """What holds for every container."""
    errors: Errors = []
    if name := text(container, "name"):
        errors += checks.obey(formats.dns1123_label, name, f"{path}.name")
    else:
        errors.append(required(f"{path}.name"))
    if not container.get("image"):
        errors.append(required(f"{path}.image"))
    messages = text(container, "terminationMessagePolicy")
    errors += checks.required_one_of(messages, _MESSAGES, f"{path}.terminationMessagePolicy")
    errors += _ports(container, path)
    errors += env.variables(container, path) + env.sources(container, path)
    errors += mounts.mounts(container, around.volumes, path)
    errors += mounts.devices(container, around.spec, around.volumes, path)
    pull = text(container, "imagePullPolicy")
    errors += checks.required_one_of(pull, _PULL, f"{path}.imagePullPolicy")
    resources = part(container, "resources")
    errors += requirements(resources, around.claims, f"{path}.resources")
    errors += _resizes(container, f"{path}.resizePolicy", text(around.spec, "restartPolicy"))
    context = container.get("securityContext")
    at = f"{path}.securityContext"
    return errors + container_context(context, at, host_users=around.host_users)


def _ports(container: Object, path: str) -> Errors:
    errors: Errors = []
    names: set[str] = set()
    for port, at in indexed(container, "ports", path):
        if name := text(port, "name"):
            if complaints := checks.obey(checks.port_name, name, f"{at}.name"):
                errors += complaints
            elif name in names:
                errors.append(duplicate(f"{at}.name", name))
            else:
                names.add(name)
        inside, outside = number(port, "containerPort"), number(port, "hostPort")
        if inside:
            errors += checks.port(inside, f"{at}.containerPort")
        else:
            errors.append(required(f"{at}.containerPort"))
        errors += checks.port(outside, f"{at}.hostPort") if outside else []
        errors += checks.required_one_of(port.get("protocol"), PROTOCOLS, f"{at}.protocol")
    return errors


def host_port_conflicts(listed: Iterable[Object], path: str) -> Errors:
    """No port of the host is taken twice."""
    errors: Errors = []
    taken: set[str] = set()
    for container, at in _numbered(listed, path):
        for port, here in indexed(container, "ports", at):
            if not port.get("hostPort"):
                continue
            shown = f"{text(port, 'protocol')}/{text(port, 'hostIP')}/{port['hostPort']}"
            if shown in taken:
                errors.append(duplicate(f"{here}.hostPort", shown))
            taken.add(shown)
    return errors


def _resizes(container: Object, path: str, restart: str) -> Errors:
    errors: Errors = []
    seen: set[str] = set()
    for index, policy in enumerate(items(container, "resizePolicy")):
        name, how = text(policy, "resourceName"), text(policy, "restartPolicy")
        if name in seen:
            errors.append(duplicate(f"{path}[{index}]", name))
        seen.add(name)
        errors += checks.required_one_of(name, ("cpu", "memory"), path)
        errors += checks.required_one_of(how, ("NotRequired", "RestartContainer"), path)
        if restart == "Never" and how != "NotRequired":
            why = "must be 'NotRequired' when pod `restartPolicy` is 'Never'"
            errors.append(invalid(path, how, why))
    return errors


def _restarts(container: Object, path: str) -> Errors:
    policy, rules = container.get("restartPolicy"), items(container, "restartPolicyRules")
    errors: Errors = []
    if policy is not None:
        errors += checks.one_of(policy, _POLICIES, f"{path}.restartPolicy")
    elif rules:
        why = "must specify restartPolicy when restart rules are used"
        errors.append(required(f"{path}.restartPolicy", why))
    if len(rules) > 20:
        errors.append(too_many(f"{path}.restartPolicyRules", len(rules), 20))
    for rule, at in indexed(container, "restartPolicyRules", path):
        errors += _restart_rule(rule, at)
    return errors


def _restart_rule(rule: Object, path: str) -> Errors:
    actions = ("Restart", "RestartAllContainers")
    errors = checks.one_of(text(rule, "action"), actions, f"{path}.action")
    codes = rule.get("exitCodes")
    if codes is None:
        return [*errors, required(f"{path}.exitCodes", "must be specified")]
    operator, values = text(codes, "operator"), items(codes, "values")
    if operator not in ("In", "NotIn"):
        at = f"{path}.exitCodes.operator"
        errors.append(not_supported(at, operator, ("In", "NotIn")))
    if len(values) > 255:
        errors.append(too_many(f"{path}.exitCodes.values", len(values), 255))
    return errors


def resource_claims(spec: Object, path: str) -> Errors:
    """`resourceClaims` of a pod."""
    errors: Errors = []
    names: set[str] = set()
    for claim, at in indexed(spec, "resourceClaims", path):
        name = text(claim, "name")
        if not name:
            errors.append(required(f"{at}.name"))
        elif name in names:
            errors.append(duplicate(f"{at}.name", name))
        else:
            errors += checks.obey(formats.dns1123_label, name, f"{at}.name")
        names.add(name)
        errors += _claim_source(claim, at)
    return errors


def _claim_source(claim: Object, path: str) -> Errors:
    fields = ("resourceClaimName", "resourceClaimTemplateName")
    given = [field for field in fields if claim.get(field) is not None]
    errors: Errors = []
    shown = go_struct.render("PodResourceClaim", claim)
    if len(given) > 1:
        why = "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"
        errors.append(invalid(path, shown, why))
    if not given:
        why = "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"
        errors.append(invalid(path, shown, why))
    for field in given:
        errors += checks.obey(formats.dns1123_subdomain, claim[field], f"{path}.{field}")
    return errors
