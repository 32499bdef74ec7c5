"""Any schema that is let in, any object: nothing but complaints comes back."""

import copy
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tutor.sandbox.api.customresources.openapi import check_schema
from tutor.sandbox.api.structural.embedded import EmbeddedError
from tutor.sandbox.api.structural.structural import compile_schema
from tutor.sandbox.kinds import Object
from tutor.sandbox.schema.body import Number, parse

# ruff: noqa: E501 - values are kept on a line

NAMES = st.sampled_from(["a", "b", "a-b", "in", "kind", "metadata"])
TEXTS = st.sampled_from(
    ["", "a", "abc", "é", "2020-01-01", "2020-01-01T00:00:00Z", "1h", "YQ==", "::1"]
)
NUMBERS = st.sampled_from(
    [0, 1, -1, 2**31, 2**63 - 1, 1.5, -0.25, 1e300, Number("12345678901234567890")]
)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.just("k"), inner, max_size=3)
    ),
    max_leaves=8,
)
FORMATS = st.sampled_from(
    ["date-time", "date", "duration", "byte", "uuid", "int32", "float", "odd"]
)
RULES = {
    "string": ["self.size() > 1", "self == oldSelf", "self > timestamp('2020-01-01T00:00:00Z')"],
    "integer": ["self > 1", "10 / self > oldSelf"],
    "number": ["self > 1.5", "oldSelf.orValue(self) >= self"],
    "boolean": ["self", "self == oldSelf"],
    "array": ["self.all(i, v, i < 2)", "self == oldSelf", "self[0] == self[1]"],
    "object": ["has(self.a)", "self.a == self.b", "self.size() < 2"],
}


def extended(type_: str, base: dict[str, Any]) -> st.SearchStrategy[Object]:
    """The schema of one type with words that go for every type."""
    rule = st.fixed_dictionaries(
        {"rule": st.sampled_from(RULES[type_])},
        optional={
            "messageExpression": st.sampled_from(["'m'", "string(self)", "1"]),
            "optionalOldSelf": st.booleans(),
            "fieldPath": st.just(".a"),
        },
    )
    words: dict[str, Any] = {
        "nullable": st.booleans(),
        "default": VALUES,
        "enum": st.lists(SCALARS, min_size=1, max_size=2),
        "x-kubernetes-validations": st.lists(rule, max_size=2),
        "allOf": st.just([{"enum": ["a", 1]}]),
        "anyOf": st.just([{"minLength": 2}, {"minimum": 2}]),
        "oneOf": st.just([{"required": ["a"]}, {"maxItems": 1}]),
        "not": st.just({"pattern": "^a"}),
    }
    return st.fixed_dictionaries({"type": st.just(type_)}, optional=base | words)


def scalars() -> st.SearchStrategy[Object]:
    numeric: dict[str, Any] = {
        "minimum": NUMBERS,
        "maximum": NUMBERS,
        "multipleOf": NUMBERS,
        "exclusiveMinimum": st.booleans(),
        "format": FORMATS,
    }
    sized = {"maxLength": st.integers(0, 3), "minLength": st.integers(0, 3)}
    text: dict[str, Any] = sized | {"pattern": st.sampled_from(["^a$", "["]), "format": FORMATS}
    either = st.just({"x-kubernetes-int-or-string": True})
    kinds = [extended("string", text), extended("integer", numeric), extended("number", numeric)]
    return st.one_of(*kinds, extended("boolean", {}), either)


def _keyed(schema: Object) -> Object:
    return {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"a": {"type": "string"}, "b": schema},
            "required": ["a"],
        },
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["a"],
    }


def containers(inner: st.SearchStrategy[Object]) -> st.SearchStrategy[Object]:
    keyed = inner.map(_keyed)
    array: dict[str, Any] = {
        "items": inner,
        "x-kubernetes-list-type": st.sampled_from(["set", "atomic", "map"]),
        "maxItems": st.integers(0, 2),
    }
    fields: dict[str, Any] = {
        "properties": st.dictionaries(NAMES, inner, max_size=3),
        "required": st.lists(NAMES, max_size=2),
        "x-kubernetes-preserve-unknown-fields": st.just(True),
        "x-kubernetes-embedded-resource": st.booleans(),
        "x-kubernetes-map-type": st.sampled_from(["atomic", "granular"]),
        "maxProperties": st.integers(0, 2),
    }
    others: dict[str, Any] = {"additionalProperties": inner | st.booleans()}
    return st.one_of(
        extended("array", array),
        extended("object", fields),
        extended("object", others),
        keyed,
    )


SCHEMAS = st.recursive(scalars(), containers, max_leaves=5)
PATH = "spec.validation.openAPIV3Schema"


def whole(spec: Object) -> Object:
    return {"type": "object", "properties": {"spec": spec}}


def resource(spec: Any) -> Object:
    return {"apiVersion": "e.example/v1", "kind": "T", "metadata": {"name": "x"}, "spec": spec}


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(schema=SCHEMAS, old=VALUES, new=VALUES)
def test_every_schema_and_object_is_judged_without_a_fault(
    schema: Object, old: Any, new: Any
) -> None:
    complaints = check_schema(whole(schema), PATH, with_status=True, unchanged=False)
    assert all(str(one) for one in complaints)
    if complaints:
        return
    structural = compile_schema(whole(schema))
    before, after = resource(copy.deepcopy(old)), resource(copy.deepcopy(new))
    try:
        structural.read(before)
        structural.read(after)
    except EmbeddedError:
        return
    structural.default(before)
    structural.default(after)
    found = [*structural.validate(after), *structural.validate_update(after, before)]
    assert all(str(one) for one in found)
    # What was read and filled once stays as it is.
    again = copy.deepcopy(after)
    assert structural.read(again) == []
    structural.default(again)
    assert again == after


def test_numbers_as_bodies_have_them_are_judged() -> None:
    body = parse(b'{"spec": {"n": 12345678901234567890, "f": 1.5}, "spec": {"n": 1.5}}').value
    structural = compile_schema(
        whole({"type": "object", "properties": {"n": {"type": "integer"}, "f": {"type": "number"}}})
    )
    assert [str(error) for error in structural.check(body)] == [
        'spec.n: Invalid value: "number": spec.n in body must be of type integer: "number"',
        '<nil>: Invalid value: "": Checked value must be of type integer (default format) in spec.n',
    ]
