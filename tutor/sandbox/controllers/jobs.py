"""Jobs: pods that run to their end. Source: pkg/controller/job."""

from collections.abc import Hashable, Iterator, Sequence
from datetime import datetime, timedelta

from tutor.sandbox.api.deletion import DeleteOptions, timestamp
from tutor.sandbox.client import Client
from tutor.sandbox.component import DONE, Result, Watches
from tutor.sandbox.controllers.claims import Claims
from tutor.sandbox.controllers.events import Recorder
from tutor.sandbox.controllers.replicasets import surplus_first
from tutor.sandbox.controllers.resources import (
    JOBS,
    PODS,
    as_place,
    condition,
    is_active,
    is_deleted,
    is_ready,
    place_of,
    pod_from_template,
)
from tutor.sandbox.kinds import Object, annotations_of, name_of, namespace_of, thaw

_INDEX = "batch.kubernetes.io/job-completion-index"
_INDEX_VARIABLE = "JOB_COMPLETION_INDEX"
_OWN = "kubernetes.io/job-controller"
"""Who sees to a job where nobody else is named."""
_PAIR = 2
_FAILED_MESSAGE = "Job has reached the specified backoff limit"
_DEADLINE_MESSAGE = "Job was active longer than specified deadline"
_COMPLETE_MESSAGE = "Reached expected number of succeeded pods"


class Jobs:
    """Runs jobs to completion."""

    name = "jobs"

    def __init__(self, client: Client) -> None:
        self._client = client
        self._events = Recorder(client, "job-controller")
        self._pods = Claims(client, JOBS, "Job", PODS)
        self.watches: Sequence[Watches] = (
            Watches(JOBS, lambda obj: [place_of(obj)]),
            self._pods.watch(),
        )

    async def reconcile(self, key: Hashable) -> Result:
        """Take one Job a step on."""
        namespace, name = as_place(key)
        job = self._client.find(JOBS, namespace, name)
        if job is None or is_deleted(job) or job["spec"].get("managedBy", _OWN) != _OWN:
            return DONE
        if (over := _over_since(job)) is not None:
            return await self._expire(job, over)
        pods = await self._pods.claim(job)
        succeeded = sum(1 for p in pods if p.get("status", {}).get("phase") == "Succeeded")
        failed = sum(1 for p in pods if p.get("status", {}).get("phase") == "Failed")
        active = [p for p in pods if is_active(p)]
        if failed > job["spec"].get("backoffLimit", 6):
            return await self._fail(job, "BackoffLimitExceeded", _FAILED_MESSAGE)
        if (left := self._time_left(job)) is not None and left <= timedelta(0):
            return await self._fail(job, "DeadlineExceeded", _DEADLINE_MESSAGE)
        completions = _completions(job)
        if not active and succeeded >= (1 if completions is None else completions):
            await self._finish(job, pods, "Complete", "CompletionsReached", _COMPLETE_MESSAGE)
            return await self.reconcile(key)
        wanted = _wanted(job, succeeded, len(active))
        await self._delete(job, sorted(active, key=surplus_first)[: max(len(active) - wanted, 0)])
        if wanted > len(active):
            await self._create(job, pods, wanted - len(active))
        job = await self._note_suspension(job)
        await self._report(job, await self._pods.claim(job))
        found = self._client.find(JOBS, namespace, name)
        left = self._time_left(found) if found else None
        return DONE if left is None else Result(again_s=max(left.total_seconds(), 0))

    def _time_left(self, job: Object) -> timedelta | None:
        """How long a job may still be active."""
        limit, since = (
            job["spec"].get("activeDeadlineSeconds"),
            job.get("status", {}).get("startTime"),
        )
        if limit is None or since is None or job["spec"].get("suspend"):
            return None
        return datetime.fromisoformat(since) + timedelta(seconds=limit) - self._client.now()

    async def _expire(self, job: Object, over: datetime) -> Result:
        """Delete a job that is over and whose time to live has passed."""
        ttl = job["spec"].get("ttlSecondsAfterFinished")
        if ttl is None:
            return DONE
        left = over + timedelta(seconds=ttl) - self._client.now()
        if left > timedelta(0):
            return Result(again_s=left.total_seconds())
        options = DeleteOptions(policy="Foreground", uid=job["metadata"]["uid"])
        await self._client.delete(JOBS, *place_of(job), options)
        return DONE

    async def _delete(self, job: Object, pods: Sequence[Object]) -> None:
        for pod in pods:
            await self._client.delete(PODS, *place_of(pod))
            await self._events.normal(job, "SuccessfulDelete", f"Deleted pod: {name_of(pod)}")

    async def _fail(self, job: Object, reason: str, message: str) -> Result:
        await self._delete(job, [pod for pod in await self._pods.claim(job) if is_active(pod)])
        await self._finish(job, await self._pods.claim(job), "Failed", reason, message)
        return await self.reconcile(place_of(job))

    async def _create(self, job: Object, pods: Sequence[Object], count: int) -> None:
        where = namespace_of(job), name_of(job)
        made = [pod_from_template(job["spec"]["template"], job, *where) for _ in range(count)]
        if _is_indexed(job):
            indexes = _free_indexes(job, pods)
            made = [_indexed(pod, job, index) for pod, index in zip(made, indexes, strict=False)]
        for wanted in made:
            pod = await self._client.create(wanted)
            await self._events.normal(job, "SuccessfulCreate", f"Created pod: {name_of(pod)}")

    async def _note_suspension(self, job: Object) -> Object:
        """Write down that a job was suspended, or goes on: its time begins anew then."""
        status, word = ("True", "suspended") if job["spec"].get("suspend") else ("False", "resumed")
        current = condition(job, "Suspended")
        if (current is None and status == "False") or (current and current["status"] == status):
            return job
        now = timestamp(self._client.now())
        entry = {
            "type": "Suspended",
            "status": status,
            "lastProbeTime": now,
            "lastTransitionTime": now,
            "reason": f"Job{word.capitalize()}",
            "message": f"Job {word}",
        }
        old: Object = job.get("status", {})
        kept = [c for c in old.get("conditions") or () if c["type"] != "Suspended"]
        changed = {k: v for k, v in old.items() if k != "startTime"} | {
            "conditions": [*kept, entry]
        }
        if status == "False":
            changed["startTime"] = now
        await self._events.normal(job, word.capitalize(), f"Job {word}")
        return await self._client.change(
            JOBS, *place_of(job), lambda obj: obj | {"status": changed}, "status"
        )

    async def _report(self, job: Object, pods: Sequence[Object]) -> None:
        status = self._status(job, pods)
        if status != job.get("status"):
            await self._client.change(
                JOBS, *place_of(job), lambda obj: obj | {"status": status}, "status"
            )

    def _status(self, job: Object, pods: Sequence[Object]) -> Object:
        old = job.get("status", {})
        phases = [pod.get("status", {}).get("phase") for pod in pods]
        active = [pod for pod in pods if is_active(pod)]
        status: Object = {}
        if old.get("conditions"):
            status["conditions"] = old["conditions"]
        if old.get("startTime") or not job["spec"].get("suspend"):
            status["startTime"] = old.get("startTime") or timestamp(self._client.now())
        if indexes := _succeeded_indexes(pods) if _is_indexed(job) else []:
            status["completedIndexes"] = _intervals(indexes)
        counts = {
            "active": len(active),
            "succeeded": phases.count("Succeeded"),
            "failed": phases.count("Failed"),
        }
        status |= {name: count for name, count in counts.items() if count}
        status["ready"] = sum(1 for pod in active if is_ready(pod))
        status["terminating"] = 0
        status["uncountedTerminatedPods"] = {}
        return status

    async def _finish(
        self, job: Object, pods: Sequence[Object], kind: str, reason: str, message: str
    ) -> None:
        now = timestamp(self._client.now())
        status = self._status(job, pods)
        first = "SuccessCriteriaMet" if kind == "Complete" else "FailureTarget"
        status["conditions"] = [
            *(status.get("conditions") or ()),
            *(
                {
                    "type": name,
                    "status": "True",
                    "lastProbeTime": now,
                    "lastTransitionTime": now,
                    "reason": reason,
                    "message": message,
                }
                for name in (first, kind)
            ),
        ]
        if kind == "Complete":
            status["completionTime"] = now
        await self._client.change(
            JOBS, *place_of(job), lambda obj: obj | {"status": status}, "status"
        )
        if kind == "Complete":
            await self._events.normal(job, "Completed", "Job completed")
        else:
            await self._events.warning(job, reason, message)


def _over_since(job: Object) -> datetime | None:
    """When a job completed or failed; None when it did not yet."""
    ends = (condition(job, kind) for kind in ("Complete", "Failed"))
    end = next((found for found in ends if found and found["status"] == "True"), None)
    return datetime.fromisoformat(end["lastTransitionTime"]) if end else None


def _completions(job: Object) -> int | None:
    return job["spec"].get("completions")


def _wanted(job: Object, succeeded: int, active: int) -> int:
    """How many pods should run now."""
    if job["spec"].get("suspend"):
        return 0
    parallelism, completions = job["spec"].get("parallelism", 1), _completions(job)
    if completions is None:
        # Without a number of its own a job is over with its first success, and what runs goes on.
        return active if succeeded else parallelism
    return max(min(parallelism, completions - succeeded), 0)


def _is_indexed(job: Object) -> bool:
    return job["spec"].get("completionMode") == "Indexed"


def _index_of(pod: Object) -> int:
    text = annotations_of(pod).get(_INDEX, "")
    return int(text) if text.isdecimal() else -1


def _succeeded_indexes(pods: Sequence[Object]) -> list[int]:
    found = (p for p in pods if p.get("status", {}).get("phase") == "Succeeded")
    return sorted({_index_of(pod) for pod in found} - {-1})


def _free_indexes(job: Object, pods: Sequence[Object]) -> Iterator[int]:
    taken = {*_succeeded_indexes(pods), *(_index_of(pod) for pod in pods if is_active(pod))}
    return (index for index in range(_completions(job) or 0) if index not in taken)


def _intervals(indexes: Sequence[int]) -> str:
    """Indexes as a text: `0,2-4`."""
    parts: list[list[int]] = []
    for index in indexes:
        if parts and parts[-1][-1] == index - 1:
            parts[-1].append(index)
        else:
            parts.append([index])
    # Two in a row are told one by one.
    shown = (
        f"{run[0]}-{run[-1]}" if len(run) > _PAIR else ",".join(map(str, run)) for run in parts
    )
    return ",".join(shown)


def _indexed(pod: Object, job: Object, index: int) -> Object:
    """A pod that knows which part of the work is its own."""
    made = thaw(pod)
    meta, spec = made["metadata"], made["spec"]
    meta["generateName"] = f"{name_of(job)}-{index}-"
    for field in ("labels", "annotations"):
        meta[field] = (meta.get(field) or {}) | {_INDEX: str(index)}
    spec["hostname"] = f"{name_of(job)}-{index}"
    source = {"fieldRef": {"fieldPath": f"metadata.labels['{_INDEX}']"}}
    for container in (*(spec.get("initContainers") or ()), *spec["containers"]):
        env = container.setdefault("env", [])
        if all(entry["name"] != _INDEX_VARIABLE for entry in env):
            env.append({"name": _INDEX_VARIABLE, "valueFrom": source})
    return made
