"""Who owns what after creates, updates and patches. Source: apimachinery (`util/managedfields`)."""

import pytest
from managed_world import STAMP, World, fields, item, owners

from tutor.sandbox.kinds import Object, thaw

POD: Object = {
    "metadata": {"name": "a", "labels": {"app": "x"}, "generateName": "a-"},
    "spec": {"containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 80}]}]},
}


def maps() -> World:
    return World("v1", "configmaps")


def test_a_new_object_is_its_creators_with_defaults_and_without_what_the_server_sets():
    made = World("v1", "pods").write(POD, "kubectl-run")

    container = "{., image, imagePullPolicy, name, ports: {., '%s': {., containerPort, protocol}}, "
    container %= item(containerPort=80, protocol="TCP")
    container += "resources, terminationMessagePath, terminationMessagePolicy}"
    rest = "dnsPolicy, enableServiceLinks, restartPolicy, schedulerName, securityContext"
    spec = f"{{containers: {{'{item(name='c')}': {container}}}, {rest}, terminationGracePeriodSeconds}}"  # noqa: E501 - one value
    assert made["metadata"]["managedFields"] == [
        {
            "manager": "kubectl-run",
            "operation": "Update",
            "apiVersion": "v1",
            "time": STAMP,
            "fieldsType": "FieldsV1",
            "fieldsV1": fields(f"{{metadata: {{generateName, labels: {{., app}}}}, spec: {spec}}}"),
        }
    ]


def test_an_object_with_nothing_in_it_has_no_owners():
    made = World("v1", "serviceaccounts").write({}, "controller")

    assert "managedFields" not in made["metadata"]


def test_an_update_takes_what_it_changes_and_gives_up_what_it_removes():
    world = maps()
    old = world.write({"data": {"a": "1", "b": "2", "c": "3"}}, "one")

    new = world.write({"data": {"a": "1", "b": "x"}}, "two", old)

    assert owners(new) == {
        "one Update": fields("{data: {., a}}"),
        "two Update": fields("{data: {b}}"),
    }


def test_an_owner_who_loses_everything_is_gone():
    world = maps()
    old = world.write({"data": {"a": "1"}}, "one")

    assert owners(world.write({}, "two", old)) == {}


def test_updates_of_one_manager_are_one_entry_and_those_of_another_version_another():
    world = World("sea.io/v1", "boats")
    old = world.write({"spec": {"crew": 1}}, "one")
    old = world.change(old, "one", tags=["a"])

    new = world.other("sea.io/v2").write(thaw(old) | {"apiVersion": "sea.io/v2"}, "one", old)
    new = world.other("sea.io/v2").change(new, "one", crew=2)

    entries = new["metadata"]["managedFields"]
    assert [(e["apiVersion"], e["fieldsV1"]) for e in entries] == [
        ("sea.io/v1", fields("{spec: {., tags: {., 'v:\"a\"'}}}")),
        ("sea.io/v2", fields("{spec: {crew}}")),
    ]


def test_an_update_that_changes_nothing_leaves_the_entries_alone():
    world = maps()
    old = world.write({"data": {"a": "1"}}, "one")
    old["metadata"]["managedFields"][0]["time"] = "2020-01-01T00:00:00Z"

    new = world.write({"data": {"a": "1"}}, "two", old)

    assert new["metadata"]["managedFields"] == old["metadata"]["managedFields"]


@pytest.mark.parametrize("given", [None, [{"manager": "x", "operation": "Wrong"}]])
def test_entries_that_are_missing_or_wrong_in_an_update_stay_as_they_were(
    given: list[Object] | None,
):
    world = maps()
    old = world.write({"data": {"a": "1"}}, "one")
    value: Object = {"metadata": {"name": "a"}, "data": {"a": "1"}}
    if given is not None:
        value["metadata"]["managedFields"] = given

    assert owners(world.write(value, "two", old)) == {"one Update": fields("{data: {., a}}")}


def test_an_update_may_write_the_entries_itself():
    world = maps()
    old = world.write({"data": {"a": "1", "b": "2"}}, "one")
    entry = thaw(old["metadata"]["managedFields"][0])
    entry |= {"manager": "other", "operation": "Apply", "fieldsV1": {"f:data": {"f:a": {}}}}
    value: Object = {"metadata": {"name": "a", "managedFields": [entry]}, "data": thaw(old["data"])}

    assert owners(world.write(value, "two", old)) == {"other Apply": fields("{data: {a}}")}


def test_an_empty_entry_forgets_all_owners_and_nothing_is_tracked_from_then_on():
    world = maps()
    old = world.write({"data": {"a": "1"}}, "one")
    value: Object = {"metadata": {"name": "a", "managedFields": [{}]}, "data": {"a": "2"}}

    new = world.write(value, "two", old)

    assert "managedFields" not in new["metadata"]
    assert "managedFields" not in world.change(new, "two", b="3")["metadata"]


def test_a_status_is_owned_by_its_path_and_nothing_else_is():
    world = World("sea.io/v1", "boats")
    old = world.write({"spec": {"crew": 1}, "status": {"phase": "Lost"}}, "one")
    value = thaw(old) | {"spec": {"crew": 99}, "status": {"phase": "Sailing"}}
    value["metadata"]["labels"] = {"a": "b"}

    new = world.write(value, "two", old, "status")

    assert owners(new) == {
        "one Update": fields("{spec: {., crew}}"),
        "two Update status": fields("{status: {phase}}"),
    }


@pytest.mark.parametrize(
    ("subresource", "owned"),
    [
        (
            "",
            "{metadata: {labels: {x}}, spec: {nodeName, containers: {CONTAINER: {resources: R}}}}",
        ),
        ("status", "{metadata: {labels: {x}}, status: {phase}}"),
        ("resize", "{spec: {containers: {CONTAINER: {resources: R}}}}"),
        ("ephemeralcontainers", ""),
        ("binding", ""),
    ],
)
def test_each_path_of_a_pod_owns_what_it_can_write(subresource: str, owned: str):
    world = World("v1", "pods")
    old = world.write(POD, "one")
    value = thaw(old)
    value["metadata"]["labels"]["x"] = "y"
    value["spec"]["nodeName"] = "n"
    value["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "1"}}
    value["status"]["phase"] = "Running"

    found = owners(world.write(value, "two", old, subresource))

    found.pop("one Update")
    container = f"'{item(name='c')}'"
    owned = owned.replace("CONTAINER", container).replace(
        "R}", "{limits: {., cpu}, requests: {., cpu}}}"
    )
    assert list(found.values()) == ([fields(owned)] if owned else [])


def test_a_scale_moves_the_replicas_to_whoever_scaled():
    world = World("apps/v1", "replicasets")
    old = world.write({"spec": {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}}}, "one")

    new = world.change(old, "two", "scale", replicas=3)

    assert owners(new)["two Update scale"] == fields("{spec: {replicas}}")
    assert "f:replicas" not in owners(new)["one Update"]["f:spec"]
    entry = new["metadata"]["managedFields"][0]
    assert (entry["manager"], entry["apiVersion"], "time" in entry) == ("two", "apps/v1", False)


def test_a_scale_of_replicas_that_nobody_owns_is_not_tracked():
    world = World("sea.io/v1", "boats")
    old = world.write({"spec": {"tags": ["a"]}}, "one")

    assert owners(world.change(old, "two", "scale", crew=3)) == owners(old)


def test_the_oldest_updaters_are_put_together_when_there_are_more_than_ten():
    world = maps()
    obj = world.write({"data": {"k0": "0"}}, "m0")
    for number in range(1, 12):
        for at, entry in enumerate(obj["metadata"]["managedFields"]):
            entry["time"] = f"2020-01-01T00:00:{at:02}Z"
        obj = world.change(obj, f"m{number}", **{f"k{number}": "x"})

    found = owners(obj)
    assert len(found) == 10
    assert found["ancient-changes Update"] == fields("{data: {., k0, k1, k2}}")


def test_entries_of_a_version_that_is_gone_are_dropped():
    world = World("sea.io/v1", "boats")
    old = world.write({"spec": {"crew": 1}}, "one")
    old["metadata"]["managedFields"][0]["apiVersion"] = "sea.io/v0"

    assert owners(world.change(old, "two", crew=2)) == {"two Update": fields("{spec: {crew}}")}


def test_admission_cannot_break_the_entries():
    world = maps()
    made = world.write({"data": {"a": "1"}}, "one")
    before = made["metadata"]["managedFields"]
    call = world.call("one")

    made["metadata"]["managedFields"] = [{"manager": "hook", "operation": "Update"}]
    world.tracking.after_admission(call, made, before)

    assert made["metadata"]["managedFields"] == before
    said = (
        ".metadata.managedFields was in an invalid state after admission; this could be caused by"
        " an outdated mutating admission controller; please fix your requests:"
        " apiVersion must not be empty"
    )
    assert call.warnings == [said]
