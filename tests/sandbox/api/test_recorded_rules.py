"""Rules that recordings of a real server showed: forms, headers and last states of answers."""

import gzip
import json
from datetime import timedelta

import pytest
from cryptography import x509

from tests.fakes.cluster import Api, config_map, now, obj
from tutor.sandbox.kinds import Object

MAPS = "/api/v1/namespaces/here/configmaps"
PODS = "/api/v1/namespaces/here/pods"
GZIP = {"accept": "application/json", "accept-encoding": "gzip"}
MERGE = {"content-type": "application/merge-patch+json"}


def pod(name: str) -> Object:
    return obj("Pod", name) | {
        "spec": {
            "containers": [{"name": "c", "image": "i"}],
            "serviceAccountName": "default",
            "automountServiceAccountToken": False,
        }
    }


async def test_new_object_has_its_version_where_go_has_it(api: Api) -> None:
    made = await api.make(MAPS, config_map("a"))
    names = [name for name in made["metadata"] if name in ("uid", "resourceVersion")]
    assert list(made["metadata"])[:4] == ["name", "namespace", *names]
    assert names == ["uid", "resourceVersion"]


async def test_large_answer_is_compressed_for_who_can_read_that(api: Api) -> None:
    await api.make(MAPS, config_map("large", data={"x": "v" * 200_000}))
    plain = await api.get(f"{MAPS}/large", headers={"accept": "application/json"})
    packed = await api.get(f"{MAPS}/large", headers=GZIP)
    assert plain.header("Content-Encoding") == plain.header("Vary") == []
    assert packed.header("Content-Encoding") == ["gzip"]
    assert packed.header("Vary") == ["Accept-Encoding"]
    assert json.loads(gzip.decompress(packed.content)) == plain.body


async def test_small_answer_is_never_compressed(api: Api) -> None:
    await api.make(MAPS, config_map("small"))
    assert (await api.get(f"{MAPS}/small", headers=GZIP)).header("Content-Encoding") == []


async def test_refusal_before_the_handler_may_not_be_sniffed(api: Api) -> None:
    refused = await api.get(MAPS, user=("nobody-in-particular",))
    assert (refused.status, refused.header("X-Content-Type-Options")) == (403, ["nosniff"])
    await api.make("/api/v1/namespaces", obj("Namespace", "going"))
    await api.ask("DELETE", "/api/v1/namespaces/going")
    late = await api.ask("POST", "/api/v1/namespaces/going/configmaps", obj("ConfigMap", "a"))
    assert (late.status, late.header("X-Content-Type-Options")) == (403, [])


async def test_pod_without_a_node_is_shown_marked_and_then_gone(api: Api) -> None:
    await api.make("/api/v1/namespaces/here/serviceaccounts", obj("ServiceAccount", "default"))
    await api.make(PODS, pod("p"))
    watching = await api.watch(f"{PODS}?watch=true")
    watching.read()
    deleted = await api.ask("DELETE", f"{PODS}/p")
    assert deleted.body["kind"] == "Pod"
    marked, gone = watching.read()
    assert (marked["type"], gone["type"]) == ("MODIFIED", "DELETED")
    for event in (marked, gone):
        meta = event["object"]["metadata"]
        assert (meta["deletionGracePeriodSeconds"], meta["generation"]) == (0, 2)


@pytest.mark.parametrize(("plural", "kind"), [("services", "Service"), ("secrets", "Status")])
async def test_deletion_shows_the_object_or_a_status_by_its_registry(
    api: Api, plural: str, kind: str
) -> None:
    path = f"/api/v1/namespaces/here/{plural}"
    made = obj(plural.removesuffix("s").capitalize(), "a")
    if plural == "services":
        made["spec"] = {"ports": [{"port": 80}]}
    await api.make(path, made)
    assert (await api.ask("DELETE", f"{path}/a")).body["kind"] == kind


async def test_watch_sees_what_held_an_object_that_is_let_go(api: Api) -> None:
    held = config_map("a", metadata={"finalizers": ["example.com/hold"]})
    await api.make(MAPS, held)
    await api.ask("DELETE", f"{MAPS}/a")
    watching = await api.watch(f"{MAPS}?watch=true")
    watching.read()
    freed = await api.ask("PATCH", f"{MAPS}/a", {"metadata": {"finalizers": None}}, headers=MERGE)
    assert "finalizers" not in freed.body["metadata"]
    (event,) = watching.read()
    assert event["type"] == "DELETED"
    assert event["object"]["metadata"]["finalizers"] == ["example.com/hold"]


async def test_open_api_document_is_known_by_its_tag(api: Api) -> None:
    path = "/openapi/v3/apis/apps"
    index = (await api.get("/openapi/v3")).body["paths"]
    assert {"version", "apis", "apis/apps", "apis/apps/v1", "api/v1"} <= set(index)
    first = await api.get(path)
    assert first.header("Accept-Ranges") == ["bytes"]
    assert first.header("Last-Modified") != []
    again = await api.get(path, headers={"if-none-match": first.header("Etag")[0]})
    assert (again.status, again.content) == (304, b"")


async def test_open_api_v2_is_json_for_who_asks_for_that(api: Api) -> None:
    found = await api.get("/openapi/v2", headers={"accept": "application/json"})
    assert found.body["swagger"] == "2.0"
    assert "io.k8s.api.core.v1.Pod" in found.body["definitions"]


async def test_yaml_quotes_texts_as_go_does(api: Api) -> None:
    await api.make(MAPS, config_map("a", data={"x": "1", "y": "plain"}))
    found = await api.get(f"{MAPS}/a", headers={"accept": "application/yaml"})
    assert b'  x: "1"\n  "y": plain\n' in found.content


async def test_certificate_is_looked_at_again_when_it_has_expired(api: Api) -> None:
    assert (await api.get(MAPS)).status == 200
    assert (await api.get(MAPS)).status == 200
    late = now() + timedelta(hours=2)
    assert (await api.get(MAPS, at=late)).status == 401


async def test_certificate_is_looked_at_again_when_the_authorities_change(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await api.get(MAPS)).status == 200
    none: list[x509.Certificate] = []
    monkeypatch.setattr(api.parts.front._authenticator, "_roots", lambda: none)
    assert (await api.get(MAPS)).status == 401


async def test_mark_of_deletion_is_not_for_updates_to_set(api: Api) -> None:
    await api.make(MAPS, config_map("kept"))
    marks = {"deletionTimestamp": "2026-01-01T00:00:00Z", "deletionGracePeriodSeconds": 3}
    refused = await api.ask("PATCH", f"{MAPS}/kept", {"metadata": marks}, headers=MERGE)
    fields = {each["field"] for each in refused.body["details"]["causes"]}
    assert (refused.status, fields) == (422, {f"metadata.{name}" for name in marks})
    assert refused.body["details"]["causes"][1]["message"].endswith("field is immutable")
