"""Look up a built-in type the way patches and appliers walk it.

`node_of("apps", "v1", "Deployment")` is the root; `child` and `element` go down. Pointers and
embedded structs are gone: a node's children are the fields as JSON spells them. Nodes are made when
first asked for and shared, since some types contain themselves.
"""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Literal

from tutor.sandbox.schema import declarations
from tutor.sandbox.schema.declarations import Field, Type, absent, bare, json_fields

_NO_FIELDS: Mapping[str, "Node"] = MappingProxyType({})
_SCALARS: Mapping[str, Literal["string", "numeric", "boolean"]] = {
    "string": "string",
    "bool": "boolean",
    "int32": "numeric",
    "int64": "numeric",
    "float64": "numeric",
}
_PLAIN_CODECS = frozenset({"time", "microtime", "quantity", "int-or-string"})


class Node:
    """One value in an object of a known type, with the merge rules of the field that holds it."""

    __slots__ = ("_element", "_field", "_fields", "_type", "atomic", "shape")

    def __init__(self, type_: Type, field: Field | None = None) -> None:
        self._type = bare(type_)
        self._field = field
        self._fields: Mapping[str, Node] | None = None
        self._element: Node | None = None
        self.shape: Literal["struct", "map", "list", "scalar"] = _shape(self._type)
        self.atomic: bool = _is_atomic(self._type, field)
        """True when the value has one owner as a whole, however many fields it has."""

    @property
    def type_name(self) -> str:
        """Go's name: `PodSpec` for structs, the spelling of the type otherwise."""
        return self._type.name if self.shape == "struct" else self._type.go

    @property
    def scalar(self) -> Literal["string", "numeric", "boolean", "untyped"]:
        """What a scalar takes from an applier; types with a JSON form of their own take all."""
        if self._type.shape == "list":
            return "string"
        return _SCALARS.get(self._type.name, "untyped")

    @property
    def merge_key(self) -> str:
        """The key by which a strategic merge matches list items; empty when it does not."""
        return self._field.merge_key if self._field else ""

    @property
    def patch_strategy(self) -> frozenset[str]:
        """Of `merge`, `retainKeys`, `replace`."""
        return self._field.patch_strategy if self._field else frozenset()

    @property
    def list_type(self) -> Literal["", "atomic", "set", "map"]:
        """How an applier owns the list; empty (which means atomic) where nothing is declared."""
        return self._field.list_type if self._field else ""

    @property
    def list_keys(self) -> tuple[str, ...]:
        """The keys that make an item of a `map` list itself."""
        return self._field.list_keys if self._field else ()

    @property
    def default(self) -> object:
        """What the field is when it is left out; None when the type does not say."""
        return absent(self._field) if self._field else None

    @property
    def fields(self) -> Mapping[str, "Node"]:
        """The fields of a struct in Go's order, empty for other shapes."""
        if self._fields is None:
            self._fields = (
                MappingProxyType(_nodes(self._type)) if self.shape == "struct" else _NO_FIELDS
            )
        return self._fields

    @property
    def element(self) -> "Node | None":
        """A list's item or a map's value; None when there is none or nothing is known of it."""
        if self._element is None and self._type.shape in ("list", "map") and self._type.element:
            self._element = Node(self._type.element)
        return self._element

    def child(self, name: str) -> "Node | None":
        """The field of that name or the map's value; None for what the type does not have.

        Untyped maps (`RawExtension`) have shape `map` and no child that is known.
        """
        return self.element if self.shape == "map" else self.fields.get(name)


@cache
def node_of(group: str, version: str, kind: str) -> Node | None:
    """The root node of a built-in kind, or None when no built-in group has it in that version."""
    type_ = declarations.find(group, version, kind)
    return Node(type_) if type_ else None


def _nodes(type_: Type) -> dict[str, Node]:
    return {field.name: Node(field.type, field) for field, _ in json_fields(type_)}


def _shape(type_: Type) -> Literal["struct", "map", "list", "scalar"]:
    match type_.shape:
        case "struct" | "map" | "scalar":
            return type_.shape
        case "list":
            return "scalar" if declarations.is_bytes(type_) else "list"
        case _:
            return "map" if type_.name == "raw" else "scalar"


def _is_atomic(type_: Type, field: Field | None) -> bool:
    if field is not None and field.map_type:
        return field.map_type == "atomic"
    return declarations.is_atomic(type_) or (
        type_.shape == "codec" and type_.name not in {*_PLAIN_CODECS, "raw"}
    )
