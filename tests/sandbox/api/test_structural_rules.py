"""`x-kubernetes-validations`. Messages: apiextensions-apiserver (`schema/cel/validation.go`)."""

# ruff: noqa: E501 - one case a line

from typing import Any

import pytest

from tutor.sandbox.api.structural.structural import Structural, compile_schema
from tutor.sandbox.kinds import Object

RULES = "x-kubernetes-validations"


def schema_of(spec: Object) -> Structural:
    return compile_schema({"type": "object", "properties": {"spec": spec}})


def judged(spec: Object, value: Any, old: Any = None) -> list[str]:
    structural = schema_of(spec)
    if old is None:
        return list(map(str, structural.validate({"spec": value})))
    return list(map(str, structural.validate_update({"spec": value}, {"spec": old})))


def rule(text: str, **more: Any) -> list[Object]:
    return [{"rule": text, **more}]


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ("self.n + 1 == 4", True),
        ("self.s.matches('^a') && self.s.size() == 3", True),
        ("has(self.none) || !has(self.s)", False),
        ("self.l.exists(x, x > 2) && self.l.map(x, x * 2)[0] == 2", True),
        ("self.l.isSorted() && self.l.sum() == 6 && self.l.max() == 3", True),
        ("self.l.indexOf(3) == 2 && self.s.indexOf('c') == 2", True),
        ("sets.contains(self.l, [3, 1]) && !sets.intersects(self.l, [9])", True),
        ("self.s.find('[bc]+') == 'bc' && self.s.findAll('[a-c]', 2).size() == 2", True),
        ("quantity('1.5').add(quantity('500m')) == quantity('2')", True),
        ("quantity('1Ki').asInteger() == 1024 && sign(quantity('-1')) == -1", True),
        ("isQuantity('much')", False),
        ("url('https://u@h.example:8/p/a?q=1').getHost() == 'h.example:8'", True),
        ("url('https://h/p a').getEscapedPath() == '/p%20a'", True),
        ("url('https://h/?q=1&q=2').getQuery()['q'].size() == 2", True),
        ("isURL('no url')", False),
        ("ip('2001:db8::1').family() == 6 && ip.isCanonical('2001:db8::1')", True),
        ("ip('127.0.0.1').isLoopback() && !ip('10.0.0.1').isUnspecified()", True),
        ("isIP('010.0.0.1')", False),
        ("cidr('10.0.0.0/8').containsIP('10.1.2.3')", True),
        ("cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16')", True),
        ("cidr('10.1.2.3/8').masked() == cidr('10.0.0.0/8')", True),
        ("cidr('10.1.2.3/8').prefixLength() == 8 && isCIDR('1.2.3.4')", False),
        ("format.dns1123Label().validate('a_b').hasValue()", True),
        ("!format.uuid().validate('b4b0c3a2-7b3d-4b0e-8b1a-3e1e7a7b9d11').hasValue()", True),
        ("semver('1.2.3-rc.1').isLessThan(semver('1.2.3'))", True),
        ("isSemver('v1.2', true) && !isSemver('1.2')", True),
        ("'%s is %d'.format([self.s, self.n]) == 'abc is 3'", True),
        ("self.s.upperAscii() == 'ABC' && ' a '.trim() == 'a'", True),
        ("'a,b'.split(',').join('-') == 'a-b' && self.s.substring(1) == 'bc'", True),
        ("self.?none.orValue(7) == 7 && self.l[?9].hasValue() == false", True),
        ("duration('90m') > duration('1h')", True),
        ("timestamp('2020-01-01T00:00:00Z').getFullYear() == 2020", True),
    ],
)
def test_rule_when_evaluated_has_kubernetes_functions(expression: str, holds: bool) -> None:
    spec: Object = {
        "type": "object",
        "properties": {
            "n": {"type": "integer"},
            "s": {"type": "string"},
            "l": {"type": "array", "items": {"type": "integer"}},
            "none": {"type": "integer"},
        },
        RULES: rule(expression, message="no"),
    }
    complaints = judged(spec, {"n": 3, "s": "abc", "l": [1, 2, 3]})
    assert complaints == ([] if holds else ["spec: Invalid value: no"])


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ({}, 'spec: Invalid value: "x": failed rule: self == "y"'),
        ({"message": " told "}, 'spec: Invalid value: "x": told'),
        ({"messageExpression": "'got ' + self"}, 'spec: Invalid value: "x": got x'),
        (
            {"messageExpression": "string(1 / 0)", "message": "told"},
            'spec: Invalid value: "x": told',
        ),
        ({"messageExpression": "'two\\nlines'"}, 'spec: Invalid value: "x": failed rule: self == "y"'),
        ({"reason": "FieldValueForbidden", "message": "m"}, "spec: Forbidden: m"),
        ({"reason": "FieldValueRequired", "message": "m"}, "spec: Required value: m"),
        ({"reason": "FieldValueDuplicate", "message": "m"}, 'spec: Duplicate value: "x"'),
    ],
)  # fmt: skip
def test_rule_when_broken_complains_as_it_says(more: Object, complaint: str) -> None:
    spec: Object = {"type": "string", RULES: rule('self == "y"', **more)}
    assert judged(spec, "x") == [complaint]


def test_rule_with_a_field_path_complains_there() -> None:
    spec: Object = {
        "type": "object",
        "properties": {"a": {"type": "object", "properties": {"b.c": {"type": "string"}}}},
        RULES: rule("false", message="m", fieldPath=".a['b.c']"),
    }
    assert judged(spec, {}) == ["spec.a.b.c: Invalid value: m"]


@pytest.mark.parametrize(
    ("expression", "error"),
    [
        ("self.none > 1", "no such key: none evaluating rule: self.none > 1"),
        ("self.l[5] > 1", "index out of bounds: 5 evaluating rule: self.l[5] > 1"),
        ("1 / (self.n - 3) > 1", "division by zero evaluating rule: 1 / (self.n - 3) > 1"),
        (
            "self.any > 'x'",
            (
                "'no such overload': call arguments did not match a supported operator, function or "
                "macro signature for rule: self.any > 'x'"
            ),
        ),
    ],
)
def test_rule_without_a_value_says_why(expression: str, error: str) -> None:
    spec: Object = {
        "type": "object",
        "properties": {
            "n": {"type": "integer"},
            "l": {"type": "array", "items": {"type": "integer"}},
            "none": {"type": "integer"},
            "any": {"x-kubernetes-int-or-string": True},
        },
        RULES: rule(expression),
    }
    assert judged(spec, {"n": 3, "l": [], "any": 1}) == [f'spec: Invalid value: "object": {error}']


def test_transition_rule_when_created_is_not_asked() -> None:
    spec: Object = {"type": "integer", RULES: rule("self >= oldSelf", message="may only grow")}
    assert judged(spec, 1) == []
    assert judged(spec, 1, 2) == ["spec: Invalid value: 1: may only grow"]
    assert judged(spec, 3, 2) == []


def test_transition_rule_with_optional_old_self_is_asked_always() -> None:
    text = "!oldSelf.hasValue() || self >= oldSelf.value()"
    spec: Object = {"type": "integer", RULES: rule(text, optionalOldSelf=True, message="m")}
    assert judged(spec, 1) == []
    assert judged(spec, 1, 2) == ["spec: Invalid value: 1: m"]


def test_transition_rule_in_a_list_with_keys_finds_the_old_item() -> None:
    item: Object = {
        "type": "object",
        "properties": {
            "n": {"type": "string"},
            "v": {"type": "integer", RULES: rule("self >= oldSelf", message="m")},
        },
    }
    keyed: Object = {
        "type": "array",
        "items": item,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["n"],
    }
    old = [{"n": "a", "v": 1}, {"n": "b", "v": 5}]
    assert judged(keyed, [{"n": "b", "v": 4}, {"n": "a", "v": 1}, {"n": "c", "v": 0}], old) == [
        "spec[0].v: Invalid value: 4: m"
    ]


def test_broken_rule_when_nothing_changed_is_excused() -> None:
    spec: Object = {
        "type": "object",
        "properties": {
            "a": {"type": "integer", RULES: rule("self < 5", message="m")},
            "b": {"type": "integer"},
        },
    }
    assert judged(spec, {"a": 9, "b": 2}, {"a": 9, "b": 1}) == []
    assert judged(spec, {"a": 8}, {"a": 9}) == ["spec.a: Invalid value: 8: m"]


def test_rules_below_maps_and_alternatives_are_asked() -> None:
    spec: Object = {
        "type": "object",
        "additionalProperties": {"type": "integer", RULES: rule("self > 0", message="m")},
        "allOf": [{RULES: rule("size(self) < 2", message="few")}],
    }
    assert judged(spec, {"k": 0, "l": 1}) == [
        "spec: Invalid value: few",
        "spec[k]: Invalid value: 0: m",
    ]


def test_fields_with_odd_names_are_reached_by_their_escapes() -> None:
    spec: Object = {
        "type": "object",
        "properties": {
            "a-b": {"type": "integer"},
            "if": {"type": "integer"},
            "x": {"type": "number"},
        },
        RULES: rule("self.a__dash__b + self.__if__ == 3 && self.x / 2.0 == 1.5"),
    }
    assert judged(spec, {"a-b": 1, "if": 2, "x": 3}) == []


def test_rules_when_the_object_is_invalid_are_left_out_and_said_so() -> None:
    spec: Object = {"type": "integer", RULES: rule("false")}
    assert judged(spec, "x")[1] == (
        "<nil>: Invalid value: null: some validation rules were not checked because the object "
        "was invalid; correct the existing errors to complete validation"
    )
