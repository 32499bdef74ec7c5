"""What is told how often. Source: client-go's tools/record (EventAggregator)."""

from tests.fakes.cluster import Api, config_map
from tutor.sandbox.controllers.events import Recorder
from tutor.sandbox.controllers.resources import CONFIG_MAPS, EVENTS

PATH = "/api/v1/namespaces/here/configmaps"


async def test_the_tenth_message_with_one_reason_and_those_after_it_become_one(api: Api) -> None:
    about = await api.make(PATH, config_map("a"))
    recorder = Recorder(api.client, "somebody")
    for number in range(12):
        await recorder.normal(about, "Done", f"number {number}")
    told = [(e["message"], e["count"]) for e in api.client.list(EVENTS, "here")]
    alone = [(f"number {number}", 1) for number in range(9)]
    assert sorted(told) == sorted([*alone, ("(combined from similar events): number 11", 3)])


async def test_other_reasons_and_objects_are_told_apart(api: Api) -> None:
    recorder = Recorder(api.client, "somebody")
    for name in ("a", "b"):
        about = await api.make(PATH, config_map(name))
        for number in range(9):
            await recorder.normal(about, "Done", f"number {number}")
            await recorder.warning(about, "Undone", f"number {number}")
    assert len(api.client.list(EVENTS, "here")) == 4 * 9


async def test_a_message_that_is_repeated_is_counted(api: Api) -> None:
    about = await api.make(PATH, config_map("a"))
    recorder = Recorder(api.client, "somebody")
    for _ in range(12):
        await recorder.normal(about, "Done", "again")
    (event,) = api.client.list(EVENTS, "here")
    assert (event["message"], event["count"]) == ("again", 12)


async def test_of_an_object_that_did_not_change_nothing_is_told_again_on_request(api: Api) -> None:
    about = await api.make(PATH, config_map("a"))
    recorder = Recorder(api.client, "somebody", once_per_version=True)
    await recorder.normal(about, "Done", "this")
    await recorder.normal(about, "Done", "this")
    await recorder.normal(about, "Done", "that")
    changed = await api.client.patch(CONFIG_MAPS, "here", "a", {"data": {"k": "v"}})
    await recorder.normal(changed, "Done", "this")
    told = [(e["message"], e["count"]) for e in api.client.list(EVENTS, "here")]
    assert sorted(told) == [("that", 1), ("this", 2)]


async def test_what_was_told_before_the_last_ones_is_told_as_new(api: Api) -> None:
    recorder = Recorder(api.client, "somebody", once_per_version=True, remembered=2)
    objects = [await api.make(PATH, config_map(name)) for name in ("a", "b", "c")]
    for about in (*objects, objects[0], objects[0]):
        await recorder.normal(about, "Done", "this")
    told = [e["involvedObject"]["name"] for e in api.client.list(EVENTS, "here")]
    assert sorted(told) == ["a", "a", "b", "c"]
