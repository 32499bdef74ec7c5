"""Nodes of custom resources. Source: kube-openapi (`pkg/schemaconv/openapi.go`)."""

# ruff: noqa: E501 - one field a line

import pytest

from tutor.sandbox.api.node import Node
from tutor.sandbox.api.structural.structural import compile_schema
from tutor.sandbox.kinds import Object

SCHEMA: Object = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {
                "name": {"type": "string", "default": "n"},
                "when": {"type": "string", "format": "date-time"},
                "count": {"type": "integer"},
                "any": {"x-kubernetes-int-or-string": True},
                "set": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
                "plain": {"type": "array", "items": {"type": "string"}},
                "whole": {"type": "object", "x-kubernetes-map-type": "atomic"},
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                "open": {"type": "object"},
                "both": {
                    "type": "object",
                    "x-kubernetes-preserve-unknown-fields": True,
                    "properties": {"x": {"type": "object", "properties": {"y": {"type": "string"}}}},
                },
            },
        }
    },
}  # fmt: skip


def node_at(*path: str) -> Node | None:
    node: Node | None = compile_schema(SCHEMA).node()
    for step in path:
        node = node.child(step) if node else None
    return node


@pytest.mark.parametrize(
    ("path", "shape", "scalar", "list_type"),
    [
        ("spec", "struct", "untyped", "atomic"),
        ("spec.name", "scalar", "string", "atomic"),
        ("spec.when", "scalar", "untyped", "atomic"),
        ("spec.count", "scalar", "numeric", "atomic"),
        ("spec.any", "scalar", "untyped", "atomic"),
        ("spec.set", "list", "untyped", "set"),
        ("spec.plain", "list", "untyped", "atomic"),
        ("spec.whole", "map", "untyped", "atomic"),
        ("spec.labels.x", "scalar", "string", "atomic"),
        ("spec.open.x", "scalar", "untyped", ""),
        ("spec.free.x", "scalar", "untyped", ""),
        ("spec.both.z", "scalar", "untyped", ""),
        ("spec.both.x.z", "scalar", "untyped", ""),
        ("metadata", "struct", "untyped", ""),
        ("metadata.labels.x", "scalar", "string", ""),
        ("kind", "scalar", "string", ""),
    ],
)
def test_node_of_a_field_says_what_it_takes(
    path: str, shape: str, scalar: str, list_type: str
) -> None:
    node = node_at(*path.split("."))
    assert node is not None
    assert (node.shape, node.scalar, node.list_type) == (shape, scalar, list_type)


def test_node_of_an_unknown_field_is_none_and_defaults_are_told() -> None:
    assert node_at("spec", "nope") is None
    name = node_at("spec", "name")
    whole = node_at("spec", "whole")
    assert name is not None
    assert whole is not None
    assert name.default == "n"
    assert whole.atomic
