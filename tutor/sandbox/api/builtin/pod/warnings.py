"""What the server says of pod specs that it takes and does not like.

Source: `api/pod/warnings.go`, `api/node/util.go`.
"""

from tutor.sandbox.api import formats
from tutor.sandbox.api.builtin import addresses
from tutor.sandbox.api.builtin.pod import overlaps
from tutor.sandbox.api.builtin.pod.annotations import APP_ARMOR, SECCOMP, SECCOMP_CONTAINER
from tutor.sandbox.api.builtin.pod.reading import containers
from tutor.sandbox.api.builtin.pod.resources import fractional_bytes
from tutor.sandbox.api.builtin.reading import indexed, number, part, text
from tutor.sandbox.api.builtin.storage.claim import spec_warnings
from tutor.sandbox.kinds import Object

NODE_LABELS = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": (
        'deprecated since v1.17; use "topology.kubernetes.io/region" instead'
    ),
    "failure-domain.beta.kubernetes.io/zone": (
        'deprecated since v1.17; use "topology.kubernetes.io/zone" instead'
    ),
    "beta.kubernetes.io/instance-type": (
        'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead'
    ),
    "app.kubernetes.io/created-by": "deprecated since v1.9",
    "scheduler.alpha.kubernetes.io/preferAvoidPods": (
        "deprecated since v1.22; use Taints and Tolerations instead"
    ),
    "node-role.kubernetes.io/master": 'use "node-role.kubernetes.io/control-plane" instead',
}
_ANNOTATIONS = {
    "scheduler.alpha.kubernetes.io/critical-pod": (
        'non-functional in v1.16+; use the "priorityClassName" field instead'
    ),
    "security.alpha.kubernetes.io/sysctls": (
        'non-functional in v1.11+; use the "sysctls" field instead'
    ),
    "security.alpha.kubernetes.io/unsafe-sysctls": (
        'non-functional in v1.11+; use the "sysctls" field instead'
    ),
}
_VOLUMES = {
    "photonPersistentDisk": ("photonPersistentDisk", "v1.11, non-functional in v1.16+"),
    "gitRepo": ("gitRepo", "v1.11, and disabled by default in v1.33+"),
    "scaleIO": ("scaleIO", "v1.16, non-functional in v1.22+"),
    "flocker": ("flocker", "v1.22, non-functional in v1.25+"),
    "storageos": ("storageOS", "v1.22, non-functional in v1.25+"),
    "quobyte": ("quobyte", "v1.22, non-functional in v1.25+"),
    "glusterfs": ("glusterfs", "v1.25, non-functional in v1.26+"),
    "ephemeral": ("", ""),
    "cephfs": ("cephfs", "v1.28, non-functional in v1.31+"),
    "rbd": ("rbd", "v1.28, non-functional in v1.31+"),
}
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_NO_SELECTOR = "a null labelSelector results in matching no pod"


def pod_warnings(meta: Object, spec: Object, path: str = "") -> list[str]:
    """Warnings of a pod, or of the template at `path`."""
    prefix = f"{path}." if path else ""
    said = _nodes(spec, f"{prefix}spec")
    for key, why in _ANNOTATIONS.items():
        if key in part(meta, "annotations"):
            said.append(f"{prefix}metadata.annotations[{key}]: {why}")
    said += _volumes(spec, f"{prefix}spec") + overlaps.warnings(spec)
    said += _repeated(spec, "hostAliases", "ip", f"{prefix}spec")
    said += _repeated(spec, "imagePullSecrets", "name", f"{prefix}spec")
    said += [
        f'{at}.name: invalid empty name ""'
        for secret, at in indexed(spec, "imagePullSecrets", f"{prefix}spec")
        if not secret.get("name")
    ]
    said += fractional_bytes(part(spec, "overhead"), f"{prefix}spec.overhead")
    said += _containers(meta, spec, prefix, is_template=bool(path))
    said += _ports(spec, f"{prefix}spec") + _rest(spec, f"{prefix}spec")
    return said


def _nodes(spec: Object, path: str) -> list[str]:
    said = [
        f"{path}.nodeSelector[{key}]: {NODE_LABELS[key]}"
        for key in sorted(part(spec, "nodeSelector"))
        if key in NODE_LABELS
    ]
    wanted, at = part(spec, "affinity", "nodeAffinity"), f"{path}.affinity.nodeAffinity"
    for term, here in indexed(part(wanted, _REQUIRED), "nodeSelectorTerms", f"{at}.{_REQUIRED}"):
        said += node_term_warnings(term, here)
    for term, here in indexed(wanted, _PREFERRED, at):
        said += node_term_warnings(part(term, "preference"), f"{here}.preference", values=True)
    for constraint, here in indexed(spec, "topologySpreadConstraints", path):
        key = text(constraint, "topologyKey")
        if key in NODE_LABELS:
            said.append(f"{here}.topologyKey: {key} is {NODE_LABELS[key]}")
        if constraint.get("labelSelector") is None:
            said.append(f"{here}.labelSelector: {_NO_SELECTOR}")
    return said


def node_term_warnings(term: Object, path: str, *, values: bool = False) -> list[str]:
    """Old labels in a node selector term; with `values`, impossible values too."""
    said: list[str] = []
    for expression, at in indexed(term, "matchExpressions", path):
        key = text(expression, "key")
        if key in NODE_LABELS:
            said.append(f"{at}.key: {key} is {NODE_LABELS[key]}")
        if values:
            said += [
                f"{here}: {value} is invalid, {why}"
                for value, here in indexed(expression, "values", at)
                for why in formats.label_value(value)
            ]
    return said


def _volumes(spec: Object, path: str) -> list[str]:
    said: list[str] = []
    for volume, at in indexed(spec, "volumes", path):
        for field, (shown, since) in _VOLUMES.items():
            if volume.get(field) is None:
                continue
            if field == "ephemeral":
                claim = part(volume, "ephemeral", "volumeClaimTemplate", "spec")
                said += spec_warnings(claim, f"{at}.ephemeral.volumeClaimTemplate.spec")
            else:
                said.append(f"{at}.{shown}: deprecated in {since}")
    return said


def _repeated(spec: Object, field: str, key: str, path: str) -> list[str]:
    said: list[str] = []
    seen: set[str] = set()
    for item, at in indexed(spec, field, path):
        value = text(item, key)
        if value in seen:
            said.append(f'{at}.{key}: duplicate {key} "{value}"')
        seen.add(value)
    return said


def _containers(meta: Object, spec: Object, prefix: str, *, is_template: bool) -> list[str]:
    annotations, at = part(meta, "annotations"), f"{prefix}metadata.annotations"
    old_seccomp = 'non-functional in v1.27+; use the "seccompProfile" field instead'
    said: list[str] = []
    of_pod = part(spec, "securityContext")
    if of_pod.get("seccompProfile") is None and SECCOMP in annotations:
        said.append(f"{at}[{SECCOMP}]: {old_seccomp}")
    for container, path in containers(spec, f"{prefix}spec"):
        own, name = part(container, "securityContext"), text(container, "name")
        key = SECCOMP_CONTAINER + name
        if own.get("seccompProfile") is None and key in annotations:
            said.append(f"{at}[{key}]: {old_seccomp}")
        key = APP_ARMOR + name
        if is_template and own.get("appArmorProfile") is None and key in annotations:
            why = 'deprecated since v1.30; use the "appArmorProfile" field instead'
            said.append(f"{at}[{key}]: {why}")
        said += _bytes(part(container, "resources"), f"{path}.resources")
        said += _hidden_variables(container, path)
    return said


def _bytes(resources: Object, path: str) -> list[str]:
    memory: list[str] = []
    storage: list[str] = []
    for field in ("limits", "requests"):
        for warning in fractional_bytes(part(resources, field), f"{path}.{field}"):
            (memory if "[memory]" in warning else storage).append(warning)
    return memory + storage


def _hidden_variables(container: Object, path: str) -> list[str]:
    said: list[str] = []
    seen: set[str] = set()
    for variable, at in indexed(container, "env", path):
        name, value = text(variable, "name"), text(variable, "value")
        reference = f"$({name})"
        extends = reference in value and value != reference and "valueFrom" not in variable
        if name in seen and not extends:
            why = f'hides previous definition of "{name}", which may be dropped when using apply'
            said.append(f"{at}: {why}")
        seen.add(name)
    return said


def _ports(spec: Object, path: str) -> list[str]:
    said: list[str] = []
    seen: dict[tuple[int, str], list[tuple[str, str, int]]] = {}
    named: dict[str, str] = {}
    for container, at in containers(spec, path):
        for port, here in indexed(container, "ports", at):
            address, outside = text(port, "hostIP"), number(port, "hostPort")
            if address and not outside:
                said.append(f"{here}: hostIP set without hostPort: {_printed(port)}")
            key = (number(port, "containerPort"), text(port, "protocol"))
            for other in seen.setdefault(key, []):
                said += _clash(here, address, outside, other)
            seen[key].append((here, address, outside))
    for container, at in containers(spec, path):
        for port, here in indexed(container, "ports", at):
            name = text(port, "name")
            if name in named:
                first = named[name]
                why = f"services and probes that select ports by name will use {first}"
                said.append(f'{here}: duplicate port name "{name}" with {first}, {why}')
            elif name:
                named[name] = here
    return said


def _printed(port: Object) -> str:
    """The port as Go's `%+v` prints it."""
    fields = {
        "Name": text(port, "name"),
        "HostPort": number(port, "hostPort"),
        "ContainerPort": number(port, "containerPort"),
        "Protocol": text(port, "protocol"),
        "HostIP": text(port, "hostIP"),
    }
    return "{" + " ".join(f"{name}:{value}" for name, value in fields.items()) + "}"


def _clash(here: str, address: str, outside: int, other: tuple[str, str, int]) -> list[str]:
    there, other_address, other_outside = other
    if (address, outside) == (other_address, other_outside):
        return [f"{here}: duplicate port definition with {there}"]
    if not outside or not other_outside:
        return [f"{here}: overlapping port definition with {there}"]
    if outside == other_outside and bool(address) != bool(other_address):
        return [f"{here}: dangerously ambiguous port definition with {there}"]
    return []


def _rest(spec: Object, path: str) -> list[str]:
    said: list[str] = []
    if number(spec, "terminationGracePeriodSeconds") < 0:
        why = "must be >= 0; negative values are invalid and will be treated as 1"
        said.append(f"{path}.terminationGracePeriodSeconds: {why}")
    for field in ("podAffinity", "podAntiAffinity"):
        said += _null_selectors(part(spec, "affinity", field), f"{path}.affinity.{field}")
    for server, at in indexed(part(spec, "dnsConfig"), "nameservers", f"{path}.dnsConfig"):
        said += addresses.ip_warnings(server, at)
    for alias, at in indexed(spec, "hostAliases", path):
        said += addresses.ip_warnings(text(alias, "ip"), f"{at}.ip")
    return said


def _null_selectors(affinity: Object, path: str) -> list[str]:
    said = [
        f"{at}.labelSelector: {_NO_SELECTOR}"
        for term, at in indexed(affinity, _REQUIRED, path)
        if term.get("labelSelector") is None
    ]
    return said + [
        f"{at}.podAffinityTerm.labelSelector: {_NO_SELECTOR}"
        for term, at in indexed(affinity, _PREFERRED, path)
        if part(term, "podAffinityTerm").get("labelSelector") is None
    ]


def name_warning(name: str, kind: str) -> list[str]:
    """A name that will be a host name, and is no DNS label. `kind`: `Pod's hostname` or such."""
    complaints = formats.dns1123_label(name)
    if not complaints:
        return []
    why = "which can result in surprising behavior; a DNS label is recommended"
    return [f"metadata.name: this is used in {kind}, {why}: [{' '.join(complaints)}]"]
