"""Aggregated APIs: group versions that a Service in the cluster answers for.

Source: kube-aggregator's proxy handler: the front-proxy certificate, `X-Remote-*`, 503 without an
available backend.
"""

import base64
from collections.abc import Callable

from tutor.sandbox.api.builtin.reading import items
from tutor.sandbox.api.ports import Address, Backends, Unreachable
from tutor.sandbox.api.request import Answer, Request, Response, User
from tutor.sandbox.kinds import GroupResource, GroupVersion, Object

API_SERVICES = GroupResource("apiregistration.k8s.io", "apiservices")
_TEXT = "text/plain; charset=utf-8"
_NOSNIFF = (("X-Content-Type-Options", "nosniff"),)

Find = Callable[[GroupResource, str, str], Object | None]


def name_of_version(version: GroupVersion) -> str:
    """The name of the APIService of a group version."""
    return f"{version.version}.{version.group}"


def address_of(service: Object, target: str) -> Address:
    """Where the server behind an APIService is, for a request target."""
    spec = service["spec"]
    ref = spec["service"]
    bundle = base64.b64decode(spec.get("caBundle") or "").decode(errors="replace")
    return Address(
        host=f"{ref['name']}.{ref['namespace']}.svc",
        port=ref.get("port") or 443,
        path=target,
        ca_bundle=bundle,
        service=(ref["namespace"], ref["name"]),
        insecure=bool(spec.get("insecureSkipTLSVerify")),
    )


def available(service: Object) -> Object | None:
    """The `Available` condition of an APIService, None before it was judged."""
    conditions = items(service, "status", "conditions")
    return next((c for c in conditions if c["type"] == "Available"), None)


def is_available(service: Object) -> bool:
    """Whether the APIService's condition says so."""
    condition = available(service)
    return condition is not None and condition["status"] == "True"


class Aggregation:
    """Hands requests on to the servers of aggregated APIs."""

    def __init__(self, find: Find, backends: Backends) -> None:
        self._find = find
        self._backends = backends

    def serves(self, version: GroupVersion) -> bool:
        """Whether a Service answers for this group version."""
        if not version.group:
            return False
        service = self._find(API_SERVICES, "", name_of_version(version))
        return service is not None and bool(service["spec"].get("service"))

    async def forward(self, request: Request, version: GroupVersion, user: User) -> Answer:
        """Hand a request on; 503 when nobody can take it."""
        service = self._find(API_SERVICES, "", name_of_version(version))
        if service is None or not is_available(service):
            return _unavailable("service unavailable")
        address = address_of(service, request.target)
        try:
            return await self._backends.proxy(address, request, user, ())
        except Unreachable as error:
            return _unavailable(f"error trying to reach service: {error}")


def _unavailable(text: str) -> Response:
    return Response(status=503, body=f"{text}\n".encode(), content_type=_TEXT, headers=_NOSNIFF)
