"""Bodies that are nested deeper than anything that handles them can bear."""

import json
from typing import Any

import pytest

from tests.fakes.cluster import Api, config_map, obj
from tutor.sandbox.schema.depth import MAX_DEPTH, too_deep

MAPS = "/api/v1/namespaces/here/configmaps"
THINGS = "/apis/example.org/v1/namespaces/here/things"
PATCHES = (
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/json-patch+json",
    "application/apply-patch+yaml",
)


def nested(levels: int) -> Any:
    value: Any = "end"
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


@pytest.mark.parametrize("levels", [MAX_DEPTH + 1, 5_000, 100_000])
@pytest.mark.parametrize("opening", ["[", '{"a":'])
async def test_deep_body_is_refused_in_every_form(api: Api, opening: str, levels: int) -> None:
    await api.make(MAPS, config_map("a"))
    text = (opening * levels).encode()
    for media in ("application/json", "application/yaml"):
        reply = await api.ask("POST", MAPS, text, headers={"content-type": media})
        assert reply.status == 400
    for media in PATCHES:
        target = f"{MAPS}/a?fieldManager=x"
        reply = await api.ask("PATCH", target, text, headers={"content-type": media})
        assert reply.status == 400, media


async def test_object_as_deep_as_it_may_be_is_written_read_and_changed(api: Api) -> None:
    await api.make("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition())
    await api.parts.definitions.reconcile("things.example.org")
    deep = nested(MAX_DEPTH - 2)
    thing = obj("Thing", "a", version="example.org/v1", namespace="here", spec={"deep": deep})
    made = await api.make(THINGS, thing)
    assert made["spec"]["deep"] == deep
    for media in (PATCHES[0], PATCHES[3]):
        target = f"{THINGS}/a?fieldManager=x{'&force=true' * ('apply' in media)}"
        change = thing | {"spec": {"deep": deep, "more": "x"}}
        reply = await api.ask("PATCH", target, change, headers={"content-type": media})
        assert reply.status == 200, reply.content
    watching = await api.watch(f"{THINGS}?watch=1")
    assert watching.read()[0]["object"]["spec"]["deep"] == deep


@pytest.mark.parametrize(
    ("text", "bracket"),
    [
        ("[" * (MAX_DEPTH + 1), "["),
        ("[" * MAX_DEPTH + "{", "{"),
        ("[" * MAX_DEPTH, ""),
        ("[]" * 1_000, ""),
        (json.dumps("[" * 1_000), ""),
        (json.dumps({"a": '"[' * 1_000}), ""),
    ],
)
def test_depth_counts_brackets_that_are_open_and_no_text(text: str, bracket: str) -> None:
    assert too_deep(text) == bracket


def definition() -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": {
            "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        },
    }
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
    }
    names = {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"}
    return obj(
        "CustomResourceDefinition",
        "things.example.org",
        version="apiextensions.k8s.io/v1",
        spec={
            "group": "example.org",
            "names": names,
            "scope": "Namespaced",
            "versions": [version],
        },
    )
