"""The manifests and the reference, as the tests of this folder read them."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

import tutor.sandbox.components

COMPONENTS = Path(tutor.sandbox.components.__path__[0])
REFERENCE = Path(__file__).resolve().parents[4] / "shared" / "reference"

INSTALLED = (
    "certmanager/cert-manager.yaml",
    "concierge/install-pinniped-concierge-crds.yaml",
    "concierge/install-pinniped-concierge-resources.yaml",
    "contour/contour.yaml",
    "localuser/install-local-user-authenticator.yaml",
)

Object = dict[str, Any]


def manifest(name: str) -> Path:
    """Where a manifest such as `contour/contour.yaml` lies."""
    component, file = name.split("/")
    return COMPONENTS / component / "manifests" / file


def documents(text: str) -> list[Object]:
    """The objects of a file in its order; the C parser, since cert-manager's has 3800 lines."""
    return [item for item in yaml.load_all(text, yaml.CSafeLoader) if item]


@cache
def objects(name: str) -> list[Object]:
    return documents(manifest(name).read_text())


def find(name: str, kind: str, object_name: str) -> Object:
    (found,) = [
        item
        for item in objects(name)
        if item["kind"] == kind and item["metadata"]["name"] == object_name
    ]
    return found


def apply_line(item: Object) -> str:
    """What kubectl prints for an object, without the verb."""
    group, _, version = item["apiVersion"].rpartition("/")
    assert version
    kind = item["kind"].lower() + (f".{group}" if group else "")
    return f"{kind}/{item['metadata']['name']}"


def schemas(schema: Object, path: str = "") -> Iterator[tuple[str, Object]]:
    """Each node of a schema, with its path, such as `.spec.tcpproxy.services[].port`."""
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from schemas(child, f"{path}.{name}")
    for key, mark in (("items", "[]"), ("additionalProperties", "{}")):
        if isinstance(schema.get(key), dict):
            yield from schemas(schema[key], path + mark)


def reference(name: str) -> str:
    """One file of the reference; the test is skipped where the reference is not at hand."""
    path = REFERENCE / name
    if not path.is_file():
        pytest.skip(f"the reference is not beside this checkout: {path}")
    return path.read_text()


def section(text: str, heading: str) -> str:
    """The text under a heading, up to the next heading of the same or a higher level."""
    level = heading.split(" ", 1)[0]
    start = text.index(f"\n{heading}") + 1
    following = re.compile(rf"^#{{1,{len(level)}}} ", re.MULTILINE).search(text, start + 1)
    return text[start : following.start() if following else None]
