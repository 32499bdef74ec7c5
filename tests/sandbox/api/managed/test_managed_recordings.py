"""Managed fields of recorded objects: what real kubectl sent, what the real server made of it."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from managed_world import NOW

from tutor.sandbox.api import patching
from tutor.sandbox.api.customresources.strategy import served_by
from tutor.sandbox.api.managed.tracking import Tracking
from tutor.sandbox.api.patch.body import Form, patch
from tutor.sandbox.api.registry import Registry, Served
from tutor.sandbox.api.request import Call, User
from tutor.sandbox.api.strategies import builtin_served
from tutor.sandbox.api.values import is_map
from tutor.sandbox.kinds import Object, thaw
from tutor.sandbox.schema import protobuf

CASES = Path(__file__).resolve().parents[5] / "shared" / "goldens" / "cases"
pytestmark = pytest.mark.skipif(
    not CASES.is_dir(), reason="the recordings are not beside the checkout"
)
FORMS: dict[str, Form] = {
    patching.JSON_PATCH: "json",
    patching.MERGE: "merge",
    patching.STRATEGIC: "strategic",
}
OTHER_DEFAULTS = ("HorizontalPodAutoscaler", "CustomResourceDefinition")
"""Kinds that a server fills in further before it looks at who set what."""


@dataclass
class Write:
    """A recorded request that left an object, and the object."""

    name: str
    request: dict[str, Any]
    made: Object

    @property
    def path(self) -> str:
        return self.request["path"]

    @property
    def manager(self) -> str:
        query = parse_qs(urlsplit(self.path).query)
        agent = self.request["request_headers"].get("User-Agent", "").split("/")[0]
        return query.get("fieldManager", [agent])[0]

    @property
    def subresource(self) -> str:
        last = urlsplit(self.path).path.rsplit("/", 1)[-1]
        return last if last == "status" else ""

    @property
    def media(self) -> str:
        return self.request["request_headers"].get("Content-Type", "")

    def has(self, option: str) -> bool:
        return f"{option}=" in self.path


class Recordings:
    """All objects that were seen, by UID and resource version, and the writes to them."""

    def __init__(self) -> None:
        self.registry = Registry(builtin_served())
        self.tracking = Tracking(self.registry.find)
        self.writes: list[Write] = []
        self._seen: dict[str, dict[int, Object]] = {}
        for path in sorted(CASES.glob("*.json")):
            for request in _requests(json.loads(path.read_text())):
                self._take(path.stem, request)

    def _take(self, name: str, request: dict[str, Any]) -> None:
        made = _object_of(request, "response")
        self._note(made)
        items: list[Object] = made.get("items") or []
        for item in items:
            kind = made["kind"].removesuffix("List")
            self._note({"kind": kind, "apiVersion": made["apiVersion"]} | item)
        is_write = request["method"] in ("POST", "PUT", "PATCH") and request["status"] < 300
        if is_write and _meta(made).get("managedFields"):
            self.writes.append(Write(name, request, made))

    def _note(self, obj: Object) -> None:
        meta = _meta(obj)
        if not (meta.get("uid") and meta.get("resourceVersion") and meta.get("managedFields")):
            return
        self._seen.setdefault(meta["uid"], {})[int(meta["resourceVersion"])] = obj
        if obj.get("kind") == "CustomResourceDefinition" and "acceptedNames" in obj["status"]:
            self.registry.replace(meta["name"], served_by(obj))

    def served(self, write: Write) -> Served | None:
        return self.registry.of_object(write.made["apiVersion"], write.made["kind"])

    def past(self, write: Write) -> list[Object]:
        """What the object was before a write, as far as that was seen."""
        meta = write.made["metadata"]
        until = int(meta["resourceVersion"]) + write.has("dryRun")
        versions = self._seen.get(meta["uid"], {})
        return [thaw(versions[version]) for version in sorted(versions) if version < until]

    def replay(self, write: Write, served: Served, old: Object | None) -> Object:
        call = Call(
            user=User(name="me"),
            verb="",
            now=NOW,
            manager=write.manager,
            subresource=write.subresource,
            force=write.has("force"),
            validation="Ignore",
        )
        if write.media == patching.APPLY:
            config = patching.config_of(call, write.request["request_body"].encode())
            return self.tracking.apply(call, served, config, old)
        new = served.strategy.decode(self._wanted(write, served, old)).object
        served.strategy.default(new)
        self.tracking.track(call, served, new, old)
        return served.strategy.normalise(new)

    def _wanted(self, write: Write, served: Served, old: Object | None) -> Object:
        if old is None or write.request["method"] == "PUT":
            return _object_of(write.request, "request")
        form, body = FORMS[write.media], write.request["request_body"].encode()
        node = served.strategy.node() if form == "strategic" else None
        return patch(old, body, form, node, lax=True).object


def _requests(case: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "http" in case:
        yield case["http"]
    for run in case.get("runs", {}).values():
        yield from run.get("requests", [])


def _object_of(message: dict[str, Any], side: str) -> Object:
    if encoded := message.get(f"{side}_body_base64"):
        raw = base64.b64decode(encoded)
        return protobuf.decode(raw) if raw.startswith(protobuf.MAGIC) else {}
    try:
        found: Any = json.loads(message.get(f"{side}_body") or "{}")
    except ValueError:
        return {}
    return found if is_map(found) else {}


def _meta(obj: Object) -> Object:
    return obj.get("metadata") or {}


def told(obj: Object) -> list[str]:
    """The entries, fields in their order, with whether they have a time."""
    entries = obj["metadata"].get("managedFields", [])
    shown = ({**e, "time": bool(e.get("time"))} for e in entries)
    texts = (json.dumps({k: e[k] for k in sorted(e) if e[k] != ""}) for e in shown)
    return sorted(texts)


@pytest.fixture(scope="module")
def recordings() -> Recordings:
    return Recordings()


def test_new_objects_have_the_owners_that_they_have_on_a_real_server(recordings: Recordings):
    looked_at = 0
    for write in recordings.writes:
        served = recordings.served(write)
        value = _object_of(write.request, "request")
        asks = "review" in write.path
        if write.request["method"] != "POST" or served is None or asks or not value:
            continue
        if served.kind.kind in OTHER_DEFAULTS:
            continue
        assert told(recordings.replay(write, served, None)) == told(write.made), write.name
        looked_at += 1
    assert looked_at > 60


def test_changed_objects_have_the_owners_that_they_have_on_a_real_server(recordings: Recordings):
    looked_at = 0
    for write in recordings.writes:
        served = recordings.served(write)
        if write.request["method"] == "POST" or served is None or "no-change" in write.name:
            continue
        past = [None] if write.request["status"] == 201 else recordings.past(write)
        if not past:
            continue
        old = past[-1]
        assert told(recordings.replay(write, served, old)) == told(write.made), write.name
        looked_at += 1
    assert looked_at > 60
