"""The form of Tables, and custom resources. Forms: the recordings of `http-table-*`."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tutor.sandbox.api.tables import columns, table
from tutor.sandbox.kinds import Kind, Object

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def kind(name: str, plural: str, group: str = "", *, custom: bool = False) -> Kind:
    return Kind(
        group=group,
        version="v1",
        kind=name,
        plural=plural,
        singular=name.lower(),
        namespaced=True,
        verbs=(),
        custom=custom,
    )


SECRET = kind("Secret", "secrets")
SEAL = kind("Seal", "seals", "sea.example.com", custom=True)


def secret(name: str) -> Object:
    return {
        "metadata": {"name": name, "creationTimestamp": "2026-11-23T11:59:00Z"},
        "type": "Opaque",
        "data": {"a": "", "b": ""},
    }


def seal_cells(declared: list[Object], obj: Object) -> list[Any]:
    found = table(SEAL, [obj], columns(SEAL, declared), include="None", now=NOW, list_meta={})
    return found["rows"][0]["cells"]


def test_table_of_a_list_has_the_servers_form_and_order_of_fields() -> None:
    made = table(
        SECRET,
        [secret("one")],
        columns(SECRET, ()),
        include="Metadata",
        now=NOW,
        list_meta={"remainingItemCount": 2, "continue": "token", "resourceVersion": "7"},
    )

    assert list(made) == ["kind", "apiVersion", "metadata", "columnDefinitions", "rows"]
    assert (made["kind"], made["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    assert list(made["metadata"].items()) == [
        ("resourceVersion", "7"),
        ("continue", "token"),
        ("remainingItemCount", 2),
    ]
    assert [one["name"] for one in made["columnDefinitions"]] == ["Name", "Type", "Data", "Age"]
    assert list(made["columnDefinitions"][0]) == [
        *("name", "type", "format", "description", "priority")
    ]
    assert made["rows"] == [
        {
            "cells": ["one", "Opaque", 2, "60s"],
            "object": {
                "kind": "PartialObjectMetadata",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": secret("one")["metadata"],
            },
        }
    ]


def test_table_leaves_objects_out_when_none_are_wanted() -> None:
    made = table(
        SECRET, [secret("one")], columns(SECRET, ()), include="None", now=NOW, list_meta={}
    )

    assert made["rows"][0]["object"] is None


def test_table_names_the_kind_of_whole_objects() -> None:
    made = table(
        SECRET, [secret("one")], columns(SECRET, ()), include="Object", now=NOW, list_meta={}
    )

    assert made["rows"][0]["object"] == {"kind": "Secret", "apiVersion": "v1"} | secret("one")


def test_table_has_no_definitions_when_a_watch_has_sent_them() -> None:
    made = table(
        SECRET,
        [secret("one")],
        columns(SECRET, ()),
        include="Metadata",
        now=NOW,
        list_meta={"resourceVersion": "8"},
        with_columns=False,
    )

    assert made["columnDefinitions"] is None
    assert made["rows"][0]["cells"][0] == "one"


def test_table_of_an_empty_list_has_columns_and_no_rows() -> None:
    made = table(SECRET, [], columns(SECRET, ()), include="Metadata", now=NOW, list_meta={})

    assert made["rows"] == []
    assert len(made["columnDefinitions"]) == 4


def test_table_shows_the_creation_time_when_a_kind_has_no_columns() -> None:
    role = kind("Role", "roles", "rbac.authorization.k8s.io")

    made = table(role, [secret("reader")], columns(role, ()), include="None", now=NOW, list_meta={})

    shown = [(one["name"], one["type"]) for one in made["columnDefinitions"]]
    assert shown == [("Name", "string"), ("Created At", "date")]
    assert made["rows"][0]["cells"] == ["reader", "2026-11-23T11:59:00Z"]


def test_table_orders_flow_schemas_by_precedence() -> None:
    schemas = kind("FlowSchema", "flowschemas", "flowcontrol.apiserver.k8s.io")
    found = [
        {"metadata": {"name": name}, "spec": {"matchingPrecedence": precedence}}
        for name, precedence in (("exempt", 1), ("global", 9900), ("b", 500), ("a", 500))
    ]

    made = table(schemas, found, columns(schemas, ()), include="None", now=NOW, list_meta={})

    assert [row["cells"][0] for row in made["rows"]] == ["exempt", "a", "b", "global"]


def test_table_does_not_change_the_objects() -> None:
    obj = secret("one")

    table(SECRET, [obj], columns(SECRET, ()), include="Object", now=NOW, list_meta={})

    assert obj == secret("one")


def test_columns_of_a_custom_kind_are_name_and_age_when_it_declares_none() -> None:
    shown = [(one.name, one.type, one.format, one.priority) for one in columns(SEAL, ())]

    assert shown == [("Name", "string", "name", 0), ("Age", "date", "", 0)]
    assert seal_cells([], secret("sammy")) == ["sammy", "60s"]


def test_columns_of_a_custom_kind_carry_what_is_declared() -> None:
    declared = {
        "name": "Size",
        "type": "integer",
        "format": "int32",
        "priority": 1,
        "description": "How big.",
        "jsonPath": ".spec.size",
    }

    assert columns(SEAL, [declared])[1].definition() == {
        "name": "Size",
        "type": "integer",
        "format": "int32",
        "description": "How big.",
        "priority": 1,
    }


def test_columns_of_a_custom_kind_end_at_a_path_that_cannot_be_read() -> None:
    declared = [
        {"name": name, "type": "string", "jsonPath": path}
        for name, path in (("A", ".spec.a"), ("B", ".spec["), ("C", ".spec.c"))
    ]

    assert [one.name for one in columns(SEAL, declared)] == ["Name", "A"]


@pytest.mark.parametrize(
    ("type_", "value", "cell"),
    [
        ("string", "x", "x"),
        ("string", 5, "5"),
        ("string", 7.5, "7.5"),
        ("string", 7.0, "7"),
        ("string", 1e-7, "1e-07"),
        ("string", True, "true"),
        ("string", None, "<no value>"),
        ("string", {"b": [1, None], "a": "<&>"}, r'{"a":"\u003c\u0026\u003e","b":[1,null]}'),
        ("integer", 12, 12),
        ("integer", 7.9, 7),
        ("integer", 1e19, -(2**63)),
        ("integer", "12", None),
        ("integer", True, None),
        ("integer", None, None),
        ("number", 7.5, 7.5),
        ("number", 7, 7),
        ("number", "7.5", None),
        ("boolean", False, False),
        ("boolean", "no", None),
        ("date", "2020-01-01T00:00:00Z", "6y328d"),
        ("date", "2026-11-23T13:00:00+02:00", "60m"),
        ("date", "2026-11-23T11:59:30.5Z", "29s"),
        ("date", "2999-01-01T00:00:00Z", "<invalid>"),
        ("date", "2020-01-01", "<invalid>"),
        ("date", "2020-13-01T00:00:00Z", "<invalid>"),
        ("date", "", "<unknown>"),
        ("date", 5, None),
    ],
)
def test_cell_of_a_custom_resource_is_printed_by_the_columns_type(
    type_: str, value: Any, cell: Any
) -> None:
    declared = {"name": "C", "type": type_, "jsonPath": ".spec.x"}

    shown = seal_cells([declared], {"metadata": {"name": "sammy"}, "spec": {"x": value}})[1]

    assert shown == cell
    assert type(shown) is type(cell)


@pytest.mark.parametrize("path", [".spec.nope", ".spec.list[5]", ".spec.list[?(@.a==1)]"])
def test_cell_of_a_custom_resource_is_null_when_the_path_finds_nothing(path: str) -> None:
    declared = {"name": "C", "type": "string", "jsonPath": path}
    obj = {"metadata": {"name": "sammy"}, "spec": {"list": [{"a": "x"}]}}

    assert seal_cells([declared], obj)[1] is None


def test_cell_of_a_custom_resource_shows_the_first_of_several_matches() -> None:
    declared = {
        "name": "DefaultStrategy",
        "type": "string",
        "jsonPath": '.status.strategies[?(@.status == "Success")].type',
    }
    strategies = [
        {"type": "KubeClusterSigningCertificate", "status": "Success"},
        {"type": "ImpersonationProxy", "status": "Success"},
    ]
    obj = {"metadata": {"name": "config"}, "status": {"strategies": strategies}}

    assert seal_cells([declared], obj)[1] == "KubeClusterSigningCertificate"
