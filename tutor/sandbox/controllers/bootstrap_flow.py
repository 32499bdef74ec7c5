"""The flow schemas and priority levels that an API server puts into an empty cluster.

Source: apiserver's `pkg/apis/flowcontrol/bootstrap` for names, numbers and who belongs where.
"""

from collections.abc import Iterator, Sequence

from tutor.sandbox.controllers.flow_schemas import dangling
from tutor.sandbox.kinds import Object

_VERSION = "flowcontrol.apiserver.k8s.io/v1"
_AUTO_UPDATE = {"apf.kubernetes.io/autoupdate-spec": "true"}
_LEADERS = ("get", "create", "update")
_PROBES = ("/healthz", "/readyz", "/livez")
_EVERYBODY = ("system:unauthenticated", "system:authenticated")
_USER, _NAMESPACE = "ByUser", "ByNamespace"
_QUEUED = (
    # name, shares, lendable percent, queues, hand size
    ("system", 30, 33, 64, 6),
    ("node-high", 40, 25, 64, 6),
    ("leader-election", 10, 0, 16, 4),
    ("workload-high", 40, 50, 128, 6),
    ("workload-low", 100, 90, 128, 6),
    ("global-default", 20, 50, 128, 6),
)
_QUEUE_LENGTH = 50


def objects(since: str) -> Iterator[Object]:
    """All of them. `since` is when the schemas were found to have their levels."""
    yield _level("exempt", {"type": "Exempt", "exempt": _shares(0, 0)})
    rejecting = {**_shares(5, 0), "limitResponse": {"type": "Reject"}}
    yield _level("catch-all", {"type": "Limited", "limited": rejecting})
    for name, shares, lendable, queues, hand in _QUEUED:
        queuing = {"queues": queues, "handSize": hand, "queueLengthLimit": _QUEUE_LENGTH}
        response = {"type": "Queue", "queuing": queuing}
        limited = {**_shares(shares, lendable), "limitResponse": response}
        yield _level(name, {"type": "Limited", "limited": limited})
    for schema in _schemas():
        yield schema | {"status": {"conditions": [_found(schema, since)]}}


def _shares(shares: int, lendable: int) -> Object:
    return {"nominalConcurrencyShares": shares, "lendablePercent": lendable}


def _level(name: str, spec: Object) -> Object:
    meta = {"name": name, "annotations": _AUTO_UPDATE}
    kind = "PriorityLevelConfiguration"
    return {"apiVersion": _VERSION, "kind": kind, "metadata": meta, "spec": spec}


def _schemas() -> Iterator[Object]:
    controllers = _users("system:kube-controller-manager")
    scheduler = _users("system:kube-scheduler")
    accounts = [
        {
            "kind": "ServiceAccount",
            "serviceAccount": {"namespace": "kube-system", "name": "*"},
        }
    ]
    nodes, everybody = _groups("system:nodes"), _groups(*_EVERYBODY)
    leases = _resources(_LEADERS, "coordination.k8s.io", ("leases",), cluster=False)
    health = (
        _resources(("*",), "", ("nodes", "nodes/status")),
        _resources(("*",), "coordination.k8s.io", ("leases",), cluster=False),
    )
    yield _everything("exempt", "exempt", 1, _groups("system:masters"))
    yield _schema("probes", "exempt", 2, everybody, paths=(_paths(("get",), _PROBES),))
    yield _schema(
        "system-leader-election",
        "leader-election",
        100,
        [*controllers, *scheduler, *accounts],
        by=_USER,
        resources=(leases,),
    )
    yield _schema("system-node-high", "node-high", 400, nodes, by=_USER, resources=health)
    yield _everything("system-nodes", "system", 500, nodes, by=_USER)
    workloads = (
        ("kube-controller-manager", 800, controllers),
        ("kube-scheduler", 800, scheduler),
        ("kube-system-service-accounts", 900, accounts),
    )
    for name, precedence, who in workloads:
        yield _everything(name, "workload-high", precedence, who, by=_NAMESPACE)
    others = _groups("system:serviceaccounts")
    yield _everything("service-accounts", "workload-low", 9000, others, by=_USER)
    yield _everything("global-default", "global-default", 9900, everybody, by=_USER)
    yield _everything("catch-all", "catch-all", 10000, everybody, by=_USER)


def _everything(
    name: str, level: str, precedence: int, who: Sequence[Object], *, by: str = ""
) -> Object:
    resources = (_resources(("*",), "*", ("*",)),)
    paths = (_paths(("*",), ("*",)),)
    return _schema(name, level, precedence, who, by=by, resources=resources, paths=paths)


def _schema(
    name: str,
    level: str,
    precedence: int,
    who: Sequence[Object],
    *,
    by: str = "",
    resources: Sequence[Object] = (),
    paths: Sequence[Object] = (),
) -> Object:
    rule: Object = {"subjects": list(who)}
    if resources:
        rule["resourceRules"] = list(resources)
    if paths:
        rule["nonResourceRules"] = list(paths)
    spec: Object = {
        "priorityLevelConfiguration": {"name": level},
        "matchingPrecedence": precedence,
        "rules": [rule],
    }
    if by:
        spec["distinguisherMethod"] = {"type": by}
    meta = {"name": name, "annotations": _AUTO_UPDATE}
    return {"apiVersion": _VERSION, "kind": "FlowSchema", "metadata": meta, "spec": spec}


def _found(schema: Object, since: str) -> Object:
    level = schema["spec"]["priorityLevelConfiguration"]["name"]
    return dangling(level, exists=True) | {"lastTransitionTime": since}


def _users(*names: str) -> list[Object]:
    return [{"kind": "User", "user": {"name": name}} for name in names]


def _groups(*names: str) -> list[Object]:
    return [{"kind": "Group", "group": {"name": name}} for name in names]


def _resources(
    verbs: Sequence[str], group: str, resources: Sequence[str], *, cluster: bool = True
) -> Object:
    rule: Object = {
        "verbs": list(verbs),
        "apiGroups": [group],
        "resources": list(resources),
        "namespaces": ["*"],
    }
    return rule | ({"clusterScope": True} if cluster else {})


def _paths(verbs: Sequence[str], paths: Sequence[str]) -> Object:
    return {"verbs": list(verbs), "nonResourceURLs": list(paths)}
