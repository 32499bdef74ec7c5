"""What the server accepts as an object's metadata, in the order in which it complains.

Source: Kubernetes' apimachinery, `api/validation/objectmeta.go`, `apis/meta/v1/validation`.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from tutor.sandbox.api import formats
from tutor.sandbox.api.builtin import checks
from tutor.sandbox.api.builtin.checks import Errors, Rule
from tutor.sandbox.api.builtin.reading import indexed, items, number, part, text
from tutor.sandbox.api.status import FieldError, forbidden_field, invalid, required, too_long
from tutor.sandbox.kinds import Object

ANNOTATIONS_MAX_BYTES = 256 * 1024
FIELD_MANAGER_MAX_BYTES = 128
_SUBRESOURCE_MAX_BYTES = 256
_STANDARD_FINALIZERS = ("kubernetes", "orphan", "foregroundDeletion")

dns_subdomain: Rule = formats.dns1123_subdomain
dns_label: Rule = formats.dns1123_label
path_segment: Rule = checks.path_segment


def validate_object_meta(
    meta: Object, *, namespaced: bool, name_rule: Rule, path: str = "metadata"
) -> list[FieldError]:
    """What is wrong with the metadata of an object by itself."""
    errors: Errors = []
    generated, name = text(meta, "generateName"), text(meta, "name")
    if generated:
        errors += checks.obey(checks.prefix_of(name_rule), generated, f"{path}.generateName")
    if name:
        errors += checks.obey(name_rule, name, f"{path}.name")
    else:
        errors.append(required(f"{path}.name", "name or generateName is required"))
    return errors + _validate_the_rest(meta, namespaced=namespaced, path=path)


def _validate_the_rest(meta: Object, *, namespaced: bool, path: str) -> Errors:
    errors: Errors = []
    namespace = text(meta, "namespace")
    if not namespaced:
        if namespace:
            errors.append(forbidden_field(f"{path}.namespace", "not allowed on this type"))
    elif namespace:
        errors += checks.obey(dns_label, namespace, f"{path}.namespace")
    else:
        errors.append(required(f"{path}.namespace"))
    if meta.get("generation"):
        errors += checks.non_negative(meta["generation"], f"{path}.generation")
    errors += _words_and_owners(meta, path)
    if meta.get("finalizers"):
        errors += finalizers(items(meta, "finalizers"), f"{path}.finalizers")
    return errors + managed_fields(meta, path)


def _words_and_owners(meta: Object, path: str) -> Errors:
    # Every write is judged, some of it twice, and most objects have none of these.
    errors: Errors = []
    if meta.get("labels"):
        errors += checks.labels(meta["labels"], f"{path}.labels")
    if meta.get("annotations"):
        errors += annotations(meta["annotations"], f"{path}.annotations")
    if meta.get("ownerReferences"):
        errors += owner_references(meta["ownerReferences"], f"{path}.ownerReferences")
    return errors


def validate_object_meta_update(
    new: Object, old: Object, path: str = "metadata"
) -> list[FieldError]:
    """What is wrong with a change from the old metadata to the new."""
    errors: Errors = []
    if old.get("deletionTimestamp"):
        errors += _no_new_finalizers(new, old, f"{path}.finalizers")
    if not new.get("resourceVersion"):
        why = "must be specified for an update"
        errors.append(invalid(f"{path}.resourceVersion", "", why))
    if number(new, "generation") < number(old, "generation"):
        why = "must not be decremented"
        errors.append(invalid(f"{path}.generation", number(new, "generation"), why))
    for field in ("name", "namespace", "uid"):
        errors += checks.immutable(text(new, field), text(old, field), f"{path}.{field}")
    for field in ("creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"):
        errors += _immutable_value(new.get(field), old.get(field), f"{path}.{field}")
    return errors + _words_and_owners(new, path) + managed_fields(new, path)


def _immutable_value(new: Any, old: Any, path: str) -> Errors:
    return [] if new == old else [invalid(path, new, checks.IMMUTABLE)]


def _no_new_finalizers(new: Object, old: Object, path: str) -> Errors:
    added = sorted(set(items(new, "finalizers")) - set(items(old, "finalizers")))
    if not added:
        return []
    # Go prints a list of strings with its type.
    shown = "[]string{" + ", ".join(f'"{name}"' for name in added) + "}"
    why = "no new finalizers can be added if the object is being deleted, found new finalizers"
    return [forbidden_field(path, f"{why} {shown}")]


def annotations(found: Object, path: str) -> list[FieldError]:
    """Keys are judged in lower case; all of it together has a size limit."""
    errors: Errors = []
    for key in sorted(found):
        errors += [invalid(path, key, why) for why in formats.label_key(key.lower())]
    size = sum(len(key.encode()) + len(value.encode()) for key, value in found.items())
    if size > ANNOTATIONS_MAX_BYTES:
        errors.append(too_long(path, ANNOTATIONS_MAX_BYTES))
    return errors


def owner_references(references: list[Object], path: str) -> list[FieldError]:
    """Each names its owner in full, and at most one of them is the controller."""
    errors: Errors = []
    controller = ""
    for reference in references:
        errors += _owner_reference(reference, path)
        if not reference.get("controller"):
            continue
        this = f"{text(reference, 'kind')}/{text(reference, 'name')}"
        if controller:
            why = (
                'Only one reference can have Controller set to true. Found "true" in references '
                f"for {controller} and {this}"
            )
            errors.append(invalid(path, references, why))
        else:
            controller = this
    return errors


def _owner_reference(reference: Object, path: str) -> Errors:
    errors: Errors = []
    group, slash, version = text(reference, "apiVersion").rpartition("/")
    if slash and "/" in group:
        group = version = ""
    kind = text(reference, "kind")
    if not version:
        why = "version must not be empty"
        errors.append(invalid(f"{path}.apiVersion", text(reference, "apiVersion"), why))
    errors += [
        invalid(f"{path}.{field}", "", "must not be empty")
        for field in ("kind", "name", "uid")
        if not reference.get(field)
    ]
    if (group, version, kind) == ("", "v1", "Event"):
        why = "/v1, Kind=Event is disallowed from being an owner"
        errors.append(invalid(path, reference, why))
    return errors


def finalizers(names: Iterable[str], path: str) -> list[FieldError]:
    """Qualified names; a delete is either orphaning or foreground."""
    listed = list(names)
    errors = [error for name in listed for error in checks.obey(formats.label_key, name, path)]
    if "orphan" in listed and "foregroundDeletion" in listed:
        why = "finalizer orphan and foregroundDeletion cannot be both set"
        errors.append(invalid(path, listed, why))
    return errors


def standard_finalizer(name: str, path: str) -> list[FieldError]:
    """A finalizer without a domain is one of Kubernetes' own; built-in kinds ask for that."""
    if "/" in name or name in _STANDARD_FINALIZERS:
        return []
    why = "name is neither a standard finalizer name nor is it fully qualified"
    return [invalid(path, name, why)]


def managed_fields(meta: Object, path: str) -> list[FieldError]:
    """Entries of `managedFields`, as far as they are judged at all."""
    errors: Errors = []
    if all(map(_is_sound, items(meta, "managedFields"))):
        return errors
    for entry, at in indexed(meta, "managedFields", path):
        if entry.get("operation") not in ("Apply", "Update"):
            why = "must be `Apply` or `Update`"
            errors.append(invalid(f"{at}.operation", text(entry, "operation"), why))
        if entry.get("fieldsType", "FieldsV1") != "FieldsV1":
            errors.append(invalid(f"{at}.fieldsType", entry["fieldsType"], "must be `FieldsV1`"))
        errors += field_manager(text(entry, "manager"), f"{at}.manager")
        if len(text(entry, "subresource").encode()) > _SUBRESOURCE_MAX_BYTES:
            errors.append(too_long(f"{at}.subresource", _SUBRESOURCE_MAX_BYTES))
    return errors


def _is_sound(entry: Object) -> bool:
    """Whether there is nothing to say of an entry: nearly always, and quicker to see."""
    subresource = entry.get("subresource")
    return (
        entry.get("operation") in ("Apply", "Update")
        and entry.get("fieldsType", "FieldsV1") == "FieldsV1"
        and not _manager_errors(text(entry, "manager"), "")
        and (not subresource or len(subresource.encode()) <= _SUBRESOURCE_MAX_BYTES)
    )


def field_manager(name: str, path: str) -> list[FieldError]:
    """The name under which a client owns fields."""
    return list(_manager_errors(name, path))


@lru_cache(maxsize=256)
def _manager_errors(name: str, path: str) -> Sequence[FieldError]:
    errors: Errors = []
    if len(name.encode()) > FIELD_MANAGER_MAX_BYTES:
        errors.append(too_long(path, FIELD_MANAGER_MAX_BYTES))
    for index, char in enumerate(name):
        if not char.isprintable():
            position = len(name[:index].encode())
            # Go's %#U, which shows the character itself only when that can be printed.
            why = f"invalid character U+{ord(char):04X} (at position {position})"
            errors.append(invalid(path, name, why))
    return errors


def built_in(obj: Object, name_rule: Rule, *, namespaced: bool = True) -> list[FieldError]:
    """The metadata of a new object of a built-in kind."""
    meta = part(obj, "metadata")
    errors = validate_object_meta(meta, namespaced=namespaced, name_rule=name_rule)
    return errors + _standard_finalizers(meta)


def built_in_update(new: Object, old: Object) -> list[FieldError]:
    """The metadata of a changed object of a built-in kind."""
    meta = part(new, "metadata")
    return validate_object_meta_update(meta, part(old, "metadata")) + _standard_finalizers(meta)


def _standard_finalizers(meta: Object) -> Errors:
    return [
        error
        for name, at in indexed(meta, "finalizers", "metadata")
        for error in standard_finalizer(name, at)
    ]
