"""Definitions against recordings of the real server: what it refuses, and in which words."""

# ruff: noqa: E501 - complaints are kept whole, as recorded

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from tutor.sandbox.api.customresources.behaviour import CUSTOM_RESOURCE_DEFINITION as BEHAVIOUR
from tutor.sandbox.api.status import FieldError, invalid_object
from tutor.sandbox.kinds import Object, thaw

SHARED = Path(__file__).resolve().parents[4] / "shared"
SCENARIO = SHARED / "scenarios" / "crd" / "bad-definitions.yaml"
CASES = SHARED / "goldens" / "cases"

recorded = pytest.mark.skipif(
    not SCENARIO.is_file(), reason="the recordings are not beside the checkout"
)


def recorded_tries() -> list[Any]:
    """One case for each `sh crd.sh NAME SCHEMA [FIELDS]` step: the definition and the answer."""
    if not SCENARIO.is_file():
        return []
    scenario = yaml.safe_load(SCENARIO.read_text())
    form: str = scenario["files"]["crd.sh"].split("printf '")[1].split("'")[0]
    found: list[Any] = []
    for step in scenario["steps"]:
        types = ("no matching overload", "must evaluate to")
        if step["run"].startswith("sh crd.sh") and not any(t in step["stderr"] for t in types):
            name, schema, *fields = shlex.split(step["run"])[2:]
            text = form % (name, "".join(fields), schema)
            found.append(pytest.param(json.loads(text), step["stderr"], id=f"{name} {schema}"))
    return found


def created(crd: Object) -> list[FieldError]:
    """What a create goes through, in place."""
    BEHAVIOUR.default(crd)
    BEHAVIOUR.prepare_create(crd)
    return BEHAVIOUR.validate(crd)


def updated(old: Object, **changes: Any) -> list[FieldError]:
    """What an update goes through that changes the spec."""
    new = thaw(old)
    new["spec"] |= changes
    BEHAVIOUR.default(new)
    BEHAVIOUR.prepare_update(new, old)
    return BEHAVIOUR.validate_update(new, old)


def shown(name: str, errors: list[FieldError]) -> str:
    """What kubectl prints of the complaints."""
    if not errors:
        return ""
    head = f'The CustomResourceDefinition "{name}" is invalid: '
    texts = [str(error) for error in errors]
    if len(texts) == 1:
        return f"{head}{texts[0]}\n"
    return head + "\n" + "".join(f"* {text}\n" for text in texts)


@recorded
@pytest.mark.parametrize(("crd", "stderr"), recorded_tries())
def test_definition_when_created_gets_the_complaints_that_were_recorded(
    crd: Object, stderr: str
) -> None:
    assert shown(crd["metadata"]["name"], created(crd)) == stderr


@recorded
def test_definition_of_a_protected_group_when_created_gets_the_recorded_complaints() -> None:
    scenario = yaml.safe_load(SCENARIO.read_text())
    step = scenario["steps"][-1]
    text = step["run"].split("'")[1].replace("\\n", "\n")
    assert shown("ts.k8s.io", created(yaml.safe_load(text))) == step["stderr"]


@recorded
def test_definition_when_invalid_gets_the_status_that_was_recorded() -> None:
    http = json.loads((CASES / "http-create-crd-invalid.json").read_text())["http"]
    errors = created(json.loads(http["request_body"]))
    error = invalid_object(
        "apiextensions.k8s.io", "CustomResourceDefinition", "x.sea.example.com", errors
    )
    assert error.status() == json.loads(http["response_body"])


def boats(**version: Any) -> Object:
    """A small definition."""
    schema: Object = {"type": "object", "properties": {"spec": {"type": "object"}}}
    crd: Object = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "boats.sea.example.com", "resourceVersion": "1", "uid": "u"},
        "spec": {
            "group": "sea.example.com",
            "scope": "Namespaced",
            "names": {"plural": "boats", "kind": "Boat"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": schema},
                }
                | version
            ],
        },
    }
    return crd


def with_schema(**schema: Any) -> Object:
    return boats(schema={"openAPIV3Schema": {"type": "object"} | schema})


def established() -> Object:
    crd = boats()
    assert created(crd) == []
    condition = {"type": "Established", "status": "True"}
    crd["status"] |= {"conditions": [condition], "acceptedNames": thaw(crd["spec"]["names"])}
    return crd


def test_definition_when_defaulted_gets_its_other_names_and_a_conversion() -> None:
    crd = boats()
    assert created(crd) == []
    assert crd["spec"]["names"] == {
        "plural": "boats",
        "kind": "Boat",
        "singular": "boat",
        "listKind": "BoatList",
    }
    assert crd["spec"]["conversion"] == {"strategy": "None"}
    assert crd["status"] == {"storedVersions": ["v1"]}
    assert crd["metadata"]["generation"] == 1


CHANGES: list[tuple[Object, list[str]]] = [
    ({"scope": "Cluster"}, ['spec.scope: Invalid value: "Cluster": field is immutable']),
    (
        {"names": {"plural": "boats", "kind": "Ship"}},
        ['spec.names.kind: Invalid value: "Ship": field is immutable'],
    ),
    (
        {"group": "other.example.com"},
        ['spec.group: Invalid value: "other.example.com": field is immutable'],
    ),
    ({"names": {"plural": "boats", "kind": "Boat", "shortNames": ["b"]}}, []),
]


@pytest.mark.parametrize(("changes", "complaints"), CHANGES)
def test_established_definition_when_changed_keeps_what_the_store_depends_on(
    changes: Object, complaints: list[str]
) -> None:
    assert list(map(str, updated(established(), **changes))) == complaints


def test_definition_when_its_spec_changes_counts_a_generation_and_the_storage_version() -> None:
    old = established()
    new = thaw(old)
    second = thaw(old["spec"]["versions"][0]) | {"name": "v2"}
    new["spec"]["versions"] = [old["spec"]["versions"][0] | {"storage": False}, second]
    BEHAVIOUR.prepare_update(new, old)
    assert BEHAVIOUR.validate_update(new, old) == []
    assert new["metadata"]["generation"] == 2
    assert new["status"]["storedVersions"] == ["v1", "v2"]
    assert old["status"]["storedVersions"] == ["v1"]


def test_definition_when_a_stored_version_goes_is_refused() -> None:
    old = established()
    version = thaw(old["spec"]["versions"][0]) | {"name": "v2"}
    complaint = updated(old, versions=[version])[0]
    assert str(complaint).startswith(
        'status.storedVersions[0]: Invalid value: "v1": missing from spec.versions; v1 was'
    )


BAD: list[tuple[Object, list[str]]] = [
    (
        boats(additionalPrinterColumns=[{"name": "a", "type": "text", "jsonPath": "spec"}]),
        [
            'spec.additionalPrinterColumns[0].type: Invalid value: "text": must be one of boolean,date,integer,number,string',
            'spec.additionalPrinterColumns[0].JSONPath: Invalid value: "spec": must be a simple json path starting with .',
        ],
    ),
    (
        boats(selectableFields=[{"jsonPath": ".spec.no"}, {"jsonPath": ".spec"}]),
        [
            'spec.selectableFields[0].jsonPath: Invalid value: ".spec.no": is an invalid path: does not refer to a valid field',
            'spec.selectableFields[1].jsonPath: Invalid value: ".spec": must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
        ],
    ),
    (
        with_schema(properties={"l": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "bag"}}),
        [
            'spec.validation.openAPIV3Schema.properties[l].x-kubernetes-list-type: Unsupported value: "bag": supported values: "atomic", "set", "map"'
        ],
    ),
    (
        with_schema(
            properties={
                "l": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["a", "b"],
                    "items": {"type": "object", "properties": {"a": {"type": "string"}}},
                }
            }
        ),
        [
            'spec.validation.openAPIV3Schema.properties[l].x-kubernetes-list-map-keys: Invalid value: ["a","b"]: entries must all be names of item properties',
            "spec.validation.openAPIV3Schema.properties[l].items.properties[a].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property",
        ],
    ),
    (
        with_schema(properties={"s": {"type": "object", "properties": {"x": {"type": "string"}}, "default": {"x": "a", "y": 1}}}),
        [
            'spec.validation.openAPIV3Schema.properties[s].default: Invalid value: {"x":"a","y":1}: must not have unknown fields'
        ],
    ),
    (
        with_schema(**{"x-kubernetes-validations": [{"rule": " ", "reason": "No"}]}),
        [
            "spec.validation.openAPIV3Schema.x-kubernetes-validations[0].rule: Required value: rule is not specified",
            'spec.validation.openAPIV3Schema.x-kubernetes-validations[0].reason: Unsupported value: "No": supported values: "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"',
        ],
    ),
    (
        with_schema(
            properties={
                "l": {
                    "type": "array",
                    "maxItems": 3,
                    "items": {
                        "type": "integer",
                        "x-kubernetes-validations": [{"rule": "self >= oldSelf"}],
                    },
                }
            }
        ),
        [
            'spec.validation.openAPIV3Schema.properties[l].items.x-kubernetes-validations[0].rule: Invalid value: "self >= oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within spec.validation.openAPIV3Schema.properties[l]'
        ],
    ),
    (
        boats(subresources={"status": {}}, schema={"openAPIV3Schema": {"type": "object", "nullable": True}}),
        [
            "spec.validation.openAPIV3Schema: Invalid value: {",
            "spec.validation.openAPIV3Schema.nullable: Forbidden: nullable cannot be true at the root",
        ],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("crd", "complaints"), BAD)
def test_definition_when_wrong_is_refused(crd: Object, complaints: list[str]) -> None:
    texts = list(map(str, created(thaw(crd))))
    assert len(texts) == len(complaints)
    assert all(t.startswith(c) for t, c in zip(texts, complaints, strict=True)), texts


CONVERSIONS: list[tuple[Object, list[str]]] = [
    (
        {"strategy": "Webhook"},
        [
            "spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook",
            "spec.conversion.conversionReviewVersions: Required value",
        ],
    ),
    (
        {
            "strategy": "Webhook",
            "webhook": {
                "clientConfig": {"url": "http://u@h/?q#f"},
                "conversionReviewVersions": ["v2"],
            },
        },
        [
            "spec.conversion.webhookClientConfig.url: Invalid value: \"http\": 'https' is the only allowed URL scheme; desired format: https://host[/path]",
            'spec.conversion.webhookClientConfig.url: Invalid value: "u": user information is not permitted in the URL',
            'spec.conversion.webhookClientConfig.url: Invalid value: "f": fragments are not permitted in the URL',
            'spec.conversion.webhookClientConfig.url: Invalid value: "q": query parameters are not permitted in the URL',
            'spec.conversion.conversionReviewVersions: Invalid value: ["v2"]: must include at least one of v1, v1beta1',
        ],
    ),
    (
        {
            "strategy": "None",
            "webhook": {"clientConfig": {"service": {"name": "a", "namespace": "b"}}},
        },
        [
            "spec.conversion.webhookClientConfig: Forbidden: should not be set when strategy is not set to Webhook"
        ],
    ),
]


@pytest.mark.parametrize(("conversion", "complaints"), CONVERSIONS)
def test_conversion_when_wrong_is_refused(conversion: Object, complaints: list[str]) -> None:
    crd = boats()
    crd["spec"]["conversion"] = conversion
    assert list(map(str, created(crd))) == complaints


def test_versions_when_one_lacks_a_schema_are_told_apart() -> None:
    crd = boats()
    first = crd["spec"]["versions"][0]
    crd["spec"]["versions"].append({"name": "v1", "served": True, "storage": True})
    found = [str(error).split(": Invalid value: [{")[0] for error in created(crd)]
    assert found == [
        "spec.versions[1].schema.openAPIV3Schema: Required value",
        "spec.versions",
        "spec.versions",
        'status.storedVersions: Invalid value: ["v1"]: must have the storage version v1',
    ]
    assert first["storage"] is True


def test_definition_when_it_has_unknown_formats_is_warned_of() -> None:
    crd = with_schema(properties={"a": {"type": "string", "format": "k8s-short-name"}})
    assert BEHAVIOUR.warnings(crd, None) == []
    crd = with_schema(properties={"a": {"type": "string", "format": "odd"}})
    assert BEHAVIOUR.warnings(crd, None) == ['unrecognized format "odd"']
    assert BEHAVIOUR.warnings(crd, crd) == []
