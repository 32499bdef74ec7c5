"""Objects that a server takes: what is mutated to get past the first checks."""

from collections.abc import Callable
from typing import Any

from tests.contract.fuzz.catalogue import Served


def _pod(_name: str) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": "c", "image": "example.org/app:1"}]}}


def _workload(name: str) -> dict[str, Any]:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, **_pod(name)}
    return {"spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}}


def _daemon(name: str) -> dict[str, Any]:
    made = _workload(name)
    del made["spec"]["replicas"]
    return made


def _job(name: str) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"restartPolicy": "Never", **_pod(name)["spec"]}}}}


def _service(name: str) -> dict[str, Any]:
    return {"spec": {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": 8080}]}}


def _role(_name: str) -> dict[str, Any]:
    return {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}


def _binding(name: str) -> dict[str, Any]:
    group = "rbac.authorization.k8s.io"
    return {
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": name},
        "subjects": [{"apiGroup": group, "kind": "User", "name": name}],
    }


def _definition(_name: str) -> dict[str, Any]:
    properties = {"size": {"type": "integer", "minimum": 1, "default": 3}}
    rules = [{"rule": "self.size < 10", "message": "too large"}]
    spec = {"type": "object", "properties": properties, "x-kubernetes-validations": rules}
    whole = {"type": "object", "properties": {"spec": spec}}
    version: dict[str, Any] = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": whole},
        "subresources": {"status": {}},
    }
    return {
        "metadata": {"name": "things.fuzz.example.org"},
        "spec": {
            "group": "fuzz.example.org",
            "names": {"kind": "Thing", "plural": "things"},
            "scope": "Namespaced",
            "versions": [version],
        },
    }


def _api_service(_name: str) -> dict[str, Any]:
    return {
        "metadata": {"name": "v1.gone.example.org"},
        "spec": {
            "group": "gone.example.org",
            "version": "v1",
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "insecureSkipTLSVerify": True,
            "service": {"namespace": "default", "name": "gone"},
        },
    }


VALID: dict[str, Callable[[str], dict[str, Any]]] = {
    "configmaps": lambda name: {"data": {"a": name}},
    "secrets": lambda _: {"data": {"a": "YWJj"}, "type": "Opaque"},
    "pods": _pod,
    "deployments": _workload,
    "replicasets": _workload,
    "statefulsets": _workload,
    "daemonsets": _daemon,
    "jobs": _job,
    "services": _service,
    "roles": _role,
    "clusterroles": _role,
    "rolebindings": _binding,
    "clusterrolebindings": _binding,
    "customresourcedefinitions": _definition,
    "apiservices": _api_service,
    "things": lambda _: {"spec": {"size": 2}},
    "subjectaccessreviews": lambda name: {
        "spec": {"user": name, "resourceAttributes": {"verb": "get", "resource": "pods"}}
    },
    "tokenreviews": lambda name: {"spec": {"token": name}},
    "leases": lambda name: {"spec": {"holderIdentity": name}},
    "priorityclasses": lambda _: {"value": 5},
    "limitranges": lambda _: {"spec": {"limits": [{"type": "Container", "default": {"cpu": "1"}}]}},
}


def valid_object(served: Served, name: str) -> dict[str, Any] | None:
    """A valid object of a kind; None where there is no seed."""
    make = VALID.get(served.name)
    if make is None:
        return None
    head = {"apiVersion": served.api_version, "kind": served.kind, "metadata": {"name": name}}
    return head | make(name)


def below_object(subresource: str, name: str) -> dict[str, Any]:
    """What is written to a path below an object."""
    match subresource:
        case "scale":
            return {"metadata": {"name": name}, "spec": {"replicas": 2}}
        case "token":
            return {"spec": {"audiences": ["x"], "expirationSeconds": 600}}
        case "eviction":
            return {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
        case "binding":
            return {"metadata": {"name": name}, "target": {"kind": "Node", "name": "x"}}
        case _:
            return {"metadata": {"name": name}, "status": {"conditions": []}, "spec": {}}
