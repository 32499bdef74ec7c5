"""Bodies that the recordings leave out for their size: a manifest as kubectl sends it."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.contract.goldens.recordings import LAST_APPLIED, Case, last_applied

_MANIFESTS = Path(__file__).resolve().parents[3] / "tutor" / "sandbox" / "components"
_KINDS = {
    "configmaps": "ConfigMap",
    "customresourcedefinitions": "CustomResourceDefinition",
    "daemonsets": "DaemonSet",
    "deployments": "Deployment",
}


def body_of(case: Case, index: int) -> bytes:
    """The body of a request of `kubectl apply` that creates what it has asked for before."""
    plural = case.exchanges[index].path.partition("?")[0].rpartition("/")[2]
    asked = (exchange.path.split("/") for exchange in reversed(case.exchanges[:index]))
    kind, name = _KINDS[plural], next(parts[-1] for parts in asked if parts[-2] == plural)
    text = last_applied().get((kind, name))
    if text is None:
        obj = _manifests()[kind, name]
        obj["metadata"].setdefault("annotations", {})
        text = f"{_compact(obj)}\n"
    obj = json.loads(text)
    obj["metadata"].setdefault("annotations", {})[LAST_APPLIED] = text
    return _compact(obj).encode()


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


@cache
def _manifests() -> dict[tuple[str, str], dict[str, Any]]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for path in _MANIFESTS.glob("*/manifests/*.yaml"):
        for obj in yaml.load_all(path.read_text(), Loader=yaml.CSafeLoader):
            if obj and obj.get("kind") == "CustomResourceDefinition":
                found[obj["kind"], obj["metadata"]["name"]] = obj
    return found
