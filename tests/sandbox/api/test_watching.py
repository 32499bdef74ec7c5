"""Watches over the API: what one reader is told, from where, and when it ends.

Source: Kubernetes API concepts, "Efficient detection of changes", "Watch bookmarks", "Streaming
lists".
"""

import asyncio
from datetime import timedelta

import pytest

from tests.fakes.cluster import Api, config_map, obj
from tutor.sandbox.api import watch as watch_room
from tutor.sandbox.kinds import Object

MAPS = "/api/v1/namespaces/here/configmaps"
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def labelled(name: str, value: str) -> Object:
    return config_map(name, metadata={"labels": {"colour": value}})


async def test_watch_from_now_first_shows_what_is_there(api: Api) -> None:
    await api.make(MAPS, config_map("a"))
    watching = await api.watch(f"{MAPS}?watch=true")
    assert watching.changes() == [("ADDED", "a")]
    await api.make(MAPS, config_map("b"))
    await api.ask("PUT", f"{MAPS}/a", config_map("a", data={"x": "1"}))
    await api.ask("DELETE", f"{MAPS}/b")
    assert watching.changes() == [("ADDED", "b"), ("MODIFIED", "a"), ("DELETED", "b")]
    assert watching.changes() == []


async def test_watch_from_a_list_misses_nothing_and_repeats_nothing(api: Api) -> None:
    await api.make(MAPS, config_map("a"))
    listed = await api.get(MAPS)
    await api.make(MAPS, config_map("b"))
    watching = await api.watch(f"{MAPS}?watch=true&resourceVersion={listed.version}")
    await api.make(MAPS, config_map("c"))
    assert watching.changes() == [("ADDED", "b"), ("ADDED", "c")]


async def test_event_carries_the_object_as_a_read_would(api: Api) -> None:
    watching = await api.watch(f"{MAPS}?watch=true")
    await api.make(MAPS, config_map("a", data={"x": "1"}))
    (event,) = watching.read()
    assert event["object"] == (await api.get(f"{MAPS}/a")).body
    assert list(event) == ["type", "object"]


async def test_deletion_is_told_at_the_revision_of_the_deletion(api: Api) -> None:
    made = await api.make(MAPS, config_map("a"))
    watching = await api.watch(f"{MAPS}?watch=true")
    watching.read()
    await api.ask("DELETE", f"{MAPS}/a")
    (event,) = watching.read()
    version = event["object"]["metadata"]["resourceVersion"]
    assert version == str(api.store.revision)
    assert version != made["metadata"]["resourceVersion"]


@pytest.mark.parametrize("replayed", [False, True])
async def test_object_that_enters_or_leaves_the_selection_is_added_or_deleted(
    api: Api, replayed: bool
) -> None:
    start = api.store.revision
    path = f"{MAPS}?watch=true&resourceVersion={start}&labelSelector=colour%3Dred"
    watching = None if replayed else await api.watch(path)
    await api.make(MAPS, labelled("a", "blue"))
    await api.ask("PUT", f"{MAPS}/a", labelled("a", "red"))
    await api.ask(
        "PUT",
        f"{MAPS}/a",
        config_map("a", data={"x": "1"}, metadata={"labels": {"colour": "red"}}),
    )
    await api.ask("PUT", f"{MAPS}/a", labelled("a", "green"))
    left = api.store.revision
    await api.ask("DELETE", f"{MAPS}/a")
    events = (watching or await api.watch(path)).read()
    assert [event["type"] for event in events] == ["ADDED", "MODIFIED", "DELETED"]
    last = events[-1]["object"]["metadata"]
    assert last["labels"] == {"colour": "red"}
    assert last["resourceVersion"] == str(left)


async def test_deletion_of_what_is_selected_is_told_and_of_the_rest_is_not(api: Api) -> None:
    watching = await api.watch(f"{MAPS}?watch=true&labelSelector=colour%3Dred")
    await api.make(MAPS, labelled("in", "red"))
    await api.make(MAPS, labelled("out", "blue"))
    await api.ask("DELETE", f"{MAPS}/out")
    await api.ask("DELETE", f"{MAPS}/in")
    assert watching.changes() == [("ADDED", "in"), ("DELETED", "in")]


async def test_watch_of_one_name_hears_of_no_other(api: Api) -> None:
    watching = await api.watch(f"{MAPS}?watch=true&fieldSelector=metadata.name%3Da")
    await api.make(MAPS, config_map("a"))
    await api.make(MAPS, config_map("b"))
    assert watching.changes() == [("ADDED", "a")]


async def test_watch_of_a_namespace_hears_of_no_other(api: Api) -> None:
    await api.make("/api/v1/namespaces", obj("Namespace", "there"))
    here = await api.watch(f"{MAPS}?watch=true")
    everywhere = await api.watch("/api/v1/configmaps?watch=true")
    await api.make("/api/v1/namespaces/there/configmaps", obj("ConfigMap", "a"))
    await api.make(MAPS, config_map("b"))
    assert here.changes() == [("ADDED", "b")]
    assert everywhere.changes() == [("ADDED", "a"), ("ADDED", "b")]


async def test_watch_from_a_forgotten_revision_is_told_so_and_ends(api: Api) -> None:
    await api.make(MAPS, config_map("a"))
    api.store.compact(api.store.revision)
    watching = await api.watch(f"{MAPS}?watch=true&resourceVersion=1")
    (event,) = watching.read()
    assert event["type"] == "ERROR"
    status = event["object"]
    assert (status["kind"], status["code"], status["reason"]) == ("Status", 410, "Expired")
    assert status["message"] == f"too old resource version: 1 ({api.store.oldest + 1})"
    assert watching.source.ended


async def test_watch_from_the_oldest_that_is_known_works(api: Api) -> None:
    await api.make(MAPS, config_map("a"))
    await api.make(MAPS, config_map("b"))
    api.store.compact(api.store.revision - 1)
    watching = await api.watch(f"{MAPS}?watch=true&resourceVersion={api.store.oldest}")
    assert watching.changes() == [("ADDED", "b")]


async def test_watch_ends_at_its_time(api: Api) -> None:
    watching = await api.watch(f"{MAPS}?watch=true&timeoutSeconds=5")
    assert watching.source.due() == watching.started + 5 * SECOND
    watching.read(after=4 * SECOND)
    assert not watching.source.ended
    watching.read(after=5 * SECOND)
    assert watching.source.ended
    await api.make(MAPS, config_map("late"))
    assert watching.changes(after=6 * SECOND) == []


async def test_bookmarks_come_each_minute_with_the_newest_revision_and_only_if_wanted(
    api: Api,
) -> None:
    plain = await api.watch(f"{MAPS}?watch=true")
    marked = await api.watch(f"{MAPS}?watch=true&allowWatchBookmarks=true")
    await api.make(MAPS, config_map("a"))
    assert plain.changes() == [("ADDED", "a")]
    assert marked.changes() == [("BOOKMARK", ""), ("ADDED", "a")]
    assert marked.source.due() == marked.started + MINUTE
    assert plain.read(after=MINUTE) == []
    (event,) = marked.read(after=MINUTE)
    assert event == {
        "type": "BOOKMARK",
        "object": {
            "kind": "ConfigMap",
            "apiVersion": "v1",
            "metadata": {"resourceVersion": str(api.store.revision)},
        },
    }
    assert marked.read(after=MINUTE + SECOND) == []
    assert len(marked.read(after=2 * MINUTE)) == 1


async def test_bookmark_of_partial_metadata_is_partial_metadata(api: Api) -> None:
    """client-go's metadata informers end a watch that sends them any other kind."""
    accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
    where = f"{MAPS}?watch=true&allowWatchBookmarks=true"
    marked = await api.watch(where, headers={"accept": accept})
    assert marked.changes() == [("BOOKMARK", "")]
    await api.make(MAPS, config_map("a"))
    added, mark = marked.read(after=MINUTE)
    assert (added["type"], mark["type"]) == ("ADDED", "BOOKMARK")
    assert mark["object"] == {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": str(api.store.revision)},
    }


async def test_last_bookmark_comes_before_the_end(api: Api) -> None:
    watching = await api.watch(f"{MAPS}?watch=true&allowWatchBookmarks=true&timeoutSeconds=10")
    assert watching.changes() == [("BOOKMARK", "")]
    await api.make(MAPS, config_map("a"))
    assert watching.changes() == [("ADDED", "a")]
    assert [e["type"] for e in watching.read(after=8 * SECOND)] == ["BOOKMARK"]
    assert watching.read(after=10 * SECOND) == []
    assert watching.source.ended


async def test_bookmark_that_says_nothing_new_is_not_sent(api: Api) -> None:
    await api.make(MAPS, config_map("a"))
    where = f"{MAPS}?watch=true&allowWatchBookmarks=true"
    for query in ("", f"&resourceVersion={api.store.revision}"):
        watching = await api.watch(where + query)
        watching.read()
        assert watching.read(after=MINUTE) == []
    await api.make("/api/v1/namespaces/here/secrets", {"metadata": {"name": "b"}})
    assert watching.read(after=2 * MINUTE) == []
    await api.client.create(obj("Namespace", "there"))
    await api.make("/api/v1/namespaces/there/configmaps", obj("ConfigMap", "c"))
    (event,) = watching.read(after=3 * MINUTE)
    assert event["object"]["metadata"]["resourceVersion"] == str(api.store.revision)


@pytest.mark.parametrize("query", ["", "&resourceVersion=0"])
async def test_watch_from_the_start_says_when_all_that_there_is_was_sent(
    api: Api, query: str
) -> None:
    await api.make(MAPS, config_map("a"))
    watching = await api.watch(f"{MAPS}?watch=true&allowWatchBookmarks=true{query}")
    added, mark = watching.read()
    assert added["object"]["metadata"]["name"] == "a"
    assert mark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


async def test_bookmark_of_a_table_is_the_row_of_an_empty_object(api: Api) -> None:
    accept = "application/json;as=Table;g=meta.k8s.io;v=v1"
    where = f"{MAPS}?watch=true&allowWatchBookmarks=true"
    (mark,) = (await api.watch(where, headers={"accept": accept})).read()
    table = mark["object"]
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Data", "Age"]
    (row,) = table["rows"]
    assert row["cells"] == ["", 0, "<unknown>"]
    assert row["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


async def test_streaming_list_ends_with_a_marked_bookmark(api: Api) -> None:
    await api.make(MAPS, config_map("a"))
    watching = await api.watch(
        f"{MAPS}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
        "&allowWatchBookmarks=true"
    )
    added, mark = watching.read()
    assert added["object"]["metadata"]["name"] == "a"
    assert mark["type"] == "BOOKMARK"
    assert mark["object"]["metadata"] == {
        "resourceVersion": str(api.store.revision),
        "annotations": {"k8s.io/initial-events-end": "true"},
    }
    await api.make(MAPS, config_map("b"))
    assert watching.changes() == [("ADDED", "b")]


@pytest.mark.parametrize(
    ("query", "why"),
    [
        (
            "sendInitialEvents=true",
            "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
        ),
        (
            "resourceVersionMatch=NotOlderThan",
            (
                "Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is"
                " provided"
            ),
        ),
        (
            "sendInitialEvents=true&resourceVersionMatch=Exact",
            (
                "[resourceVersionMatch: Forbidden: sendInitialEvents requires setting"
                " resourceVersionMatch to NotOlderThan, resourceVersionMatch: Unsupported value:"
                ' "Exact": supported values: "NotOlderThan"]'
            ),
        ),
    ],
)
async def test_options_that_contradict_each_other_are_invalid(
    api: Api, query: str, why: str
) -> None:
    reply = await api.get(f"{MAPS}?watch=true&{query}")
    assert (reply.status, reply.reason) == (422, "Invalid")
    assert reply.message.endswith(why)


async def test_watch_without_initial_events_starts_now(api: Api) -> None:
    await api.make(MAPS, config_map("a"))
    watching = await api.watch(
        f"{MAPS}?watch=true&sendInitialEvents=false&resourceVersionMatch=NotOlderThan"
    )
    await api.make(MAPS, config_map("b"))
    assert watching.changes() == [("ADDED", "b")]


async def test_reader_that_is_too_slow_is_let_go(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_room, "_MAX_WAITING_BYTES", 20_000)
    watching = await api.watch(f"{MAPS}?watch=true")
    for number in range(5):
        await api.make(MAPS, config_map(f"a{number}", data={"x": "x" * 6_000}))
    assert 0 < len(watching.read()) < 5
    assert watching.source.ended


async def test_reader_that_has_gone_is_forgotten(api: Api) -> None:
    woken: list[bool] = []
    watching = await api.watch(f"{MAPS}?watch=true")
    watching.source.on_ready(lambda: woken.append(True))
    await api.make(MAPS, config_map("a"))
    assert woken == [True]
    watching.source.close()
    woken.clear()
    await api.make(MAPS, config_map("b"))
    assert woken == []
    assert watching.read() == []


async def test_watch_of_a_table_has_columns_in_its_first_event_only(api: Api) -> None:
    watching = await api.watch(
        f"{MAPS}?watch=true",
        headers={"accept": "application/json;as=Table;v=v1;g=meta.k8s.io"},
    )
    await api.make(MAPS, config_map("a"))
    await api.make(MAPS, config_map("b"))
    first, second = (event["object"] for event in watching.read())
    assert first["kind"] == second["kind"] == "Table"
    assert [column["name"] for column in first["columnDefinitions"]][:2] == ["Name", "Data"]
    assert second["columnDefinitions"] is None
    assert second["rows"][0]["cells"][0] == "b"


async def test_watch_of_a_future_revision_asks_to_try_again(api: Api) -> None:
    reply = await api.get(
        f"{MAPS}?watch=true&resourceVersion=1000&sendInitialEvents=true"
        "&resourceVersionMatch=NotOlderThan"
    )
    assert (reply.status, reply.reason) == (504, "Timeout")


async def test_watch_from_what_is_no_revision_fails_without_a_reason(api: Api) -> None:
    reply = await api.get(f"{MAPS}?watch=true&resourceVersion=x")
    assert reply.status == 500
    assert "reason" not in reply.body
    assert reply.message == (
        'resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax'
    )


async def test_write_that_is_not_durable_yet_is_told_once(api: Api) -> None:
    async with asyncio.TaskGroup() as group:
        writing = group.create_task(api.client.create(config_map("a")))
        while api.store.revision == api.store.published:  # noqa: ASYNC110 - a state of a moment
            await asyncio.sleep(0)
        from_now = await api.watch(f"{MAPS}?watch=true")
        listed = await api.get(MAPS)
        from_list = await api.watch(f"{MAPS}?watch=true&resourceVersion={listed.version}")
        assert not writing.done()
    await api.make(MAPS, config_map("b"))
    assert from_now.changes() == [("ADDED", "a"), ("ADDED", "b")]
    assert from_list.changes() == [("ADDED", "b")]


async def test_old_path_of_a_watch_may_name_one_object(api: Api) -> None:
    watching = await api.watch("/api/v1/watch/namespaces/here/configmaps/a")
    await api.make(MAPS, config_map("a"))
    await api.make(MAPS, config_map("b"))
    assert watching.changes() == [("ADDED", "a")]


async def test_watch_that_ends_too_soon_for_a_bookmark_has_none(api: Api) -> None:
    for seconds in (1, 2):
        watching = await api.watch(
            f"{MAPS}?watch=true&allowWatchBookmarks=true&timeoutSeconds={seconds}"
        )
        assert len(watching.read()) == 1
        assert watching.read(after=timedelta(milliseconds=500)) == []
    longer = await api.watch(f"{MAPS}?watch=true&allowWatchBookmarks=true&timeoutSeconds=3")
    longer.read()
    await api.make(MAPS, config_map("a"))
    longer.read()
    (event,) = longer.read(after=timedelta(seconds=1.5))
    assert event["type"] == "BOOKMARK"


async def test_caller_who_names_protobuf_first_gets_it(api: Api) -> None:
    binary = "application/vnd.kubernetes.protobuf"
    await api.make(MAPS, config_map("a", data={"x": "1"}))
    for path in (f"{MAPS}/a", MAPS, f"{MAPS}/missing"):
        reply = await api.get(path, headers={"accept": binary})
        assert (reply.media, reply.content[:4]) == (binary, b"k8s\x00")
        for first, other in ((binary, "application/json"), ("application/json", binary)):
            reply = await api.get(path, headers={"accept": f"{first},{other}"})
            assert reply.media == first
    for accept in (binary, f"{binary};as=PartialObjectMetadata;g=meta.k8s.io;v=v1"):
        watching = await api.watch(f"{MAPS}?watch=true", headers={"accept": accept})
        (frame,) = watching.source.take(watching.started)
        assert int.from_bytes(frame[:4], "big") == len(frame) - 4
        assert b"ADDED" in frame


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
async def test_partial_metadata_comes_as_protobuf_too(api: Api, version: str) -> None:
    await api.make(MAPS, config_map("a", data={"x": "1"}))
    for path, kind in ((MAPS, "PartialObjectMetadataList"), (f"{MAPS}/a", "PartialObjectMetadata")):
        accept = f"application/vnd.kubernetes.protobuf;as={kind};g=meta.k8s.io;v={version}"
        reply = await api.get(path, headers={"accept": accept})
        assert f"meta.k8s.io/{version}".encode() in reply.content
        assert kind.encode() in reply.content


async def test_failure_comes_in_the_form_that_the_caller_accepts(api: Api) -> None:
    reply = await api.get(f"{MAPS}/missing", headers={"accept": "application/yaml"})
    assert (reply.status, reply.media) == (404, "application/yaml")
    assert b"reason: NotFound" in reply.content


async def test_reader_of_more_than_may_wait_gets_all_that_was_there_and_stays(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_room, "_MAX_WAITING_BYTES", 20_000)
    for number in range(10):
        await api.make(MAPS, config_map(f"a{number}", data={"x": "y" * 5_000}))
    watching = await api.watch(f"{MAPS}?watch=1")
    await api.make(MAPS, config_map("later"))
    assert len(watching.read()) == 11
    assert not watching.source.ended
    replaying = await api.watch(f"{MAPS}?watch=1&resourceVersion=1")
    assert len(replaying.read()) == 11
    assert not replaying.source.ended


async def test_watchers_of_one_collection_share_the_bytes_of_an_event(api: Api) -> None:
    first, second = [await api.watch(f"{MAPS}?watch=1") for _ in range(2)]
    await api.make(MAPS, config_map("a"))
    (one,), (other,) = (watching.source.take(watching.started) for watching in (first, second))
    assert one is other
