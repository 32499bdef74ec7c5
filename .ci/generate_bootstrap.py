"""Write the default RBAC objects of kube-apiserver as data.

usage: generate_bootstrap.py KUBERNETES_SOURCE OUTPUT.json

The objects are read from the golden files that Kubernetes' own tests compare its policy with
(plugin/pkg/auth/authorizer/rbac/bootstrappolicy/testdata).
"""

import json
import sys
from pathlib import Path

import yaml

_FILES = (
    "cluster-roles.yaml",
    "controller-roles.yaml",
    "cluster-role-bindings.yaml",
    "controller-role-bindings.yaml",
    "namespace-roles.yaml",
    "namespace-role-bindings.yaml",
)


def items(source: Path) -> list[dict[str, object]]:
    """Every object of the policy, without fields that are null."""
    found: list[dict[str, object]] = []
    for name in _FILES:
        for document in yaml.safe_load_all((source / name).read_text()):
            for item in document["items"]:
                item["metadata"].pop("creationTimestamp", None)
                found.append({key: value for key, value in item.items() if value is not None})
    return found


def main() -> None:
    """Read the sources and write the data."""
    source = Path(sys.argv[1]) / "plugin/pkg/auth/authorizer/rbac/bootstrappolicy/testdata"
    objects = items(source)
    Path(sys.argv[2]).write_text(json.dumps(objects, separators=(",", ":"), sort_keys=True) + "\n")
    print(f"{len(objects)} objects")


if __name__ == "__main__":
    main()
