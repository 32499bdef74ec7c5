"""What is wrong with a question about rights.

Source: Kubernetes' `apis/authorization/validation/validation.go`, and
`registry/authorization/util/helpers.go` for selectors that cannot be read.
"""

from tutor.sandbox.api import formats
from tutor.sandbox.api.builtin import checks
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.reading import indexed, items, part, text
from tutor.sandbox.api.selectors import parse_labels
from tutor.sandbox.api.status import ApiError, forbidden_field, invalid, required
from tutor.sandbox.kinds import Object

_ONE_OF = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
_EXISTENCE = ("Exists", "DoesNotExist")
_SELECTION = ("In", "NotIn")


def errors_of(review: Object, *, names_user: bool, local: bool) -> Errors:
    """The errors of a review. `names_user`: it is about another user; `local`: one namespace."""
    spec = part(review, "spec")
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    errors: Errors = []
    if resource is not None and path is not None:
        why = "cannot be specified in combination with resourceAttributes"
        errors.append(invalid("spec.nonResourceAttributes", _go(path), why))
    if resource is None and path is None:
        errors.append(invalid("spec.resourceAttributes", None, _ONE_OF))
    if names_user and not text(spec, "user") and not items(spec, "groups"):
        why = "at least one of user or group must be specified"
        errors.append(invalid("spec.user", "", why))
    errors += _selectors(resource or {})
    errors += _metadata(part(review, "metadata"), local=local)
    if local:
        errors += _local(review, resource, path)
    return errors


def _go(path: Object) -> Object:
    return {"Path": text(path, "path"), "Verb": text(path, "verb")}


def _metadata(meta: Object, *, local: bool) -> Errors:
    ignored = ("managedFields", "namespace") if local else ("managedFields",)
    if all(not value or key in ignored for key, value in meta.items()):
        return []
    why = "must be empty except for namespace" if local else "must be empty"
    return [invalid("metadata", meta, why)]


def _local(review: Object, resource: Object | None, path: Object | None) -> Errors:
    errors: Errors = []
    namespace = text(resource or {}, "namespace")
    if resource is not None and namespace != text(part(review, "metadata"), "namespace"):
        why = "must match metadata.namespace"
        errors.append(invalid("spec.resourceAttributes.namespace", namespace, why))
    if path is not None:
        why = "disallowed on this kind of request"
        errors.append(invalid("spec.nonResourceAttributes", _go(path), why))
    return errors


def _selectors(resource: Object) -> Errors:
    errors: Errors = []
    for name, of_fields in (("fieldSelector", True), ("labelSelector", False)):
        selector = resource.get(name)
        if selector is None:
            continue
        at = f"spec.resourceAttributes.{name}"
        raw, requirements = text(selector, "rawSelector"), items(selector, "requirements")
        if raw and requirements:
            why = "may not specified at the same time as requirements"
            errors.append(invalid(f"{at}.rawSelector", raw, why))
        if not raw and not requirements:
            why = f"when {at} is specified, requirements or rawSelector is required"
            errors.append(required(f"{at}.requirements", why))
        for requirement, place in indexed(selector, "requirements", at):
            errors += _requirement(requirement, place, of_fields=of_fields)
    return errors


def _requirement(requirement: Object, path: str, *, of_fields: bool) -> Errors:
    errors: Errors = []
    key, operator = text(requirement, "key"), text(requirement, "operator")
    values = items(requirement, "values")
    if of_fields and not key:
        errors.append(required(f"{path}.key", "must be specified"))
    if operator in _SELECTION and not values:
        why = "must be specified when `operator` is 'In' or 'NotIn'"
        errors.append(required(f"{path}.values", why))
    if operator in _EXISTENCE and values:
        why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
        errors.append(forbidden_field(f"{path}.values", why))
    if not of_fields:
        errors += checks.obey(formats.label_key, key, f"{path}.key")
        for index, value in enumerate(values):
            errors += checks.obey(formats.label_value, value, f"{path}.values[{index}]")
    return errors


def unread_selectors(spec: Object) -> str:
    """The evaluation error for selectors that the server cannot make sense of; empty for none."""
    resource = part(spec, "resourceAttributes")
    told: list[str] = []
    for name, understood in (
        ("fieldSelector", _understood_fields),
        ("labelSelector", _understood_labels),
    ):
        selector = part(resource, name)
        of, total = understood(selector)
        if of < total:
            how = "partially ignored" if of else "ignored"
            told.append(f"spec.resourceAttributes.{name} {how} due to parse error")
    return "; ".join(told)


def _understood_labels(selector: Object) -> tuple[int, int]:
    """How many of the conditions can be read, and how many there are."""
    if raw := text(selector, "rawSelector"):
        try:
            parse_labels(raw)
        except ApiError:
            return 0, 1
        return 1, 1
    requirements = items(selector, "requirements")
    known = [one for one in requirements if text(one, "operator") in (*_SELECTION, *_EXISTENCE)]
    return len(known), len(requirements)


def _understood_fields(selector: Object) -> tuple[int, int]:
    if raw := text(selector, "rawSelector"):
        terms = [term for term in raw.split(",") if term]
        return (1, 1) if all("=" in term for term in terms) else (0, 1)
    requirements = items(selector, "requirements")
    known = [
        one
        for one in requirements
        if text(one, "operator") in _SELECTION and len(items(one, "values")) == 1
    ]
    return len(known), len(requirements)
