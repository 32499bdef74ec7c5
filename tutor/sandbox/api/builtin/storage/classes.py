"""StorageClasses and VolumeAttributesClasses.

Source: `apis/storage/validation/validation.go`, `registry/storage`.
"""

from tutor.sandbox.api import formats, metadata
from tutor.sandbox.api.builtin import checks
from tutor.sandbox.api.builtin.behaviour import Behaviour
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.pod.warnings import NODE_LABELS
from tutor.sandbox.api.builtin.reading import fill_absent, indexed, items, part, same, text
from tutor.sandbox.api.status import duplicate, forbidden_field, invalid, required, too_long
from tutor.sandbox.kinds import Object

_RECLAIM = ("Delete", "Retain")
_BINDING = ("Immediate", "WaitForFirstConsumer")
_MAX_PARAMETERS, _MAX_BYTES = 512, 256 * 1024
_IMMUTABLE = ("parameters", "provisioner", "reclaimPolicy", "volumeBindingMode")


def _default(obj: Object) -> None:
    fill_absent(obj, reclaimPolicy="Delete", volumeBindingMode="Immediate")


def _provisioner(name: str, path: str) -> Errors:
    return checks.obey(formats.label_key, name.lower(), path) if name else [required(path)]


def _parameters(obj: Object) -> Errors:
    given = part(obj, "parameters")
    if len(given) > _MAX_PARAMETERS:
        return [too_long("parameters", _MAX_PARAMETERS)]
    errors = [invalid("parameters", key, "field can not be empty.") for key in given if not key]
    if sum(len(text.encode()) for pair in given.items() for text in pair) > _MAX_BYTES:
        errors.append(too_long("parameters", _MAX_BYTES))
    return errors


def _validate(obj: Object) -> Errors:
    errors = metadata.built_in(obj, metadata.dns_subdomain, namespaced=False)
    errors += _provisioner(text(obj, "provisioner"), "provisioner") + _parameters(obj)
    if policy := obj.get("reclaimPolicy"):
        errors += checks.one_of(policy, _RECLAIM, "reclaimPolicy")
    errors += checks.one_of(obj.get("volumeBindingMode"), _BINDING, "volumeBindingMode")
    return errors + _topologies(obj)


def _topologies(obj: Object) -> Errors:
    errors: Errors = []
    # The real server compares with as many empty terms as there are terms.
    seen: list[dict[str, set[str]]] = [{}] * len(items(obj, "allowedTopologies"))
    for term, path in indexed(obj, "allowedTopologies", ""):
        wanted: dict[str, set[str]] = {}
        for requirement, at in indexed(term, "matchLabelExpressions", path):
            key, values = text(requirement, "key"), items(requirement, "values")
            if not values:
                errors.append(required(f"{at}.values"))
            for index, value in enumerate(values):
                if value in values[:index]:
                    errors.append(duplicate(f"{at}.values[{index}]", value))
            errors += checks.obey(formats.label_key, key, f"{at}.key")
            if key in wanted:
                errors.append(duplicate(f"{at}.key", key))
            wanted[key] = set(values)
        errors += [duplicate(f"{path}.matchLabelExpressions", "")] * seen.count(wanted)
        seen.append(wanted)
    return errors


def _validate_update(new: Object, old: Object) -> Errors:
    errors = _validate(new) + metadata.built_in_update(new, old)
    for field in _IMMUTABLE:
        errors += checks.immutable(new.get(field), old.get(field), field)
    return errors


def _warnings(obj: Object, _old: Object | None) -> list[str]:
    return [
        f"{at}.key: {NODE_LABELS[requirement['key']]}"
        for term, path in indexed(obj, "allowedTopologies", "")
        for requirement, at in indexed(term, "matchLabelExpressions", path)
        if text(requirement, "key") in NODE_LABELS
    ]


STORAGE_CLASS = Behaviour(
    default=_default, validate=_validate, validate_update=_validate_update, warnings=_warnings
)


def _validate_attributes(obj: Object) -> Errors:
    errors = metadata.built_in(obj, metadata.dns_subdomain, namespaced=False)
    errors += _provisioner(text(obj, "driverName"), "driverName") + _parameters(obj)
    if not obj.get("parameters"):
        errors.append(required("parameters", "must contain at least one key/value pair"))
    return errors


def _validate_attributes_update(new: Object, old: Object) -> Errors:
    errors = metadata.built_in_update(new, old)
    for field in ("driverName", "parameters"):
        if not same(new.get(field), old.get(field)):
            errors.append(forbidden_field(field, f"updates to {field} are forbidden."))
    return errors + _validate_attributes(new)


VOLUME_ATTRIBUTES_CLASS = Behaviour(
    validate=_validate_attributes, validate_update=_validate_attributes_update
)
