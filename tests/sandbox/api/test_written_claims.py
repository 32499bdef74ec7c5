"""Versions, UIDs and owners in the bodies of writes, as a kube-apiserver v1.36.2 took them."""

import pytest

from tests.fakes.cluster import Api, config_map, obj

MAPS = "/api/v1/namespaces/here/configmaps"
ENDPOINTS = "/api/v1/namespaces/here/endpoints"
UID = "11111111-2222-3333-4444-555555555555"
OWNER = {"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": UID}
UNREADABLE = 'strconv.ParseUint: parsing "x": invalid syntax'


@pytest.mark.parametrize(("version", "status"), [("1", 500), ("0", 201), ("x", 201)])
async def test_version_of_a_new_object_is_refused_when_it_is_one(
    api: Api, version: str, status: int
) -> None:
    made = await api.ask("POST", MAPS, config_map("a", metadata={"resourceVersion": version}))
    assert made.status == status
    if status == 500:
        assert made.message == "resourceVersion should not be set on objects to be created"
        assert "reason" not in made.body
    tried = config_map("b", metadata={"resourceVersion": version})
    assert (await api.ask("POST", f"{MAPS}?dryRun=All", tried)).status == 201


@pytest.mark.parametrize("exists", [True, False])
async def test_update_with_a_version_that_is_none_fails_without_a_reason(
    api: Api, exists: bool
) -> None:
    if exists:
        await api.make(MAPS, config_map("a"))
    reply = await api.ask("PUT", f"{MAPS}/a", config_map("a", metadata={"resourceVersion": "x"}))
    told = (500, UNREADABLE) if exists else (404, 'configmaps "a" not found')
    assert (reply.status, reply.message) == told


async def test_version_zero_is_none(api: Api) -> None:
    await api.make(MAPS, config_map("a"))
    reply = await api.ask("PUT", f"{MAPS}/a", config_map("a", metadata={"resourceVersion": "0"}))
    assert reply.status == 200


async def test_update_that_makes_an_object_takes_any_version_and_no_uid(api: Api) -> None:
    place = f"{ENDPOINTS}/a"
    with_uid = obj("Endpoints", "a", metadata={"uid": UID})
    refused = await api.ask("PUT", place, with_uid)
    assert refused.status == 409
    assert refused.message.endswith(
        "Key: /registry/services/endpoints/here/a, ResourceVersion: 0, AdditionalErrorMsg:"
        f" Precondition failed: UID in precondition: {UID}, UID in object meta: "
    )
    made = await api.ask("PUT", place, obj("Endpoints", "a", metadata={"resourceVersion": "5"}))
    assert (made.status, made.version) == (201, str(api.store.revision))


async def test_self_link_is_never_kept(api: Api) -> None:
    meta = {"selfLink": "/x"}
    await api.make(MAPS, config_map("a"))
    for method, media in (("PUT", "json"), ("PATCH", "merge-patch+json")):
        headers = {"content-type": f"application/{media}"}
        reply = await api.ask(method, f"{MAPS}/a", config_map("a", metadata=meta), headers=headers)
        assert "selfLink" not in reply.body["metadata"]


@pytest.mark.parametrize(
    ("method", "media", "when"),
    [
        ("POST", "json", ""),
        ("PUT", "json", ""),
        ("PATCH", "merge-patch+json", " after mutating admission happens"),
    ],
)
async def test_owner_that_is_named_twice_is_left_out_with_a_warning(
    api: Api, method: str, media: str, when: str
) -> None:
    place = MAPS
    if method != "POST":
        await api.make(MAPS, config_map("a"))
        place = f"{MAPS}/a"
    body = config_map("a", metadata={"ownerReferences": [OWNER, OWNER]})
    headers = {"content-type": f"application/{media}"}
    reply = await api.ask(method, place, body, headers=headers)
    assert reply.body["metadata"]["ownerReferences"] == [OWNER]
    (warning,) = reply.header("warning")
    assert warning == (
        f'299 - ".metadata.ownerReferences contains duplicate entries{when}; API server dedups'
        " owner references in 1.20+, and may reject such requests as early as 1.24; please fix"
        f' your requests; duplicate UID(s) observed: {UID}"'
    )
