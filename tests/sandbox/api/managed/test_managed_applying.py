"""Server-side apply. Source: apimachinery (`util/managedfields`), structured-merge-diff."""

import json

import pytest
from managed_world import STAMP, World, fields, item, owners

from tutor.sandbox.api.status import ApiError
from tutor.sandbox.kinds import Object, thaw

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def maps() -> World:
    return World("v1", "configmaps")


def refusal(error: pytest.ExceptionInfo[ApiError]) -> tuple[int, str, str]:
    return error.value.code, error.value.reason, error.value.message


def test_applying_makes_an_object_that_is_the_appliers():
    made = maps().apply("{data: {a: x}, metadata: {name: a, labels: {l: m}}}", "one")

    assert made["data"] == {"a": "x"}
    assert made["metadata"]["managedFields"] == [
        {
            "manager": "one",
            "operation": "Apply",
            "apiVersion": "v1",
            "time": STAMP,
            "fieldsType": "FieldsV1",
            "fieldsV1": fields("{data: {a}, metadata: {labels: {l}}}"),
        }
    ]


def test_defaults_are_filled_in_and_not_owned():
    config = "{spec: {containers: [{name: c, image: i, ports: [{containerPort: 80}]}]}}"

    made = World("v1", "pods").apply(config, "one")

    port = f"'{item(containerPort=80, protocol='TCP')}': {{., containerPort}}"
    container = f"'{item(name='c')}': {{., image, name, ports: {{{port}}}}}"
    assert made["spec"]["containers"][0]["ports"] == [{"containerPort": 80, "protocol": "TCP"}]
    assert owners(made) == {"one Apply": fields(f"{{spec: {{containers: {{{container}}}}}}}")}


def test_applying_the_same_again_leaves_object_and_time_alone():
    world = maps()
    live = world.apply("{data: {a: x}}", "one")
    live["metadata"]["managedFields"][0]["time"] = "2020-01-01T00:00:00Z"

    assert world.apply("{data: {a: x}}", "one", live) == live


def test_applying_what_is_there_shares_it_and_the_entry_has_no_time():
    world = maps()
    live = world.apply("{data: {a: x}}", "one")

    made = world.apply("{data: {a: x}}", "two", live)

    assert owners(made) == {"two Apply": fields("{data: {a}}"), "one Apply": fields("{data: {a}}")}
    assert [e.get("time") for e in made["metadata"]["managedFields"]] == [None, STAMP]


def test_a_field_that_the_applier_drops_goes_away_when_nobody_else_has_it():
    world = maps()
    live = world.apply("{data: {mine: x, shared: x}}", "one")
    live = world.apply("{data: {shared: x, theirs: x}}", "two", live)

    made = world.apply("{data: {}}", "one", live)

    assert made["data"] == {"shared": "x", "theirs": "x"}
    assert owners(made)["two Apply"] == fields("{data: {shared, theirs}}")


def test_a_list_item_goes_with_its_owner_and_stays_for_those_who_set_something_in_it():
    world = World("apps/v1", "deployments")
    base = "{spec: {template: {spec: {containers: [{name: a, image: i}, {name: b, image: i}]}}}}"
    live = world.apply(base, "one")
    more = "{spec: {template: {spec: {containers: [{name: b, args: [x]}]}}}}"
    live = world.apply(more, "two", live)

    made = world.apply("{spec: {template: {spec: {containers: null}}}}", "one", live)

    kept = made["spec"]["template"]["spec"]["containers"]
    assert [(c["name"], c.get("args"), c.get("image")) for c in kept] == [("b", ["x"], None)]


def test_what_another_added_by_an_update_stays_when_the_applier_drops_all_it_had():
    world = maps()
    live = world.apply("{data: {a: x}}", "one")
    live = world.change(live, "two", b="y")

    made = world.apply("{}", "one", live)

    assert made["data"] == {"b": "y"}
    assert owners(made) == {"two Update": fields("{data: {b}}")}


def test_one_conflict_is_told_in_one_line():
    world = maps()
    live = world.write({"data": {"key": "x"}}, "kubectl-create")

    with pytest.raises(ApiError) as error:
        world.apply("{data: {key: y}}", "one", live)

    assert refusal(error) == (
        409,
        "Conflict",
        'Apply failed with 1 conflict: conflict with "kubectl-create" using v1: .data.key',
    )
    assert error.value.details == {
        "causes": [
            {
                "reason": "FieldManagerConflict",
                "message": 'conflict with "kubectl-create" using v1',
                "field": ".data.key",
            }
        ]
    }


def test_several_conflicts_are_listed_by_owner():
    world = World("sea.io/v1", "boats")
    live = world.write({"spec": {"crew": 1, "free": {"a": 1}}}, "zoe")
    live = world.apply("{spec: {atom: {a: x}}}", "amy", live)
    live = world.change(live, "bob", "scale", crew=3)

    with pytest.raises(ApiError) as error:
        world.apply("{spec: {atom: {b: x}, crew: 2, free: {a: 2, b: 2}}}", "one", live)

    assert refusal(error)[2] == (
        'Apply failed with 3 conflicts: conflicts with "amy":\n- .spec.atom\n'
        'conflicts with "bob" with subresource "scale" using sea.io/v1:\n- .spec.crew\n'
        'conflicts with "zoe" using sea.io/v1:\n- .spec.free.a'
    )


def test_force_takes_the_fields_from_their_owners():
    world = maps()
    live = world.write({"data": {"a": "x", "b": "x"}}, "one")

    made = world.apply("{data: {a: y}}", "two", live, force=True)

    assert made["data"] == {"a": "y", "b": "x"}
    assert owners(made) == {
        "two Apply": fields("{data: {a}}"),
        "one Update": fields("{data: {., b}}"),
    }


def test_an_object_without_owners_gets_one_before_the_first_apply():
    world = maps()
    live = world.write({"data": {"a": "x"}}, "one")
    del live["metadata"]["managedFields"]

    with pytest.raises(ApiError) as error:
        world.apply("{data: {a: y}}", "two", live)

    assert 'conflict with "before-first-apply" using v1: .data.a' in refusal(error)[2]
    assert set(owners(world.apply("{data: {c: y}}", "two", live))) == {
        "two Apply",
        "before-first-apply Update",
    }


def test_an_applier_is_one_owner_in_all_versions():
    world = World("sea.io/v1", "boats")
    live = world.apply("{spec: {crew: 1, tags: [a, b]}}", "one")

    made = world.other("sea.io/v2").apply("{spec: {tags: [b]}}", "one", live)

    assert made["spec"] == {"tags": ["b"]}
    assert [e["apiVersion"] for e in made["metadata"]["managedFields"]] == ["sea.io/v2"]


def annotated(config: Object) -> Object:
    text = json.dumps({"apiVersion": "v1", "kind": "ConfigMap"} | config)
    return {"metadata": {"name": "a", "annotations": {LAST_APPLIED: text}}} | config


def test_kubectl_takes_over_what_it_applied_from_the_client_and_keeps_the_annotation_up():
    world = maps()
    live = world.write(annotated({"data": {"a": "x"}}), "kubectl-client-side-apply")

    made = world.apply("{data: {a: y}}", "kubectl", live)

    assert made["data"] == {"a": "y"}
    assert made["metadata"]["annotations"][LAST_APPLIED] == (
        '{"apiVersion":"v1","data":{"a":"y"},"kind":"ConfigMap","metadata":{"name":"a"}}\n'
    )


def test_kubectl_is_told_of_conflicts_that_are_not_about_what_it_applied_from_the_client():
    world = maps()
    live = world.write(annotated({"data": {"a": "x"}}), "kubectl-client-side-apply")
    live = world.change(live, "other", b="x")

    with pytest.raises(ApiError) as error:
        world.apply("{data: {a: y, b: y}}", "kubectl", live)

    assert refusal(error)[2] == (
        'Apply failed with 1 conflict: conflict with "other" using v1: .data.b'
    )


def test_other_appliers_have_no_part_in_the_annotation():
    world = maps()
    live = world.write(annotated({"data": {"a": "x"}}), "kubectl-client-side-apply")

    with pytest.raises(ApiError):
        world.apply("{data: {a: y}}", "argocd", live)
    made = world.apply("{data: {c: y}}", "argocd", live)
    assert made["metadata"]["annotations"] == live["metadata"]["annotations"]


@pytest.mark.parametrize(
    ("config", "code", "said"),
    [
        ("{kind: Secret}", 400, "invalid object type: /v1, Kind=Secret"),
        ("{apiVersion: apps/v1}", 400, "invalid object type: apps/v1, Kind=ConfigMap"),
        ("{kind: [x], apiVersion: 1}", 400, "invalid object type: /, Kind="),
        (
            "{metadata: [x]}",
            500,
            (
                "failed to create typed patch object (/; /v1, Kind=ConfigMap): .metadata: expected"
                " map, got &{[x]}"
            ),
        ),
        ("{metadata: {managedFields: []}}", 400, "metadata.managedFields must be nil"),
        (
            "{metadata: {name: a, namespace: n}, dat: {}}",
            500,
            (
                "failed to create typed patch object (n/a; /v1, Kind=ConfigMap): .dat: field not"
                " declared in schema"
            ),
        ),
        (
            "{metadata: {name: a, creationTimestamp: noon}}",
            500,
            (
                "failed to convert new object (/a; /v1, Kind=ConfigMap) to proper version: unable"
                " to convert unstructured object to /v1, Kind=ConfigMap: parsing time"
            ),
        ),
    ],
)
def test_a_configuration_that_cannot_be_applied_is_refused(config: str, code: int, said: str):
    with pytest.raises(ApiError) as error:
        maps().apply(config, "one")

    assert error.value.code == code
    assert error.value.message.startswith(said)


def scale(replicas: int) -> Object:
    head: Object = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "a"}}
    return head | {"spec": {"replicas": replicas}}


def test_applying_a_scale_sets_the_replicas_of_the_object():
    world = World("sea.io/v1", "boats")
    live = world.apply("{spec: {crew: 1}}", "one")

    with pytest.raises(ApiError) as error:
        world.apply(scale(3), "two", live, subresource="scale")
    made = world.apply(scale(3), "two", live, subresource="scale", force=True)

    assert refusal(error)[2] == (
        'Apply failed with 1 conflict: conflict with "one": .spec.replicas'
    )
    assert made["spec"] == {"crew": 3}
    assert owners(made) == {"two Apply scale": fields("{spec: {crew}}")}


def test_applying_a_scale_without_replicas_scales_to_none():
    world = World("sea.io/v1", "boats")
    live = world.apply("{spec: {crew: 1}}", "one")

    made = world.apply(
        scale(1) | {"spec": {"replicas": None}}, "one", live, subresource="scale", force=True
    )

    assert made["spec"] == {"crew": 0}


def test_applying_nothing_new_to_a_scale_that_nobody_owns_makes_its_replicas_owned():
    world = World("sea.io/v1", "boats")
    live = world.write({"spec": {"crew": 3}}, "one")
    live["metadata"]["managedFields"] = []

    made = world.apply(scale(3), "two", thaw(live), subresource="scale")

    assert set(owners(made)) == {"two Apply scale", "before-first-apply Update scale"}
