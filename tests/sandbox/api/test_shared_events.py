"""Events of two groups are the same objects."""

from tests.fakes.cluster import Api, obj
from tutor.sandbox.kinds import Object

CORE = "/api/v1/namespaces/here/events"
EVENTS = "/apis/events.k8s.io/v1/namespaces/here/events"
REF = {"kind": "Pod", "namespace": "here", "name": "p"}
TIME = "2026-01-02T03:04:05.000006Z"


def newer(name: str) -> Object:
    return obj(
        "Event",
        name,
        version="events.k8s.io/v1",
        namespace="here",
        eventTime=TIME,
        reportingController="x/y",
        reportingInstance="i",
        action="A",
        reason="R",
        note="n",
        type="Normal",
        regarding=REF,
    )


async def test_event_of_one_group_is_read_in_the_other(api: Api) -> None:
    made = await api.make(EVENTS, newer("a"))
    assert (made["apiVersion"], made["note"]) == ("events.k8s.io/v1", "n")
    core = (await api.get(f"{CORE}/a")).body
    assert (core["apiVersion"], core["message"]) == ("v1", "n")
    assert (core["involvedObject"], core["reportingComponent"]) == (REF, "x/y")
    assert core["metadata"]["uid"] == made["metadata"]["uid"]
    old = obj("Event", "b", namespace="here", involvedObject=REF, message="m", count=2)
    await api.make(CORE, old | {"source": {"component": "c"}})
    shown = (await api.get(f"{EVENTS}/b")).body
    assert (shown["regarding"], shown["note"], shown["deprecatedCount"]) == (REF, "m", 2)
    assert shown["deprecatedSource"] == {"component": "c"}


async def test_lists_selectors_and_watches_of_both_groups_show_the_same(api: Api) -> None:
    watching = await api.watch(f"{EVENTS}?watch=true")
    older = await api.watch(f"{CORE}?watch=true")
    await api.make(EVENTS, newer("a"))
    for path, field in ((CORE, "involvedObject.name"), (EVENTS, "regarding.name")):
        assert (await api.get(f"{path}?fieldSelector={field}%3Dp")).names == ["a"]
        assert (await api.get(f"{path}?fieldSelector={field}%3Dq")).names == []
    (event,) = watching.read()
    assert (event["object"]["apiVersion"], event["object"]["note"]) == ("events.k8s.io/v1", "n")
    (event,) = older.read()
    assert (event["object"]["apiVersion"], event["object"]["message"]) == ("v1", "n")


async def test_event_is_changed_and_deleted_through_either_group(api: Api) -> None:
    await api.make(CORE, obj("Event", "a", namespace="here", involvedObject=REF, message="m"))
    merge = {"content-type": "application/merge-patch+json"}
    labels = {"metadata": {"labels": {"x": "y"}}}
    patched = await api.ask("PATCH", f"{CORE}/a", labels, headers=merge)
    assert patched.status == 200
    labels = {"metadata": {"labels": {"z": "w"}}}
    patched = await api.ask("PATCH", f"{EVENTS}/a", labels, headers=merge)
    owned = [entry["apiVersion"] for entry in patched.body["metadata"]["managedFields"]]
    assert owned == ["events.k8s.io/v1"]
    assert (await api.get(f"{EVENTS}/a")).body["metadata"]["labels"] == {"x": "y", "z": "w"}
    assert (await api.ask("DELETE", f"{EVENTS}/a")).status == 200
    missing = await api.get(f"{CORE}/a")
    assert (missing.status, missing.message) == (404, 'events "a" not found')
    again = await api.get(f"{EVENTS}/a")
    assert again.message == 'events.events.k8s.io "a" not found'
