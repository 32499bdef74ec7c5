"""What differs and what is claimed. Source: structured-merge-diff (`typed`)."""

import pytest
import yaml
from managed_world import BOATS, fields, item

from tutor.sandbox.api.customresources.strategy import served_by
from tutor.sandbox.api.managed.claims import claims, settled, with_structs
from tutor.sandbox.api.managed.compare import compare
from tutor.sandbox.api.managed.shape import Shape, shape_of
from tutor.sandbox.kinds import Object, thaw
from tutor.sandbox.schema.table import node_of

BOAT = shape_of(served_by(BOATS)[0].strategy.node())
TCP, UDP = item(port=1, proto="TCP"), item(port=1, proto="UDP")


def deployment() -> Shape:
    node = node_of("apps", "v1", "Deployment")
    assert node is not None
    return shape_of(node)


def spec(text: str) -> Object:
    return {"spec": yaml.safe_load(text)}


@pytest.mark.parametrize(
    ("old", "new", "changed", "removed"),
    [
        ("{crew: 1}", "{crew: 2}", "{crew}", ""),
        ("{crew: 1}", "{}", "", "{crew}"),
        ("{}", "{tags: [b, a]}", "{tags: {., 'v:\"a\"', 'v:\"b\"'}}", ""),
        ("{tags: [a]}", "{tags: [b, a]}", "{tags: {'v:\"b\"'}}", ""),
        ("{tags: [a]}", "{tags: []}", "", "{tags: {'v:\"a\"'}}"),
        ("{tags: []}", "{}", "", "{tags}"),
        ("{atom: {a: x}}", "{atom: {a: x, b: y}}", "{atom}", ""),
        ("{free: {a: 1}}", "{free: {a: {b: 1}}}", "{free: {a: {., b}}}", ""),
        ("{free: {a: {b: 1}}}", "{free: {a: 1}}", "{free: {a}}", "{free: {a: {b}}}"),
        ("{free: {a: [1]}}", "{free: {a: [2]}}", "{free: {a}}", ""),
        ("{free: {a: null}}", "{free: {a: {}}}", "{free: {a}}", ""),
        ("{}", "{free: {a: {}, b: null}}", "{free: {., a, b}}", ""),
    ],
)
def test_comparing_values_tells_the_fields_that_changed_and_that_went(
    old: str, new: str, changed: str, removed: str
):
    found = compare(spec(old), spec(new), BOAT)

    assert found.changed == (fields(f"{{spec: {changed}}}") if changed else {})
    assert found.removed == (fields(f"{{spec: {removed}}}") if removed else {})


def test_comparing_lists_matches_items_by_their_keys_and_their_defaults():
    old = spec("{ports: [{port: 1}, {port: 1, proto: UDP}]}")
    new = spec("{ports: [{port: 1, proto: UDP}, {port: 1, proto: TCP}]}")

    found = compare(old, new, BOAT)

    assert found == (fields(f"{{spec: {{ports: {{'{TCP}': {{proto}}}}}}}}"), {})


def test_comparing_lists_takes_items_that_are_there_twice_as_one_thing():
    once, twice = spec("{ports: [{port: 1}]}"), spec("{ports: [{port: 1}, {port: 1}]}")
    below = f"{{spec: {{ports: {{'{TCP}': "

    assert compare(once, twice, BOAT) == (fields(below + "}}}"), fields(below + "{., port}}}}"))
    assert compare(twice, once, BOAT) == (fields(below + "{., port}}}}"), fields(below + "}}}"))
    assert compare(twice, thaw(twice), BOAT) == ({}, {})


def test_a_new_struct_is_owned_with_all_that_is_in_it():
    new: Object = {"spec": {"template": {"spec": {"containers": [{"name": "a", "resources": {}}]}}}}

    found = compare({"spec": {"template": {"spec": {"containers": None}}}}, new, deployment())

    inner = f"{{'{item(name='a')}': {{., name, resources}}}}"
    assert found.changed == fields(f"{{spec: {{template: {{spec: {{containers: {inner}}}}}}}}}")


@pytest.mark.parametrize(
    ("config", "claimed"),
    [
        ("{crew: 1}", "{crew}"),
        ("{tags: []}", ""),
        ("{tags: null, crew: null}", "{crew, tags}"),
        ("{tags: [a]}", "{tags: {'v:\"a\"'}}"),
        ("{ports: [{port: 1}]}", f"{{ports: {{'{TCP}': {{., port}}}}}}"),
        ("{free: {a: {b: {}}}, atom: {x: y}}", "{atom, free: {a: {., b}}}"),
        ("{free: {}}", "{free}"),
    ],
)
def test_a_configuration_claims_its_leaves_and_items(config: str, claimed: str):
    assert claims(spec(config), BOAT) == (fields(f"{{spec: {claimed}}}") if claimed else {})


def test_structs_on_the_way_join_a_set_and_maps_do_not():
    found = fields("{metadata: {labels: {a}}, spec: {template: {spec: {containers: {}}}}}")

    assert with_structs(found, deployment()) == fields(
        "{metadata: {., labels: {., a}}, spec: {., template: {., spec: {., containers: {}}}}}"
    )


def test_sets_settle_where_the_type_has_come_to_own_values_as_a_whole():
    owned = fields(f"{{spec: {{atom: {{., k}}, ports: {{'{TCP}': {{., port}}}}, crew}}}}")

    assert settled(owned, BOAT) == fields(
        f"{{spec: {{atom, ports: {{'{TCP}': {{., port}}}}, crew}}}}"
    )
