"""Files that volumes project. Source: `apis/core/validation/validation.go`."""

from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.pod.env import VOLUME_FIELDS, field_reference, resource_reference
from tutor.sandbox.api.builtin.pod.paths import not_reserved
from tutor.sandbox.api.builtin.reading import indexed, items, number, text
from tutor.sandbox.api.status import forbidden_field, invalid, required
from tutor.sandbox.kinds import Object

_TEN_MINUTES = 600
_MODE = "must be a number between 0 and 0777 (octal), both inclusive"
_CONFLICT = "conflicting duplicate paths"


def mode(value: int | None, path: str) -> Errors:
    """Permissions of a file."""
    return [] if value is None or 0 <= value <= 0o777 else [invalid(path, value, _MODE)]


def key_to_path(item: Object, path: str) -> Errors:
    """A key and the file it becomes."""
    errors = [required(f"{path}.{field}") for field in ("key", "path") if not item.get(field)]
    errors += not_reserved(text(item, "path"), f"{path}.path")
    return errors + mode(item.get("mode"), f"{path}.mode")


def downward_file(file: Object, path: str) -> Errors:
    """A file that holds something of the pod itself."""
    name = text(file, "path")
    errors = ([] if name else [required(f"{path}.path")]) + not_reserved(name, f"{path}.path")
    field, resource = file.get("fieldRef"), file.get("resourceFieldRef")
    if field is not None:
        errors += field_reference(field, VOLUME_FIELDS, f"{path}.fieldRef")
        if resource is not None:
            why = "fieldRef and resourceFieldRef can not be specified simultaneously"
            errors.append(invalid(path, "resource", why))
    elif resource is not None:
        errors += resource_reference(resource, f"{path}.resourceFieldRef", in_volume=True)
    else:
        errors.append(required(path, "one of fieldRef and resourceFieldRef is required"))
    return errors + mode(file.get("mode"), f"{path}.mode")


def projected(source: Object, path: str) -> Errors:
    """Several sources in one folder, without two files of one name."""
    errors = mode(source.get("defaultMode"), f"{path}.defaultMode")
    taken: set[str] = set()
    for one, at in indexed(source, "sources", path):
        for field in ("secret", "configMap"):
            if one.get(field) is not None:
                errors += _keys(one[field], f"{at}.{field}", path, taken)
        if one.get("downwardAPI") is not None:
            errors += _downward(one["downwardAPI"], f"{at}.downwardAPI", path, taken)
        if one.get("serviceAccountToken") is not None:
            errors += _token(one["serviceAccountToken"], f"{at}.serviceAccountToken", path)
        if sum(value is not None for value in one.values()) > 1:
            why = "may not specify more than 1 volume type per source"
            errors.append(forbidden_field(at, why))
    return errors


def _take(name: str, shown: str, path: str, taken: set[str]) -> Errors:
    if name and name in taken:
        return [invalid(path, shown, _CONFLICT)]
    taken.add(name)
    return []


def _keys(source: Object, at: str, path: str, taken: set[str]) -> Errors:
    name = text(source, "name")
    errors = [] if name else [required(f"{at}.name")]
    for item, item_path in indexed(source, "items", at):
        errors += key_to_path(item, item_path)
        errors += _take(text(item, "path"), name, path, taken)
    return errors


def _downward(source: Object, at: str, path: str, taken: set[str]) -> Errors:
    errors: Errors = []
    for file in items(source, "items"):
        errors += downward_file(file, at)
        errors += _take(text(file, "path"), text(file, "path"), path, taken)
    return errors


def _token(source: Object, at: str, path: str) -> Errors:
    errors: Errors = []
    seconds, name = number(source, "expirationSeconds"), text(source, "path")
    if seconds < _TEN_MINUTES:
        why = "may not specify a duration less than 10 minutes"
        errors.append(invalid(f"{at}.expirationSeconds", seconds, why))
    if seconds > 1 << 32:
        why = "may not specify a duration larger than 2^32 seconds"
        errors.append(invalid(f"{at}.expirationSeconds", seconds, why))
    # The real server names the volume here, not the source.
    return errors + (not_reserved(name, f"{path}.path") if name else [required(f"{path}.path")])
