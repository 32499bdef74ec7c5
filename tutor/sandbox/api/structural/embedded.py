"""Objects inside objects: their type and metadata are read and judged as those of any object.

Source: Kubernetes' apiextensions-apiserver (`pkg/apiserver/schema/objectmeta`).
"""

from collections.abc import Iterator
from typing import Any

from tutor.sandbox.api.formats import dns1035_label
from tutor.sandbox.api.metadata import path_segment, validate_object_meta
from tutor.sandbox.api.status import FieldError, invalid, required
from tutor.sandbox.api.structural.schema import Schema, inside
from tutor.sandbox.api.values import is_map
from tutor.sandbox.kinds import Object
from tutor.sandbox.schema.declarations import resolve
from tutor.sandbox.schema.errors import DecodeError
from tutor.sandbox.schema.plan import reader_of
from tutor.sandbox.schema.reading import Reading
from tutor.sandbox.schema.scalars import untyped

_A_NAME = "fakename"


class EmbeddedError(DecodeError):
    """The type or metadata of an embedded object cannot be read."""

    def __init__(self, error: FieldError) -> None:
        super().__init__(str(error))
        self.error = error


def read_metadata(value: Any, path: str = "metadata") -> tuple[Object, tuple[str, ...]]:
    """Metadata as the server keeps it in custom objects, and complaints of unknown fields.

    Raises:
        DecodeError: a value in it has the wrong type.
    """
    reading = Reading()
    found = reader_of(resolve("meta/v1", "ObjectMeta"))(value, (None, path), reading)
    unknown = reading.finish()
    return untyped(found), unknown


def read_embedded(value: Any, schema: Schema, path: str = "") -> Iterator[str]:
    """Read the metadata of embedded objects in place; yields complaints of unknown fields.

    Raises:
        EmbeddedError: an apiVersion, kind or metadata has the wrong type.
    """
    if not schema.embeds:
        return
    if schema.embedded and is_map(value):
        yield from _read_one(value, path)
    for inner, sub, at in inside(value, schema, path):
        yield from read_embedded(inner, sub, at)


def _read_one(value: dict[str, Any], path: str) -> Iterator[str]:
    for key in ("apiVersion", "kind"):
        if key in value and not isinstance(value[key], str):
            raise EmbeddedError(invalid(f"{path}.{key}", value[key], "must be a string"))
    if "metadata" not in value:
        return
    at = f"{path}.metadata"
    try:
        value["metadata"], unknown = read_metadata(value["metadata"], at)
    except DecodeError as error:
        raise EmbeddedError(invalid(at, value["metadata"], str(error))) from None
    yield from unknown


def check_embedded(value: Any, schema: Schema, path: str = "") -> Iterator[FieldError]:
    """What is wrong with the type and metadata of embedded objects."""
    if not schema.embeds:
        return
    if schema.embedded and is_map(value):
        yield from _check_one(value, path)
    for inner, sub, at in inside(value, schema, path):
        yield from check_embedded(inner, sub, at)


def _check_one(value: dict[str, Any], path: str) -> Iterator[FieldError]:
    for key in ("apiVersion", "kind"):
        if key not in value:
            yield required(f"{path}.{key}")
    if "apiVersion" in value:
        yield from _check_api_version(value["apiVersion"], f"{path}.apiVersion")
    if "kind" in value:
        yield from _check_kind(value["kind"], f"{path}.kind")
    if is_map(meta := value.get("metadata")):
        yield from validate_object_meta(
            meta | {"name": meta.get("name") or _A_NAME},
            namespaced=bool(meta.get("namespace")),
            name_rule=path_segment,
            path=f"{path}.metadata",
        )


def _check_api_version(value: Any, path: str) -> Iterator[FieldError]:
    if not isinstance(value, str):
        yield invalid(path, value, "must be a string")
    elif not value:
        yield invalid(path, value, "must not be empty")
    elif value.count("/") > 1:
        yield invalid(path, value, f"unexpected GroupVersion string: {value}")


def _check_kind(value: Any, path: str) -> Iterator[FieldError]:
    if not isinstance(value, str):
        yield invalid(path, value, "must be a string")
    elif not value:
        yield invalid(path, value, "must not be empty")
    elif complaints := dns1035_label(value.lower()):
        text = "may have mixed case, but should otherwise match: " + ",".join(complaints)
        yield invalid(path, value, text)
