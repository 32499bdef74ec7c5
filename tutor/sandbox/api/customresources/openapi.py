"""What a custom resource's OpenAPI schema may say.

Source: apiextensions-apiserver (`pkg/apis/apiextensions/validation/validation.go`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from tutor.sandbox.api.customresources.default_values import check_defaults
from tutor.sandbox.api.customresources.expressions import Budget, Judged, check_rules
from tutor.sandbox.api.customresources.extensions import check_extensions, check_rule_texts
from tutor.sandbox.api.customresources.printed import schema_printed, set_fields
from tutor.sandbox.api.customresources.structure import check_structure, unsupported
from tutor.sandbox.api.status import FieldError, forbidden_field, invalid, not_supported
from tutor.sandbox.api.structural.schema import META_FIELDS, Schema, read_schema
from tutor.sandbox.api.values import is_list, is_map
from tutor.sandbox.kinds import Object

_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_EMBEDDED = "x-kubernetes-embedded-resource"
_ROOT_WORDS = (
    "Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength"
    " MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties"
    " ExternalDocs Example XPreserveUnknownFields XValidations"
)
_WITH_STATUS = "at the root of the schema if the status subresource is enabled"


class _Place(NamedTuple):
    """Where in the whole a schema stands."""

    path: str
    judged: Judged | None
    """What expressions are judged by here; None where they are not."""
    root: bool = False
    no_default: str | None = None
    """Why defaults may not be set here; None where they may."""
    in_meta: bool = False
    uncorrelated: str = ""
    """The path of the first value around this one of which old and new cannot be matched."""

    def below(self, step: str, schema: Schema | None = None) -> "_Place":
        judged = self.judged.below(schema) if self.judged is not None else None
        return self._replace(path=f"{self.path}.{step}", root=False, judged=judged)

    def without_old(self) -> "_Place":
        return self._replace(uncorrelated=self.uncorrelated or self.path)


@dataclass(slots=True)
class _Found:
    """Complaints about the schema, and those about expressions, which come last."""

    schema: list[FieldError] = field(default_factory=list[FieldError])
    rules: list[FieldError] = field(default_factory=list[FieldError])

    def add(self, other: "_Found") -> None:
        self.schema += other.schema
        self.rules += other.rules


def check_schema(
    schema: Object, path: str, *, with_status: bool, unchanged: bool
) -> list[FieldError]:
    """Everything that is wrong with the schema of a version, which may be that of before."""
    found = list(_check_root(schema, path)) if with_status else []
    if schema.get("nullable"):
        found.append(forbidden_field(f"{path}.nullable", "nullable cannot be true at the root"))
    why = unsupported(schema)
    judged: Judged | None = None
    if not why:
        compiled = read_schema(schema)
        wrong = check_structure(schema, path) or check_defaults(compiled, path)
        found += wrong
        if not wrong:
            judged = Judged(compiled, root=True, cardinality=1)
    budget = Budget(unchanged)
    inside = _check(schema, _Place(path=path, root=True, judged=judged), budget)
    found += [*inside.schema, *inside.rules, *budget.excess(path)]
    return found or ([invalid(path, "", why)] if why else [])


def _check_root(schema: Object, path: str) -> Iterator[FieldError]:
    """Where there is a status subresource, the schema of the status must stand on its own."""
    for word in set_fields(schema):
        if word == "Type" and schema["type"] != "object":
            why = f'only "object" is allowed as the type {_WITH_STATUS}'
            yield invalid(f"{path}.type", schema["type"], why)
            return
        if word not in _ROOT_WORDS.split():
            why = f"only [{_ROOT_WORDS}] fields are allowed {_WITH_STATUS}"
            yield invalid(path, schema_printed(schema), why)
            return


def _check(schema: Object, place: _Place, budget: Budget) -> _Found:
    found = _Found(schema=[*_check_words(schema, place)])
    for sub, below in _inner(schema, place):
        found.add(_check(sub, below, budget))
    found.schema += check_extensions(schema, place.path)
    found.schema += check_rule_texts(schema, place.path)
    if place.judged is not None and not found.schema:
        found.rules += check_rules(place.judged, place.path, place.uncorrelated, budget)
    return found


def _check_words(schema: Object, place: _Place) -> Iterator[FieldError]:
    path, type_ = place.path, schema.get("type", "")
    if type_ and type_ not in _TYPES:
        yield not_supported(f"{path}.type", type_, _TYPES)
    if schema.get("default") is not None and place.no_default is not None:
        why = f"must not be set {place.no_default}".rstrip()
        yield forbidden_field(f"{path}.default", why)
    yield from _check_unsupported(schema, path)
    if place.in_meta and schema.get(_EMBEDDED):
        yield forbidden_field(f"{path}.{_EMBEDDED}", "must not be used inside of resource meta")
    if schema.get("uniqueItems"):
        why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield forbidden_field(f"{path}.uniqueItems", why)
    if schema.get("additionalProperties") not in (None, True) and schema.get("properties"):
        why = "additionalProperties and properties are mutual exclusive"
        yield forbidden_field(f"{path}.additionalProperties", why)


def _check_unsupported(schema: Object, path: str) -> Iterator[FieldError]:
    for word in ("id", "additionalItems", "patternProperties", "definitions"):
        if schema.get(word) not in (None, "", {}):
            yield forbidden_field(f"{path}.{word}", f"{word} is not supported")
    for word in ("dependencies", "$ref"):
        if schema.get(word) is not None:
            yield forbidden_field(f"{path}.{word}", f"{word} is not supported")
    if schema.get("type") == "null":
        why = "type cannot be set to null, use nullable as an alternative"
        yield forbidden_field(f"{path}.type", why)
    if is_list(schema.get("items")) and schema["items"]:
        yield forbidden_field(f"{path}.items", "items must be a schema object and not an array")


def _inner(schema: Object, place: _Place) -> Iterator[tuple[Object, _Place]]:
    """Every schema directly in a schema."""
    known = place.judged.schema if place.judged is not None else None
    if is_map(extra := schema.get("additionalProperties")):
        below = place.below("additionalProperties", known.additional if known else None)
        if place.in_meta:
            why = "inside additionalProperties applying to object metadata"
            below = below._replace(no_default=why)
        yield extra, below
    properties: dict[str, Object] = schema.get("properties") or {}
    for name in sorted(properties):
        yield properties[name], _property(schema, name, place)
    yield from _alternatives(schema, place)
    inner = schema.get("items")
    outer = place if schema.get("x-kubernetes-list-type") == "map" else place.without_old()
    if is_map(inner):
        yield inner, outer.below("items", known.items if known else None)
    for index, one in enumerate(inner if is_list(inner) else ()):
        yield one, outer.below(f"items[{index}]")


def _property(schema: Object, name: str, place: _Place) -> _Place:
    atomic = schema.get("x-kubernetes-map-type") == "atomic"
    outer = place.without_old() if atomic else place
    known = place.judged.schema.properties.get(name) if place.judged is not None else None
    below = outer.below(f"properties[{name}]", known)
    if name in META_FIELDS and (place.root or schema.get(_EMBEDDED)):
        below = below._replace(in_meta=True)
        if place.root:
            below = below._replace(no_default=f"in top-level {name}")
    return below


def _alternatives(schema: Object, outer: _Place) -> Iterator[tuple[Object, _Place]]:
    place = outer._replace(judged=None)
    if is_map(inverse := schema.get("not")):
        yield inverse, place.below("not")
    for word in ("allOf", "oneOf", "anyOf"):
        for index, one in enumerate(schema.get(word) or ()):
            yield one, place.below(f"{word}[{index}]")
