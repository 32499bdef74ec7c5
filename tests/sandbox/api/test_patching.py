"""Patches over the API: what they may not change, and what they make that is no object.

Source: apiserver's endpoints/handlers/patch.go.
"""

from typing import Any

import pytest

from tests.fakes.cluster import Api, Reply, config_map, obj
from tutor.sandbox.kinds import Object

MAPS = "/api/v1/namespaces/here/configmaps"
SETS = "/apis/apps/v1/namespaces/here/replicasets"
OTHER_UID = "11111111-2222-3333-4444-555555555555"
TABLE = {"accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}


async def patch(api: Api, path: str, body: Any, form: str = "merge") -> Reply:
    media = "application/" + {"strategic": "strategic-merge"}.get(form, form) + "-patch+json"
    return await api.ask("PATCH", path, body, headers={"content-type": media})


def replica_set(replicas: int) -> Object:
    labels = {"app": "rs"}
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "c", "image": "example.org/app:1"}]},
    }
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return obj("ReplicaSet", "rs", version="apps/v1", namespace="here", spec=spec)


@pytest.mark.parametrize("form", ["merge", "strategic"])
async def test_patch_of_a_uid_is_invalid_and_an_update_is_a_conflict(api: Api, form: str) -> None:
    await api.make(MAPS, config_map("a"))
    patched = await patch(api, f"{MAPS}/a", {"metadata": {"uid": OTHER_UID}}, form)
    assert patched.status == 422
    assert f'metadata.uid: Invalid value: "{OTHER_UID}": field is immutable' in patched.message
    updated = await api.ask("PUT", f"{MAPS}/a", config_map("a", metadata={"uid": OTHER_UID}))
    assert updated.status == 409


@pytest.mark.parametrize(
    ("claim", "why"),
    [
        ({"kind": "Secret"}, "illegal base64 data at input byte 0"),
        ({"kind": "Pod"}, "converting (v1.Pod) to (core.ConfigMap): unknown conversion"),
        ({"kind": "Boat"}, 'no kind "Boat" is registered for version "v1" in scheme'),
        ({"apiVersion": "v2"}, 'no kind "ConfigMap" is registered for version "v2" in scheme'),
    ],
)
async def test_patch_to_another_kind_is_refused(api: Api, claim: Object, why: str) -> None:
    await api.make(MAPS, config_map("a", data={"x": "%"}))
    refused = await patch(api, f"{MAPS}/a", claim)
    assert refused.status == 422
    assert why in refused.message


async def test_strategic_patch_cannot_change_the_kind(api: Api) -> None:
    await api.make(MAPS, config_map("a"))
    patched = await patch(api, f"{MAPS}/a", {"kind": "Secret"}, "strategic")
    assert (patched.status, patched.body["kind"]) == (200, "ConfigMap")


async def test_strategic_patch_with_a_wrong_type_shows_itself(api: Api) -> None:
    await api.make(SETS, replica_set(0))
    refused = await patch(api, f"{SETS}/rs", {"spec": {"replicas": "three"}}, "strategic")
    assert refused.message == (
        ' "" is invalid: patch: Invalid value: "map[spec:map[replicas:three]]":'
        " unrecognized type: int32"
    )


async def test_scale_comes_as_a_table_and_as_metadata_alone(api: Api) -> None:
    await api.make(SETS, replica_set(2))
    table = await api.get(f"{SETS}/rs/scale", headers=TABLE)
    columns = [column["name"] for column in table.body["columnDefinitions"]]
    assert columns == ["Name", "Desired", "Available", "Age"]
    assert table.body["rows"][0]["cells"][:3] == ["rs", 2, 0]
    partial = {"accept": "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"}
    shown = await api.get(f"{SETS}/rs/scale", headers=partial)
    assert (shown.body["kind"], shown.body["metadata"]["name"]) == ("PartialObjectMetadata", "rs")


async def test_first_scale_moves_the_replicas_from_an_updater_to_its_like(api: Api) -> None:
    made = await api.make(SETS, replica_set(0))
    scaled = await patch(api, f"{SETS}/rs/scale", {"spec": {"replicas": 0}})
    assert scaled.version != made["metadata"]["resourceVersion"]
    fields = (await api.get(f"{SETS}/rs")).body["metadata"]["managedFields"]
    alone = [entry for entry in fields if entry["fieldsV1"] == {"f:spec": {"f:replicas": {}}}]
    assert [("time" in entry, entry["apiVersion"]) for entry in alone] == [(False, "apps/v1")]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("b", "the name of the object (b) does not match the name on the URL (a)"),
        (
            "",
            "the name of the object (a based on URL) was undeterminable: name must be provided",
        ),
    ],
)
async def test_object_that_is_put_has_the_name_of_its_url(api: Api, name: str, why: str) -> None:
    """Also where it is to be made: leases may come about by an update."""
    lease = obj("Lease", name, version="coordination.k8s.io/v1", namespace="here")
    leases = "/apis/coordination.k8s.io/v1/namespaces/here/leases"
    for path, body in ((f"{MAPS}/a", config_map(name)), (f"{leases}/a", lease)):
        refused = await api.ask("PUT", path, body)
        assert (refused.status, refused.message) == (400, why)
    await api.make(MAPS, config_map("a"))
    refused = await patch(api, f"{MAPS}/a", {"metadata": {"name": name or None}})
    assert (refused.status, refused.message) == (400, why)


async def test_strict_strategic_patch_shows_what_is_left_of_it_and_sorts_its_complaints(
    api: Api,
) -> None:
    await api.make(SETS, replica_set(0))
    container = {"name": "c", "imag": "x"}
    template = {"spec": {"$setElementOrder/containers": [{"name": "c"}], "containers": [container]}}
    body = {"spec": {"template": template, "replica": 1}}
    refused = await patch(api, f"{SETS}/rs?fieldValidation=Strict", body, "strategic")
    assert refused.message == (
        ' "" is invalid: patch: Invalid value: "map[spec:map[replica:1 template:map[spec:map[]]]]":'
        ' strict decoding error: unknown field "spec.replica",'
        ' unknown field "spec.template.spec.containers[0].imag"'
    )


async def test_merge_patch_names_unknown_fields_in_order_of_the_alphabet(api: Api) -> None:
    await api.make(SETS, replica_set(0))
    made = await patch(api, f"{SETS}/rs", {"spec": {"z": 1, "foo": 1}, "bar": 2})
    named = [text.split('"')[2].strip("\\") for text in made.header("Warning")]
    assert named == ["bar", "spec.foo", "spec.z"]
