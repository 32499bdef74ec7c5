"""What a version serves beside its objects: columns, subresources and fields to select by.

Source: apiextensions-apiserver (`pkg/apis/apiextensions/validation/validation.go`).
"""

from collections.abc import Iterator, Sequence

from tutor.sandbox.api.status import FieldError, duplicate, invalid, required, too_many
from tutor.sandbox.api.structural.field_paths import FieldPathError, read_field_path
from tutor.sandbox.api.structural.schema import read_schema
from tutor.sandbox.kinds import Object

_COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
_COLUMN_FORMATS = ("byte", "date", "date-time", "double", "float", "int32", "int64", "password")
_SELECTABLE_TYPES = ("string", "boolean", "integer")
_MAX_SELECTABLE = 8


def check_column(column: Object, path: str) -> Iterator[FieldError]:
    """What is wrong with a printer column."""
    if not column.get("name"):
        yield required(f"{path}.name")
    type_, format_ = column.get("type", ""), column.get("format", "")
    types = "must be one of " + ",".join(_COLUMN_TYPES)
    if not type_:
        yield required(f"{path}.type", types)
    elif type_ not in _COLUMN_TYPES:
        yield invalid(f"{path}.type", type_, types)
    if format_ and format_ not in _COLUMN_FORMATS:
        formats = "must be one of " + ",".join(_COLUMN_FORMATS)
        yield invalid(f"{path}.format", format_, formats)
    yield from _check_path(column.get("jsonPath", ""), f"{path}.JSONPath", ())


def check_subresources(subresources: Object | None, path: str) -> Iterator[FieldError]:
    """What is wrong with the subresources of a version."""
    scale: Object | None = (subresources or {}).get("scale")
    if scale is None:
        return
    for name, under in (("specReplicasPath", ".spec."), ("statusReplicasPath", ".status.")):
        yield from _check_path(scale.get(name, ""), f"{path}.scale.{name}", (under,))
    if selector := scale.get("labelSelectorPath"):
        yield from _check_path(selector, f"{path}.scale.labelSelectorPath", (".spec.", ".status."))


def _check_path(text: str, path: str, under: tuple[str, ...]) -> Iterator[FieldError]:
    if not text:
        yield required(path)
    elif not text.startswith("."):
        yield invalid(path, text, "must be a simple json path starting with .")
    elif under and not text.startswith(under):
        either = "either " if len(under) > 1 else ""
        places = " or ".join(place.rstrip(".") for place in under)
        yield invalid(path, text, f"should be a json path under {either}{places}")


def check_selectable(fields: Sequence[Object], schema: Object, path: str) -> Iterator[FieldError]:
    """What is wrong with the fields that field selectors may name."""
    compiled = read_schema(schema)
    seen: set[str] = set()
    for index, field in enumerate(fields):
        at, text = f"{path}[{index}].jsonPath", field.get("jsonPath", "")
        if not text:
            yield required(at)
            continue
        try:
            named = read_field_path(text, compiled, brackets=False)
        except FieldPathError as error:
            yield invalid(at, text, f"is an invalid path: {error}")
            continue
        if named.root == "metadata":
            yield invalid(at, text, "must not point to fields in metadata")
        if named.schema.type not in _SELECTABLE_TYPES:
            why = (
                "must point to a field of type string, boolean or integer. Enum string fields and"
                " strings with formats are allowed."
            )
            yield invalid(at, text, why)
        if named.text in seen:
            yield duplicate(at, text)
        seen.add(named.text)
    if len(seen) > _MAX_SELECTABLE:
        yield too_many(path, len(seen), _MAX_SELECTABLE)
