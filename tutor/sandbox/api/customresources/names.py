"""The names of a custom kind.

Source: apiextensions-apiserver (`pkg/apis/apiextensions/validation/validation.go`).
"""

from collections.abc import Iterator

from tutor.sandbox.api.formats import dns1035_label
from tutor.sandbox.api.status import FieldError, invalid, required
from tutor.sandbox.kinds import Object

_REQUIRED = ("plural", "singular", "kind", "listKind")


def check_required_names(names: Object, path: str) -> Iterator[FieldError]:
    """The names that must be asked for."""
    return (required(f"{path}.{name}") for name in _REQUIRED if not names.get(name))


def check_names(names: Object, path: str) -> Iterator[FieldError]:
    """What is wrong with names that are there."""
    for name in ("plural", "singular"):
        if value := names.get(name, ""):
            yield from _check_label(value, f"{path}.{name}")
    for name in ("kind", "listKind"):
        value = names.get(name, "")
        if value and (complaints := dns1035_label(value.lower())):
            text = "may have mixed case, but should otherwise match: " + ",".join(complaints)
            yield invalid(f"{path}.{name}", value, text)
    yield from _check_labels(names, "shortNames", path)
    list_kind = names.get("listKind", "")
    if list_kind and list_kind == names.get("kind"):
        yield invalid(f"{path}.listKind", list_kind, "kind and listKind may not be the same")
    yield from _check_labels(names, "categories", path)


def _check_labels(names: Object, field: str, path: str) -> Iterator[FieldError]:
    for index, value in enumerate(names.get(field) or ()):
        yield from _check_label(value, f"{path}.{field}[{index}]")


def _check_label(value: str, path: str) -> Iterator[FieldError]:
    if complaints := dns1035_label(value):
        yield invalid(path, value, ",".join(complaints))
