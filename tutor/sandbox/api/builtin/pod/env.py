"""Environment variables and what they refer to. Source: `apis/core/validation/validation.go`."""

from tutor.sandbox.api import formats
from tutor.sandbox.api.builtin import checks, quantity
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.pod.paths import no_backsteps
from tutor.sandbox.api.builtin.reading import indexed, text
from tutor.sandbox.api.status import invalid, not_supported, required
from tutor.sandbox.kinds import Object

ENV_FIELDS = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)
VOLUME_FIELDS = (
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
)
_LABELS = (*ENV_FIELDS, *VOLUME_FIELDS, "spec.restartPolicy", "spec.schedulerName", "status.phase")
_RESOURCES = (
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
)
_BYTES = ("1", *(f"1{suffix}" for suffix in ("k", "M", "G", "T", "P", "E")))
_BYTES_TOO = tuple(f"1{suffix}" for suffix in ("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"))


def variables(container: Object, path: str) -> Errors:
    """`env` of a container."""
    errors: Errors = []
    for variable, at in indexed(container, "env", path):
        if name := text(variable, "name"):
            errors += checks.obey(checks.env_name, name, f"{at}.name")
        else:
            errors.append(required(f"{at}.name"))
        if (source := variable.get("valueFrom")) is not None:
            errors += _value_from(source, text(variable, "value"), f"{at}.valueFrom")
    return errors


def _value_from(source: Object, value: str, path: str) -> Errors:
    errors: Errors = []
    if (reference := source.get("fieldRef")) is not None:
        errors += field_reference(reference, ENV_FIELDS, f"{path}.fieldRef")
    if (reference := source.get("resourceFieldRef")) is not None:
        errors += resource_reference(reference, f"{path}.resourceFieldRef", in_volume=False)
    for field in ("configMapKeyRef", "secretKeyRef"):
        if (reference := source.get(field)) is not None:
            errors += _key_reference(reference, f"{path}.{field}")
    if (reference := source.get("fileKeyRef")) is not None:
        errors += _file_reference(reference, f"{path}.fileKeyRef")
    given = [field for field, reference in source.items() if reference is not None]
    if not given:
        why = (
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, "
            "`secretKeyRef` or `fileKeyRef`"
        )
        errors.append(invalid(path, "", why))
    elif value:
        errors.append(invalid(path, "", "may not be specified when `value` is not empty"))
    elif len(given) > 1:
        errors.append(invalid(path, "", "may not have more than one field specified at a time"))
    return errors


def _subscript(expression: str) -> tuple[str, str] | None:
    """`metadata.labels['x']` as its two halves, None when there is no such subscript."""
    head, bracket, key = expression.removesuffix("']").partition("['")
    return (head, key) if bracket and head and expression.endswith("']") else None


def field_reference(reference: Object, supported: tuple[str, ...], path: str) -> Errors:
    """A field of the pod itself."""
    expression = text(reference, "fieldPath")
    if not expression:
        return [required(f"{path}.fieldPath")]
    if subscript := _subscript(expression):
        return _subscripted(expression, subscript, path)
    why = "error converting fieldPath: "
    if reference.get("apiVersion") != "v1":
        why += f"unsupported pod version: {text(reference, 'apiVersion')}"
        return [invalid(f"{path}.fieldPath", expression, why)]
    if expression not in (*_LABELS, "spec.host"):
        why += f"field label not supported: {expression}"
        return [invalid(f"{path}.fieldPath", expression, why)]
    converted = "spec.nodeName" if expression == "spec.host" else expression
    if converted not in supported:
        return [not_supported(f"{path}.fieldPath", converted, supported)]
    return []


def _subscripted(expression: str, subscript: tuple[str, str], path: str) -> Errors:
    field, key = subscript
    if field == "metadata.annotations":
        return checks.obey(formats.label_key, key.lower(), path)
    if field == "metadata.labels":
        return checks.obey(formats.label_key, key, path)
    why = f"error converting fieldPath: field label does not support subscript: {expression}"
    return [invalid(f"{path}.fieldPath", expression, why)]


def resource_reference(reference: Object, path: str, *, in_volume: bool) -> Errors:
    """A limit or request of a container; in a volume it names the container."""
    errors: Errors = []
    resource = text(reference, "resource")
    huge = resource.startswith(("requests.hugepages-", "limits.hugepages-"))
    if in_volume and not reference.get("containerName"):
        errors.append(required(f"{path}.containerName"))
    elif not resource:
        errors.append(required(f"{path}.resource"))
    elif resource not in _RESOURCES and not huge:
        errors.append(not_supported(f"{path}.resource", resource, _RESOURCES))
    return errors + _divisor(resource, reference, path)


def _divisor(resource: str, reference: Object, path: str) -> Errors:
    divisor = quantity.parse(reference.get("divisor") or "0")
    if not divisor.amount:
        return []
    kind = resource.partition(".")[2]
    allowed = ("1m", "1") if kind == "cpu" else (*_BYTES, *_BYTES_TOO)
    names = {
        "cpu": "cpu resource",
        "memory": "memory resource",
        "ephemeral-storage": "local ephemeral storage resource",
    }
    name = "hugepages resource" if kind.startswith("hugepages-") else names.get(kind)
    if name is None or str(divisor) in allowed:
        return []
    listed = "1m and 1" if kind == "cpu" else ", ".join(allowed)
    why = f"only divisor's values {listed} are supported with the {name}"
    return [invalid(f"{path}.divisor", resource, why)]


def _key_reference(reference: Object, path: str) -> Errors:
    errors = checks.obey(formats.dns1123_subdomain, text(reference, "name"), f"{path}.name")
    if key := text(reference, "key"):
        return errors + checks.obey(checks.config_key, key, f"{path}.key")
    return [*errors, required(f"{path}.key")]


def _file_reference(reference: Object, path: str) -> Errors:
    errors: Errors = []
    key, volume, file = (text(reference, field) for field in ("key", "volumeName", "path"))
    errors += checks.obey(checks.env_name, key, f"{path}.key") if key else [required(f"{path}.key")]
    if volume:
        errors += checks.obey(formats.dns1123_label, volume, f"{path}.volumeName")
    else:
        errors.append(required(f"{path}.volumeName"))
    errors += no_backsteps(file, f"{path}.path") if file else [required(f"{path}.path")]
    return errors


def sources(container: Object, path: str) -> Errors:
    """`envFrom` of a container. Errors about the choice of source name the whole list."""
    errors: Errors = []
    for source, at in indexed(container, "envFrom", path):
        if prefix := text(source, "prefix"):
            errors += checks.obey(checks.env_name, prefix, f"{at}.prefix")
        given = [f for f in ("configMapRef", "secretRef") if source.get(f) is not None]
        for field in given:
            errors += _source(source[field], f"{at}.{field}")
        if not given:
            why = "must specify one of: `configMapRef` or `secretRef`"
            errors.append(invalid(f"{path}.envFrom", "", why))
        elif len(given) > 1:
            why = "may not have more than one field specified at a time"
            errors.append(invalid(f"{path}.envFrom", "", why))
    return errors


def _source(reference: Object, path: str) -> Errors:
    name = text(reference, "name")
    if not name:
        return [required(f"{path}.name")]
    return checks.obey(checks.prefix_of(formats.dns1123_subdomain), name, f"{path}.name")
