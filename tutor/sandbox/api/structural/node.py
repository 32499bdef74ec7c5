"""The schema of a custom resource as field management walks it.

Source: kube-openapi (`pkg/schemaconv/openapi.go`).
"""

from functools import cache
from typing import Any, Literal

from tutor.sandbox.api import node as api
from tutor.sandbox.api.structural.schema import META_FIELDS, Schema
from tutor.sandbox.schema.table import node_of

_NUMERIC = frozenset({"integer", "number"})
_STRING_FORMATS = frozenset({"", "byte"})
_NO_STRATEGY: frozenset[str] = frozenset()


class _Untyped:
    """Takes any value: objects are owned field by field, lists as a whole."""

    shape: Literal["scalar"] = "scalar"
    scalar: Literal["untyped"] = "untyped"
    type_name = ""
    merge_key = ""
    patch_strategy = _NO_STRATEGY
    list_type: Literal[""] = ""
    list_keys: tuple[str, ...] = ()
    atomic = False
    default = None
    element = None

    def child(self, name: str) -> api.Node | None:  # noqa: ARG002 - the protocol's argument
        return None


UNTYPED: api.Node = _Untyped()
"""The node of values of which nothing is known."""


class SchemaNode:
    """One value of a custom resource."""

    __slots__ = ("_children", "_element", "_inherited", "_schema", "atomic", "scalar", "shape")

    type_name = ""
    merge_key = ""
    patch_strategy = _NO_STRATEGY

    def __init__(self, schema: Schema, *, root: bool = False, inherited: bool = False) -> None:
        self._schema = schema
        self._inherited = inherited or schema.preserve
        self._children: dict[str, api.Node] = {}
        if root or schema.embedded:
            self._children.update(_meta_nodes())
        self._element: api.Node | None = None
        self.shape: Literal["struct", "map", "list", "scalar"] = _shape(schema, root=root)
        self.scalar: Literal["string", "numeric", "boolean", "untyped"] = _scalar(schema)
        self.atomic: bool = schema.map_type == "atomic"

    @property
    def list_type(self) -> Literal["", "atomic", "set", "map"]:
        """How the list is owned; lists that say nothing are atomic."""
        match self._schema.list_type:
            case "set" | "map" as kind:
                return kind
            case _:
                return "atomic"

    @property
    def list_keys(self) -> tuple[str, ...]:
        """The fields that tell the items of a `map` list apart."""
        return self._schema.list_keys

    @property
    def default(self) -> Any:
        """The default of the field, None when it has none."""
        return self._schema.default

    @property
    def element(self) -> api.Node | None:
        """The node of items or of map values."""
        inner = self._schema.items if self.shape == "list" else self._schema.additional
        if inner is None:
            return UNTYPED if self.shape == "map" else None
        if self._element is None:
            self._element = SchemaNode(inner, inherited=self._inherited)
        return self._element

    def child(self, name: str) -> api.Node | None:
        """The node of a field; None where the schema has none such and keeps no others."""
        if self.shape == "map":
            return self.element
        found = self._children.get(name)
        if found is None and (sub := self._schema.properties.get(name)) is not None:
            found = self._children[name] = SchemaNode(sub, inherited=self._inherited)
        return UNTYPED if found is None and self._inherited else found


def _shape(schema: Schema, *, root: bool) -> Literal["struct", "map", "list", "scalar"]:
    if schema.type == "array":
        return "list"
    if schema.type != "object" and not root:
        return "scalar"
    if root or schema.embedded or schema.properties:
        return "struct"
    return "map"


def _scalar(schema: Schema) -> Literal["string", "numeric", "boolean", "untyped"]:
    if schema.int_or_string:
        return "untyped"
    if schema.type == "string" and schema.format in _STRING_FORMATS:
        return "string"
    if schema.type in _NUMERIC:
        return "numeric"
    return "boolean" if schema.type == "boolean" else "untyped"


@cache
def _meta_nodes() -> dict[str, api.Node]:
    any_kind = node_of("", "v1", "ConfigMap")
    found = {name: any_kind.child(name) for name in META_FIELDS} if any_kind else {}
    return {name: node for name, node in found.items() if node is not None}
