"""Component statuses, as a kube-apiserver v1.36.2 alone was seen to answer for them."""

from tests.fakes.cluster import Api
from tutor.sandbox.api.component_statuses import ComponentStatuses

STATUSES = "/api/v1/componentstatuses"
REFUSED = (
    'Get "https://127.0.0.1:10257/healthz": dial tcp 127.0.0.1:10257: connect: connection refused'
)


async def test_server_that_is_alone_finds_its_store_and_nobody_else(api: Api) -> None:
    reply = await api.get(STATUSES)
    assert reply.body["metadata"] == {}
    assert reply.header("warning") == ['299 - "v1 ComponentStatus is deprecated in v1.19+"']
    found = {item["metadata"]["name"]: item["conditions"] for item in reply.body["items"]}
    assert found["controller-manager"] == [
        {"type": "Healthy", "status": "False", "message": REFUSED}
    ]
    assert found["etcd-0"] == [{"type": "Healthy", "status": "True", "message": "ok"}]
    assert list(found) == ["controller-manager", "scheduler", "etcd-0"]


async def test_one_component_is_read_by_its_name_and_by_selectors(api: Api) -> None:
    assert (await api.get(f"{STATUSES}/etcd-0")).body["metadata"] == {"name": "etcd-0"}
    missing = await api.get(f"{STATUSES}/x")
    assert (missing.status, missing.message) == (404, 'componentstatus "x" not found')
    selected = await api.get(f"{STATUSES}?fieldSelector=metadata.name%3Dscheduler")
    assert selected.names == ["scheduler"]
    assert (await api.get(f"{STATUSES}?labelSelector=a%3Db")).names == []


async def test_components_cannot_be_watched(api: Api) -> None:
    reply = await api.get(f"{STATUSES}?watch=true")
    message = 'watch is not supported on resources of kind "componentstatuses"'
    assert (reply.status, reply.message) == (405, message)
    assert reply.body["details"] == {"kind": "componentstatuses"}
    assert (await api.get("/api/v1/watch/componentstatuses")).status == 404


def test_components_of_a_whole_control_plane_are_healthy() -> None:
    found = [
        stored.object["conditions"][0] for stored in ComponentStatuses(whole=True).matching(None)
    ]
    assert [condition["status"] for condition in found] == ["True"] * 3
