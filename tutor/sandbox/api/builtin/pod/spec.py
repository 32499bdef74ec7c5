"""The spec of a pod as a whole, and the template that holds one.

Source: `apis/core/validation/validation.go`.
"""

from dataclasses import dataclass

from tutor.sandbox.api import formats, metadata
from tutor.sandbox.api.builtin import addresses, checks
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.pod import annotations, containers, scheduling, security, windows
from tutor.sandbox.api.builtin.pod.reading import containers as all_containers
from tutor.sandbox.api.builtin.pod.resources import pod_level, requirements
from tutor.sandbox.api.builtin.pod.volumes import volumes
from tutor.sandbox.api.builtin.reading import INT32_MAX, indexed, items, part, text
from tutor.sandbox.api.status import (
    duplicate,
    forbidden_field,
    invalid,
    not_found_field,
    not_supported,
    required,
    too_long,
)
from tutor.sandbox.kinds import Object, name_of

_DNS = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_RESTART = ("Always", "OnFailure", "Never")
_PREEMPT = ("PreemptLowerPriority", "Never")
_NAMESERVERS, _SEARCHES, _SEARCH_CHARACTERS = 3, 32, 2048
_LONGEST_HOST = 64


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose spec it is: a pod's own, with its name, or a template's."""

    pod_name: str = ""
    is_pod: bool = False


TEMPLATE = Owner()


def spec_of(spec: Object, path: str, owner: Owner = TEMPLATE) -> Errors:
    """All rules of a pod spec."""
    errors, mountable = volumes(spec, path, owner.pod_name, is_pod=owner.is_pod)
    claims = {text(claim, "name") for claim in items(spec, "resourceClaims")} - {""}
    errors += containers.resource_claims(spec, path)
    around = containers.Surroundings(spec, mountable, claims)
    errors += containers.regular(around, f"{path}.containers")
    errors += containers.init(around, f"{path}.initContainers")
    errors += containers.ephemeral(around, f"{path}.ephemeralContainers")
    errors += pod_level(spec, claims, path)
    errors += _host_ports(spec, path, owner)
    errors += checks.required_one_of(spec.get("restartPolicy"), _RESTART, f"{path}.restartPolicy")
    errors += checks.required_one_of(spec.get("dnsPolicy"), _DNS, f"{path}.dnsPolicy")
    errors += checks.labels(spec.get("nodeSelector"), f"{path}.nodeSelector")
    errors += security.pod_context(spec, f"{path}.securityContext")
    errors += scheduling.affinity(part(spec, "affinity"), f"{path}.affinity")
    errors += _dns_config(spec, f"{path}.dnsConfig")
    errors += _gates(spec, path)
    errors += scheduling.spread(spec, path)
    errors += windows.host_process(spec, path)
    errors += security.host_users(spec, path)
    errors += _host_name(spec, path)
    return errors + _names(spec, path) + _rest(spec, path)


def _host_ports(spec: Object, path: str, owner: Owner) -> Errors:
    if not spec.get("hostNetwork"):
        return []
    errors: Errors = []
    for container, at in indexed(spec, "containers", path):
        for port, here in indexed(container, "ports", at):
            outside = port.get("hostPort", 0)
            if (owner.is_pod or outside) and outside != port.get("containerPort", 0):
                why = "must match `containerPort` when `hostNetwork` is true"
                errors.append(invalid(f"{here}.hostPort", outside, why))
    return errors


def _dns_config(spec: Object, path: str) -> Errors:
    config = spec.get("dnsConfig")
    if spec.get("dnsPolicy") == "None":
        if config is None:
            return [required(path, "must provide `dnsConfig` when `dnsPolicy` is None")]
        if not config.get("nameservers"):
            why = "must provide at least one DNS nameserver when `dnsPolicy` is None"
            return [required(f"{path}.nameservers", why)]
    if config is None:
        return []
    errors: Errors = []
    servers = items(config, "nameservers")
    if len(servers) > _NAMESERVERS:
        why = f"must not have more than {_NAMESERVERS} nameservers"
        errors.append(invalid(f"{path}.nameservers", servers, why))
    for server, at in indexed(config, "nameservers", path):
        errors += addresses.ip(server, at)
    errors += _searches(config, path)
    for option, at in indexed(config, "options", path):
        if not option.get("name"):
            errors.append(required(at, "must not be empty"))
    return errors


def _searches(config: Object, path: str) -> Errors:
    errors: Errors = []
    searches = items(config, "searches")
    if len(searches) > _SEARCHES:
        why = f"must not have more than {_SEARCHES} search paths"
        errors.append(invalid(f"{path}.searches", searches, why))
    if len(" ".join(searches)) > _SEARCH_CHARACTERS:
        why = (
            f"must not have more than {_SEARCH_CHARACTERS} characters (including spaces) in the "
            "search list"
        )
        errors.append(invalid(f"{path}.searches", searches, why))
    for search, at in indexed(config, "searches", path):
        if search != ".":
            errors += checks.obey(checks.subdomain_with_underscore, search.removesuffix("."), at)
    return errors


def _gates(spec: Object, path: str) -> Errors:
    errors: Errors = []
    for gate, at in indexed(spec, "readinessGates", path):
        kind = text(gate, "conditionType")
        errors += checks.obey(formats.label_key, kind, f"{at}.conditionType")
    names: set[str] = set()
    for gate, at in indexed(spec, "schedulingGates", path):
        name = text(gate, "name")
        errors += checks.obey(formats.label_key, name, at)
        if name in names:
            errors.append(duplicate(at, name))
        names.add(name)
    return errors


def _host_name(spec: Object, path: str) -> Errors:
    name, at = spec.get("hostnameOverride"), f"{path}.hostnameOverride"
    if name is None:
        return []
    errors: Errors = []
    for field in ("setHostnameAsFQDN", "hostNetwork"):
        if spec.get(field):
            errors.append(forbidden_field(at, f"may not be specified when {field} is true"))
    if len(name) > _LONGEST_HOST:
        errors.append(too_long(at, _LONGEST_HOST))
    return errors + checks.obey(formats.dns1123_subdomain, name, at)


def _names(spec: Object, path: str) -> Errors:
    errors: Errors = []
    rules = {
        "serviceAccountName": formats.dns1123_subdomain,
        "nodeName": formats.dns1123_subdomain,
    }
    for field, rule in rules.items():
        if name := text(spec, field):
            errors += checks.obey(rule, name, f"{path}.{field}")
    if (deadline := spec.get("activeDeadlineSeconds")) is not None:
        errors += checks.in_range(deadline, 1, INT32_MAX, f"{path}.activeDeadlineSeconds")
    for field in ("hostname", "subdomain"):
        if name := text(spec, field):
            errors += checks.obey(formats.dns1123_label, name, f"{path}.{field}")
    return errors


def _rest(spec: Object, path: str) -> Errors:
    errors = scheduling.tolerations(items(spec, "tolerations"), f"{path}.tolerations")
    for alias, at in indexed(spec, "hostAliases", path):
        errors += addresses.ip(text(alias, "ip"), f"{at}.ip")
        for host, here in indexed(alias, "hostnames", at):
            errors += checks.obey(formats.dns1123_subdomain, host, here)
    if name := text(spec, "priorityClassName"):
        errors += checks.obey(formats.dns1123_subdomain, name, f"{path}.priorityClassName")
    if (name := spec.get("runtimeClassName")) is not None:
        errors += checks.obey(formats.dns1123_subdomain, name, f"{path}.runtimeClassName")
    if (policy := spec.get("preemptionPolicy")) is not None:
        errors += checks.required_one_of(policy, _PREEMPT, f"{path}.preemptionPolicy")
    if overhead := spec.get("overhead"):
        errors += requirements({"limits": overhead}, (), f"{path}.overhead")
    return errors + _system(spec, path) + _file_references(spec, path)


def _system(spec: Object, path: str) -> Errors:
    if spec.get("os") is None:
        return []
    name = text(spec["os"], "name")
    if not name:
        return [required(f"{path}.os.name")]
    if name not in ("linux", "windows"):
        return [not_supported(f"{path}.os", name, ("linux", "windows"))]
    return windows.of_system(spec, path)


def _file_references(spec: Object, path: str) -> Errors:
    """Variables read from a file name an empty directory of the pod."""
    errors: Errors = []
    sources = {text(volume, "name"): volume for volume in items(spec, "volumes")}
    for container, at in all_containers(spec, path):
        for variable, here in indexed(container, "env", at):
            reference = part(variable, "valueFrom").get("fileKeyRef")
            if reference is None:
                continue
            name, there = text(reference, "volumeName"), f"{here}.valueFrom.fileKeyRef.volumeName"
            if name not in sources:
                errors.append(not_found_field(there, name))
            elif sources[name].get("emptyDir") is None:
                why = "referenced volume must be of type emptyDir"
                errors.append(invalid(there, name, why))
    return errors


def template_spec(template: Object, path: str) -> Errors:
    """A pod template: its metadata as far as it is judged, and its spec."""
    meta, spec = part(template, "metadata"), part(template, "spec")
    errors = checks.labels(meta.get("labels"), f"{path}.labels")
    errors += metadata.annotations(part(meta, "annotations"), f"{path}.annotations")
    errors += annotations.specific(meta, spec, f"{path}.annotations")
    errors += spec_of(spec, f"{path}.spec")
    errors += annotations.agree(meta, spec, f"{path}.spec")
    if items(spec, "ephemeralContainers"):
        why = "ephemeral containers not allowed in pod template"
        errors.append(forbidden_field(f"{path}.spec.ephemeralContainers", why))
    return errors


def metadata_and_spec(pod: Object) -> Errors:
    """All rules of a pod that do not depend on what it was."""
    errors = metadata.built_in(pod, metadata.dns_subdomain)
    meta, spec = part(pod, "metadata"), part(pod, "spec")
    errors += annotations.specific(meta, spec, "metadata.annotations")
    errors += spec_of(spec, "spec", Owner(name_of(pod), is_pod=True))
    if not spec.get("serviceAccountName"):
        errors += _token_without_account(spec)
    for field in ("containers", "initContainers"):
        for container, at in indexed(spec, field, "spec"):
            errors += containers.no_spaces(container, at)
    return errors


def _token_without_account(spec: Object) -> Errors:
    why = "must not be specified when serviceAccountName is not set"
    return [
        forbidden_field(f"{at}.serviceAccountToken", why)
        for volume, path in indexed(spec, "volumes", "spec")
        for source, at in indexed(part(volume, "projected"), "sources", f"{path}.projected")
        if source.get("serviceAccountToken") is not None
    ]
