"""What pods, pod specs and volumes are given. Source: `apis/core/v1/defaults.go`."""

import re
from typing import Any

from tutor.sandbox.api.builtin import quantity
from tutor.sandbox.api.builtin.pod.reading import containers
from tutor.sandbox.api.builtin.reading import (
    drop,
    ensure,
    fill,
    fill_absent,
    items,
    number,
    part,
    text,
)
from tutor.sandbox.kinds import Object

_SUPPORTED_FOR_PODS = ("cpu", "memory")
_MODES = ("secret", "configMap", "downwardAPI", "projected")
_DOMAIN_PART = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = rf"{_DOMAIN_PART}(?:\.{_DOMAIN_PART})*(?::[0-9]+)?"
_PATH = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
_NAME_MAX = 255
_IMAGE = re.compile(
    rf"(?P<name>(?:{_DOMAIN}/)?{_PATH}(?:/{_PATH})*)(?::(?P<tag>\w[\w.-]{{0,127}}))?(?P<digest>@{_DIGEST})?"
)


def default_pod(obj: Object) -> None:
    """Fill in a pod, in place."""
    spec = ensure(obj, "spec")
    if number(spec, "terminationGracePeriodSeconds") < 0:
        # Pods alone: a template keeps the number, and is warned of it.
        spec["terminationGracePeriodSeconds"] = 1
    # The spec's own defaults come after the pod's in the real server; none depends on another.
    default_spec(spec)
    for field in ("containers", "initContainers"):
        for container in items(spec, field):
            _request_what_is_limited(container)
    _default_pod_level(spec)
    fill_absent(spec, enableServiceLinks=True)
    if spec.get("hostNetwork"):
        default_host_ports(spec)
    _default_addresses(obj)


def default_template(template: Object) -> None:
    """Fill in a pod template, in place."""
    spec = ensure(template, "spec")
    default_spec(spec)
    if spec.get("hostNetwork"):
        default_host_ports(spec)


def default_host_ports(spec: Object) -> None:
    """On the host's network a container's port is the host's port."""
    for field in ("containers", "initContainers"):
        for container in items(spec, field):
            for port in items(container, "ports"):
                fill(port, hostPort=port.get("containerPort", 0))


def _default_addresses(obj: Object) -> None:
    status = part(obj, "status")
    ip, ips = text(status, "podIP"), items(status, "podIPs")
    if ip and (not ips or ips[0].get("ip") != ip):
        status["podIPs"] = [{"ip": ip}]


def default_spec(spec: Object) -> None:
    """Fill in a pod spec, in place."""
    fill(spec, dnsPolicy="ClusterFirst", restartPolicy="Always", schedulerName="default-scheduler")
    fill_absent(spec, securityContext={}, terminationGracePeriodSeconds=30)
    _default_account(spec)
    for volume in items(spec, "volumes"):
        default_volume(volume)
    for container, _ in containers(spec):
        _default_container(container)
    round_up_resources(spec.get("overhead"))
    round_resources(part(spec, "resources"))


def _default_account(spec: Object) -> None:
    """The old name of the field is kept up to date for old clients."""
    account = text(spec, "serviceAccountName") or text(spec, "serviceAccount")
    if account:
        spec["serviceAccountName"] = spec["serviceAccount"] = account
    else:
        drop(spec, "serviceAccountName", "serviceAccount")


def _default_container(container: Object) -> None:
    fill(
        container,
        imagePullPolicy=pull_policy(text(container, "image")),
        terminationMessagePath="/dev/termination-log",
        terminationMessagePolicy="File",
    )
    fill_absent(container, resources={})
    round_resources(container["resources"])
    for port in items(container, "ports"):
        fill(port, protocol="TCP")
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        if container.get(probe) is not None:
            _default_probe(container[probe])
    for hook in ("postStart", "preStop"):
        _default_http_get(part(container, "lifecycle", hook))
    for variable in items(container, "env"):
        _default_field_reference(part(variable, "valueFrom"))


def _default_probe(probe: Object) -> None:
    fill(probe, timeoutSeconds=1, periodSeconds=10, successThreshold=1, failureThreshold=3)
    _default_http_get(probe)
    if (grpc := probe.get("grpc")) is not None:
        fill_absent(grpc, service="")


def _default_http_get(handler: Object) -> None:
    if (action := handler.get("httpGet")) is not None:
        fill(action, path="/", scheme="HTTP")


def _default_field_reference(source: Object) -> None:
    if (reference := source.get("fieldRef")) is not None:
        fill(reference, apiVersion="v1")
    if (reference := source.get("resourceFieldRef")) is not None:
        reference["divisor"] = quantity.canonical(reference.get("divisor") or "0")


def pull_policy(image: str) -> str:
    """Images that may change under their name are asked for each time.

    A text that names no image is not looked at further.
    """
    found = _IMAGE.fullmatch(image)
    if found is None or len(found["name"]) > _NAME_MAX:
        return "IfNotPresent"
    untagged = found["tag"] is None and found["digest"] is None
    return "Always" if untagged or found["tag"] == "latest" else "IfNotPresent"


def default_volume(volume: Object) -> None:
    """Fill in a volume, in place; one of no kind is an empty directory."""
    if not any(value is not None for key, value in volume.items() if key != "name"):
        volume["emptyDir"] = {}
    for field in _MODES:
        if volume.get(field) is not None:
            fill_absent(volume[field], defaultMode=0o644)
    if volume.get("hostPath") is not None:
        fill_absent(volume["hostPath"], type="")
    if (image := volume.get("image")) is not None:
        fill(image, pullPolicy=pull_policy(text(image, "reference")))
    for entry in items(volume, "downwardAPI", "items"):
        _default_field_reference(entry)
    for source in items(volume, "projected", "sources"):
        _default_projection(source)
    _default_claim(part(volume, "ephemeral", "volumeClaimTemplate"))
    default_network_volume(volume)


def _default_projection(source: Object) -> None:
    for entry in items(source, "downwardAPI", "items"):
        _default_field_reference(entry)
    if (token := source.get("serviceAccountToken")) is not None:
        fill_absent(token, expirationSeconds=3600)


def _default_claim(template: Object) -> None:
    if (spec := template.get("spec")) is not None:
        fill_absent(spec, volumeMode="Filesystem")
        round_resources(part(spec, "resources"))


_OLD_KINDS: dict[str, Object] = {
    "iscsi": {"iscsiInterface": "default"},
    "rbd": {"pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"},
    "scaleIO": {"storageMode": "ThinProvisioned", "fsType": "xfs"},
}


def default_network_volume(volume: Object) -> None:
    """Fill in, in place, what a network volume leaves open."""
    for field, defaults in _OLD_KINDS.items():
        if volume.get(field) is not None:
            fill(volume[field], **defaults)
    if (disk := volume.get("azureDisk")) is not None:
        fill_absent(disk, cachingMode="ReadWrite", fsType="ext4", readOnly=False, kind="Shared")


def round_resources(resources: Object) -> None:
    """Round `limits` and `requests` up to thousandths, in place."""
    round_up_resources(resources.get("limits"))
    round_up_resources(resources.get("requests"))


def round_up_resources(listed: dict[str, Any] | None) -> None:
    """Round a resource list up to thousandths, in place."""
    if listed is None:
        return
    for name, value in listed.items():
        parsed = quantity.parse(value)
        rounded = parsed.rounded_up(-3)
        if rounded.amount != parsed.amount:
            listed[name] = str(rounded)


def _request_what_is_limited(container: Object) -> None:
    resources = part(container, "resources")
    if limits := resources.get("limits"):
        resources["requests"] = limits | part(resources, "requests")


def _default_pod_level(spec: Object) -> None:
    """Requests of the pod as a whole, from its limits and its containers' requests."""
    resources = part(spec, "resources")
    if not resources.get("limits"):
        return
    wanted = dict(part(resources, "requests"))
    for name, total in container_requests(spec).items():
        if name in _SUPPORTED_FOR_PODS:
            wanted.setdefault(name, str(total))
    for name, limit in resources["limits"].items():
        if name in _SUPPORTED_FOR_PODS or name.startswith("hugepages-"):
            wanted.setdefault(name, limit)
    if wanted:
        resources["requests"] = wanted


def container_requests(spec: Object) -> dict[str, quantity.Quantity]:
    """What the containers ask for together; init containers count only where they ask for more."""
    return container_resources(spec, "requests")


def container_resources(spec: Object, field: str) -> dict[str, quantity.Quantity]:
    """Requests or limits of the containers together, sidecars added as the kubelet does."""
    total: dict[str, quantity.Quantity] = {}
    for container in items(spec, "containers"):
        _add(total, quantity.parse_all(part(container, "resources", field)))
    sidecars: dict[str, quantity.Quantity] = {}
    peak: dict[str, quantity.Quantity] = {}
    for container in items(spec, "initContainers"):
        wanted = quantity.parse_all(part(container, "resources", field))
        if container.get("restartPolicy") == "Always":
            _add(total, wanted)
            _add(sidecars, wanted)
            wanted = dict(sidecars)
        else:
            _add(wanted, sidecars)
        _raise(peak, wanted)
    _raise(total, peak)
    return total


def _add(total: dict[str, quantity.Quantity], more: dict[str, quantity.Quantity]) -> None:
    for name, value in more.items():
        total[name] = total[name] + value if name in total else value


def _raise(total: dict[str, quantity.Quantity], other: dict[str, quantity.Quantity]) -> None:
    for name, value in other.items():
        if name not in total or total[name] < value:
            total[name] = value
