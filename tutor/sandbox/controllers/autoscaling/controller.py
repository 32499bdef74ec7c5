"""Horizontal pod autoscalers: reads what a target has, decides, and scales it.

Source: pkg/controller/podautoscaler/horizontal.go.
"""

from collections.abc import Hashable, Sequence
from typing import NamedTuple

from tutor.sandbox.api.builtin import quantity
from tutor.sandbox.api.builtin.reading import items, number, part, text
from tutor.sandbox.api.builtin.workloads import autoscaler
from tutor.sandbox.api.deletion import timestamp
from tutor.sandbox.api.selectors import LabelSelector, parse_labels
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.client import Client
from tutor.sandbox.component import DONE, Result, Watches
from tutor.sandbox.controllers.autoscaling.limits import Bounds, Decision, History
from tutor.sandbox.controllers.autoscaling.metrics import Metrics
from tutor.sandbox.controllers.autoscaling.replicas import Asked, Tolerances
from tutor.sandbox.controllers.autoscaling.sources import Failure, Found, Sources, Target
from tutor.sandbox.controllers.events import Recorder
from tutor.sandbox.controllers.requests import Requests
from tutor.sandbox.controllers.resources import PODS, Place, as_place, place_of, with_condition
from tutor.sandbox.kinds import GroupResource, Object, labels_of, name_of, namespace_of

AUTOSCALERS = GroupResource("autoscaling", "horizontalpodautoscalers")
_TOLERANCE = 0.1
_ATTEMPTS = 5
"""To write a scale that somebody else writes, too."""
_NOTHING = LabelSelector(nothing=True)


class _Stop(Exception):
    """This sync ends here; conditions and events have been said."""


class _Scale(NamedTuple):
    path: str
    object: Object

    @property
    def wanted(self) -> int:
        return number(part(self.object, "spec"), "replicas")


class _Sync:
    """One look at one autoscaler: what its status is going to be."""

    def __init__(self, autoscaler: Object, now: str) -> None:
        self.object = autoscaler
        self.now = now
        self.conditions: Sequence[Object] = items(autoscaler, "status", "conditions")
        self.current = number(part(autoscaler, "status"), "currentReplicas")
        self.desired = number(part(autoscaler, "status"), "desiredReplicas")
        self.metrics: Sequence[Object] = items(autoscaler, "status", "currentMetrics")
        self.scaled = text(part(autoscaler, "status"), "lastScaleTime")

    def say(self, kind: str, status: bool, reason: str, message: str) -> None:
        """Set a condition."""
        written = "True" if status else "False"
        self.conditions = with_condition(self.conditions, kind, written, reason, message, self.now)

    def status(self) -> Object:
        """The status as it is written."""
        status: Object = {"lastScaleTime": self.scaled} if self.scaled else {}
        if self.current:
            status["currentReplicas"] = self.current
        status["desiredReplicas"] = self.desired
        if self.metrics:
            status["currentMetrics"] = list(self.metrics)
        return status | ({"conditions": list(self.conditions)} if self.conditions else {})


class HorizontalPodAutoscalers:
    """Looks at each autoscaler once a period; what changes meanwhile waits for that, too."""

    name = "horizontalpodautoscalers"

    def __init__(self, client: Client, requests: Requests, period_s: float) -> None:
        self._client = client
        self._requests = requests
        self._period_s = period_s
        self._sources = Sources(Metrics(requests, client.kind))
        self._events = Recorder(client, "horizontal-pod-autoscaler")
        self._histories: dict[Place, History] = {}
        self._selectors: dict[Place, LabelSelector] = {}
        self.watches: Sequence[Watches] = (Watches(AUTOSCALERS, self._seen, rate_limited=True),)

    def _seen(self, obj: Object) -> list[Place]:
        self._selectors.setdefault(place_of(obj), _NOTHING)
        return [place_of(obj)]

    async def reconcile(self, key: Hashable) -> Result:
        """Look at one autoscaler."""
        place = as_place(key)
        found = self._client.find(AUTOSCALERS, *place)
        if found is None:
            self._histories.pop(place, None)
            self._selectors.pop(place, None)
            return DONE
        autoscaled = autoscaler.convert(found, autoscaler.V2)
        sync = _Sync(autoscaled, timestamp(self._client.now()))
        try:
            scale = await self._scale_of(sync)
            await self._act(sync, scale)
        except _Stop:
            pass
        await self._report(sync)
        return Result(again_s=self._period_s)

    async def _scale_of(self, sync: _Sync) -> _Scale:
        ref = part(sync.object, "spec", "scaleTargetRef")
        kind_name, name = text(ref, "kind"), text(ref, "name")
        group = text(ref, "apiVersion").rpartition("/")[0]
        kind = self._client.kind(group, kind_name)
        try:
            if kind is None:
                raise _no_match(kind_name, group)
            root = f"/apis/{kind.api_version}" if group else f"/api/{kind.version}"
            path = f"{root}/namespaces/{namespace_of(sync.object)}/{kind.plural}/{name}/scale"
            scale = _Scale(path, await self._requests.get(path))
        except ApiError as error:
            await self._events.warning(sync.object, "FailedGetScale", error.message)
            why = "the HPA controller was unable to get the target's current scale"
            sync.say("AbleToScale", False, "FailedGetScale", f"{why}: {error.message}")
            raise _Stop from error
        why = "the HPA controller was able to get the target's current scale"
        sync.say("AbleToScale", True, "SucceededGetScale", why)
        return scale

    async def _act(self, sync: _Sync, scale: _Scale) -> None:
        spec = part(sync.object, "spec")
        least = spec.get("minReplicas", 1)
        bounds = Bounds(1 if least is None else least, number(spec, "maxReplicas"))
        current, now = scale.wanted, self._client.now()
        self._histories.setdefault(place_of(sync.object), History(current, now))
        desired, reason, measured = current, "", list[Object]()
        if current == 0:
            why = "scaling is disabled since the replica count of the target is zero"
            sync.say("ScalingActive", False, "ScalingDisabled", why)
        elif current > bounds.most:
            desired, reason = bounds.most, "Current number of replicas above Spec.MaxReplicas"
        elif current < bounds.least:
            desired, reason = bounds.least, "Current number of replicas below Spec.MinReplicas"
        else:
            proposed, named, measured = await self._compute(sync, scale)
            if proposed > current:
                reason = f"{named} above target"
            elif proposed < current:
                reason = "All metrics below target"
            desired = self._decide(sync, bounds, current, proposed).replicas
        sync.current = current
        if desired != current:
            await self._rescale(sync, scale, desired, reason, measured)
            sync.scaled = sync.now
        sync.desired, sync.metrics = desired, measured

    def _decide(self, sync: _Sync, bounds: Bounds, current: int, proposed: int) -> Decision:
        behavior: Object | None = part(sync.object, "spec").get("behavior")
        history = self._histories[place_of(sync.object)]
        decision = history.decide(behavior, bounds, current, proposed, self._client.now())
        sync.say("AbleToScale", True, *decision.able)
        sync.say("ScalingLimited", decision.limited, *decision.limit)
        return decision

    async def _rescale(
        self, sync: _Sync, scale: _Scale, desired: int, reason: str, measured: Sequence[Object]
    ) -> None:
        current = scale.wanted
        try:
            await self._write(scale, desired)
        except ApiError as error:
            told = f"New size: {desired}; reason: {reason}; error: {error.message}"
            await self._events.warning(sync.object, "FailedRescale", told)
            why = "the HPA controller was unable to update the target scale"
            sync.say("AbleToScale", False, "FailedUpdateScale", f"{why}: {error.message}")
            sync.metrics = measured
            raise _Stop from error
        why = f"the HPA controller was able to update the target scale to {desired}"
        sync.say("AbleToScale", True, "SucceededRescale", why)
        await self._events.normal(
            sync.object, "SuccessfulRescale", f"New size: {desired}; reason: {reason}"
        )
        if part(sync.object, "spec").get("behavior") is not None:
            history = self._histories[place_of(sync.object)]
            history.scaled(current, desired, self._client.now())

    async def _write(self, scale: _Scale, desired: int) -> None:
        latest = scale.object
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                await self._requests.put(
                    scale.path, latest | {"spec": part(latest, "spec") | {"replicas": desired}}
                )
            except ApiError as error:
                if error.reason != "Conflict" or attempt == _ATTEMPTS:
                    raise
                latest = await self._requests.get(scale.path)
            else:
                return

    async def _compute(self, sync: _Sync, scale: _Scale) -> tuple[int, str, list[Object]]:
        """The replicas that the metrics ask for, which of them does, and what each said.

        Raises:
            _Stop: They say nothing that may be acted on.
        """
        target = await self._target(sync, scale)
        best: Found | None = None
        failures: list[Failure] = []
        measured: list[Object] = []
        metrics = items(sync.object, "spec", "metrics")
        for metric in metrics:
            try:
                found = await self._sources.read(metric, target)
            except Failure as failure:
                await self._events.warning(sync.object, failure.reason, failure.why)
                failures.append(failure)
                measured.append({"type": ""})
                continue
            measured.append(found.status)
            if best is None or best.replicas == 0 or found.replicas > best.replicas:
                best = found
        if best is None or (failures and best.replicas < scale.wanted):
            first = failures[0]
            told = f"the HPA was unable to compute the replica count: {first.why}"
            sync.say("ScalingActive", False, first.reason, told)
            counted = f"{len(failures)} invalid out of {len(metrics)}"
            why = f"invalid metrics ({counted}), first error is: {first}"
            raise await self._incomputable(sync, scale, why, measured)
        why = f"the HPA was able to successfully calculate a replica count from {best.name}"
        sync.say("ScalingActive", True, "ValidMetricFound", why)
        return best.replicas, best.name, measured

    async def _target(self, sync: _Sync, scale: _Scale) -> Target:
        status = part(scale.object, "status")
        written = text(status, "selector")
        if not written:
            why = "the HPA target's scale is missing a selector"
            sync.say("ScalingActive", False, "InvalidSelector", why)
            why = "selector is required"
            await self._events.warning(sync.object, "SelectorRequired", why)
            raise await self._incomputable(sync, scale, why)
        try:
            selector = parse_labels(written)
        except ApiError as error:
            what = "couldn't convert selector into a corresponding internal selector object"
            raise await self._refused(
                sync, scale, "InvalidSelector", f"{what}: {error.message}"
            ) from error
        namespace = namespace_of(sync.object)
        if place_of(sync.object) in self._selectors:
            self._selectors[place_of(sync.object)] = selector
        pods = [pod for pod in self._client.list(PODS, namespace) if selector(pod)]
        if len(others := self._scaling(namespace, pods)) > 1:
            listed = " ".join(f"{namespace}/{name}" for name in others)
            why = f"pods by selector {written} are controlled by multiple HPAs: [{listed}]"
            raise await self._refused(sync, scale, "AmbiguousSelector", why)
        asked = Asked(scale.wanted, _tolerances(sync.object), pods, self._client.now())
        return Target(namespace, str(selector), number(status, "replicas"), asked)

    def _scaling(self, namespace: str, pods: Sequence[Object]) -> list[str]:
        """The autoscalers that look after any of these pods."""
        listed = self._client.list(AUTOSCALERS, namespace) if pods else ()
        return sorted(
            name_of(one)
            for one in listed
            if (selector := self._selectors.get(place_of(one)))
            and any(selector.matches(labels_of(pod)) for pod in pods)
        )

    async def _refused(self, sync: _Sync, scale: _Scale, reason: str, why: str) -> _Stop:
        sync.say("ScalingActive", False, reason, why)
        await self._events.warning(sync.object, reason, why)
        return await self._incomputable(sync, scale, why)

    async def _incomputable(
        self, sync: _Sync, scale: _Scale, why: str, measured: Sequence[Object] = ()
    ) -> _Stop:
        sync.current, sync.metrics = scale.wanted, measured
        await self._events.warning(sync.object, "FailedComputeMetricsReplicas", why)
        return _Stop()

    async def _report(self, sync: _Sync) -> None:
        status = sync.status()
        before = {k: v for k, v in part(sync.object, "status").items() if v not in (0, None, [])}
        if status == {"desiredReplicas": 0} | before:
            return
        try:
            await self._client.update(sync.object | {"status": status}, "status")
        except ApiError as error:
            if error.reason == "NotFound":
                return
            await self._events.warning(sync.object, "FailedUpdateStatus", error.message)


def _no_match(kind: str, group: str) -> ApiError:
    return ApiError(404, "", f'no matches for kind "{kind}" in group "{group}"')


def _tolerances(autoscaled: Object) -> Tolerances:
    rules = part(autoscaled, "spec", "behavior")
    down, up = (part(rules, name).get("tolerance") for name in ("scaleDown", "scaleUp"))
    return Tolerances(*(_share(given) for given in (down, up)))


def _share(given: str | None) -> float:
    return _TOLERANCE if given is None else float(quantity.parse(given).amount)
