"""The types of values as field management sees them: what is owned in parts, and by which keys.

Source: kube-openapi (`pkg/schemaconv`), structured-merge-diff (`typed/helpers.go`).
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Literal

from tutor.sandbox.api.managed.elements import key_element, value_element
from tutor.sandbox.api.node import Node
from tutor.sandbox.api.status import go_quote
from tutor.sandbox.api.structural.node import UNTYPED
from tutor.sandbox.api.values import is_list, is_map

Kind = Literal["leaf", "fields", "any", "keyed", "set"]
"""`leaf` has one owner as a whole, `any` is owned field by field when it is an object."""


class BadItem(ValueError):
    """An item that has no place in its list."""


class Shape:
    """The type of one value."""

    __slots__ = ("_element", "_fields", "keys", "kind", "node")

    def __init__(self, node: Node | None) -> None:
        self.node = node
        self.kind: Kind = _kind(node) if node else "leaf"
        self.keys = _keys(node) if node else ()
        self._fields: dict[str, Shape] = {}
        self._element: Shape | None = None

    def field(self, name: str) -> "Shape":
        """The shape of a field or of a map's value; a leaf where nothing is known of it."""
        known = self._fields.get(name)
        if known is not None:
            return known
        if self.kind == "any":
            return self
        if self.node is None or self.node.shape == "map":
            return self.element
        node = self.node.child(name)
        if node is None or node is UNTYPED:
            return _UNKNOWN if node else LEAF
        made = self._fields[name] = Shape(node)
        return made

    @property
    def element(self) -> "Shape":
        """The shape of a list's items or a map's values."""
        if self._element is None:
            node = self.node.element if self.node else None
            self._element = Shape(node) if node else LEAF
        return self._element

    def declares(self, name: str) -> bool:
        """Whether the type itself names the field, as structs do and maps do not."""
        if self.node is None or self.node.shape != "struct":
            return False
        return self.field(name) not in (LEAF, _UNKNOWN)

    def knows(self, name: str) -> bool:
        """Whether a value of this type may have the field."""
        return self.kind == "any" or self.field(name) is not LEAF

    def below(self, element: str) -> "Shape":
        """The shape behind a path element."""
        match element[:2]:
            case "f:":
                return self.field(element[2:])
            case "k:":
                return self.element
            case _:
                return LEAF

    def is_open(self, value: Any) -> bool:
        """Whether the value is an object whose fields are owned one by one."""
        return self.kind in ("fields", "any") and is_map(value)

    def is_listing(self, value: Any) -> bool:
        """Whether the value is a list whose items are owned one by one."""
        return self.kind in ("keyed", "set") and is_list(value)

    def item(self, value: Any) -> str:
        """The path element of an item.

        Raises:
            BadItem: it has none; the text says why.
        """
        return self._value_item(value) if self.kind == "set" else self._keyed_item(value)

    def items(self, values: list[Any]) -> Iterator[tuple[str, Any]]:
        """Items with their path elements; those that have none are left out."""
        for value in values:
            try:
                yield self.item(value), value
            except BadItem:
                continue

    def _value_item(self, value: Any) -> str:
        if is_map(value):
            raise BadItem("associative list without keys has an element that's a map type")
        if is_list(value):
            raise BadItem("not supported: associative list with lists as elements")
        if value is None:
            raise BadItem("associative list without keys has an element that's an explicit null")
        return value_element(value)

    def _keyed_item(self, value: Any) -> str:
        if value is None:
            raise BadItem("associative list with keys may not have a null element")
        if not is_map(value):
            raise BadItem("associative list with keys may not have non-map elements")
        found: list[tuple[str, Any]] = []
        for name in self.keys:
            if name in value:
                found.append((name, value[name]))
                continue
            node = self.element.field(name).node
            if node is not None and node.default is not None:
                found.append((name, node.default))
        if not found:
            names = " ".join(map(go_quote, self.keys))
            raise BadItem(
                f"associative list with keys has an element that omits all key fields [{names}]"
                " (and doesn't have default values for any key fields)"
            )
        return key_element(found)


@lru_cache(maxsize=1024)
def shape_of(node: Node) -> Shape:
    """The shape of a kind."""
    return Shape(node)


def _kind(node: Node) -> Kind:
    if node.shape == "scalar":
        # Built-in types have names. Those with a JSON form of their own are untyped: most are
        # scalars nevertheless, and the ones that take objects too are marked as atomic.
        takes_all = node.atomic if node.type_name else not node.atomic
        return "any" if node.scalar == "untyped" and takes_all else "leaf"
    if node.shape == "list":
        if node.list_type == "map" or (_merges(node) and node.merge_key):
            return "keyed"
        return "set" if node.list_type == "set" or _merges(node) else "leaf"
    known = node.shape == "struct" or node.element is not None
    return "fields" if known and not node.atomic else "leaf"


def _merges(node: Node) -> bool:
    return not node.list_type and "merge" in node.patch_strategy


def _keys(node: Node) -> tuple[str, ...]:
    return node.list_keys or ((node.merge_key,) if node.merge_key else ())


LEAF = Shape(None)
"""What the type does not have."""
_UNKNOWN = Shape(UNTYPED)
"""What the type allows and does not describe."""
