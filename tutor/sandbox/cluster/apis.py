"""APIServices: which group versions there are, who answers for them, and whether they can.

Source: kube-aggregator's available_controller (reasons and messages) and its handling of local
APIServices; apiextensions' autoregister for those of CRDs.
"""

import json
from collections.abc import Hashable, Iterator, Sequence

from tutor.sandbox.api.builtin.api_service import LOCAL
from tutor.sandbox.api.builtin.reading import items
from tutor.sandbox.api.deletion import timestamp
from tutor.sandbox.api.discovery import Discovery, Remote
from tutor.sandbox.api.ports import Unreachable
from tutor.sandbox.api.request import User
from tutor.sandbox.client import Client
from tutor.sandbox.component import DONE, Result, Watches
from tutor.sandbox.kinds import GroupVersion, Object, name_of, version_rank
from tutor.sandbox.schema.resources import builtin_groups
from tutor.sandbox.server.aggregation import API_SERVICES, address_of, available, is_available
from tutor.sandbox.server.network import ENDPOINTS, SERVICES
from tutor.sandbox.server.outbound import Outbound, remote_headers

_RECHECK_S = 15.0
_RETRY_S = 0.5
"""After a server did not answer as it should."""
_AGGREGATOR = User(name="system:kube-aggregator", groups=("system:masters",))
_TIMEOUT_S = 5.0
_CUSTOM_PRIORITY, _CUSTOM_VERSION_PRIORITY = 1000, 100
_OWN_GROUP = ("apiregistration.k8s.io", ["v1"])
"""The aggregator's own group: it has no APIService, and comes first."""

Condition = tuple[str, str, str]
"""Status, reason, message of `Available`."""


def builtin_services() -> Iterator[Object]:
    """The APIServices of the built-in group versions, as the server registers them."""
    for group in builtin_groups():
        for version in group.versions:
            if group.priority:
                yield _local(
                    GroupVersion(group.group, version.version),
                    (group.priority, version.priority),
                    "onstart",
                )


def custom_service(version: GroupVersion) -> Object:
    """The APIService of a group version that a CRD serves."""
    return _local(version, (_CUSTOM_PRIORITY, _CUSTOM_VERSION_PRIORITY), "true")


def _local(version: GroupVersion, priorities: tuple[int, int], managed: str) -> Object:
    spec: Object = {"group": version.group} if version.group else {}
    return {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {
            "name": f"{version.version}.{version.group}",
            "labels": {"kube-aggregator.kubernetes.io/automanaged": managed},
        },
        "spec": spec
        | {
            "version": version.version,
            "groupPriorityMinimum": priorities[0],
            "versionPriority": priorities[1],
        },
    }


class ApiServices:
    """Keeps the `Available` conditions, and discovery in step with them."""

    name = "apiservices"

    def __init__(self, client: Client, outbound: Outbound, discovery: Discovery) -> None:
        self._client = client
        self._outbound = outbound
        self._discovery = discovery
        self._remotes: dict[GroupVersion, Remote] = {}
        self.watches: Sequence[Watches] = (
            Watches(API_SERVICES, lambda obj: [name_of(obj)]),
            Watches(SERVICES, self._behind),
            Watches(ENDPOINTS, self._behind),
        )

    async def reconcile(self, key: Hashable) -> Result:
        """Judge one APIService."""
        service = self._client.find(API_SERVICES, "", str(key))
        if service is None:
            self._announce()
            return DONE
        if not service["spec"].get("service"):
            await self._set(service, LOCAL)
            self._announce()
            return DONE
        condition = await self._check(service)
        await self._set(service, condition)
        self._announce()
        failed = condition[1] == "FailedDiscoveryCheck"
        return Result(again_s=_RETRY_S if failed else _RECHECK_S)

    def _behind(self, obj: Object) -> list[str]:
        place = (obj["metadata"].get("namespace"), name_of(obj))
        return [
            name_of(service)
            for service in self._client.list(API_SERVICES)
            if (ref := service["spec"].get("service"))
            and (ref.get("namespace"), ref.get("name")) == place
        ]

    async def _check(self, service: Object) -> Condition:
        spec = service["spec"]
        ref = spec["service"]
        namespace, name, port = ref["namespace"], ref["name"], ref.get("port") or 443
        version = GroupVersion(spec.get("group", ""), spec["version"])
        found = self._client.find(SERVICES, namespace, name)
        subject = f'service/{name} in "{namespace}"'
        if found is None:
            return ("False", "ServiceNotFound", f"{subject} is not present")
        declared = next((p for p in found["spec"].get("ports") or () if p["port"] == port), None)
        if declared is None:
            message = f"{subject} is not listening on port {port}"
            return ("False", "ServicePortError", message)
        endpoints = self._client.find(ENDPOINTS, namespace, name)
        if endpoints is None:
            message = f"cannot find endpointslices for {subject}"
            return ("False", "EndpointsNotFound", message)
        if not any(s.get("addresses") for s in endpoints.get("subsets") or ()):
            message = (
                f"endpoints for {subject} have no addresses with port name"
                f' "{declared.get("name", "")}"'
            )
            return ("False", "MissingEndpoints", message)
        return await self._ask(service, version, found["spec"].get("clusterIP", ""), port)

    async def _ask(
        self, service: Object, version: GroupVersion, address: str, port: int
    ) -> Condition:
        path = f"/apis/{version}"
        url = f"https://{address}:{port}{path}"
        try:
            status, body = await self._outbound.exchange(
                address_of(service, path),
                "GET",
                b"",
                headers=remote_headers(_AGGREGATOR),
                timeout_s=_TIMEOUT_S,
                as_front_proxy=True,
            )
        except Unreachable as error:
            why = f'failing or missing response from {url}: Get "{url}": {error}'
            return ("False", "FailedDiscoveryCheck", why)
        if not 200 <= status < 300:
            why = f"failing or missing response from {url}: bad status from {url}: {status}"
            return ("False", "FailedDiscoveryCheck", why)
        resources = items(json.loads(body), "resources")
        self._remotes[version] = Remote(resources=resources, stale=False)
        return ("True", "Passed", "all checks passed")

    async def _set(self, service: Object, condition: Condition) -> None:
        status, reason, message = condition
        old = available(service)
        if old and (old["status"], old.get("reason"), old.get("message")) == condition:
            return
        since = timestamp(self._client.now())
        if old and old["status"] == status:
            since = old["lastTransitionTime"]
        new: Object = {
            "type": "Available",
            "status": status,
            "lastTransitionTime": since,
            "reason": reason,
            "message": message,
        }

        def write(obj: Object) -> Object:
            others = [c for c in items(obj, "status", "conditions") if c["type"] != "Available"]
            obj["status"] = {"conditions": [*others, new]}
            return obj

        await self._client.change(API_SERVICES, "", name_of(service), write, "status")

    def _announce(self) -> None:
        services = self._client.list(API_SERVICES)
        remotes: dict[GroupVersion, Remote] = {}
        for service in services:
            spec = service["spec"]
            if spec.get("service"):
                version = GroupVersion(spec.get("group", ""), spec["version"])
                known = self._remotes.get(version)
                resources = known.resources if known else ()
                remotes[version] = Remote(resources=resources, stale=not is_available(service))
        self._discovery.changed(group_order(services), remotes)


def group_order(services: Sequence[Object]) -> list[tuple[str, list[str]]]:
    """Groups and their versions by priority, without the core group."""
    groups: dict[str, list[Object]] = {}
    for service in services:
        group = service["spec"].get("group", "")
        if group:
            groups.setdefault(group, []).append(service["spec"])

    def rank(item: tuple[str, list[Object]]) -> tuple[int, str]:
        return -max(spec.get("groupPriorityMinimum", 0) for spec in item[1]), item[0]

    def version(spec: Object) -> tuple[int, tuple[int, int, int], str]:
        return -spec.get("versionPriority", 0), version_rank(spec["version"]), spec["version"]

    ordered = [
        (group, [spec["version"] for spec in sorted(specs, key=version)])
        for group, specs in sorted(groups.items(), key=rank)
    ]
    return [_OWN_GROUP, *ordered]
