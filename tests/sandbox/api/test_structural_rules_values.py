"""What rules see of values: times, lists whose order does not matter, values of a wrong type."""

from typing import Any

import pytest

from tutor.sandbox.api.structural.structural import compile_schema
from tutor.sandbox.kinds import Object

RULES = "x-kubernetes-validations"
DATE_TIME = {"type": "string", "format": "date-time"}
SET = {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"}
MAP = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"k": {"type": "string"}, "tags": SET, "v": {"type": "integer"}},
        "required": ["k"],
    },
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["k"],
}


def judged(spec: Object, value: Any, old: Any = None) -> list[str]:
    structural = compile_schema({"type": "object", "properties": {"spec": spec}})
    if old is None:
        return list(map(str, structural.validate({"spec": value})))
    return list(map(str, structural.validate_update({"spec": value}, {"spec": old})))


def rule(text: str, **more: Any) -> list[Object]:
    return [{"rule": text, "message": "no", **more}]


@pytest.mark.parametrize(
    ("schema", "expression", "value", "holds"),
    [
        (DATE_TIME, "self > timestamp('2020-01-01T00:00:00Z')", "2021-05-01T10:00:00.5Z", True),
        (DATE_TIME, "self > timestamp('2020-01-01T00:00:00Z')", "2019-05-01T10:00:00+02:00", False),
        ({"type": "string", "format": "date"}, "self.getDayOfMonth() == 2", "2020-01-03", True),
        ({"type": "string", "format": "duration"}, "self > duration('1h')", "1h30m", True),
        ({"type": "string", "format": "duration"}, "self > duration('1h')", "2 days", True),
        ({"type": "string", "format": "byte"}, "self == b'abc' && self.size() == 3", "YWJj", True),
        ({"type": "array", "items": DATE_TIME}, "self.max().getFullYear() == 2021",
         ["2021-01-01T00:00:00Z", "2020-01-01T00:00:00Z"], True),
        ({"type": "array", "items": DATE_TIME}, "self.all(t, t.getHours() == 1)",
         ["2021-01-01T01:00:00Z"], True),
    ],
)  # fmt: skip
def test_texts_of_some_formats_are_values_of_their_own(
    schema: Object, expression: str, value: Any, holds: bool
) -> None:
    complaints = judged(schema | {RULES: rule(expression)}, value)
    assert bool(complaints) is not holds


def test_times_in_objects_are_read_where_they_are_looked_at() -> None:
    spec: Object = {
        "type": "object",
        "properties": {"from": DATE_TIME, "to": DATE_TIME},
        RULES: rule("!has(self.to) || self.from < self.to"),
    }
    assert judged(spec, {"from": "2020-01-01T00:00:00Z"}) == []
    assert judged(spec, {"from": "2020-01-02T00:00:00Z", "to": "2020-01-01T23:00:00-05:00"}) == []
    assert judged(spec, {"from": "2020-01-02T00:00:00Z", "to": "2020-01-01T00:00:00Z"}) == [
        "spec: Invalid value: no"
    ]


def test_optional_old_times_are_read_too() -> None:
    text = "!oldSelf.hasValue() || oldSelf.value() <= self"
    spec: Object = DATE_TIME | {RULES: rule(text, optionalOldSelf=True)}
    assert judged(spec, "2020-01-01T00:00:00Z") == []
    assert judged(spec, "2020-01-01T00:00:00Z", "2020-01-01T00:00:00+01:00") == []
    assert judged(spec, "2020-01-01T00:00:00Z", "2020-01-01T00:00:00-01:00") != []


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ("self.all(i, v, v > i)", True),
        ("self.exists(i, v, i == 2 && v == 3)", True),
        ("self.exists_one(i, v, v > 2) && self.existsOne(i, v, i < 1)", True),
        ("self.transformList(i, v, i > 0, v * 2) == [4, 6]", True),
        ("self.transformMap(i, v, v) == {0: 1, 1: 2, 2: 3}", True),
        ("self.transformMapEntry(i, v, {v: i}) == {1: 0, 2: 1, 3: 2}", True),
        ("self.sortBy(x, -x) == [3, 2, 1]", True),
        ("self.all(i, v, v < 3)", False),
    ],
)
def test_loops_over_two_variables_are_carried_out(expression: str, holds: bool) -> None:
    spec: Object = {"type": "array", "items": {"type": "integer"}, RULES: rule(expression)}
    assert bool(judged(spec, [1, 2, 3])) is not holds


def test_the_order_of_sets_and_maps_does_not_matter_to_rules() -> None:
    unchanged = rule("self == oldSelf")
    assert judged(SET | {RULES: unchanged}, ["a", "b"], ["b", "a"]) == []
    assert judged(SET | {RULES: unchanged}, ["a", "b"], ["b", "c"]) != []
    new = [{"k": "a", "tags": ["x", "y"]}, {"k": "b", "v": 1}]
    old = [{"k": "b", "v": 1}, {"k": "a", "tags": ["y", "x"]}]
    assert judged(MAP | {RULES: unchanged}, new, old) == []
    assert judged(MAP | {RULES: unchanged}, new, [old[0], {"k": "a", "tags": ["y"]}]) != []
    atomic = SET | {"x-kubernetes-list-type": "atomic", RULES: unchanged}
    assert judged(atomic, ["a", "b"], ["b", "a"]) != []


def test_a_value_of_a_type_from_before_cannot_be_judged() -> None:
    spec: Object = {"type": "integer", RULES: rule("self > 1")}
    told = "invalid data, expected int, got string evaluating rule: no"
    assert judged(spec, "x", "x") == [f'spec: Invalid value: "integer": {told}']


def test_a_complaint_below_a_map_names_the_key() -> None:
    spec: Object = {
        "type": "object",
        "additionalProperties": {"type": "integer"},
        RULES: rule("false", fieldPath=".k"),
    }
    assert judged(spec, {"k": 1}) == ["spec.[k]: Invalid value: no"]
