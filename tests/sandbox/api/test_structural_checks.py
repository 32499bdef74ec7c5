"""Checks of values. Messages: kube-openapi v0.36 (`pkg/validation/errors/schema.go`)."""

# ruff: noqa: E501 - one case a line

from typing import Any

import pytest

from tutor.sandbox.api.status import FieldError
from tutor.sandbox.api.structural.checks import Checker
from tutor.sandbox.api.structural.structural import compile_schema
from tutor.sandbox.kinds import Object


def complaints(schema: Object, value: Any, old: Any = None) -> list[str]:
    found: list[FieldError] = []
    checker = Checker({"properties": {"a": schema}})
    if old is None:
        checker.check({"a": value}, "", found)
    else:
        checker.check({"a": value}, "", found, {"a": old})
    return [str(error) for error in found]


CASES: list[tuple[Object, Any, list[str]]] = [
    (
        {"type": "string", "minLength": 3},
        "ab",
        ['a: Invalid value: "ab": a in body should be at least 3 chars long'],
    ),
    ({"type": "string", "maxLength": 2}, "äöü", ["a: Too long: may not be more than 2 bytes"]),
    ({"type": "string", "maxLength": 3}, "äöü", []),
    (
        {"type": "string", "pattern": "^a$"},
        "a\n",
        ["a: Invalid value: \"a\\n\": a in body should match '^a$'"],
    ),
    ({"type": "string", "nullable": True}, None, []),
    (
        {"type": "string"},
        None,
        ['a: Invalid value: "null": a in body must be of type string: "null"'],
    ),
    (
        {"type": "string", "enum": ["x"], "nullable": True},
        None,
        ['a: Unsupported value: null: supported values: "x"'],
    ),
    (
        {"type": "integer", "enum": [1, 2]},
        3,
        ['a: Unsupported value: 3: supported values: "1", "2"'],
    ),
    ({"type": "integer"}, 2.0, []),
    ({"type": "number"}, 2, []),
    (
        {"type": "integer", "format": "int32"},
        2**31,
        ['<nil>: Invalid value: "": Checked value must be of type integer with format int32 in a'],
    ),
    (
        {"type": "number", "maximum": 1.5, "exclusiveMaximum": True},
        1.5,
        ["a: Invalid value: 1.5: a in body should be less than 1.5"],
    ),
    ({"type": "number", "multipleOf": 0.1}, 0.3, []),
    (
        {"type": "number", "multipleOf": 0.5},
        0.7,
        ["a: Invalid value: 0.7: a in body should be a multiple of 0.5"],
    ),
    (
        {"type": "object", "minProperties": 1},
        {},
        ["a: Invalid value: 0: a in body should have at least 1 properties"],
    ),
    (
        {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
        ["x", "x"],
        ['a: Invalid value: "": a in body shouldn\'t contain duplicates'],
    ),
    ({"type": "array", "uniqueItems": True}, [1, True], []),
    (
        {"type": "object", "additionalProperties": {"type": "integer"}},
        {"k": "v"},
        ['a.k: Invalid value: "string": a.k in body must be of type integer: "string"'],
    ),
    (
        {"type": "array", "items": {"type": "integer"}},
        [1, "x"],
        ['a[1]: Invalid value: "string": a[1] in body must be of type integer: "string"'],
    ),
    (
        {"type": "string", "format": "date-time"},
        5,
        ['a: Invalid value: "int64": a in body must be of type date-time: "int64"'],
    ),
    ({"type": "string", "format": "no-such-format"}, "x", []),
    ({"x-kubernetes-int-or-string": True}, "80%", []),
    (
        {"type": "object", "anyOf": [{"required": ["x"]}, {"required": ["y"]}]},
        {"z": 1},
        [
            '<nil>: Invalid value: "": "a" must validate at least one schema (anyOf)',
            "a.x: Required value",
        ],
    ),
    (
        {"type": "object", "oneOf": [{"required": ["x"]}, {"required": ["y"]}]},
        {"x": 1, "y": 1},
        [
            '<nil>: Invalid value: "": "a" must validate one and only one schema (oneOf). Found 2 valid alternatives'
        ],
    ),
    (
        {"type": "object", "oneOf": [{"required": ["x"]}, {"required": ["y"]}]},
        {},
        [
            '<nil>: Invalid value: "": "a" must validate one and only one schema (oneOf). Found none valid',
            "a.x: Required value",
        ],
    ),
    (
        {"type": "integer", "allOf": [{"minimum": 2}, {"maximum": 3}]},
        5,
        [
            "a: Invalid value: 5: a in body should be less than or equal to 3",
            '<nil>: Invalid value: "": "a" must validate all the schemas (allOf)',
        ],
    ),
    (
        {"type": "integer", "allOf": [{"minimum": 7}]},
        5,
        [
            "a: Invalid value: 5: a in body should be greater than or equal to 7",
            '<nil>: Invalid value: "": "a" must validate all the schemas (allOf). None validated',
        ],
    ),
    (
        {"type": "string", "not": {"enum": ["x"]}},
        "x",
        ['<nil>: Invalid value: "": "a" must not validate the schema (not)'],
    ),
]


@pytest.mark.parametrize(("schema", "value", "wanted"), CASES)
def test_value_when_checked_gets_the_servers_complaints(
    schema: Object, value: Any, wanted: list[str]
) -> None:
    assert complaints(schema, value) == wanted


def test_alternatives_when_all_fail_tell_of_the_one_that_came_furthest() -> None:
    schema: Object = {
        "type": "object",
        "anyOf": [
            {"required": ["p"]},
            {"properties": {"x": {"enum": ["1"]}, "y": {"enum": ["1"]}}},
        ],
    }
    assert complaints(schema, {"x": "1", "y": "2"})[1:] == [
        'a.y: Unsupported value: "2": supported values: "1"'
    ]


def test_complaint_when_found_twice_is_told_once() -> None:
    schema: Object = {"type": "integer", "minimum": 3, "allOf": [{"minimum": 3}]}
    assert len(complaints(schema, 1)) == 2


def test_wrong_value_when_unchanged_is_excused() -> None:
    schema: Object = {
        "type": "object",
        "properties": {
            "x": {"type": "string", "maxLength": 1},
            "y": {"type": "string", "maxLength": 1},
        },
    }
    assert complaints(schema, {"x": "long", "y": "ok"}, {"x": "long"}) == [
        "a.y: Too long: may not be more than 1 byte"
    ]
    assert complaints(schema, {"x": "longer"}, {"x": "long"}) == [
        "a.x: Too long: may not be more than 1 byte"
    ]


def test_wrong_item_when_unchanged_is_excused_only_in_lists_with_keys() -> None:
    items: Object = {
        "type": "object",
        "properties": {"n": {"type": "string"}, "v": {"type": "integer", "maximum": 1}},
    }
    keyed: Object = {
        "type": "array",
        "items": items,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["n"],
    }
    new, old = [{"n": "b", "v": 1}, {"n": "a", "v": 5}], [{"n": "a", "v": 5}]
    assert complaints(keyed, new, old) == []
    assert len(complaints({"type": "array", "items": items}, new, old)) == 1


def test_value_of_another_type_when_equal_to_python_is_not_excused() -> None:
    assert len(complaints({"type": "integer"}, True, 1)) == 1


def test_status_when_written_alone_is_named_in_full_but_told_in_short() -> None:
    status: Object = {"type": "object", "properties": {"phase": {"type": "string"}}}
    structural = compile_schema({"type": "object", "properties": {"status": status}})
    [error] = structural.check_status({"status": {"phase": 5}}, {})
    assert (
        str(error)
        == 'status.phase: Invalid value: "integer": phase in body must be of type string: "integer"'
    )
