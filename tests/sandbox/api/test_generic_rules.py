"""Rules that all kinds share, as a kube-apiserver was seen to follow them.

Source: apiserver's registry/rest/meta.go, registry/generic/registry/store.go, storage/etcd3.
"""

import pytest

from tests.fakes.cluster import Api, config_map, obj, pod

MAPS = "/api/v1/namespaces/here/configmaps"
OTHER_UID = "00000000-0000-0000-0000-000000000000"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


async def test_namespace_in_the_body_of_a_cluster_wide_object_is_forgotten(api: Api) -> None:
    made = await api.make("/api/v1/nodes", obj("Node", "n", namespace="other"))
    assert "namespace" not in made["metadata"]
    body = obj("Node", "n", namespace="third")
    changed = await api.ask("PUT", "/api/v1/nodes/n", body)
    assert changed.status == 200
    assert "namespace" not in changed.body["metadata"]


@pytest.mark.parametrize(
    ("accept", "indented"),
    [(TABLE, True), (f"{TABLE},application/json", False), ("application/json", False)],
)
async def test_failure_is_for_people_where_only_tables_are_accepted(
    api: Api, accept: str, *, indented: bool
) -> None:
    reply = await api.get(f"{MAPS}/missing", headers={"accept": accept})
    assert reply.status == 404
    assert reply.content.startswith(b"{\n") == indented


async def test_other_uid_is_told_of_before_a_missing_version(api: Api) -> None:
    leases = "/apis/coordination.k8s.io/v1/namespaces/here/leases"
    await api.make(leases, obj("Lease", "a", version="coordination.k8s.io/v1"))
    body = obj("Lease", "a", version="coordination.k8s.io/v1", metadata={"uid": OTHER_UID})
    refused = await api.ask("PUT", f"{leases}/a", body)
    assert refused.status == 409
    assert "Key: /registry/leases/here/a," in refused.message


async def test_storage_path_of_a_conflict_is_that_of_the_real_store(api: Api) -> None:
    await api.make("/api/v1/nodes", obj("Node", "n"))
    refused = await api.ask("PUT", "/api/v1/nodes/n", obj("Node", "n", metadata={"uid": OTHER_UID}))
    assert "Key: /registry/minions/n," in refused.message


async def test_refused_event_of_the_newer_group_is_called_a_core_event(api: Api) -> None:
    events = "/apis/events.k8s.io/v1/namespaces/here/events"
    refused = await api.ask("POST", events, obj("Event", "e", version="events.k8s.io/v1"))
    assert refused.status == 422
    assert refused.message.startswith('Event "e" is invalid:')
    assert "group" not in refused.body["details"]


async def test_full_chunk_of_what_matches_has_a_token_while_anything_is_left(api: Api) -> None:
    await api.make(MAPS, config_map("a", metadata={"labels": {"x": "y"}}))
    await api.make(MAPS, config_map("b"))
    first = await api.get(f"{MAPS}?labelSelector=x%3Dy&limit=1")
    assert first.names == ["a"]
    token = first.body["metadata"]["continue"]
    assert "remainingItemCount" not in first.body["metadata"]
    rest = await api.get(f"{MAPS}?labelSelector=x%3Dy&limit=1&continue={token}")
    assert rest.names == []
    assert "continue" not in rest.body["metadata"]


async def test_chunk_of_one_named_object_has_no_token(api: Api) -> None:
    for name in ("a", "b", "c"):
        await api.make(MAPS, config_map(name))
    named = "fieldSelector=metadata.name%3Db&limit=1"
    everywhere = (
        "/api/v1/configmaps?fieldSelector=metadata.name%3Db,metadata.namespace%3Dhere&limit=1"
    )
    for path in (f"{MAPS}?{named}", everywhere):
        found = await api.get(path)
        assert (found.names, "continue" in found.body["metadata"]) == (["b"], False)
    found = await api.get(f"/api/v1/configmaps?{named}")
    assert (found.names, "continue" in found.body["metadata"]) == (["b"], True)


async def test_dry_deletion_shows_the_pod_as_a_deletion_leaves_it(api: Api) -> None:
    await api.make("/api/v1/namespaces/here/serviceaccounts", obj("ServiceAccount", "default"))
    pods = "/api/v1/namespaces/here/pods"
    await api.make(pods, pod("a"))
    tried = await api.ask("DELETE", f"{pods}/a?dryRun=All")
    meta = tried.body["metadata"]
    assert (meta["generation"], meta["deletionGracePeriodSeconds"]) == (2, 0)
    assert "deletionTimestamp" in meta
    assert "deletionTimestamp" not in (await api.get(f"{pods}/a")).body["metadata"]


async def test_write_to_a_status_is_not_warned_of_what_the_spec_has(api: Api) -> None:
    services = "/api/v1/namespaces/here/services"
    spec = {"ports": [{"port": 80}], "externalIPs": ["192.0.2.1"]}
    service = obj("Service", "s", spec=spec)
    created = await api.ask("POST", services, service)
    assert created.header("Warning") != []
    updated = await api.ask("PUT", f"{services}/s/status", service)
    assert (updated.status, updated.header("Warning")) == (200, [])


async def test_status_of_flow_control_changes_no_metadata(api: Api) -> None:
    group = "flowcontrol.apiserver.k8s.io/v1"
    schemas = f"/apis/{group}/flowschemas"
    spec = {"priorityLevelConfiguration": {"name": "global-default"}}
    await api.make(
        schemas, obj("FlowSchema", "f", version=group, spec=spec, metadata={"labels": {"a": "b"}})
    )
    changed = await api.ask("PUT", f"{schemas}/f/status", obj("FlowSchema", "f", version=group))
    assert changed.status == 200
    assert changed.body["metadata"]["labels"] == {"a": "b"}
    assert changed.body["spec"]["priorityLevelConfiguration"] == {"name": "global-default"}


async def test_service_without_a_name_is_refused_by_the_object_of_its_address(api: Api) -> None:
    services = "/api/v1/namespaces/here/services"
    refused = await api.ask("POST", services, {"kind": "Service", "apiVersion": "v1"})
    assert refused.message.startswith(
        'Service "" is invalid: spec.clusterIPs: Invalid value: [""]: failed to allocate IP: '
    )


async def test_deletion_has_neither_a_manager_nor_a_validation(api: Api) -> None:
    await api.make(MAPS, config_map("a"))
    query = "fieldManager=" + "x" * 200 + "&fieldValidation=Foo&dryRun=All"
    assert (await api.ask("DELETE", f"{MAPS}/a?{query}")).status == 200
    assert (await api.ask("DELETE", f"{MAPS}?{query}")).status == 200
    assert (await api.ask("DELETE", f"{MAPS}/a?dryRun=Foo")).status == 422


@pytest.mark.parametrize("media", ["apply-patch+cbor", "apply-patch+json", "apply-patch"])
async def test_configuration_in_a_form_without_a_route_is_refused(api: Api, media: str) -> None:
    refused = await api.ask(
        "PATCH", f"{MAPS}/a", {}, headers={"content-type": f"application/{media}"}
    )
    assert (refused.status, refused.message) == (415, "415: Unsupported Media Type")


@pytest.mark.parametrize(
    ("media", "status"),
    [
        ("application/json;charset=utf-8", 201),
        ("application/json;", 201),
        ('application/json; q="a b"', 201),
        ("application/x-yaml", 415),
        (";", 415),
        ('application/json;charset="', 415),
    ],
)
async def test_media_type_that_cannot_be_read_is_unknown(api: Api, media: str, status: int) -> None:
    made = await api.ask(
        "POST", f"{MAPS}?dryRun=All", config_map("a"), headers={"content-type": media}
    )
    assert made.status == status


@pytest.mark.parametrize("name", [".", ".."])
async def test_name_that_is_a_step_in_a_path_is_no_name(api: Api, name: str) -> None:
    refused = await api.get(f"{MAPS}/{name}")
    assert refused.status == 400
    assert refused.message == f"""Name parameter invalid: "{name}": may not be '{name}'"""


async def test_each_repeated_key_of_yaml_is_a_warning(api: Api) -> None:
    body = (
        "apiVersion: v1\nkind: ConfigMap\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: b, a: c}"
    )
    reply = await api.ask("POST", MAPS, body.encode(), headers={"content-type": "application/yaml"})
    assert reply.header("Warning") == [
        '299 - "line 3: key \\"kind\\" already set in map"',
        '299 - "line 5: key \\"a\\" already set in map"',
    ]
