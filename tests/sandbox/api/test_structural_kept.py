"""What an update may keep that is wrong. Source: apiserver (`pkg/cel/common/equality.go`)."""

from typing import Any

from tutor.sandbox.api.structural.structural import compile_schema
from tutor.sandbox.kinds import Object

SHORT = {"type": "string", "maxLength": 2}


def complaints(spec: Object, new: Any, old: Any) -> list[str]:
    structural = compile_schema({"type": "object", "properties": {"spec": spec}})
    return list(map(str, structural.validate_update({"spec": new}, {"spec": old})))


def test_fields_that_the_schema_lacks_keep_an_object_from_being_the_same() -> None:
    spec: Object = {
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": True,
        "properties": {"a": SHORT},
        "maxProperties": 1,
    }
    many = "spec: Too many: 2: must have at most 1 item"
    assert complaints(spec, {"a": "x", "b": 1}, {"a": "x", "b": 1}) == [many]
    closed = spec | {"properties": {"a": SHORT, "b": {"type": "integer"}}}
    assert complaints(closed, {"a": "x", "b": 1}, {"a": "x", "b": 1}) == []


def test_items_without_their_keys_are_not_excused() -> None:
    item = {"type": "object", "properties": {"k": {"type": "string"}}, "required": ["k"]}
    spec: Object = {
        "type": "array",
        "items": item,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["k"],
        "maxItems": 2,
    }
    assert complaints(spec, [{}], [{}]) == ["spec[0].k: Required value"]


def test_what_alternatives_say_of_an_unchanged_field_is_excused_too() -> None:
    spec: Object = {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "integer"}},
        "allOf": [{"properties": {"a": {"maxLength": 1}}}],
    }
    assert complaints(spec, {"a": "long", "b": 1}, {"a": "long", "b": 2}) == []


def test_numbers_are_compared_in_the_type_of_the_value() -> None:
    structural = compile_schema(
        {
            "type": "object",
            "properties": {
                "n": {"type": "number", "maximum": 2.5, "minimum": 1.5},
                "e": {"type": "number", "enum": [1, 2]},
                "m": {"type": "number", "multipleOf": 0.5},
            },
        }
    )

    def told(**fields: Any) -> list[str]:
        return list(map(str, structural.validate(fields)))

    assert told(n=1, e=2.5) == []
    assert told(n=3) == ["n: Invalid value: 3: n in body should be less than or equal to 2"]
    assert told(n=2.75) == ["n: Invalid value: 2.75: n in body should be less than or equal to 2.5"]
    assert told(m=1.5) == []
    factor = "m: Invalid value: 0: factor MultipleOf declared for m must be positive: 0"
    assert told(m=2) == [factor]
