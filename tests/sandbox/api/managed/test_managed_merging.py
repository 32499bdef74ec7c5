"""Merging configurations into objects. Source: structured-merge-diff (`typed`)."""

from typing import Any

import pytest
import yaml
from managed_world import BOATS, fields, item

from tutor.sandbox.api.customresources.strategy import served_by
from tutor.sandbox.api.managed.checking import complaint
from tutor.sandbox.api.managed.merging import merged, without
from tutor.sandbox.api.managed.shape import Shape, shape_of
from tutor.sandbox.kinds import Object
from tutor.sandbox.schema.table import node_of

BOAT = shape_of(served_by(BOATS)[0].strategy.node())


def pod() -> Shape:
    node = node_of("", "v1", "Pod")
    assert node is not None
    return shape_of(node)


def spec(text: str) -> Object:
    return {"spec": yaml.safe_load(text)}


@pytest.mark.parametrize(
    ("live", "config", "result"),
    [
        ("{crew: 1, free: {a: 1}}", "{crew: 2}", "{crew: 2, free: {a: 1}}"),
        ("{free: {a: {b: 1}}}", "{free: {a: {c: 2}}}", "{free: {a: {b: 1, c: 2}}}"),
        ("{free: {a: 1}}", "{free: null}", "{free: {a: 1}}"),
        ("{free: {a: {b: 1}}}", "{free: {a: [1]}}", "{free: {a: [1]}}"),
        ("{atom: {a: x}}", "{atom: {b: y}}", "{atom: {b: y}}"),
        ("{crew: 1}", "{crew: null}", "{crew: null}"),
        ("{tags: []}", "{tags: null}", "{tags: null}"),
        ("{tags: [a]}", "{tags: []}", "{tags: [a]}"),
        (
            "{ports: [{port: 1}, {port: 2}]}",
            "{ports: [{port: 1, proto: UDP}, {port: 2, proto: TCP}]}",
            "{ports: [{port: 1}, {port: 1, proto: UDP}, {port: 2, proto: TCP}]}",
        ),
    ],
)
def test_a_configuration_is_merged_field_by_field(live: str, config: str, result: str):
    before = spec(live)

    assert merged(before, spec(config), BOAT) == spec(result)
    assert before == spec(live)


@pytest.mark.parametrize(
    ("live", "config", "result"),
    [
        ("abc", "abc", "abc"),
        ("abc", "cb", "acb"),
        ("abc", "d", "abcd"),
        ("abc", "da", "dabc"),
        ("abcd", "xbyd", "axbcyd"),
        ("abcd", "da", "bcda"),
        ("", "ab", "ab"),
        ("ab", "", "ab"),
        ("aab", "bc", "aabc"),
    ],
)
def test_items_come_in_the_order_of_the_configuration_between_those_of_the_object(
    live: str, config: str, result: str
):
    made = merged({"spec": {"tags": [*live]}}, {"spec": {"tags": [*config]}}, BOAT)

    assert "".join(made["spec"]["tags"]) == result


@pytest.mark.parametrize(
    ("value", "gone", "rest"),
    [
        ("{crew: 1, tags: [a, b]}", "{crew, tags: {'v:\"a\"'}}", "{tags: [b]}"),
        ("{tags: [a]}", "{tags: {'v:\"a\"'}}", "{tags: []}"),
        ("{free: {a: {b: 1}}}", "{free: {a: {b}}}", "{free: {a: {}}}"),
        ("{ports: [{port: 1}]}", f"{{ports: {{'{item(port=1, proto='TCP')}'}}}}", "{ports: []}"),
        ("{crew: 1}", "{other, more: {x}}", "{crew: 1}"),
    ],
)
def test_taking_fields_out_leaves_their_containers(value: str, gone: str, rest: str):
    before = spec(value)

    assert without(before, fields(f"{{spec: {gone}}}"), BOAT) == spec(rest)
    assert before == spec(value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{nope: 1}", ".spec.nope: field not declared in schema"),
        (
            "{hostname: 5}",
            ".spec.hostname: expected string, got &value.valueUnstructured{Value:5}",
        ),
        (
            "{hostname: {a: [x, null]}}",
            (
                ".spec.hostname: expected string, got &value.valueUnstructured{Value:"
                'map[string]interface {}{"a":[]interface {}{"x", interface {}(nil)}}}'
            ),
        ),
        (
            "{priority: high}",
            ".spec.priority: expected numeric (int or float), got string",
        ),
        ("{hostPID: 'yes'}", ".spec.hostPID: expected boolean, got &{yes}"),
        ("{tolerations: {}}", ".spec.tolerations: expected list, got &{map[]}"),
        ("{tolerations: [x]}", ".spec.tolerations[0]: expected map, got &{x}"),
        (
            "{overhead: {cpu: {a: b}}}",
            ".spec.overhead.cpu: expected any scalar, got &{map[a:b]}",
        ),
        ("{containers: [{image: x}]}", ""),
        (
            "{containers: [{image: x}, {image: y}]}",
            '.spec.containers: duplicate entries for key [name=""]',
        ),
        (
            "{containers: [{name: c, env: [{value: a}], ports: [{name: a}, {name: b}]}]}",
            (
                '.spec.containers[name="c"].ports: duplicate entries for key'
                ' [containerPort=0,protocol="TCP"]'
            ),
        ),
        (
            "{containers: [null]}",
            ".spec.containers: element 0: associative list with keys may not have a null element",
        ),
        (
            "{containers: [x]}",
            ".spec.containers: element 0: associative list with keys may not have non-map elements",
        ),
        (
            "{containers: [{name: a}, {name: a}]}",
            '.spec.containers: duplicate entries for key [name="a"]',
        ),
        (
            "{hostname: 1, subdomain: 2}",
            (
                "errors:\n"
                "  .spec.hostname: expected string, got &value.valueUnstructured{Value:1}\n"
                "  .spec.subdomain: expected string, got &value.valueUnstructured{Value:2}"
            ),
        ),
        ("{hostname: null, priority: 1.5, containers: null}", ""),
        ("{containers: [{name: a, resources: {limits: {cpu: 1, memory: 1Gi}}}]}", ""),
    ],
)
def test_a_configuration_that_does_not_fit_is_told_as_the_server_tells_it(text: str, said: str):
    assert complaint(spec(text), pod()) == said


def test_an_item_whose_key_has_no_default_must_have_it():
    node = node_of("", "v1", "ServiceAccount")
    assert node is not None
    account: Object = {"secrets": [{"namespace": "a"}], "imagePullSecrets": [{}]}

    assert complaint(account, shape_of(node)) == (
        ".secrets: element 0: associative list with keys has an element that omits"
        ' all key fields ["name"] (and doesn\'t have default values for any key fields)'
    )


def test_a_schema_inside_a_definition_fits_whatever_it_is():
    node = node_of("apiextensions.k8s.io", "v1", "CustomResourceDefinition")
    assert node is not None
    schema: Any = {"items": {"type": "string"}, "default": {"a": [1]}, "additionalProperties": True}
    versions = [{"name": "v1", "schema": {"openAPIV3Schema": schema}}]

    assert complaint({"spec": {"versions": versions}}, shape_of(node)) == ""


def test_a_set_has_no_objects_and_no_nulls():
    start = ".spec.tags: element 0: "
    said = [complaint(spec(f"{{tags: [{bad}]}}"), BOAT) for bad in ("{}", "null", "[]")]

    assert [text.removeprefix(start) for text in said] == [
        "associative list without keys has an element that's a map type",
        "associative list without keys has an element that's an explicit null",
        "not supported: associative list with lists as elements",
    ]
