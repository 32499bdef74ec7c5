"""Where containers mount volumes. Source: `apis/core/validation/validation.go`."""

from collections.abc import Collection

from tutor.sandbox.api.builtin import checks
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.pod.paths import descending, no_backsteps
from tutor.sandbox.api.builtin.reading import indexed, items, part, text
from tutor.sandbox.api.status import forbidden_field, invalid, not_found_field, required
from tutor.sandbox.kinds import Object

_PROPAGATIONS = ("Bidirectional", "HostToContainer", "None")
_READ_ONLY = ("Disabled", "Enabled", "IfPossible")


def mounts(container: Object, volumes: Collection[str], path: str) -> Errors:
    """`volumeMounts`: each of a volume that is there, at a place of its own."""
    errors: Errors = []
    devices = {text(d, "name"): text(d, "devicePath") for d in items(container, "volumeDevices")}
    taken: set[str] = set()
    for mount, at in indexed(container, "volumeMounts", path):
        name, place = text(mount, "name"), text(mount, "mountPath")
        if not name:
            errors.append(required(f"{at}.name"))
        if name not in volumes:
            errors.append(not_found_field(f"{at}.name", name))
        if not place:
            errors.append(required(f"{at}.mountPath"))
        if place in taken:
            errors.append(invalid(f"{at}.mountPath", place, "must be unique"))
        taken.add(place)
        if name in devices:
            why = "must not already exist in volumeDevices"
            errors.append(invalid(f"{at}.name", name, why))
        if place in devices.values():
            why = "must not already exist as a path in volumeDevices"
            errors.append(invalid(f"{at}.mountPath", place, why))
        errors += _details(mount, container, at, f"{path}.volumeMounts")
    return errors


def _details(mount: Object, container: Object, at: str, path: str) -> Errors:
    """Of these the real server names the list, not the mount."""
    errors: Errors = []
    below, expression = text(mount, "subPath"), text(mount, "subPathExpr")
    if below:
        errors += descending(below, f"{path}.subPath")
    if expression and below:
        why = "subPathExpr and subPath are mutually exclusive"
        errors.append(invalid(f"{at}.subPathExpr", expression, why))
    if expression:
        errors += descending(expression, f"{path}.subPathExpr")
    propagation = mount.get("mountPropagation")
    if propagation is not None:
        errors += _propagation(propagation, container, f"{path}.mountPropagation")
    return errors + _recursive(mount, propagation, f"{path}.recursiveReadOnly")


def _propagation(value: str, container: Object, path: str) -> Errors:
    errors = checks.one_of(value, _PROPAGATIONS, path)
    privileged = bool(part(container, "securityContext").get("privileged"))
    if value == "Bidirectional" and not privileged:
        why = "Bidirectional mount propagation is available only to privileged containers"
        errors.append(forbidden_field(path, why))
    return errors


def _recursive(mount: Object, propagation: str | None, path: str) -> Errors:
    value = mount.get("recursiveReadOnly")
    if value in (None, "Disabled"):
        return []
    if value not in _READ_ONLY:
        return checks.one_of(value, _READ_ONLY, path)
    errors: Errors = []
    if not mount.get("readOnly"):
        errors.append(forbidden_field(path, "may only be specified when readOnly is true"))
    if propagation not in (None, "None"):
        why = "may only be specified when mountPropagation is None or not specified"
        errors.append(forbidden_field(path, why))
    return errors


def devices(container: Object, spec: Object, volumes: Collection[str], path: str) -> Errors:
    """`volumeDevices`: volumes as raw disks."""
    errors: Errors = []
    mounted = {text(m, "name"): text(m, "mountPath") for m in items(container, "volumeMounts")}
    names: set[str] = set()
    places: set[str] = set()
    for device, at in indexed(container, "volumeDevices", path):
        name, place = text(device, "name"), text(device, "devicePath")
        errors += _named(name, spec, volumes, names, at)
        if not place:
            errors.append(required(f"{at}.devicePath"))
        if place in places:
            errors.append(invalid(f"{at}.devicePath", place, "must be unique"))
        if place and no_backsteps(place, at):
            errors.append(invalid(f"{at}.devicePath", place, "can not contain backsteps ('..')"))
        else:
            places.add(place)
        if name in mounted:
            errors.append(invalid(f"{at}.name", name, "must not already exist in volumeMounts"))
        if place in mounted.values():
            why = "must not already exist as a path in volumeMounts"
            errors.append(invalid(f"{at}.devicePath", place, why))
        names |= {name} if name else set()
    return errors


def _named(
    name: str, spec: Object, volumes: Collection[str], names: Collection[str], at: str
) -> Errors:
    errors: Errors = []
    if not name:
        errors.append(required(f"{at}.name"))
    if name in names:
        errors.append(invalid(f"{at}.name", name, "must be unique"))
    if name not in volumes:
        return [*errors, not_found_field(f"{at}.name", name)]
    volume = next(v for v in items(spec, "volumes") if v.get("name") == name)
    if volume.get("persistentVolumeClaim") is None and volume.get("ephemeral") is None:
        why = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"
        errors.append(invalid(f"{at}.name", name, why))
    return errors
