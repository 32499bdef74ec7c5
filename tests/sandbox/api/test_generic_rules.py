"""Rules that all kinds share, as a kube-apiserver was seen to follow them.

Source: apiserver's registry/rest/meta.go, registry/generic/registry/store.go, storage/etcd3.
"""

import pytest

from tests.fakes.cluster import Api, config_map, obj

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
