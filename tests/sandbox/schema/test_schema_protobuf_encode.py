"""Objects in their protobuf form, against what kubectl and the real server sent.

Source: recorded bodies, which the real encoder made.
"""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tutor.sandbox.schema import protobuf, protobuf_encode
from tutor.sandbox.schema.errors import DecodeError

CASES = Path(__file__).resolve().parents[4] / "shared" / "goldens" / "cases"


def recorded() -> Iterator[bytes]:
    for path in sorted(CASES.glob("*.json")):
        case: dict[str, Any] = json.loads(path.read_text())
        for run in case.get("runs", {}).values():
            for request in run.get("requests", ()):
                for name in ("request_body_base64", "response_body_base64"):
                    body = base64.b64decode(request.get(name) or "")
                    if body.startswith(protobuf.MAGIC):
                        yield body


def test_recorded_bodies_come_out_byte_for_byte() -> None:
    if not CASES.exists():
        pytest.skip("the recordings are not beside the checkout")
    compared = 0
    for body in dict.fromkeys(recorded()):
        try:
            obj = protobuf.decode(body)
        except DecodeError:
            continue  # a list, which is only written
        group, _, version = obj["apiVersion"].rpartition("/")
        assert protobuf_encode.encode(group, version, obj["kind"], obj) == body
        compared += 1
    assert compared > 50


def test_written_objects_can_be_read_again() -> None:
    spec: Any = {
        "replicas": 0,
        "selector": {"matchLabels": {"b": "2", "a": "1"}},
        "strategy": {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 1}},
    }
    meta = {"name": "d", "creationTimestamp": "2026-05-04T12:00:00Z"}
    value = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}
    body = protobuf_encode.encode("apps", "v1", "Deployment", value)
    assert body is not None
    again = protobuf.decode(body)
    assert again["metadata"]["creationTimestamp"] == meta["creationTimestamp"]
    assert again["spec"]["selector"] == spec["selector"]
    assert again["spec"]["strategy"]["rollingUpdate"] == spec["strategy"]["rollingUpdate"]
    assert again["spec"]["replicas"] == 0


def test_kind_that_is_not_built_in_has_no_form() -> None:
    assert protobuf_encode.encode("example.org", "v1", "Boat", {}) is None


def test_list_and_event_hold_their_objects() -> None:
    maps = [{"metadata": {"name": name}, "data": {"k": name}} for name in "ab"]
    page = {"metadata": {"resourceVersion": "7"}, "items": maps}
    body = protobuf_encode.encode_list("", "v1", "ConfigMap", "ConfigMapList", page)
    assert body is not None
    assert body.startswith(protobuf.MAGIC)
    assert body.count(b"\x12\x01a") + body.count(b"\x0a\x01a") >= 1
    frame = protobuf_encode.watch_event("ADDED", body)
    assert int.from_bytes(frame[:4], "big") == len(frame) - 4
    assert body in frame
