"""Rules in definitions. Messages: apiextensions-apiserver (`validation.go`)."""

from typing import Any

from tutor.sandbox.api.customresources.openapi import check_schema
from tutor.sandbox.kinds import Object

RULES = "x-kubernetes-validations"
ROOT = "spec.validation.openAPIV3Schema"
BUDGET = (
    "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays,"
    " maps, and strings are declared)"
)


def complaints(schema: Object, *, unchanged: bool = False) -> list[str]:
    whole: Object = {"type": "object", "properties": {"p": schema}}
    found = check_schema(whole, ROOT, with_status=False, unchanged=unchanged)
    return [str(error).removeprefix(f"{ROOT}.properties[p]") for error in found]


def rule(text: str, **more: Any) -> list[Object]:
    return [{"rule": text, **more}]


def test_a_rule_that_is_no_bool_is_refused() -> None:
    (told,) = complaints({"type": "integer", RULES: rule("self + 1")})
    assert told.endswith(": cel expression must evaluate to a bool")


def test_a_rule_over_unknown_fields_is_refused_with_a_pointer() -> None:
    (told,) = complaints({"type": "object", RULES: rule("self.x > 1")})
    assert told.startswith(f".{RULES}[0].rule: Invalid value: ")
    pointed = "ERROR: <input>:1:5: undefined field 'x'\n | self.x > 1\n | ....^"
    assert told.endswith(f": compilation failed: {pointed}")


def test_a_message_that_is_no_text_is_refused() -> None:
    (told,) = complaints({"type": "integer", RULES: rule("true", messageExpression="self")})
    assert told.startswith(f".{RULES}[0].messageExpression: ")
    assert told.endswith(": messageExpression must evaluate to a string")


def test_a_message_that_does_not_compile_is_refused() -> None:
    (told,) = complaints({"type": "integer", RULES: rule("true", messageExpression="self.x")})
    assert ": messageExpression compilation failed: ERROR: <input>:1:5: " in told


def test_old_values_in_lists_without_keys_are_refused() -> None:
    schema = {"type": "array", "items": {"type": "integer", RULES: rule("self >= oldSelf")}}
    told = "oldSelf cannot be used on the uncorrelatable portion of the schema within "
    assert complaints(schema) == [
        f'.items.{RULES}[0].rule: Invalid value: "self >= oldSelf": {told}{ROOT}.properties[p]'
    ]


def test_optional_old_values_that_nobody_looks_at_are_refused() -> None:
    schema = {"type": "integer", RULES: rule("self > 1", optionalOldSelf=False)}
    told = "may not be set if oldSelf is not used in rule"
    assert complaints(schema) == [f".{RULES}[0].optionalOldSelf: Invalid value: false: {told}"]


def test_a_rule_that_may_cost_too_much_is_refused() -> None:
    nested = {"type": "array", "items": {"type": "array", "items": {"type": "string"}}}
    text = "self.all(a, a.all(b, b.contains(b)))"
    factor = f"exceeds budget by factor of more than 100x {BUDGET}"
    whole = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema"
    contributed = (
        "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema"
    )
    assert complaints(nested | {RULES: rule(text)}) == [
        f".{RULES}[0].rule: Forbidden: estimated rule cost {factor}",
        f".{RULES}[0].rule: Forbidden: {contributed}",
        f"{ROOT}: Forbidden: {whole} {factor}",
    ]


def test_a_rule_that_was_let_in_before_may_cost_what_it_does() -> None:
    items = {"type": "array", "items": {"type": "string"}}
    schema = items | {RULES: rule("self.all(a, a.size() > 1 && a.size() < 9 && a.size() != 5)")}
    (told,) = complaints(schema)
    exceeds = f"estimated rule cost exceeds budget by factor of 1.258290x {BUDGET}"
    assert told == f".{RULES}[0].rule: Forbidden: {exceeds}"
    assert complaints(schema, unchanged=True) == []


def test_limits_of_lists_around_a_rule_bound_its_cost() -> None:
    item = {"type": "string", "maxLength": 10, RULES: rule("self.contains(self)")}
    assert complaints({"type": "array", "maxItems": 10, "items": item}) == []
    much: Object = item | {"maxLength": 1000}
    (told,) = complaints({"type": "array", "items": much})[:1]
    assert told.startswith(f".items.{RULES}[0].rule: Forbidden: estimated rule cost exceeds")


def test_fields_of_which_nothing_is_known_cannot_be_judged() -> None:
    schema = {"x-kubernetes-preserve-unknown-fields": True, RULES: rule("self == 1")}
    (told,) = complaints(schema)
    assert told.startswith(f".{RULES}: Internal error: internal error: failed to construct type")


def test_defaults_are_judged_by_rules_that_are_checked_first() -> None:
    schema = {"type": "integer", "default": 1, RULES: rule("self.x")}
    told = complaints(schema)
    assert told[0].startswith(
        '.default: Invalid value: "integer": rule compile error: compilation failed: ERROR: '
    )
