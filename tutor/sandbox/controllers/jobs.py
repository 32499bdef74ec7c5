"""Jobs: pods that run to their end. Source: pkg/controller/job."""

from collections.abc import Hashable, Sequence

from tutor.sandbox.api.deletion import timestamp
from tutor.sandbox.client import Client
from tutor.sandbox.component import DONE, Result, Watches
from tutor.sandbox.controllers.claims import Claims
from tutor.sandbox.controllers.events import Recorder
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
from tutor.sandbox.kinds import Object, name_of, namespace_of

_FAILED_MESSAGE = "Job has reached the specified backoff limit"
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
        if job is None or is_deleted(job) or _is_over(job):
            return DONE
        pods = await self._pods.claim(job)
        succeeded = sum(1 for p in pods if p.get("status", {}).get("phase") == "Succeeded")
        failed = sum(1 for p in pods if p.get("status", {}).get("phase") == "Failed")
        active = [p for p in pods if is_active(p)]
        spec = job["spec"]
        completions = spec.get("completions")
        wanted = completions if completions is not None else 1
        limit = spec.get("backoffLimit", 6)
        if failed > limit:
            for pod in active:
                await self._client.delete(PODS, *place_of(pod))
            await self._finish(job, pods, "Failed", "BackoffLimitExceeded")
            return DONE
        if succeeded >= wanted and not active:
            await self._finish(job, pods, "Complete", "CompletionsReached")
            return DONE
        if not spec.get("suspend"):
            missing = min(spec.get("parallelism", 1), wanted - succeeded) - len(active)
            for _ in range(missing):
                await self._create(job)
        await self._report(job, await self._pods.claim(job))
        return DONE

    async def _create(self, job: Object) -> None:
        pod = await self._client.create(
            pod_from_template(job["spec"]["template"], job, namespace_of(job), name_of(job))
        )
        await self._events.normal(job, "SuccessfulCreate", f"Created pod: {name_of(pod)}")

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
        status["startTime"] = old.get("startTime") or timestamp(self._client.now())
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

    async def _finish(self, job: Object, pods: Sequence[Object], kind: str, reason: str) -> None:
        now = timestamp(self._client.now())
        status = self._status(job, pods)
        message = _COMPLETE_MESSAGE if kind == "Complete" else _FAILED_MESSAGE
        first = "SuccessCriteriaMet" if kind == "Complete" else "FailureTarget"
        status["conditions"] = [
            {
                "type": name,
                "status": "True",
                "lastProbeTime": now,
                "lastTransitionTime": now,
                "reason": reason,
                "message": message,
            }
            for name in (first, kind)
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


def _is_over(job: Object) -> bool:
    return any(
        (found := condition(job, kind)) is not None and found["status"] == "True"
        for kind in ("Complete", "Failed")
    )
