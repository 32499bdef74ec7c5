"""Bodies of requests: objects made by the server's own schemas, patches, options, and worse."""

import json
from random import Random
from typing import Any

import yaml

from tests.contract.fuzz.catalogue import Catalogue, Served
from tests.contract.fuzz.seeds import below_object, valid_object
from tests.contract.fuzz.values import anything, broken_text, mutated, scalar, word
from tutor.sandbox.api.values import is_list, is_map

NAMES = ("a", "b-1", "c", "fuzz", "x.y", "a--b", "default", "e2")
ODD_NAMES = ("A", "a_b", "-a", ".", "..", "a" * 300, "%2f", "a%00", "é", "a b", "system:x", "*")
_MAX_DEPTH = 6
_COUNTS = ("replicas", "parallelism", "completions", "minReplicas", "maxReplicas")
_JSON = "application/json"
_PATCHES = (
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/json-patch+json",
    "application/apply-patch+yaml",
)
Body = tuple[str, bytes]
"""Content type, and bytes."""


class Bodies:
    """Makes bodies for the resources of a catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def obj(self, served: Served, name: str, chance: Random) -> dict[str, Any]:
        """An object of a kind as its schema has it, more or less."""
        found = self._catalogue.by_kind.get((served.api_version, served.kind), {})
        made = self._by_schema(found, chance, 0)
        head: dict[str, Any] = {"apiVersion": served.api_version, "kind": served.kind}
        head["metadata"] = self._metadata(name, chance)
        return made | head if is_map(made) else head

    def _metadata(self, name: str, chance: Random) -> dict[str, Any]:
        made: dict[str, Any] = {"name": name}
        if chance.random() < 0.02:
            made = {"generateName": "generated-"}
        if chance.random() < 0.3:
            made["labels"] = {"app": word(chance)}
        if chance.random() < 0.05:
            made["finalizers"] = [chance.choice(("example.org/hold", "foregroundDeletion", "x"))]
        if chance.random() < 0.1:
            made[chance.choice(("annotations", "ownerReferences", "uid", "resourceVersion"))] = (
                anything(chance)
            )
        return made

    def _by_schema(self, schema: Any, chance: Random, depth: int) -> Any:
        schema = self._catalogue.resolved(schema)
        if depth > _MAX_DEPTH or chance.random() < 0.01:
            return scalar(chance)
        if schema.get("enum") and chance.random() < 0.9:
            return chance.choice(schema["enum"])
        match schema.get("type"):
            case "object":
                return self._map(schema, chance, depth)
            case "array":
                items = range(chance.choice((0, 1, 1, 2)))
                return [self._by_schema(schema["items"], chance, depth + 1) for _ in items]
            case "boolean":
                return chance.random() < 0.5
            case "integer" | "number":
                return chance.randrange(4) if chance.random() < 0.8 else scalar(chance)
            case "string":
                return word(chance)
            case _:
                return anything(chance, 2)

    def _map(self, schema: Any, chance: Random, depth: int) -> dict[str, Any]:
        needed = set(schema.get("required", ()))
        properties: dict[str, Any] = schema.get("properties", {})
        share = min(1.0, 4 / (len(properties) or 1))
        made = {
            name: self._by_schema(sub, chance, depth + 1)
            for name, sub in properties.items()
            if (name in needed and chance.random() < 0.97) or chance.random() < share
        }
        if extra := schema.get("additionalProperties"):
            made |= {word(chance): self._by_schema(extra, chance, depth + 1)}
        return made

    def body(self, served: Served, subresource: str, name: str, chance: Random) -> Body:
        """What is written to a resource."""
        if subresource and chance.random() < 0.7:
            return encoded(mutated(below_object(subresource, name), chance), chance)
        obj = self.obj(served, name, chance)
        base = valid_object(served, name)
        if base is not None and chance.random() < 0.6:
            obj = base if chance.random() < 0.4 else mutated(base, chance)
        return encoded(_few(obj), chance)

    def patch(self, served: Served, name: str, chance: Random) -> Body:
        """A patch of one of the four kinds, for a document of its own or another kind."""
        media = chance.choice(_PATCHES) if chance.random() < 0.95 else word(chance)
        obj = valid_object(served, name) or self.obj(served, name, chance)
        if chance.random() < 0.6:
            obj = mutated(obj, chance)
        content: Any = _few(obj)
        if "json-patch" in media and chance.random() < 0.9:
            content = [_operation(chance) for _ in range(chance.randrange(4))]
        made = json.dumps(content).encode()
        return media, broken_text(made, chance) if chance.random() < 0.1 else made

    def options(self, chance: Random) -> Body:
        """The body of a DELETE."""
        options: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions"}
        policy = chance.choice(("Orphan", "Background", "Foreground", "x", None))
        options |= {"propagationPolicy": policy, "gracePeriodSeconds": chance.choice((0, 1, -1))}
        if chance.random() < 0.3:
            options = mutated(options, chance)
        return encoded(options, chance)


def encoded(content: Any, chance: Random) -> Body:
    """A document in one of the forms that a server reads, sometimes damaged."""
    form = chance.random()
    if form < 0.75:
        media, text = _JSON, json.dumps(content).encode()
    elif form < 0.87:
        media, text = "application/yaml", yaml.safe_dump(content).encode()
    elif form < 0.92:
        media, text = "application/vnd.kubernetes.protobuf", b"k8s\x00" + chance.randbytes(40)
    else:
        media, text = chance.choice(("", "text/plain", "*/*", "application/cbor", _JSON)), b"{}"
    return media, broken_text(text, chance) if chance.random() < 0.15 else text


def _operation(chance: Random) -> Any:
    kind = chance.choice(("add", "remove", "replace", "move", "copy", "test", "x"))
    path = chance.choice(
        ("", "/", "/metadata/labels", "/data/a", "/spec/0", "/a~2", "/spec/-", "x")
    )
    made = {"op": kind, "path": path, "value": anything(chance)}
    if kind in ("move", "copy"):
        made["from"] = chance.choice(("/metadata", "/spec", "/data", "", "/none"))
    return mutated(made, chance) if chance.random() < 0.2 else made


def _few(obj: Any) -> Any:
    """Numbers of pods that the machine can bear: what they mean is not what is tried here."""
    if is_map(obj):
        return {
            key: min(value, 3) if key in _COUNTS and isinstance(value, int) else _few(value)
            for key, value in obj.items()
        }
    return [_few(item) for item in obj] if is_list(obj) else obj
