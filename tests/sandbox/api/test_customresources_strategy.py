"""Custom objects on their way to the store, against recordings of the real server."""

# ruff: noqa: E501 - complaints are kept whole, as recorded

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fakes.cluster import Api
from tutor.sandbox.api.customresources.kinds import kinds
from tutor.sandbox.api.customresources.strategy import CustomStrategy, served_by
from tutor.sandbox.api.status import ApiError, invalid_object
from tutor.sandbox.kinds import Object, storage_hash, thaw
from tutor.sandbox.schema.errors import DecodeError

CASES = Path(__file__).resolve().parents[4] / "shared" / "goldens" / "cases"

recorded = pytest.mark.skipif(not CASES.is_dir(), reason="the recordings are not there")


def definition(**changes: Any) -> Object:
    """Ships, with a status and a scale, in two versions."""
    properties: Object = {
        "spec": {
            "type": "object",
            "properties": {"replicas": {"type": "integer"}, "name": {"type": "string"}},
        },
        "status": {
            "type": "object",
            "properties": {"afloat": {"type": "integer"}, "chosen": {"type": "string"}},
        },
    }
    version: Object = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": properties}},
        "subresources": {
            "status": {},
            "scale": {
                "specReplicasPath": ".spec.replicas",
                "statusReplicasPath": ".status.afloat",
                "labelSelectorPath": ".status.chosen",
            },
        },
        "selectableFields": [{"jsonPath": ".spec.name"}],
    }
    old = thaw(version) | {"name": "v1beta1", "storage": False, "deprecated": True}
    old["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["name"]["default"] = "x"
    names = {"plural": "ships", "singular": "ship", "kind": "Ship", "listKind": "ShipList"}
    crd: Object = {
        "metadata": {"name": "ships.sea.example.com"},
        "spec": {
            "group": "sea.example.com",
            "scope": "Namespaced",
            "names": names | {"shortNames": ["sh"], "categories": ["all"]},
            "versions": [version, old],
        },
        "status": {"acceptedNames": names},
    }
    return crd | changes


def strategy(version: str = "v1", **changes: Any) -> CustomStrategy:
    served = served_by(definition(**changes))
    found = next(one.strategy for one in served if one.kind.version == version)
    assert isinstance(found, CustomStrategy)
    return found


def ship(**parts: Any) -> Object:
    meta = {"name": "a", "namespace": "sea", "resourceVersion": "5", "generation": 3}
    return {"apiVersion": "sea.example.com/v1", "kind": "Ship", "metadata": meta} | parts


def test_kinds_are_those_of_served_versions_by_their_accepted_names() -> None:
    crd = definition()
    first, second = kinds(crd)
    assert (first.api_version, second.version) == ("sea.example.com/v1", "v1beta1")
    assert [(s.name, s.kind, s.group) for s in first.subresources] == [
        ("status", "Ship", ""),
        ("scale", "Scale", "autoscaling"),
    ]
    assert first.short_names == ()
    assert first.list_kind == "ShipList"
    assert (
        first.storage_hash == second.storage_hash == storage_hash("sea.example.com", "v1", "Ship")
    )
    crd["spec"]["versions"][1]["served"] = False
    assert [served.kind.version for served in served_by(crd)] == ["v1"]


def test_object_when_created_loses_its_status_and_gets_a_generation() -> None:
    obj = ship(spec={"replicas": 1}, status={"afloat": 1})
    strategy().prepare_create(obj)
    assert "status" not in obj
    assert obj["metadata"]["generation"] == 1


def test_object_when_its_kind_is_leaving_is_not_created() -> None:
    status = {"conditions": [{"type": "Terminating", "status": "True"}]}
    with pytest.raises(ApiError) as raised:
        strategy(status=status | definition()["status"]).prepare_create(ship())
    assert (raised.value.code, raised.value.message) == (
        403,
        (
            'ships.sea.example.com "a" is forbidden: create not allowed while custom resource'
            " definition is terminating"
        ),
    )


def test_object_when_updated_keeps_its_status_and_counts_changes_of_anything_else() -> None:
    old = ship(spec={"replicas": 1}, status={"afloat": 1})
    new = ship(spec={"replicas": 2}, status={"afloat": 7})
    strategy().prepare_update(new, old, "")
    assert new["status"] == {"afloat": 1}
    assert new["metadata"]["generation"] == 4
    same = ship(spec={"replicas": 1}, status={"afloat": 7})
    same["metadata"]["labels"] = {"a": "b"}
    strategy().prepare_update(same, old, "")
    assert same["metadata"]["generation"] == 3


def test_status_when_updated_changes_nothing_else() -> None:
    old = ship(spec={"replicas": 1})
    new = ship(spec={"replicas": 2}, status={"afloat": 7})
    new["metadata"] |= {"labels": {"a": "b"}, "managedFields": [{"manager": "m"}]}
    strategy().prepare_update(new, old, "status")
    assert new["spec"] == {"replicas": 1}
    assert new["status"] == {"afloat": 7}
    assert new["metadata"] == old["metadata"] | {"managedFields": [{"manager": "m"}]}


COUNTS: list[tuple[Object, list[str]]] = [
    ({"replicas": 2}, []),
    (
        {"replicas": -1},
        [".spec.replicas: Invalid value: -1: should be a non-negative integer"],
    ),
    (
        {"replicas": 2**31},
        [
            ".spec.replicas: Invalid value: 2147483648: should be less than or equal to 2147483647",
        ],
    ),
]


@pytest.mark.parametrize(("spec", "complaints"), COUNTS)
def test_replicas_when_out_of_range_are_refused(spec: Object, complaints: list[str]) -> None:
    assert list(map(str, strategy().validate(ship(spec=spec)))) == complaints


def test_status_when_it_breaks_its_schema_is_refused() -> None:
    errors = strategy().validate_update(ship(status={"chosen": 1}), ship(), "status")
    assert list(map(str, errors)) == [
        'status.chosen: Invalid value: "integer": chosen in body must be of type string: "integer"',
        (
            '.status.chosen: Invalid value: "": .status.chosen accessor error: 1 is of the type int64,'
            " expected string"
        ),
    ]


def test_finalizer_when_it_could_be_anyones_is_warned_of() -> None:
    obj = ship()
    obj["metadata"]["finalizers"] = ["rope", "example.com", "example.com/rope"]
    tail = "to avoid accidental conflicts with other finalizer writers"
    assert strategy().warnings(obj, None, "") == [
        (
            'metadata.finalizers: "example.com": prefer a domain-qualified finalizer name including a'
            f" path (/) {tail}"
        ),
        f'metadata.finalizers: "rope": prefer a domain-qualified finalizer name {tail}',
    ]
    assert strategy().warnings(obj, obj, "") == []


def test_versions_convert_by_name_and_lose_what_the_other_does_not_know() -> None:
    crd = definition()
    properties = crd["spec"]["versions"][1]["schema"]["openAPIV3Schema"]["properties"]
    properties["spec"]["properties"]["rig"] = {"type": "string"}
    new, old = (served.strategy for served in served_by(crd))
    written = ship(spec={"replicas": 1, "rig": "sloop"}) | {"apiVersion": "sea.example.com/v1beta1"}
    stored = old.to_storage(old.decode(written).object)
    assert stored["apiVersion"] == "sea.example.com/v1"
    assert stored["spec"] == {"replicas": 1}
    assert new.from_storage(stored) is stored
    read = old.from_storage(stored)
    assert read["apiVersion"] == "sea.example.com/v1beta1"
    assert read["spec"] == {"replicas": 1}
    assert old.from_storage(stored) is read


def test_stored_object_when_the_schema_changed_is_read_by_the_new_one() -> None:
    crd = definition()
    stored = ship(spec={"replicas": 1, "name": "a"})
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    del schema["properties"]["name"]
    schema["properties"]["rig"] = {"type": "string", "default": "sloop"}
    new = served_by(crd)[0].strategy
    assert new.from_storage(stored)["spec"] == {"replicas": 1, "rig": "sloop"}
    assert stored["spec"] == {"replicas": 1, "name": "a"}
    assert new.is_outdated(stored)
    assert not new.is_outdated(new.from_storage(stored))


def test_object_when_stored_in_a_former_version_is_outdated() -> None:
    stored = ship(spec={"replicas": 1}) | {"apiVersion": "sea.example.com/v1beta1"}
    assert strategy().is_outdated(stored)
    assert strategy().from_storage(stored)["spec"] == {"replicas": 1, "name": "x"}


WARNINGS: list[tuple[list[Object], str]] = [
    ([{}], "sea.example.com/v1beta1 Ship is deprecated; use sea.example.com/v1 Ship"),
    ([{"served": False}], "sea.example.com/v1beta1 Ship is deprecated"),
    (
        [{"name": "v2"}, {"name": "v3alpha1"}, {"name": "v1"}],
        "sea.example.com/v1beta1 Ship is deprecated; use sea.example.com/v2 Ship",
    ),
    ([{"deprecated": True}, {"name": "v1alpha1"}], "sea.example.com/v1beta1 Ship is deprecated"),
]


@pytest.mark.parametrize(("others", "warning"), WARNINGS)
def test_version_when_deprecated_points_to_the_best_later_one(
    others: list[Object], warning: str
) -> None:
    crd = definition()
    first, old = crd["spec"]["versions"]
    crd["spec"]["versions"] = [*(first | other for other in others), old]
    found = {served.kind.version: served.strategy.deprecation for served in served_by(crd)}
    assert found["v1beta1"] == warning
    old["deprecationWarning"] = "Go."
    assert served_by(crd)[-1].strategy.deprecation == "Go."


def test_kind_when_its_definition_is_leaving_announces_fewer_verbs() -> None:
    crd = definition()
    crd["spec"]["versions"][0]["served"] = crd["spec"]["versions"][1]["served"] = False
    assert kinds(crd) == []
    crd["status"]["conditions"] = [{"type": "Terminating", "status": "True"}]
    (kind,) = kinds(crd)
    assert kind.version == "v1"
    assert "patch" in kind.verbs
    assert kind.announced == ("delete", "deletecollection", "get", "list", "watch")


def test_object_when_metadata_has_a_wrong_type_is_refused_and_when_unknown_told() -> None:
    obj = ship()
    obj["metadata"]["labels"] = 5
    with pytest.raises(DecodeError):
        strategy().decode(obj)
    obj = ship(spec={"b": 1})
    obj["metadata"]["color"] = "red"
    assert list(strategy().decode(obj).unknown) == [
        'unknown field "metadata.color"',
        'unknown field "spec.b"',
    ]


@recorded
def test_seal_when_created_with_wrong_types_gets_the_recorded_status() -> None:
    text = json.loads((CASES / "apply-crd.json").read_text())["files"]["harbor-crd.yaml"]
    crd = yaml.safe_load(text)
    handled = served_by(crd)[0].strategy
    http = json.loads((CASES / "http-create-cr-wrong-type.json").read_text())["http"]
    obj = handled.decode(json.loads(http["request_body"])).object
    obj["metadata"]["namespace"] = "http"
    handled.default(obj)
    errors = handled.validate(obj)
    status = invalid_object("sea.example.com", "Seal", "bad", errors).status()
    assert status == json.loads(http["response_body"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"kind": "Other"},
            'Other.sea.example.com "x" is invalid: kind: Invalid value: "Other": must be Ship',
        ),
        (
            {"apiVersion": "sea.example.com/v9"},
            (
                'Ship.sea.example.com "x" is invalid: apiVersion: Invalid value: '
                '"sea.example.com/v9": must be sea.example.com/v1'
            ),
        ),
    ],
)
def test_object_that_says_to_be_of_another_kind_is_refused(changes: Object, message: str) -> None:
    with pytest.raises(ApiError) as refused:
        strategy().decode(ship(metadata={"name": "x"}) | changes)
    assert (refused.value.code, refused.value.message) == (422, message)


async def test_scale_of_an_object_without_replicas_is_not_read_but_written(api: Api) -> None:
    api.parts.registry.replace("ships.sea.example.com", served_by(definition()))
    path = "/apis/sea.example.com/v1/namespaces/here/ships"
    made = {"apiVersion": "sea.example.com/v1", "kind": "Ship", "metadata": {"name": "a"}}
    await api.make(path, made)
    refused = await api.get(f"{path}/a/scale")
    why = 'Internal error occurred: the spec replicas field ".spec.replicas" does not exist'
    assert (refused.status, refused.message) == (500, why)
    media = {"content-type": "application/merge-patch+json"}
    body = {"spec": {"replicas": 2}}
    assert (await api.ask("PATCH", f"{path}/a/scale", body, headers=media)).status == 200
    assert (await api.get(f"{path}/a/scale")).body["spec"] == body["spec"]
