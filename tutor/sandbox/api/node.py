"""What patches and field management need to know of a type: one node a value."""

from typing import Any, Literal, Protocol


class Node(Protocol):
    """The schema of one value.

    A `struct` has declared fields and no others; a `map` has any fields, all of one type; a `list`
    has items of one type. Built-in types and custom resources have nodes of their own making.
    """

    @property
    def shape(self) -> Literal["struct", "map", "list", "scalar"]:
        """What the value is."""
        ...

    @property
    def type_name(self) -> str:
        """The type's name as complaints have it, such as `PodSpec`."""
        ...

    @property
    def scalar(self) -> Literal["string", "numeric", "boolean", "untyped"]:
        """What a scalar may hold; an untyped one holds anything, objects and lists too."""
        ...

    def child(self, name: str) -> "Node | None":
        """The node of a field; None when a struct has no such field."""
        ...

    @property
    def element(self) -> "Node | None":
        """The node of a list's items or a map's values."""
        ...

    @property
    def merge_key(self) -> str:
        """The field that tells a list's items apart in strategic merge patches, or empty."""
        ...

    @property
    def patch_strategy(self) -> frozenset[str]:
        """`merge`, `replace`, `retainKeys` or none, for strategic merge patches."""
        ...

    @property
    def list_type(self) -> Literal["", "atomic", "set", "map"]:
        """How a list's items are owned; empty means `atomic`."""
        ...

    @property
    def list_keys(self) -> tuple[str, ...]:
        """The fields that tell the items of a `map` list apart."""
        ...

    @property
    def atomic(self) -> bool:
        """Whether a struct or map is owned as a whole."""
        ...

    @property
    def default(self) -> Any:
        """The value that an absent field stands for, None when there is none.

        Lists whose keys have defaults are matched by them: a container's port without a protocol
        is the TCP one.
        """
        ...
