"""Write what a plain 1.36 server serves as data: groups, versions, resources, subresources.

usage: generate_resources.py RECORDINGS KUBERNETES

RECORDINGS is the folder of recorded requests (cases/, bodies/), KUBERNETES that of the Go module
k8s.io/kubernetes: API service priorities are in no discovery document, and the recordings lack some
storage version hashes. Groups that custom resources brought into the recordings are left out: the
Go module does not name them.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).resolve().parents[1] / "tutor/sandbox/schema/data/resources.json"
PRIORITY = re.compile(r'\{Group: "([^"]*)", Version: "(\w+)"\}:\s+\{Group: (\d+), Version: (\d+)\}')
# The aggregator serves its own group, without an APIService.
UNREGISTERED = {("apiregistration.k8s.io", "v1"): (0, 0)}


def main() -> None:
    """Read recordings and priorities, write the data file."""
    recordings, kubernetes = map(Path, sys.argv[1:])
    priorities = UNREGISTERED | {
        (m[1], m[2]): (int(m[3]), int(m[4]))
        for name in (
            "pkg/controlplane/apiserver/aggregator.go",
            "cmd/kube-apiserver/app/aggregator.go",
        )
        for m in PRIORITY.finditer((kubernetes / name).read_text())
    }
    hashes = storage_hashes(kubernetes)
    groups = [
        group
        for case in ("http-api-aggregated", "http-apis-aggregated")
        for item in recorded(recordings, case)["items"]
        if (group := group_of(item, priorities, hashes))["versions"]
    ]
    TARGET.write_text(
        "[" + ",\n".join(json.dumps(g, separators=(",", ":")) for g in groups) + "]\n"
    )
    print(f"{TARGET.name}: {len(groups)} groups, {TARGET.stat().st_size} bytes")


def recorded(recordings: Path, case: str) -> Any:
    """The body that a recorded plain request was answered with."""
    http = json.loads((recordings / "cases" / f"{case}.json").read_text())["http"]
    body = http.get("response_body") or (recordings / http["response_body_ref"]).read_text()
    return json.loads(body)


def storage_hashes(kubernetes: Path) -> dict[tuple[str, str], str]:
    """(group version, resource) to hash, from the module's own discovery documents."""
    lists = [
        json.loads(path.read_text()) for path in kubernetes.glob("api/discovery/api*__v*.json")
    ]
    return {
        (d["groupVersion"], r["name"]): r["storageVersionHash"]
        for d in lists
        for r in d["resources"]
        if "storageVersionHash" in r
    }


def group_of(
    item: dict[str, Any],
    priorities: dict[tuple[str, str], tuple[int, int]],
    hashes: dict[tuple[str, str], str],
) -> dict[str, Any]:
    """One group of an aggregated document, with the versions that are built in."""
    name = item["metadata"].get("name", "")
    built_in = [v for v in item["versions"] if (name, v["version"]) in priorities]
    return {
        "group": name,
        "priority": max((priorities[name, v["version"]][0] for v in built_in), default=0),
        "versions": [
            {
                "version": v["version"],
                "priority": priorities[name, v["version"]][1],
                "resources": [
                    resource_of(
                        r, hashes.get((f"{name}/{v['version']}".lstrip("/"), r["resource"]))
                    )
                    for r in v["resources"]
                ],
            }
            for v in built_in
        ],
    }


def resource_of(item: dict[str, Any], storage_hash: str | None) -> dict[str, Any]:
    """One resource, empty fields left out."""
    described = {
        "name": item["resource"],
        "kind": item["responseKind"]["kind"],
        "singular": item["singularResource"],
        "namespaced": item["scope"] == "Namespaced",
        "verbs": item["verbs"],
        "short_names": item.get("shortNames"),
        "categories": item.get("categories"),
        "hash": storage_hash,
        "subresources": [
            {"name": s["subresource"], "verbs": s["verbs"]}
            | {key: value for key, value in s["responseKind"].items() if value}
            for s in item.get("subresources", ())
        ],
    }
    return {key: value for key, value in described.items() if value not in (None, [])}


if __name__ == "__main__":
    main()
