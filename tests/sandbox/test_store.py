"""The index of objects by itself: revisions, what listeners hear, what history still knows."""

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.sandbox import store as store_room
from tutor.sandbox.kinds import GroupResource, Key, Object
from tutor.sandbox.store import Compacted, Event, Store, Stored

MAPS = GroupResource("", "configmaps")
SECRETS = GroupResource("", "secrets")


def encode(obj: Object) -> bytes:
    return json.dumps(obj).encode()


def key(name: str, *, namespace: str = "here", resource: GroupResource = MAPS) -> Key:
    return Key(resource.group, resource.resource, namespace, name)


def put(store: Store, name: str, *, data: str = "", **where: Any) -> Event:
    where_to = key(name, **where)
    obj: Object = {"metadata": {"name": name, "namespace": where_to.namespace}, "data": data}
    return store.put(where_to, obj, encode)


def remove(store: Store, name: str, **where: Any) -> Event:
    stored = store.get(key(name, **where))
    assert stored is not None
    last = stored.object | {"metadata": dict(stored.object["metadata"])}
    return store.delete(key(name, **where), last, encode)


def published(store: Store) -> Store:
    store.publish(store.revision)
    return store


def test_put_gives_each_write_the_next_revision_and_writes_it_into_the_object() -> None:
    store = Store()
    events = [put(store, "a"), put(store, "b"), put(store, "a", data="2"), remove(store, "b")]
    assert [event.stored.revision for event in events] == [1, 2, 3, 4]
    assert [event.change for event in events] == ["ADDED", "ADDED", "MODIFIED", "DELETED"]
    for event in events:
        version = event.stored.object["metadata"]["resourceVersion"]
        assert version == str(event.stored.revision)
        assert json.loads(event.stored.data)["metadata"]["resourceVersion"] == version


def test_event_of_a_change_keeps_the_state_before_as_it_was() -> None:
    store = Store()
    first = put(store, "a", data="1")
    second = put(store, "a", data="2")
    assert second.previous is first.stored
    assert first.stored.object == {
        "metadata": {"name": "a", "namespace": "here", "resourceVersion": "1"},
        "data": "1",
    }
    third = remove(store, "a")
    assert third.previous is second.stored
    assert third.stored.object["metadata"]["resourceVersion"] == "3"
    assert second.stored.object["metadata"]["resourceVersion"] == "2"


def test_objects_come_in_the_order_of_namespace_and_name() -> None:
    store = Store()
    for name, namespace in (("b", "two"), ("a", "two"), ("c", "one"), ("a-b", "one"), ("a", "one")):
        put(store, name, namespace=namespace)
    listed = [(one.key.namespace, one.key.name) for one in store.objects(MAPS)]
    assert listed == [("one", "a"), ("one", "a-b"), ("one", "c"), ("two", "a"), ("two", "b")]
    assert [one.key.name for one in store.objects(MAPS, "two")] == ["a", "b"]
    assert store.objects(MAPS, "on") == []
    assert store.objects(SECRETS) == []


def test_delete_of_what_is_not_there_is_an_error_and_takes_no_revision() -> None:
    store = Store()
    with pytest.raises(KeyError):
        store.delete(key("a"), {"metadata": {}}, encode)
    assert store.revision == 0


def test_changes_grow_with_each_write_to_their_collection_only() -> None:
    store = Store()
    put(store, "a")
    put(store, "a", resource=SECRETS)
    before = store.changes(MAPS), store.changes(SECRETS)
    remove(store, "a")
    assert store.changes(MAPS) > before[0]
    assert store.changes(SECRETS) == before[1]
    assert store.changes(GroupResource("apps", "deployments")) == 0


def test_listeners_hear_nothing_before_it_is_published_and_then_in_order() -> None:
    store = Store()
    heard: list[int] = []
    store.subscribe(None, lambda event: heard.append(event.stored.revision))
    for name in ("a", "b", "c"):
        put(store, name)
    assert heard == []
    store.publish(2)
    assert heard == [1, 2]
    assert store.published == 2
    store.publish(3)
    assert heard == [1, 2, 3]


def test_listener_of_a_collection_hears_of_no_other_and_nothing_after_its_release() -> None:
    store = Store()
    heard: list[str] = []
    release = store.subscribe(MAPS, lambda event: heard.append(event.stored.key.name))
    put(store, "a")
    put(store, "b", resource=SECRETS)
    published(store)
    release()
    release()
    put(store, "c")
    published(store)
    assert heard == ["a"]


def test_listener_that_releases_another_while_told_does_not_disturb_the_round() -> None:
    store = Store()
    heard: list[str] = []
    releases: list[Callable[[], None]] = []

    def first(_event: Event) -> None:
        heard.append("first")
        releases[0]()

    releases.append(store.subscribe(MAPS, first))
    store.subscribe(MAPS, lambda _event: heard.append("second"))
    put(store, "a")
    published(store)
    put(store, "b")
    published(store)
    assert heard == ["first", "second", "second"]


def test_rollback_takes_back_what_was_not_published_and_nothing_else() -> None:
    store = Store()
    put(store, "kept", data="1")
    put(store, "gone")
    published(store)
    before = store.objects(MAPS)
    put(store, "kept", data="2")
    put(store, "new")
    remove(store, "gone")
    put(store, "new", data="more")
    store.rollback()
    assert store.objects(MAPS) == before
    assert store.revision == store.published == 2
    assert put(store, "next").stored.revision == 3


def test_taking_a_write_back_is_a_change_too_so_that_no_cache_keeps_it() -> None:
    store = Store()
    put(store, "a", data="1")
    published(store)
    put(store, "a", data="2")
    seen = store.changes(MAPS)
    store.rollback()
    assert store.changes(MAPS) != seen
    put(store, "a", data="3")
    assert store.changes(MAPS) != seen


def test_since_gives_the_writes_of_one_collection_after_a_revision() -> None:
    store = Store()
    put(store, "a", data="1")
    put(store, "b", resource=SECRETS)
    put(store, "a", data="2")
    remove(store, "a")
    published(store)
    found = store.since(1, MAPS)
    assert [(past.change, past.revision) for past in found] == [("MODIFIED", 3), ("DELETED", 4)]
    assert found[0].previous is not None
    assert json.loads(found[0].previous)["data"] == "1"
    assert [past.revision for past in store.since(0, MAPS)] == [1, 3, 4]
    assert store.since(4, MAPS) == []


def test_since_before_what_was_forgotten_is_refused_with_the_oldest_that_works() -> None:
    store = Store()
    for number in range(5):
        put(store, "a", data=str(number))
    published(store)
    store.compact(3)
    with pytest.raises(Compacted) as caught:
        store.since(2, MAPS)
    assert caught.value.oldest == store.oldest == 3
    assert [past.revision for past in store.since(3, MAPS)] == [4, 5]
    assert [one.object["data"] for one in store.objects(MAPS)] == ["4"]


def test_history_is_bounded_by_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_room, "HISTORY_EVENTS", 10)
    store = Store()
    for number in range(25):
        put(store, f"a{number}")
    published(store)
    assert store.oldest == 15
    assert len(store.since(15, MAPS)) == 10


def test_history_is_bounded_by_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_room, "HISTORY_BYTES", 5_000)
    store = Store()
    for number in range(10):
        put(store, "a", data=str(number) * 1_000)
    published(store)
    kept = store.since(store.oldest, MAPS)
    assert 0 < len(kept) < 5
    assert sum(len(past.data) for past in kept) <= 5_000


def test_load_continues_the_revisions_and_the_history_of_what_was_there() -> None:
    first = Store()
    put(first, "a", data="1")
    put(first, "b")
    remove(first, "b")
    published(first)
    again = Store()
    again.load(first.objects(MAPS), first.since(0, MAPS)[1:], first.revision)
    assert again.get(key("a")) == first.get(key("a"))
    assert (again.revision, again.published, again.oldest) == (3, 3, 1)
    assert put(again, "c").stored.revision == 4
    with pytest.raises(Compacted):
        again.since(0, MAPS)


def test_load_without_history_answers_from_the_present_on() -> None:
    store = Store()
    store.load([Stored(key("a"), {"metadata": {}}, 7, b"{}")], [], 7)
    assert store.oldest == 7
    assert store.since(7, MAPS) == []


STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "delete", "publish", "rollback"]), st.sampled_from("abc")),
    max_size=40,
)


def play(steps: list[tuple[str, str]]) -> Iterator[tuple[Store, list[Event], dict[str, int]]]:
    """After each step: the store, what a listener heard, and what is durable."""
    store, heard = Store(), list[Event]()
    store.subscribe(None, heard.append)
    durable: dict[str, int] = {}
    current: dict[str, int] = {}
    for action, name in steps:
        match action:
            case "put":
                current[name] = put(store, name).stored.revision
            case "delete" if name in current:
                remove(store, name)
                del current[name]
            case "publish":
                published(store)
                durable = dict(current)
            case "rollback":
                store.rollback()
                current = dict(durable)
            case _:
                pass
        yield store, heard, current


@given(STEPS)
def test_any_sequence_of_writes_leaves_no_gap_and_no_trace_of_what_was_taken_back(
    steps: list[tuple[str, str]],
) -> None:
    for store, heard, current in play(steps):
        revisions = [event.stored.revision for event in heard]
        assert revisions == list(range(1, store.published + 1))
        assert {one.key.name: one.revision for one in store.objects(MAPS)} == current
        assert all(a.key < b.key for a, b in pairwise(store.objects(MAPS)))
        history = [past.revision for past in store.since(store.oldest, MAPS)]
        assert history == revisions
