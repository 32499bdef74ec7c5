"""Tables against those of a real API server.

The recordings hold Tables, and many of the objects behind them in other answers. What was never
recorded whole is put together from the row's own metadata and `recorded_objects.yaml` beside this.
Ages need no tolerance: the answer's Date header says when the row was made.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tutor.sandbox.api.tables import columns, table
from tutor.sandbox.api.values import is_list, is_map
from tutor.sandbox.kinds import Kind, Object

GOLDENS = Path(__file__).resolve().parents[4] / "shared" / "goldens"

pytestmark = pytest.mark.skipif(
    not GOLDENS.is_dir(), reason="the recordings (../shared/goldens) are not beside this checkout"
)

TABLES = sorted(
    path.stem
    for pattern in ("http-table-*", "http-list-table-limit", "http-deprecated-componentstatuses")
    for path in GOLDENS.glob(f"cases/{pattern}.json")
    if path.stem != "http-table-include-none"
)

_PATH = re.compile(r"/(?:api/v1|apis/([^/]+)/[^/]+)(?:/namespaces/[^/]+)?/([^/?]+)")
_TIMES = ("Age", "Last Seen", "First Seen")


def _column(name: str, path: str, type_: str = "string", priority: int = 0) -> Object:
    return {"name": name, "type": type_, "jsonPath": path, "priority": priority}


_READY = '.status.conditions[?(@.type=="Ready")]'
_AGE = _column("Age", ".metadata.creationTimestamp", "date")

CUSTOM: dict[str, list[Object]] = {
    "certificates": [
        _column("Ready", f"{_READY}.status"),
        _column("Secret", ".spec.secretName"),
        _column("Issuer", ".spec.issuerRef.name", priority=1),
        _column("Status", f"{_READY}.message", priority=1),
        _AGE,
    ],
    "clusterissuers": [
        _column("Ready", f"{_READY}.status"),
        _column("Status", f"{_READY}.message", priority=1),
        _AGE,
    ],
    "credentialissuers": [
        _column("ProxyMode", ".spec.impersonationProxy.mode"),
        _column("DefaultStrategy", '.status.strategies[?(@.status == "Success")].type'),
        _AGE,
    ],
    "webhookauthenticators": [_column("Endpoint", ".spec.endpoint"), _AGE],
    "httpproxies": [
        _column("FQDN", ".spec.virtualhost.fqdn"),
        _column("TLS Secret", ".spec.virtualhost.tls.secretName"),
        _column("Status", ".status.currentStatus"),
        _column("Status Description", ".status.description"),
    ],
}


# Their rows show nothing but metadata (a Namespace is Active unless its status says otherwise).
METADATA_ONLY = frozenset(
    {"clusterroles", "customresourcedefinitions", "namespaces", "roles", "serviceaccounts"}
)


def _exchanges(node: Any) -> Iterator[Object]:
    """Every recorded request and answer of a case."""
    if is_map(node) and "method" in node and "path" in node:
        yield node
    for value in node.values() if is_map(node) else node if is_list(node) else ():
        yield from _exchanges(value)


def _answers(exchange: Object) -> Iterator[Object]:
    """The JSON documents of an answer; of a watch, the objects of its events."""
    body = exchange.get("response_body") or ""
    if "response_body_ref" in exchange:
        body = (GOLDENS / exchange["response_body_ref"]).read_text()
    stream = "".join(chunk["data"] for chunk in exchange.get("stream") or ())
    for text in (body, *stream.splitlines()):
        if text.startswith("{"):
            document: Object = json.loads(text)
            yield document["object"] if document.keys() == {"type", "object"} else document


def _whole(answer: Object) -> Iterator[Object]:
    """The objects in an answer that are there with all their fields."""
    kind = answer.get("kind", "")
    if kind == "Table":
        for row in answer["rows"]:
            yield from _whole(row["object"] or {})
    elif "items" in answer:
        yield from answer["items"] or ()
    elif kind != "PartialObjectMetadata":
        yield answer


def _version(obj: Object | None) -> tuple[str, str]:
    """UID and resource version, which tell recorded objects apart."""
    metadata: Object = (obj or {}).get("metadata") or {}
    return metadata.get("uid", ""), metadata.get("resourceVersion", "")


@cache
def _cases() -> dict[str, list[Object]]:
    paths = sorted(GOLDENS.glob("cases/*.json"))
    return {path.stem: list(_exchanges(json.loads(path.read_text()))) for path in paths}


@cache
def _recorded() -> dict[tuple[str, str], Object]:
    return {
        _version(obj): obj
        for exchanges in _cases().values()
        for exchange in exchanges
        for answer in _answers(exchange)
        for obj in _whole(answer)
        if all(_version(obj))
    }


@cache
def _built() -> dict[str, dict[str, Object]]:
    return yaml.safe_load(Path(__file__).with_name("recorded_objects.yaml").read_text())


@cache
def _declared(plural: str) -> list[Object] | None:
    """The columns that the CRD declares; None for kinds that no CRD serves."""
    if plural == "seals":
        files = json.loads((GOLDENS / "cases" / "apply-crd.json").read_text())["files"]
        (version,) = yaml.safe_load(files["harbor-crd.yaml"])["spec"]["versions"]
        return version["additionalPrinterColumns"]
    return CUSTOM.get(plural)


def _kind(path: str) -> Kind:
    matched = _PATH.match(path)
    assert matched, path
    return Kind(
        group=matched[1] or "",
        version="v1",
        kind="",
        plural=matched[2],
        singular="",
        namespaced=True,
        verbs=(),
        custom=_declared(matched[2]) is not None,
    )


def _object(kind: Kind, row: Object) -> Object:
    whole = _recorded().get(_version(row["object"]))
    if whole is not None:
        return whole
    metadata = row["object"]["metadata"]
    fields = {} if kind.plural in METADATA_ONLY else _built()[kind.plural][metadata["name"]]
    return {"metadata": metadata, **fields}


def _without_descriptions(found: Object) -> Object:
    definitions = found["columnDefinitions"] or ()
    return found | {"columnDefinitions": [{**one, "description": ""} for one in definitions]}


def _differences(kind: Kind, obj: Object, row: Object) -> dict[str, tuple[Any, Any]]:
    """Cells that are not the recorded ones, but for ages: these answers have no Date header."""
    shown = columns(kind, _declared(kind.plural) or ())
    now = datetime(2026, 11, 24, tzinfo=UTC)
    made = table(kind, [obj], shown, include="None", now=now, list_meta={})
    cells = zip(shown, made["rows"][0]["cells"], row["cells"], strict=True)
    return {
        one.name: (ours, real)
        for one, ours, real in cells
        if ours != real and one.name not in _TIMES
    }


@pytest.mark.parametrize("case", TABLES)
def test_table_is_that_of_the_real_server_when_asked_the_same(case: str) -> None:
    (exchange,) = _cases()[case]
    (recorded,) = _answers(exchange)
    kind = _kind(exchange["path"])

    made = table(
        kind,
        [_object(kind, row) for row in recorded["rows"]],
        columns(kind, _declared(kind.plural) or ()),
        include="Object" if "includeObject=Object" in exchange["path"] else "Metadata",
        now=parsedate_to_datetime(exchange["response_headers"]["Date"]),
        list_meta=recorded["metadata"],
    )

    assert _without_descriptions(made) == _without_descriptions(recorded)


def test_table_is_that_of_the_real_server_when_no_objects_are_wanted() -> None:
    (exchange,) = _cases()["http-table-include-none"]
    (recorded,) = _answers(exchange)
    (with_metadata,) = _answers(_cases()["http-table-clusterissuers"][0])
    kind = _kind(exchange["path"])

    made = table(
        kind,
        [_object(kind, row) for row in with_metadata["rows"]],
        columns(kind, CUSTOM["clusterissuers"]),
        include="None",
        now=parsedate_to_datetime(exchange["response_headers"]["Date"]),
        list_meta=recorded["metadata"],
    )

    assert _without_descriptions(made) == _without_descriptions(recorded)


def test_cells_are_those_of_the_real_server_when_the_object_was_recorded_too() -> None:
    rows = [
        (case, _kind(exchange["path"]), _recorded()[_version(row["object"])], row)
        for case, exchanges in _cases().items()
        for exchange in exchanges
        for answer in _answers(exchange)
        if answer.get("kind") == "Table"
        for row in answer["rows"]
        if _version(row["object"]) in _recorded()
    ]

    assert [
        (case, found) for case, kind, obj, row in rows if (found := _differences(kind, obj, row))
    ] == []
    assert len(rows) > 200
