"""Pruning, nulls and defaults."""

# ruff: noqa: E501 - one case a line

from typing import Any

import pytest

from tutor.sandbox.api.structural.structural import compile_schema
from tutor.sandbox.kinds import Object
from tutor.sandbox.schema.errors import DecodeError

STRING: Object = {"type": "string"}
KEEP = "x-kubernetes-preserve-unknown-fields"
WHOLE = "x-kubernetes-embedded-resource"


def read(schema: Object, value: Any) -> tuple[Any, list[str]]:
    """A field `a` of that schema, read and filled, and the unknown paths."""
    structural = compile_schema({"type": "object", "properties": {"a": schema}})
    obj: Object = {"apiVersion": "g/v1", "kind": "K", "metadata": {"x": 1}, "a": value}
    complaints = structural.read(obj)
    structural.default(obj)
    return obj.get("a"), [text.split('"')[1] for text in complaints]


PRUNED: list[tuple[Object, Any, Any, list[str]]] = [
        (
            {"properties": {"x": STRING}},
            {"x": "1", "y": {"z": 1}, "w": 1},
            {"x": "1"},
            ["a.w", "a.y"],
        ),
        (
            {KEEP: True, "properties": {"x": {"properties": {}}}},
            {"x": {"z": 1}, "y": {"z": 1}},
            {"x": {}, "y": {"z": 1}},
            ["a.x.z"],
        ),
        (
            {"additionalProperties": {"properties": {"x": STRING}}},
            {"k": {"x": "1", "y": 1}},
            {"k": {"x": "1"}},
            ["a.k.y"],
        ),
        ({"additionalProperties": True}, {"k": {"x": 1}, "l": 2}, {"k": {}, "l": 2}, ["a.k.x"]),
        (
            {"items": {"properties": {"x": STRING}}},
            [{"x": "1", "y": 1}],
            [{"x": "1"}],
            ["a[0].y"],
        ),
        (
            {KEEP: True, "items": {"properties": {"x": {"properties": {}}}}},
            [{"x": {"z": 1}, "y": 1}],
            [{"x": {}, "y": 1}],
            ["a[0].x.z"],
        ),
        (
            {WHOLE: True, "properties": {"spec": STRING}},
            {"apiVersion": "v1", "kind": "X", "metadata": {"name": "n"}, "spec": "s", "y": 1},
            {"apiVersion": "v1", "kind": "X", "metadata": {"name": "n"}, "spec": "s"},
            ["a.y"],
        ),
        (
            {WHOLE: True, KEEP: True},
            {"metadata": {"name": "n", "lables": {}, "creationTimestamp": None}},
            {"metadata": {"name": "n"}},
            ["a.metadata.lables"],
        ),
        ({"properties": {"x": STRING, "y": STRING | {"nullable": True}}}, {"x": None, "y": None}, {"y": None}, []),
        ({"properties": {"x": STRING | {"default": "d"}}}, {"x": None}, {"x": "d"}, []),
        ({"properties": {"x": {"default": {}, "properties": {"y": STRING | {"default": "d"}}}}}, {}, {"x": {"y": "d"}}, []),
        ({"additionalProperties": STRING | {"default": "d"}}, {"k": None}, {"k": "d"}, []),
        ({"items": STRING | {"default": "d"}}, ["x", None], ["x", "d"], []),
        ({"items": {"properties": {"x": STRING | {"default": "d"}}}}, [{}], [{"x": "d"}], []),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "value", "kept", "unknown"), PRUNED)
def test_value_when_read_is_pruned_and_filled(
    schema: Object, value: Any, kept: Any, unknown: list[str]
) -> None:
    assert read(schema, value) == (kept, unknown)


def test_default_when_filled_in_is_not_shared_between_objects() -> None:
    structural = compile_schema({"properties": {"a": {"default": {"x": []}}}})
    first: Object = {}
    second: Object = {}
    structural.default(first)
    first["a"]["x"].append(1)
    structural.default(second)
    assert second == {"a": {"x": []}}


def test_type_of_an_object_when_schemaless_is_known_and_all_else_is_not() -> None:
    obj: Object = {"apiVersion": "g/v1", "kind": "K", "metadata": {}, "spec": {}}
    assert compile_schema(None).read(obj) == ['unknown field "spec"']
    assert obj == {"apiVersion": "g/v1", "kind": "K", "metadata": {}}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"kind": 5}, "a.kind: Invalid value: 5: must be a string"),
        (
            {"metadata": {"name": 5}},
            (
                'a.metadata: Invalid value: {"name":5}: json: cannot unmarshal number into Go struct '
                "field ObjectMeta.name of type string"
            ),
        ),
    ],
)
def test_embedded_object_when_malformed_cannot_be_read(value: Object, message: str) -> None:
    with pytest.raises(DecodeError) as caught:
        read({WHOLE: True, KEEP: True}, value)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"apiVersion": "", "kind": "Pod"}, 'a.apiVersion: Invalid value: "": must not be empty'),
        (
            {"apiVersion": "a/b/c", "kind": "Pod"},
            'a.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
        ),
        (
            {"apiVersion": "v1", "kind": "9"},
            'a.kind: Invalid value: "9": may have mixed case, but should otherwise match: ',
        ),
        (
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a/b"}},
            "a.metadata.name: Invalid value: \"a/b\": may not contain '/'",
        ),
        ({"apiVersion": "v1", "kind": "Pod", "metadata": {}}, ""),
    ],
)
def test_embedded_object_when_judged_is_an_object_like_any(value: Object, message: str) -> None:
    structural = compile_schema({"properties": {"a": {WHOLE: True, KEEP: True}}})
    found = "".join(map(str, structural.validate({"metadata": {}, "a": value})))
    assert found.startswith(message)
    assert bool(found) is bool(message)
