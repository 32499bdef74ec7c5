"""Every expectation here was answered by Kubernetes 1.36's own decoder, given the same body."""

import json
import re
from typing import Any

import pytest

from tutor.sandbox.schema.decode import DecodeError, decode, parse, untyped

CM = ("", "v1", "ConfigMap")
POD = ("", "v1", "Pod")
SERVICE = ("", "v1", "Service")
DEPLOYMENT = ("apps", "v1", "Deployment")
CRD = ("apiextensions.k8s.io", "v1", "CustomResourceDefinition")
FIELD = "json: cannot unmarshal {} into Go struct field {} of type {}"


def read(kind: tuple[str, str, str], body: Any) -> Any:
    text = body if isinstance(body, str) else json.dumps(body)
    return decode(*kind, parse(text.encode()).value)


def written(kind: tuple[str, str, str], body: Any) -> Any:
    done = read(kind, body).object
    return {name: value for name, value in done.items() if name not in ("kind", "apiVersion")}


@pytest.mark.parametrize(
    ("kind", "body", "value", "field", "go"),
    [
        (CM, {"data": {"k": 1}}, "number", "ConfigMap.data", "string"),
        (CM, {"data": ["x"]}, "array", "ConfigMap.data", "map[string]string"),
        (CM, {"metadata": {"name": 5}}, "number", "ObjectMeta.metadata.name", "string"),
        (CM, {"metadata": "x"}, "string", "ConfigMap.metadata", "v1.ObjectMeta"),
        (
            CM,
            {"metadata": {"finalizers": "x"}},
            "string",
            "ObjectMeta.metadata.finalizers",
            "[]string",
        ),
        (
            CM,
            {"metadata": {"creationTimestamp": 5}},
            "number",
            "ObjectMeta.metadata.creationTimestamp",
            "string",
        ),
        (
            SERVICE,
            {"spec": {"ports": [{"port": "80"}]}},
            "string",
            "ServicePort.spec.ports.port",
            "int32",
        ),
        (SERVICE, {"spec": {"ports": {}}}, "object", "ServiceSpec.spec.ports", "[]v1.ServicePort"),
        (
            SERVICE,
            {"spec": {"ports": [{"targetPort": 1.5}]}},
            "number 1.5",
            "ServicePort.spec.ports.targetPort",
            "int32",
        ),
        (
            DEPLOYMENT,
            {"spec": {"replicas": "3"}},
            "string",
            "DeploymentSpec.spec.replicas",
            "int32",
        ),
        (
            DEPLOYMENT,
            {"spec": {"replicas": 99999999999}},
            "number 99999999999",
            "DeploymentSpec.spec.replicas",
            "int32",
        ),
        (
            DEPLOYMENT,
            '{"spec":{"replicas":1.0}}',
            "number 1.0",
            "DeploymentSpec.spec.replicas",
            "int32",
        ),
        (
            POD,
            {"spec": {"volumes": [{"emptyDir": {"medium": 5}}]}},
            "number",
            "EmptyDirVolumeSource.spec.volumes.VolumeSource.emptyDir.medium",
            "v1.StorageMedium",
        ),
        (
            POD,
            {"spec": {"securityContext": []}},
            "array",
            "PodSpec.spec.securityContext",
            "v1.PodSecurityContext",
        ),
        (
            CRD,
            {"spec": {"versions": [{"schema": {"openAPIV3Schema": {"items": {"type": 5}}}}]}},
            "number",
            "JSONSchemaProps.spec.versions.schema.openAPIV3Schema.items.type",
            "string",
        ),
    ],
)
def test_wrong_types_are_told_with_the_go_field(
    kind: tuple[str, str, str], body: Any, value: str, field: str, go: str
) -> None:
    with pytest.raises(DecodeError) as caught:
        read(kind, body)
    assert str(caught.value) == FIELD.format(value, field, go)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("%%%", 0),
        ("x", 0),
        ("eA=", 3),
        ("eA", 0),
        ("eA==x", 4),
        ("YWJjYWJjY", 8),
        ("eA=x", 2),
        ("YWJj ZA==", 4),
        ("=", 0),
    ],
)
def test_bad_base64_is_told_by_position(text: str, at: int) -> None:
    with pytest.raises(DecodeError) as caught:
        read(("", "v1", "Secret"), {"data": {"k": text}})
    assert str(caught.value) == f"illegal base64 data at input byte {at}"


def test_base64_is_written_again_without_line_ends_and_loose_bits() -> None:
    data = {"a": "e\nA==", "b": "eB==", "c": None, "d": [1, 2], "e": "", "f": "eA=\n=\n"}
    assert written(("", "v1", "Secret"), {"data": data})["data"] == {
        "a": "eA==",
        "b": "eA==",
        "c": "",
        "d": "AQI=",
        "e": "",
        "f": "eA==",
    }


def test_a_type_that_reads_itself_fails_before_an_earlier_type_error_is_told() -> None:
    body = {"spec": {"ports": [{"port": "x", "targetPort": True}]}}
    with pytest.raises(DecodeError, match=r"cannot unmarshal bool .*targetPort of type int32"):
        read(SERVICE, body)


def test_the_first_of_several_type_errors_is_told() -> None:
    with pytest.raises(DecodeError, match=r"ConfigMap\.immutable of type bool"):
        read(CM, '{"immutable":"x","data":5}')


def test_unknown_and_repeated_fields_come_in_the_order_of_the_body() -> None:
    body = (
        '{"kind":"Pod","spec":{"foo":1,"foo":2,"containers":[{"name":"a","name":"b",'
        '"env":[{"value":"x","Value":"y"}]}]},"status":{"bar":1},'
        '"metadata":{"labels":{"a":"1","a":"2"}},"x":{"y":1}}'
    )
    assert read(POD, body).unknown == (
        'unknown field "spec.foo"',
        'duplicate field "spec.containers[0].name"',
        'unknown field "spec.containers[0].env[0].Value"',
        'unknown field "status.bar"',
        'duplicate field "metadata.labels.a"',
        'unknown field "x"',
    )
    assert read(POD, body).object["metadata"] == {"labels": {"a": "2"}}


def test_at_most_a_hundred_strict_errors_are_kept() -> None:
    assert len(read(CM, {f"f{n}": 1 for n in range(150)}).unknown) == 100


def test_nested_schemas_are_not_read_strictly() -> None:
    schema = {"nope": 1, "items": {"nope": 2, "Type": "string"}}
    done = read(CRD, {"spec": {"versions": [{"schema": {"openAPIV3Schema": schema}}]}})
    assert done.unknown == ('unknown field "spec.versions[0].schema.openAPIV3Schema.nope"',)
    shown = done.object["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    assert shown == {"items": {"type": "string"}}


WRITTEN = """
v1 ConfigMap
  {}
  {"metadata":{}}
v1 ConfigMap
  {"metadata":{"creationTimestamp":null},"data":{"b":"2","a":null}}
  {"metadata":{},"data":{"a":"","b":"2"}}
v1 Pod
  {"spec":{"containers":[null,{"env":[null]}],"nodeSelector":{"a":null}}}
  {"metadata":{},
   "spec":{"containers":[{"name":"","resources":{}},
                         {"name":"","env":[{"name":""}],"resources":{}}],
           "nodeSelector":{"a":""}},
   "status":{}}
v1 Pod
  {"spec":{"containers":[{"env":[{"valueFrom":{"resourceFieldRef":{"resource":"r"}}}]}]}}
  {"metadata":{},
   "spec":{"containers":[{"name":"",
                          "env":[{"name":"",
                                  "valueFrom":{"resourceFieldRef":{"resource":"r","divisor":"0"}}}],
                          "resources":{}}]},
   "status":{}}
apps/v1 Deployment
  {"spec":{"replicas":0}}
  {"metadata":{},
   "spec":{"replicas":0,"selector":null,
           "template":{"metadata":{},"spec":{"containers":null}},"strategy":{}},
   "status":{}}
v1 Service
  {"spec":{"selector":{"b":"1","a":"2"},"ports":[{"port":80}]}}
  {"metadata":{},
   "spec":{"ports":[{"port":80,"targetPort":0}],"selector":{"a":"2","b":"1"}},
   "status":{"loadBalancer":{}}}
v1 Event
  {}
  {"metadata":{},"involvedObject":{},"source":{},"firstTimestamp":null,"lastTimestamp":null,
   "eventTime":null,"reportingComponent":"","reportingInstance":""}
rbac.authorization.k8s.io/v1 Role
  {"rules":[]}
  {"metadata":{},"rules":null}
apiextensions.k8s.io/v1 CustomResourceDefinition
  {"spec":{"versions":[]}}
  {"metadata":{},
   "spec":{"group":"","names":{"plural":"","kind":""},"scope":"","versions":[]},
   "status":{"conditions":null,"acceptedNames":{"plural":"","kind":""},"storedVersions":null}}
"""


def test_objects_are_written_as_the_server_writes_them() -> None:
    blocks = re.split(r"\n(?=\S)", WRITTEN.strip("\n"))
    for block in blocks:
        head, body, expected = block.split("\n", maxsplit=2)
        api_version, kind = head.split()
        group, _, version = api_version.rpartition("/")
        shown = json.dumps(written((group, version, kind), body.strip()))
        assert shown == json.dumps(json.loads(expected)), head


def test_kind_and_version_come_first_and_fields_in_gos_order() -> None:
    body = {"data": {}, "metadata": {"namespace": "b", "name": "a"}, "immutable": True, "data2": 1}
    done = read(CM, body).object
    assert list(done) == ["kind", "apiVersion", "metadata", "immutable"]
    assert list(done["metadata"]) == ["name", "namespace"]


def test_the_result_shares_nothing_with_the_body() -> None:
    value = {"data": {"a": "b"}, "metadata": {"finalizers": ["x"]}}
    done = decode(*CM, value).object
    done["data"]["a"] = "c"
    done["metadata"]["finalizers"].append("y")
    assert value == {"data": {"a": "b"}, "metadata": {"finalizers": ["x"]}}


def test_values_without_a_type_keep_their_members_sorted_in_schemas() -> None:
    schema = {"default": {"b": 1, "a": [2.0, 0.5]}}
    done = read(CRD, {"spec": {"versions": [{"schema": {"openAPIV3Schema": schema}}]}}).object
    shown = done["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["default"]
    assert json.dumps(shown) == '{"a": [2, 0.5], "b": 1}'
    assert untyped({"b": [1.0], "a": 1}) == {"a": 1, "b": [1]}


def test_a_schema_nested_too_deeply_is_refused() -> None:
    schema: Any = {}
    for _ in range(900):
        schema = {"not": schema}
    with pytest.raises(DecodeError, match="exceeded max depth"):
        decode(*CRD, {"spec": {"versions": [{"schema": {"openAPIV3Schema": schema}}]}})


def test_kinds_that_are_not_built_in_cannot_be_asked_for() -> None:
    with pytest.raises(LookupError):
        decode("cert-manager.io", "v1", "Certificate", {})
