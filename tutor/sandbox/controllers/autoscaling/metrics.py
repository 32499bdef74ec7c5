"""Measurements: what the metrics APIs of other servers say.

Source: pkg/controller/podautoscaler/metrics/client.go and k8s.io/metrics' clients.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from tutor.sandbox.api.builtin import quantity
from tutor.sandbox.api.builtin.reading import items, part, text
from tutor.sandbox.api.go_duration import parse_duration
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.controllers.autoscaling.replicas import CannotCompute, Sample
from tutor.sandbox.controllers.requests import Requests
from tutor.sandbox.kinds import Kind, Object, name_of

_RESOURCE, _CUSTOM, _EXTERNAL = (f"{kind}metrics.k8s.io" for kind in ("", "custom.", "external."))
_CUSTOM_VERSIONS = ("v1beta2", "v1beta1")
_USUAL_WINDOW = timedelta(minutes=1)
_NANOS_IN_MICRO = 1000
_LONG_AGO = datetime.min.replace(tzinfo=UTC)

FindKind = Callable[[str, str], Kind | None]
"""Group and kind."""


class Metrics:
    """Asks the three metrics APIs. Every method raises CannotCompute."""

    def __init__(self, requests: Requests, kind_of: FindKind) -> None:
        self._requests = requests
        self._kind_of = kind_of

    async def of_resource(
        self, resource: str, namespace: str, selector: str, container: str
    ) -> dict[str, Sample]:
        """What the selected pods use of a resource, or one container of each."""
        try:
            found = await self._requests.get(
                f"/apis/{_RESOURCE}/v1beta1/namespaces/{namespace}/pods",
                {"labelSelector": selector},
                f"pods.{_RESOURCE}",
            )
            listed = items(found, "items")
            read = {
                name_of(one): Sample(used, _moment(one), _window(one))
                for one in listed
                if (used := _used(one, resource, container)) is not None
            }
        except (ApiError, ValueError) as error:
            raise _unfetched("resource", error) from error
        if not listed:
            raise CannotCompute("no metrics returned from resource metrics API")
        return read

    async def of_pods(
        self, metric: str, namespace: str, selector: str, metric_selector: str
    ) -> dict[str, Sample]:
        """A metric of each of the selected pods."""
        wanted = {"labelSelector": selector, "metricLabelSelector": metric_selector}
        try:
            found = await self._custom(f"namespaces/{namespace}", "pods", "*", metric, wanted)
            read = {
                text(part(one, "describedObject"), "name"): Sample(
                    _value(one), _moment(one), _seconds(one)
                )
                for one in items(found, "items")
            }
        except (ApiError, ValueError) as error:
            raise _unfetched("custom", error) from error
        if not read:
            raise CannotCompute("no metrics returned from custom metrics API")
        return read

    async def of_object(
        self, metric: str, namespace: str, described: Object, metric_selector: str
    ) -> int:
        """A metric of one object."""
        group = text(described, "apiVersion").rpartition("/")[0]
        kind, name = text(described, "kind"), text(described, "name")
        wanted = {"metricLabelSelector": metric_selector}
        try:
            if (group, kind) == ("", "Namespace"):
                place = f"namespaces/{namespace}"
                found = await self._custom(place, "metrics", metric, "", wanted)
            else:
                resource = self._resource_of(group, kind)
                place = f"namespaces/{namespace}"
                found = await self._custom(place, resource, name, metric, wanted)
            values = [_value(one) for one in items(found, "items")]
        except (ApiError, ValueError) as error:
            raise _unfetched("custom", error) from error
        if len(values) != 1:
            why = f"the custom metrics API server returned {len(values)} results when we asked for"
            raise CannotCompute(f"{_cannot_fetch('custom')}: {why} exactly one")
        return values[0]

    async def of_elsewhere(self, metric: str, namespace: str, metric_selector: str) -> list[int]:
        """The values of a metric that is about nothing in the cluster."""
        try:
            found = await self._requests.get(
                f"/apis/{_EXTERNAL}/v1beta1/namespaces/{namespace}/{metric}",
                {"labelSelector": metric_selector},
                f"{metric}.{_EXTERNAL}",
            )
            values = [_value(one) for one in items(found, "items")]
        except (ApiError, ValueError) as error:
            raise _unfetched("external", error) from error
        if not values:
            raise CannotCompute("no metrics returned from external metrics API")
        return values

    async def _custom(
        self, place: str, resource: str, name: str, metric: str, query: dict[str, str]
    ) -> Object:
        version = await self._custom_version()
        path = "/".join(filter(None, (place, resource, name, metric)))
        asked = f"{resource}.{_CUSTOM} {name}"
        return await self._requests.get(f"/apis/{_CUSTOM}/{version}/{path}", query, asked)

    async def _custom_version(self) -> str:
        groups = await self._requests.get("/apis")
        group = next((one for one in items(groups, "groups") if text(one, "name") == _CUSTOM), None)
        if group is None:
            raise ValueError(f"no custom metrics API ({_CUSTOM}) registered")
        listed = [part(group, "preferredVersion"), *items(group, "versions")]
        for version in (text(one, "version") for one in listed):
            if version in _CUSTOM_VERSIONS:
                return version
        raise ValueError("no known available metric versions found")

    def _resource_of(self, group: str, kind: str) -> str:
        found = self._kind_of(group, kind)
        if found is None:
            named = f"{kind}.{group}" if group else kind
            why = f'no matches for kind "{kind}" in group "{group}"'
            raise ValueError(f"unable to map kind {named} to resource: {why}")
        return str(found.group_resource)


def _cannot_fetch(api: str) -> str:
    return f"unable to fetch metrics from {api} metrics API"


def _unfetched(api: str, error: Exception) -> CannotCompute:
    return CannotCompute(f"{_cannot_fetch(api)}: {error}")


def _used(measured: Object, resource: str, container: str) -> int | None:
    """What the containers of a pod use together; None unless that is known of each."""
    found = list(_usages(measured, resource, container))
    known = [usage for usage in found if usage is not None]
    return sum(known) if known and len(known) == len(found) else None


def _usages(measured: Object, resource: str, container: str) -> Iterator[int | None]:
    for one in items(measured, "containers"):
        if container in ("", text(one, "name")):
            written = part(one, "usage").get(resource)
            yield None if written is None else quantity.parse(written).milli_value


def _value(measured: Object) -> int:
    return quantity.parse(measured.get("value") or 0).milli_value


def _moment(measured: Object) -> datetime:
    written = text(measured, "timestamp")
    return datetime.fromisoformat(written) if written else _LONG_AGO


def _window(measured: Object) -> timedelta:
    nanos = parse_duration(text(measured, "window") or "0")
    return timedelta(microseconds=nanos // _NANOS_IN_MICRO)


def _seconds(measured: Object) -> timedelta:
    given = measured.get("windowSeconds")
    return _USUAL_WINDOW if given is None else timedelta(seconds=given)
