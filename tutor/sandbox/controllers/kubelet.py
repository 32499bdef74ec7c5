"""The kubelet of the one node: it takes pods through their lives without running containers.

Where a component has a program for a container, the program runs; every other container just is.
How long each step takes is the pace's. Events as the real kubelet words them.
"""

from collections.abc import Callable, Hashable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from tutor.sandbox.api.builtin.reading import items
from tutor.sandbox.api.deletion import DeleteOptions, timestamp
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.client import Client
from tutor.sandbox.component import DONE, ClusterFacts, Result, Watches
from tutor.sandbox.controllers import podstatus
from tutor.sandbox.controllers.events import Recorder
from tutor.sandbox.controllers.resources import PODS, Place, as_place, is_deleted, place_of
from tutor.sandbox.kinds import Object, thaw

_FIRST_POD, _LAST_POD = 2, 254


class Containers(Protocol):
    """What runs in containers."""

    def start(self, pod: Object, container: Object) -> None:
        """The container runs in the pod from now on."""
        ...

    def stop(self, uid: str) -> None:
        """The pod is gone."""
        ...

    def has(self, container: Object) -> bool:
        """Whether something runs for the container."""
        ...

    def is_ready(self, pod: Object, container: Object) -> bool:
        """Whether it passes its readiness probe."""
        ...

    def has_completed(self, pod: Object, container: Object) -> bool:
        """Whether it has come to its end."""
        ...

    def crash(self, pod: Object, container: Object) -> podstatus.Crash | None:
        """How it failed last, None when it never did."""
        ...


class Kubelet:
    """Moves the pods of one node."""

    name = "kubelet"

    def __init__(
        self,
        client: Client,
        facts: ClusterFacts,
        containers: Containers,
        missing_volume: Callable[[Object], str | None],
        host_ip: str,
        pod_network: str,
    ) -> None:
        self._client = client
        self._facts = facts
        self._pace = facts.pace
        self._containers = containers
        self._missing_volume = missing_volume
        self._host_ip = host_ip
        self._pod_network = pod_network
        self._events = Recorder(client, "kubelet", facts.node)
        self._since: dict[tuple[str, str], datetime] = {}
        self._next_ip = _FIRST_POD
        self._known: dict[Place, str] = {}
        self.watches: Sequence[Watches] = (Watches(PODS, self._mine),)

    def _mine(self, pod: Object) -> list[Place]:
        return [place_of(pod)] if pod["spec"].get("nodeName") == self._facts.node else []

    async def reconcile(self, key: Hashable) -> Result:
        """Move one pod a step on."""
        namespace, name = as_place(key)
        place = (namespace, name)
        pod = self._client.find(PODS, namespace, name)
        known = self._known.get(place)
        if known is not None and (pod is None or pod["metadata"]["uid"] != known):
            self._forget(place, known)
        if pod is None:
            return DONE
        self._known[place] = pod["metadata"]["uid"]
        if is_deleted(pod):
            return await self._end(pod)
        phase = pod.get("status", {}).get("phase", "Pending")
        if phase in ("Succeeded", "Failed"):
            return DONE
        return await (self._begin(pod) if phase == "Pending" else self._go_on(pod))

    async def _begin(self, pod: Object) -> Result:
        status = pod.get("status", {})
        if "startTime" not in status:
            reason = (
                podstatus.WAITING_INIT
                if podstatus.init_containers(pod)
                else podstatus.WAITING_CREATE
            )
            inits = [
                podstatus.waiting(c, podstatus.WAITING_INIT) for c in podstatus.init_containers(pod)
            ]
            waiting = [podstatus.waiting(c, reason) for c in pod["spec"]["containers"]]
            await self._write(pod, "Pending", inits, waiting, "")
            return Result(again_s=0)
        missing = self._missing_volume(pod)
        if missing is not None:
            await self._events.warning(pod, "FailedMount", missing)
            return Result(again_s=self._pace.mount_retry)
        inits = podstatus.init_containers(pod)
        wait = self._left(pod, "init", self._pace.init_container * len(inits))
        if wait:
            return Result(again_s=wait)
        if inits and not self._initialized(pod):
            await self._initialize(pod)
            return Result(again_s=0)
        wait = self._left(pod, "start", self._pace.pod_running)
        return Result(again_s=wait) if wait else await self._start(pod)

    def _initialized(self, pod: Object) -> bool:
        statuses = items(pod, "status", "initContainerStatuses")
        return bool(statuses) and all("terminated" in s["state"] for s in statuses)

    async def _initialize(self, pod: Object) -> None:
        now = timestamp(self._client.now())
        for container in podstatus.init_containers(pod):
            await self._tell_start(pod, container, "initContainers")
        inits = [
            podstatus.terminated(pod, c, since=now, until=now, code=0)
            for c in podstatus.init_containers(pod)
        ]
        waiting = [podstatus.waiting(c, podstatus.WAITING_INIT) for c in pod["spec"]["containers"]]
        await self._write(pod, "Pending", inits, waiting, "")

    async def _start(self, pod: Object) -> Result:
        now = timestamp(self._client.now())
        for container in pod["spec"]["containers"]:
            await self._tell_start(pod, container, "containers")
        statuses = [
            podstatus.running(pod, c, ready=False, since=now) for c in pod["spec"]["containers"]
        ]
        inits = items(pod, "status", "initContainerStatuses")
        await self._write(pod, "Running", inits, statuses, self._address(pod))
        return Result(again_s=0)

    async def _go_on(self, pod: Object) -> Result:
        containers: Sequence[Object] = pod["spec"]["containers"]
        for container in containers:
            self._containers.start(pod, container)
        if pod["spec"].get("restartPolicy", "Always") != "Always":
            return await self._run_to_end(pod, containers)
        wait = self._left(pod, "ready", self._pace.pod_ready)
        if wait:
            return Result(again_s=wait)
        old = {s["name"]: s for s in pod["status"].get("containerStatuses") or ()}
        statuses = [await self._status(pod, c, old[c["name"]]) for c in containers]
        inits = items(pod, "status", "initContainerStatuses")
        await self._write(pod, "Running", inits, statuses, pod["status"].get("podIP", ""))
        return DONE

    async def _status(self, pod: Object, container: Object, old: Object) -> Object:
        is_ready = self._containers.is_ready(pod, container)
        crash = self._containers.crash(pod, container)
        if crash is None:
            return {**old, "ready": is_ready}
        if crash.again is None and not self._told(pod, f"back-off {crash.restarts}"):
            meta, name = pod["metadata"], container["name"]
            where = f"{name} in pod {meta['name']}_{meta['namespace']}({meta['uid']})"
            await self._events.warning(
                pod,
                "BackOff",
                f"Back-off restarting failed container {where}",
                path=f"spec.containers{{{name}}}",
            )
        return podstatus.crashed(pod, container, crash, ready=is_ready)

    async def _run_to_end(self, pod: Object, containers: Sequence[Object]) -> Result:
        def is_done(container: Object) -> bool:
            if self._containers.has(container):
                return self._containers.has_completed(pod, container)
            return not self._left(pod, "job", self._pace.job)

        if not podstatus.finished(pod, is_done):
            old = {s["name"]: s for s in pod["status"].get("containerStatuses") or ()}
            ready = [{**old[c["name"]], "ready": True} for c in containers]
            await self._write(pod, "Running", [], ready, pod["status"].get("podIP", ""))
            wait = self._left(pod, "job", self._pace.job)
            return Result(again_s=wait) if wait else DONE
        now = timestamp(self._client.now())
        since = pod["status"].get("startTime", now)
        statuses = [
            podstatus.terminated(pod, c, since=since, until=now, code=0) for c in containers
        ]
        inits = items(pod, "status", "initContainerStatuses")
        await self._write(pod, "Succeeded", inits, statuses, pod["status"].get("podIP", ""))
        return DONE

    async def _end(self, pod: Object) -> Result:
        wait = self._left(pod, "end", self._pace.termination)
        self._containers.stop(pod["metadata"]["uid"])
        if wait:
            if not self._told(pod, "killing"):
                for container in pod["spec"]["containers"]:
                    await self._events.normal(
                        pod,
                        "Killing",
                        f"Stopping container {container['name']}",
                        path=f"spec.containers{{{container['name']}}}",
                    )
            return Result(again_s=wait)
        options = DeleteOptions(grace_s=0, uid=pod["metadata"]["uid"])
        try:
            await self._client.delete(PODS, *place_of(pod), options)
        except ApiError as error:
            if error.reason not in ("NotFound", "Conflict"):
                raise
        return DONE

    def _told(self, pod: Object, what: str) -> bool:
        key = (pod["metadata"]["uid"], f"told {what}")
        known = key in self._since
        self._since[key] = self._client.now()
        return known

    async def _tell_start(self, pod: Object, container: Object, field: str) -> None:
        name, image = container["name"], container["image"]
        path = f"spec.{field}{{{name}}}"
        pulled = f'Container image "{image}" already present on machine'
        await self._events.normal(pod, "Pulled", pulled, path=path)
        await self._events.normal(pod, "Created", f"Created container {name}", path=path)
        await self._events.normal(pod, "Started", f"Started container {name}", path=path)

    def _left(self, pod: Object, step: str, seconds: float) -> float:
        """Seconds until a step that was first asked about earlier is over."""
        key = (pod["metadata"]["uid"], step)
        since = self._since.setdefault(key, self._client.now())
        left = since + timedelta(seconds=seconds) - self._client.now()
        return max(left.total_seconds(), 0.0)

    def _forget(self, place: Place, uid: str) -> None:
        self._containers.stop(uid)
        self._known.pop(place, None)
        self._since = {key: value for key, value in self._since.items() if key[0] != uid}

    def _address(self, pod: Object) -> str:
        if pod["spec"].get("hostNetwork"):
            return self._host_ip
        used = {p.get("status", {}).get("podIP") for p in self._client.list(PODS)}
        for _ in range(_LAST_POD):
            candidate = f"{self._pod_network}.{self._next_ip}"
            self._next_ip = self._next_ip + 1 if self._next_ip < _LAST_POD else _FIRST_POD
            if candidate not in used:
                return candidate
        return ""

    async def _write(
        self,
        pod: Object,
        phase: str,
        inits: Sequence[Object],
        containers: Sequence[Object],
        pod_ip: str,
    ) -> None:
        status = podstatus.status_of(
            pod,
            phase=phase,
            now=timestamp(self._client.now()),
            host_ip=self._host_ip,
            pod_ip=pod_ip,
            inits=inits,
            containers=containers,
        )
        if pod.get("status") == status:
            return

        def write(obj: Object) -> Object:
            scheduled = [
                c
                for c in obj.get("status", {}).get("conditions") or ()
                if c["type"] == "PodScheduled"
            ]
            known = {c["type"] for c in status["conditions"]}
            added = [c for c in scheduled if c["type"] not in known]
            obj["status"] = thaw(status)
            obj["status"]["conditions"] += added
            return obj

        try:
            await self._client.change(PODS, *place_of(pod), write, "status")
        except ApiError as error:
            if error.reason != "NotFound":
                raise
