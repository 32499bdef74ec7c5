"""What a kubelet writes into `status`, step by step: pure functions from pods to statuses.

Source: pkg/kubelet/status, pkg/kubelet/kuberuntime (waiting reasons), PodCondition types.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from tutor.sandbox.api.builtin.reading import items
from tutor.sandbox.api.deletion import timestamp
from tutor.sandbox.controllers.resources import with_condition
from tutor.sandbox.kinds import Object

CRASHING = "CrashLoopBackOff"
WAITING_CREATE, WAITING_INIT = "ContainerCreating", "PodInitializing"


def _identity(pod: Object, name: str, restarts: int) -> str:
    text = f"{pod['metadata']['uid']}/{name}/{restarts}"
    return "containerd://" + hashlib.sha256(text.encode()).hexdigest()


def image_id(image: str) -> str:
    """A content address for an image that nobody pulled."""
    name = image.partition("@")[0].rpartition(":")[0] or image
    if "@" in image:
        return image
    return f"{name}@sha256:{hashlib.sha256(image.encode()).hexdigest()}"


def waiting(container: Object, reason: str) -> Object:
    """A container that has not started."""
    return {
        "name": container["name"],
        "state": {"waiting": {"reason": reason}},
        "lastState": {},
        "ready": False,
        "restartCount": 0,
        "image": container["image"],
        "imageID": "",
        "started": False,
    }


def running(pod: Object, container: Object, *, ready: bool, since: str) -> Object:
    """A container that runs."""
    return {
        "name": container["name"],
        "state": {"running": {"startedAt": since}},
        "lastState": {},
        "ready": ready,
        "restartCount": 0,
        "image": container["image"],
        "imageID": image_id(container["image"]),
        "containerID": _identity(pod, container["name"], 0),
        "started": True,
    }


def terminated(pod: Object, container: Object, *, since: str, until: str, code: int) -> Object:
    """A container that has ended."""
    identity = _identity(pod, container["name"], 0)
    state = {
        "exitCode": code,
        "reason": "Error" if code else "Completed",
        "startedAt": since,
        "finishedAt": until,
        "containerID": identity,
    }
    return {
        "name": container["name"],
        "state": {"terminated": state},
        "lastState": {},
        "ready": False,
        "restartCount": 0,
        "image": container["image"],
        "imageID": image_id(container["image"]),
        "containerID": identity,
        "started": False,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Crash:
    """How a container failed last."""

    code: int
    since: datetime
    until: datetime
    restarts: int
    """How often it was started again."""
    again: datetime | None
    """When it was started again; None while it waits for that."""
    delay_s: float
    """How long it waits."""


def crashed(pod: Object, container: Object, crash: Crash, *, ready: bool) -> Object:
    """A container that has failed: it runs again, or waits to be started again."""
    name = container["name"]
    before = _identity(pod, name, crash.restarts - (crash.again is not None))
    last = {
        "exitCode": crash.code,
        "reason": "Error",
        "startedAt": timestamp(crash.since),
        "finishedAt": timestamp(crash.until),
        "containerID": before,
    }
    status = running(pod, container, ready=ready, since=timestamp(crash.until))
    status |= {"lastState": {"terminated": last}, "restartCount": crash.restarts}
    if crash.again is not None:
        status["state"] = {"running": {"startedAt": timestamp(crash.again)}}
        return status | {"containerID": _identity(pod, name, crash.restarts)}
    meta = pod["metadata"]
    where = f"container={name} pod={meta['name']}_{meta['namespace']}({meta['uid']})"
    message = f"back-off {crash.delay_s:g}s restarting failed {where}"
    status["state"] = {"waiting": {"reason": CRASHING, "message": message}}
    return status | {"ready": False, "started": False, "containerID": before}


def init_containers(pod: Object) -> Sequence[Object]:
    """The init containers of a pod."""
    return pod["spec"].get("initContainers") or ()


def status_of(
    pod: Object,
    *,
    phase: str,
    now: str,
    host_ip: str,
    pod_ip: str,
    inits: Sequence[Object],
    containers: Sequence[Object],
) -> Object:
    """The whole status for these container statuses."""
    old = pod.get("status", {})
    initialized = all("terminated" in s["state"] for s in inits)
    done = phase == "Succeeded"
    ready = bool(containers) and all(s["ready"] for s in containers)
    unready = [s["name"] for s in containers if not s["ready"]]
    reason = "PodCompleted" if done else "" if ready else "ContainersNotReady"
    message = ""
    if not ready and not done:
        message = f"containers with unready status: [{' '.join(unready)}]"
    conditions: list[Object] = list(old.get("conditions") or [])
    incomplete = [s["name"] for s in inits if "terminated" not in s["state"]]
    conditions = with_condition(
        conditions,
        "Initialized",
        "True" if initialized else "False",
        ("PodCompleted" if done else "") if initialized else "ContainersNotInitialized",
        "" if initialized else f"containers with incomplete status: [{' '.join(incomplete)}]",
        now,
    )
    for kind in ("Ready", "ContainersReady"):
        conditions = with_condition(
            conditions, kind, "True" if ready else "False", reason, message, now
        )
    status: Object = {
        "phase": phase,
        "conditions": _ordered([_trimmed(c) for c in conditions]),
        "hostIP": host_ip,
        "startTime": old.get("startTime", now),
        "containerStatuses": list(containers),
        "qosClass": old.get("qosClass", "BestEffort"),
    }
    if inits:
        status["initContainerStatuses"] = list(inits)
    if pod_ip:
        status |= {"podIP": pod_ip, "podIPs": [{"ip": pod_ip}]}
    if ephemeral := _ephemeral(pod, now):
        status["ephemeralContainerStatuses"] = ephemeral
    return status


def _ephemeral(pod: Object, now: str) -> list[Object]:
    """Those for debugging run from the moment they are asked for, and are never ready."""
    old = {s["name"]: s for s in items(pod, "status", "ephemeralContainerStatuses")}
    statuses: list[Object] = []
    for container in items(pod, "spec", "ephemeralContainers"):
        made = running(pod, container, ready=False, since=now)
        statuses.append(old.get(container["name"]) or made)
    return statuses


def _trimmed(condition: Object) -> Object:
    if condition["status"] == "True" and condition.get("reason") != "PodCompleted":
        return {k: v for k, v in condition.items() if k not in ("reason", "message")}
    if condition.get("reason") == "PodCompleted":
        return {k: v for k, v in condition.items() if k != "message"}
    return condition


def _ordered(conditions: list[Object]) -> list[Object]:
    order = ("Initialized", "Ready", "ContainersReady", "PodScheduled")
    return sorted(
        conditions, key=lambda c: order.index(c["type"]) if c["type"] in order else len(order)
    )


def finished(pod: Object, is_done: Callable[[Object], bool]) -> bool:
    """Whether every container has come to its end and none is to be started again."""
    if pod["spec"].get("restartPolicy", "Always") == "Always":
        return False
    return all(is_done(container) for container in pod["spec"]["containers"])
