import base64
import json
import re
from pathlib import Path
from typing import Any, cast

import pytest

from tutor.sandbox.schema import protobuf
from tutor.sandbox.schema.decode import DecodeError, decode

CASES = Path(__file__).resolve().parents[4] / "shared" / "goldens" / "cases"
recorded = pytest.mark.skipif(not CASES.exists(), reason="no recordings beside the checkout")


def requests(case: str) -> list[dict[str, Any]]:
    runs = json.loads((CASES / f"{case}.json").read_text())["runs"].values()
    return [r for run in runs for r in run["requests"] if r.get("request_body_base64")]


def read(body: bytes) -> dict[str, Any]:
    value = protobuf.decode(body)
    group, _, version = value["apiVersion"].rpartition("/")
    done = decode(group, version, value["kind"], value)
    assert done.unknown == ()
    return done.object


def contains(whole: Any, part: Any) -> bool:
    if isinstance(part, dict):
        members = cast("dict[str, Any]", part).items()
        return all(contains(whole.get(k), v) for k, v in members if v not in ({}, None))
    if isinstance(part, list):
        items = cast("list[Any]", part)
        return len(whole) == len(items) and all(map(contains, whole, items))
    return whole == part


def bodies() -> list[bytes]:
    names = [path.stem for path in sorted(CASES.glob("*.json"))]
    text = {
        request["request_body_base64"]
        for name in names
        if "request_body_base64" in (CASES / f"{name}.json").read_text()
        and "runs" in json.loads((CASES / f"{name}.json").read_text())
        for request in requests(name)
    }
    return [base64.b64decode(item) for item in sorted(text)]


@recorded
def test_every_recorded_body_is_an_object_of_its_kind() -> None:
    found = [read(body) for body in bodies()]
    assert len(found) > 30
    assert {obj["kind"] for obj in found} >= {
        "ClusterRoleBinding",
        "ConfigMap",
        "Deployment",
        "Namespace",
        "Role",
        "RoleBinding",
        "Secret",
        "SelfSubjectAccessReview",
        "SelfSubjectReview",
        "SelfSubjectRulesReview",
        "ServiceAccount",
        "TokenRequest",
    }


@recorded
@pytest.mark.parametrize("what", ["clusterrolebinding", "configmap", "namespace", "secret"])
def test_what_is_read_is_in_the_answer_that_the_server_gave(what: str) -> None:
    for request in requests(f"lesser-json-answers--create-{what}"):
        body = base64.b64decode(request["request_body_base64"])
        answer = json.loads(request["response_body"])
        assert contains(answer, read(body))


@recorded
def test_a_deployment_is_read_as_older_clients_write_it() -> None:
    body = base64.b64decode(requests("create-deployment")[0]["request_body_base64"])
    obj = read(body)
    assert obj["spec"]["selector"] == {"matchLabels": {"app": obj["metadata"]["name"]}}
    assert list(obj["spec"]) == ["replicas", "selector", "template", "strategy"]
    assert obj["status"] == {}


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def field(number: int, value: bytes | int) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def body_of(api_version: str, kind: str, raw: bytes) -> bytes:
    meta = field(1, api_version.encode()) + field(2, kind.encode())
    return b"k8s\x00" + field(1, meta) + field(2, raw)


def test_embedded_structs_become_fields() -> None:
    path = field(1, b"/") + field(2, field(4, field(1, b"web") + field(2, field(2, 80))))
    rule = field(1, b"a.example") + field(2, field(1, field(1, path)))
    value = protobuf.decode(body_of("networking.k8s.io/v1", "Ingress", field(2, field(3, rule))))
    service = {"name": "web", "port": {"number": 80}}
    paths = [{"path": "/", "backend": {"service": service}}]
    assert value["spec"] == {"rules": [{"host": "a.example", "http": {"paths": paths}}]}


def test_values_with_a_form_of_their_own_are_read() -> None:
    port = field(4, field(1, 1) + field(3, b"http")) + field(3, 80)
    value = protobuf.decode(body_of("v1", "Service", field(2, field(1, port))))
    assert value["spec"] == {"ports": [{"targetPort": "http", "port": 80}]}
    lease = field(2, field(4, field(1, 1600000000) + field(2, 5000)))
    value = protobuf.decode(body_of("coordination.k8s.io/v1", "Lease", lease))
    assert value["spec"] == {"renewTime": "2020-09-13T12:26:40.000005Z"}


def test_schemas_of_definitions_are_read() -> None:
    inner = field(5, b"string")
    schema = field(5, b"object") + field(30, field(2, inner))
    value = protobuf.decode(
        body_of("apiextensions.k8s.io/v1", "CustomResourceDefinition",
                field(2, field(7, field(1, b"v1") + field(4, field(1, schema)))))
    )  # fmt: skip
    version = value["spec"]["versions"][0]
    assert version["schema"]["openAPIV3Schema"]["additionalProperties"] == {"type": "string"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"k8s\x00",
        b"k8s\x00\xff",
        b"k8s\x00" + b"\xff" * 20,
        body_of("v1", "ConfigMap", b"\x02\x00"),
        body_of("v1", "ConfigMap", b"\x0a\x7f"),
        body_of("v1", "ConfigMap", field(1, 5)),
        body_of("v1", "ConfigMap", field(1, field(1, b"\xff"))),
        body_of("v1", "ConfigMap", b"\x0b"),
        body_of("v1", "Pod", field(1, field(8, field(1, 2**63)))),
    ],
)
def test_what_is_no_object_is_a_decode_error(body: bytes) -> None:
    with pytest.raises(DecodeError):
        protobuf.decode(body)


@recorded
def test_truncated_and_changed_bodies_raise_nothing_else() -> None:
    for body in bodies():
        for end in range(len(body)):
            for changed in (body[:end], body[:end] + b"\xff" + body[end + 1 :]):
                try:
                    protobuf.decode(changed)
                except DecodeError:
                    continue


def test_envelope_that_names_no_kind_is_of_the_one_that_is_wanted() -> None:
    named = {"kind": "ConfigMap", "apiVersion": "v1"}
    body = protobuf.MAGIC + field(2, field(1, field(1, b"a")))
    value = protobuf.decode(body, ("v1", "ConfigMap"))
    assert (value | named, value["metadata"]["name"]) == (value, "a")
    assert protobuf.decode(body_of("v1", "Nope", b"")) == {"kind": "Nope", "apiVersion": "v1"}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"k8s\x00", "empty body"),
        (b"k8s\x00\x00", "proto: Unknown: illegal tag 0 (wire type 0)"),
        (body_of("v1", "ConfigMap", b"\x0a\x7f"), "unexpected EOF"),
    ],
)
def test_what_is_wrong_with_a_body_is_told_as_the_server_does(body: bytes, why: str) -> None:
    with pytest.raises(DecodeError, match=re.escape(why)):
        protobuf.decode(body)
