"""Lists over the API: chunks, what a token remembers, and which state a revision means.

Source: Kubernetes API concepts, "Retrieving large results sets in chunks" and "Resource versions".
"""

import base64
import json
from typing import Any

import pytest

from tests.fakes.cluster import Api, config_map, obj
from tutor.sandbox import store as store_room

MAPS = "/api/v1/namespaces/here/configmaps"


async def five(api: Api) -> None:
    for name in "abcde":
        await api.make(MAPS, config_map(name, metadata={"labels": {"odd": str(name in "ace")}}))


async def test_list_without_limit_has_everything_and_the_newest_revision(api: Api) -> None:
    await five(api)
    reply = await api.get(MAPS)
    assert reply.names == list("abcde")
    assert reply.body["metadata"] == {"resourceVersion": str(api.store.revision)}
    assert (reply.body["kind"], reply.body["apiVersion"]) == ("ConfigMapList", "v1")
    assert "kind" not in reply.body["items"][0]


async def test_chunks_follow_each_other_and_tell_what_remains(api: Api) -> None:
    await five(api)
    first = await api.get(f"{MAPS}?limit=2")
    assert first.names == ["a", "b"]
    assert first.body["metadata"]["remainingItemCount"] == 3
    second = await api.get(f"{MAPS}?limit=2&continue={first.body['metadata']['continue']}")
    assert second.names == ["c", "d"]
    assert second.body["metadata"]["remainingItemCount"] == 1
    third = await api.get(f"{MAPS}?limit=2&continue={second.body['metadata']['continue']}")
    assert third.names == ["e"]
    assert set(third.body["metadata"]) == {"resourceVersion"}


async def test_chunks_across_namespaces_keep_their_place(api: Api) -> None:
    await api.make("/api/v1/namespaces", obj("Namespace", "there"))
    for namespace in ("here", "there"):
        for name in "ab":
            path = f"/api/v1/namespaces/{namespace}/configmaps"
            await api.make(path, obj("ConfigMap", name))
    seen: list[tuple[str, str]] = []
    token = ""
    while True:
        reply = await api.get(f"/api/v1/configmaps?limit=1&continue={token}")
        meta = reply.body["items"][0]["metadata"]
        seen.append((meta["namespace"], meta["name"]))
        token = reply.body["metadata"].get("continue", "")
        if not token:
            break
    assert seen == [("here", "a"), ("here", "b"), ("there", "a"), ("there", "b")]


async def test_later_chunks_show_the_state_of_the_first(api: Api) -> None:
    await five(api)
    first = await api.get(f"{MAPS}?limit=2")
    await api.ask("DELETE", f"{MAPS}/d")
    await api.ask("PUT", f"{MAPS}/c", config_map("c", data={"new": "yes"}))
    await api.make(MAPS, config_map("cc"))
    rest = await api.get(f"{MAPS}?continue={first.body['metadata']['continue']}")
    assert rest.names == ["c", "d", "e"]
    assert rest.body["items"][0].get("data") is None
    assert rest.version == first.version
    assert (await api.get(MAPS)).names == ["a", "b", "c", "cc", "e"]


async def test_selected_chunks_are_full_and_do_not_count_what_remains(api: Api) -> None:
    await five(api)
    first = await api.get(f"{MAPS}?limit=2&labelSelector=odd%3DTrue")
    assert first.names == ["a", "c"]
    assert "remainingItemCount" not in first.body["metadata"]
    token = first.body["metadata"]["continue"]
    rest = await api.get(f"{MAPS}?limit=2&labelSelector=odd%3DTrue&continue={token}")
    assert rest.names == ["e"]
    assert "continue" not in rest.body["metadata"]


async def test_token_that_is_too_old_is_refused_with_one_that_goes_on_inconsistently(
    api: Api,
) -> None:
    await five(api)
    first = await api.get(f"{MAPS}?limit=2")
    await api.ask("DELETE", f"{MAPS}/c")
    api.store.compact(api.store.revision)
    gone = await api.get(f"{MAPS}?limit=2&continue={first.body['metadata']['continue']}")
    assert (gone.status, gone.reason) == (410, "Expired")
    assert gone.message.startswith("The provided continue parameter is too old to display")
    again = await api.get(f"{MAPS}?limit=2&continue={gone.body['metadata']['continue']}")
    assert again.names == ["d", "e"]
    assert again.version == str(api.store.revision)


def token(content: Any) -> str:
    text = content if isinstance(content, str) else json.dumps(content)
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


VERSION = "meta.k8s.io/v1"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("ab!c", "illegal base64 data at input byte 2"),
        ("abcde", "illegal base64 data at input byte 4"),
        (token("nonsense"), "invalid character 'o' in literal null (expecting 'u')"),
        ("nonsense", r"invalid character '\x9e' looking for beginning of value"),
        (
            token({"v": "v0", "rv": 1, "start": "/a"}),
            "server does not recognize this encoded version v0",
        ),
        (token([]), "server does not recognize this encoded version "),
        (
            token({"v": VERSION, "start": "/a"}),
            f"incorrect encoded start resourceVersion (version {VERSION})",
        ),
        (token({"v": VERSION, "rv": 1}), f"encoded start key empty (version {VERSION})"),
        (token({"v": VERSION, "rv": 1, "start": "/../secrets/x"}), "/../secrets/x"),
    ],
)
async def test_token_that_is_none_is_refused(api: Api, given: str, why: str) -> None:
    reply = await api.get(f"{MAPS}?limit=1&continue={given}")
    assert (reply.status, reply.reason) == (400, "BadRequest")
    assert reply.message == f"invalid continue token: continue key is not valid: {why}"


async def test_token_goes_with_no_revision(api: Api) -> None:
    await five(api)
    first = await api.get(f"{MAPS}?limit=2")
    token = first.body["metadata"]["continue"]
    reply = await api.get(f"{MAPS}?limit=2&continue={token}&resourceVersion=1")
    assert (reply.status, reply.message) == (
        400,
        "specifying resource version is not allowed when using continue",
    )


async def test_exact_revision_shows_the_past(api: Api) -> None:
    await five(api)
    before = api.store.revision
    await api.ask("DELETE", f"{MAPS}/a")
    await api.make(MAPS, config_map("z"))
    reply = await api.get(f"{MAPS}?resourceVersion={before}&resourceVersionMatch=Exact")
    assert (reply.names, reply.version) == (list("abcde"), str(before))
    limited = await api.get(f"{MAPS}?resourceVersion={before}&limit=1")
    assert (limited.names, limited.version) == (["a"], str(before))


@pytest.mark.parametrize("match", ["", "&resourceVersionMatch=NotOlderThan"])
async def test_revision_without_exact_shows_something_that_is_not_older(
    api: Api, match: str
) -> None:
    await five(api)
    before = api.store.revision
    await api.ask("DELETE", f"{MAPS}/a")
    reply = await api.get(f"{MAPS}?resourceVersion={before}{match}")
    assert reply.names == list("bcde")
    assert int(reply.version) > before
    assert (await api.get(f"{MAPS}?resourceVersion=0")).names == list("bcde")


async def test_exact_revision_that_is_forgotten_is_gone(api: Api) -> None:
    await five(api)
    before = api.store.revision
    await api.ask("DELETE", f"{MAPS}/a")
    api.store.compact(api.store.revision)
    reply = await api.get(f"{MAPS}?resourceVersion={before}&resourceVersionMatch=Exact")
    assert (reply.status, reply.reason) == (410, "Expired")
    assert reply.message == "The resourceVersion for the provided list is too old."


async def test_revision_that_is_not_there_yet_is_a_timeout_to_try_again(api: Api) -> None:
    reply = await api.get(f"{MAPS}?resourceVersion=1000")
    assert (reply.status, reply.reason) == (504, "Timeout")
    current = api.store.revision
    assert reply.message == f"Timeout: Too large resource version: 1000, current: {current}"
    assert reply.header("Retry-After") == ["1"]
    assert reply.body["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"


@pytest.mark.parametrize(
    ("query", "why"),
    [
        (
            "resourceVersionMatch=Exact",
            (
                "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless"
                " resourceVersion is provided"
            ),
        ),
        (
            "resourceVersion=0&resourceVersionMatch=Exact",
            (
                'resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for'
                ' resourceVersion "0"'
            ),
        ),
        (
            "resourceVersion=1&resourceVersionMatch=Sometimes",
            (
                'resourceVersionMatch: Unsupported value: "Sometimes": supported values: "Exact",'
                ' "NotOlderThan", ""'
            ),
        ),
        ("sendInitialEvents=true", "sendInitialEvents: Forbidden: sendInitialEvents is forbidden"),
        (
            "resourceVersion=1&resourceVersionMatch=Exact&continue=x",
            "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue",
        ),
    ],
)
async def test_options_that_contradict_each_other_are_invalid(
    api: Api, query: str, why: str
) -> None:
    reply = await api.get(f"{MAPS}?{query}")
    assert (reply.status, reply.reason) == (422, "Invalid")
    assert reply.message.startswith(f'ListOptions.meta.k8s.io "" is invalid: {why}')
    assert reply.body["details"]["kind"] == "ListOptions"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            "resourceVersion=x",
            (
                'invalid resource version: resourceVersion: Invalid value: "x": strconv.ParseUint:'
                ' parsing "x": invalid syntax'
            ),
        ),
        ("limit=x", 'strconv.ParseInt: parsing "x": invalid syntax'),
    ],
)
async def test_numbers_that_are_none_are_refused_in_the_words_of_go(
    api: Api, query: str, message: str
) -> None:
    reply = await api.get(f"{MAPS}?{query}")
    assert (reply.status, reply.message) == (400, message)


async def test_limit_below_zero_is_no_limit(api: Api) -> None:
    await five(api)
    assert (await api.get(f"{MAPS}?limit=-1")).names == list("abcde")


async def test_get_of_one_object_from_a_revision_to_come_is_a_timeout(api: Api) -> None:
    await api.make(MAPS, config_map("a"))
    assert (await api.get(f"{MAPS}/a?resourceVersion=0")).status == 200
    assert (await api.get(f"{MAPS}/a?resourceVersion=1000")).status == 504
    assert (await api.get(f"{MAPS}/a?resourceVersion=x")).status == 500


async def test_history_that_is_bounded_forgets_the_oldest_first(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_room, "HISTORY_EVENTS", 3)
    await five(api)
    newest = api.store.revision
    old = await api.get(f"{MAPS}?resourceVersion={newest - 3}&resourceVersionMatch=Exact")
    assert old.names == ["a", "b"]
    gone = await api.get(f"{MAPS}?resourceVersion={newest - 4}&resourceVersionMatch=Exact")
    assert gone.status == 410
