"""A structural schema: the part of an OpenAPI v3 schema that decides what an object looks like.

Built once from a version's `openAPIV3Schema`. Source: Kubernetes' apiextensions-apiserver
(`pkg/apiserver/schema`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tutor.sandbox.api.values import is_list, is_map
from tutor.sandbox.kinds import Object

META_FIELDS = frozenset({"apiVersion", "kind", "metadata"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One entry of `x-kubernetes-validations`."""

    rule: str
    message: str = ""
    message_expression: str = ""
    reason: str = ""
    field_path: str = ""
    optional_old_self: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Schema:
    """The schema of one value."""

    raw: Object
    """The JSONSchemaProps it was made of, for the checks of values."""
    type: str = ""
    format: str = ""
    nullable: bool = False
    preserve: bool = False
    embedded: bool = False
    int_or_string: bool = False
    properties: Mapping[str, "Schema"]
    open: bool = False
    """Whether `additionalProperties` is there at all."""
    additional: "Schema | None" = None
    """The schema of other fields; None when it is a boolean."""
    items: "Schema | None" = None
    list_type: str = ""
    list_keys: tuple[str, ...] = ()
    map_type: str = ""
    default: Any = None
    """None when there is none: a null default counts as none."""
    rules: tuple[Rule, ...] = ()
    defaulted: tuple[tuple[str, "Schema"], ...] = ()
    """The properties that have a default."""
    fills: bool = False
    """Whether defaults may come in anywhere at or below this value."""
    embeds: bool = False
    """Whether there may be whole objects at or below this value."""
    keyed: bool = False
    """Whether there are lists at or below this value whose items must differ."""

    def field(self, name: str) -> "Schema | None":
        """The schema of a field, declared or additional; None when nothing is known of it."""
        return self.properties.get(name) or self.additional


def inside(value: Any, schema: Schema, path: str) -> Iterator[tuple[Any, Schema, str]]:
    """What is directly in a value and known to its schema, with schema and path, in order."""
    if is_map(value):
        for key in sorted(value):
            if (sub := schema.properties.get(key)) is not None:
                yield value[key], sub, f"{path}.{key}" if path else key
            elif schema.additional is not None:
                yield value[key], schema.additional, f"{path}[{key}]"
    elif is_list(value) and schema.items is not None:
        for index, item in enumerate(value):
            yield item, schema.items, f"{path}[{index}]"


def read_schema(raw: Object) -> Schema:
    """Build the schema of one value, fields in alphabetical order."""
    given: dict[str, Object] = raw.get("properties") or {}
    properties = {name: read_schema(given[name]) for name in sorted(given)}
    extra = raw.get("additionalProperties")
    additional = read_schema(extra) if is_map(extra) else None
    inner = raw.get("items")
    items = read_schema(inner) if is_map(inner) else None
    defaulted = tuple((name, sub) for name, sub in properties.items() if sub.default is not None)
    below = [*properties.values(), *(sub for sub in (additional, items) if sub)]
    return Schema(
        raw=raw,
        type=raw.get("type", ""),
        format=raw.get("format", ""),
        nullable=raw.get("nullable", False),
        preserve=raw.get("x-kubernetes-preserve-unknown-fields") is True,
        embedded=raw.get("x-kubernetes-embedded-resource", False),
        int_or_string=raw.get("x-kubernetes-int-or-string", False),
        properties=properties,
        open=extra is not None and extra is not False,
        additional=additional,
        items=items,
        list_type=raw.get("x-kubernetes-list-type", ""),
        list_keys=tuple(raw.get("x-kubernetes-list-map-keys") or ()),
        map_type=raw.get("x-kubernetes-map-type", ""),
        default=raw.get("default"),
        rules=tuple(read_rule(rule) for rule in raw.get("x-kubernetes-validations") or ()),
        defaulted=defaulted,
        fills=bool(defaulted) or any(sub.fills or sub.default is not None for sub in below),
        embeds=raw.get("x-kubernetes-embedded-resource", False) or any(s.embeds for s in below),
        keyed=raw.get("x-kubernetes-list-type") in {"set", "map"} or any(s.keyed for s in below),
    )


def read_rule(raw: Object) -> Rule:
    """Read an entry of `x-kubernetes-validations`."""
    return Rule(
        rule=raw.get("rule", ""),
        message=raw.get("message", ""),
        message_expression=raw.get("messageExpression", ""),
        reason=raw.get("reason", ""),
        field_path=raw.get("fieldPath", ""),
        optional_old_self=raw.get("optionalOldSelf", False),
    )
