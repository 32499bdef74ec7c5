"""The annotation in which client-side apply keeps its configuration.

When kubectl applies on the server's side, what the annotation says is no conflict, and it follows
what is applied.

Source: k8s.io/apimachinery (`util/managedfields/internal`: lastappliedmanager.go,
lastappliedupdater.go).
"""

import json
from typing import Any

from tutor.sandbox.api.managed.checking import complaint
from tutor.sandbox.api.managed.claims import claims
from tutor.sandbox.api.managed.compare import compare
from tutor.sandbox.api.managed.fields import Fields, difference
from tutor.sandbox.api.managed.ownership import Typed
from tutor.sandbox.api.metadata import ANNOTATIONS_MAX_BYTES
from tutor.sandbox.api.values import is_map
from tutor.sandbox.kinds import Object, annotations_of
from tutor.sandbox.schema.encode import encode

ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"
KUBECTL = "kubectl"
"""The one manager that these rules are for."""


def unchanged_since(live: Typed, api_version: str) -> Fields:
    """What the annotation says and the object still has; empty when there is nothing to go by."""
    config = _annotated(live.object)
    if config.get("apiVersion") != api_version or complaint(config, live.shape):
        return {}
    found = compare(config, live.object, live.shape)
    claimed = claims(config, live.shape)
    return difference(difference(claimed, found.changed), found.removed)


def _annotated(obj: Object) -> Object:
    try:
        config: Any = json.loads(annotations_of(obj).get(ANNOTATION) or "null")
    except ValueError:
        return {}
    return config if is_map(config) else {}


def follow(obj: Object, config: Object) -> Object:
    """The object with its annotation, if it has one, saying what was applied."""
    annotations = annotations_of(obj)
    if not annotations.get(ANNOTATION):
        return obj
    meta: Object = config.get("metadata") or {}
    own = dict(meta.get("annotations") or {})
    own.pop(ANNOTATION, None)
    if "annotations" in meta:
        config = config | {"metadata": meta | {"annotations": own}}
    written = annotations | {ANNOTATION: encode(config, sort_keys=True).decode() + "\n"}
    size = sum(len(key.encode()) + len(value.encode()) for key, value in written.items())
    if size > ANNOTATIONS_MAX_BYTES:
        del written[ANNOTATION]
    return obj | {"metadata": obj["metadata"] | {"annotations": written}}
