"""CronJobs: a job whenever the schedule says so.

Source: pkg/controller/cronjob.
"""

from collections.abc import Hashable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tutor.sandbox.api.builtin.reading import items, part, text
from tutor.sandbox.api.deletion import DeleteOptions, timestamp
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.client import Client
from tutor.sandbox.component import DONE, Result, Watches
from tutor.sandbox.controllers.cron_times import next_time
from tutor.sandbox.controllers.events import Recorder
from tutor.sandbox.controllers.resources import (
    CRON_JOBS,
    JOBS,
    as_place,
    condition,
    is_deleted,
    owner_of,
    owner_reference,
    place_of,
)
from tutor.sandbox.kinds import Object, name_of, namespace_of

_SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"
_MANY = 100
_TOO_MANY = (
    "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew"
)
_IN_BACKGROUND = DeleteOptions(policy="Background")
_LIMITS = (
    ("Complete", "successfulJobsHistoryLimit", 3),
    ("Failed", "failedJobsHistoryLimit", 1),
)


class _Due(NamedTuple):
    """The last time that was missed, if any, and the next one."""

    last: datetime | None
    next: datetime | None
    many: bool = False
    """Whether more times were missed than anybody wants to hear of."""


class CronJobs:
    """Starts jobs, and keeps the last of them."""

    name = "cronjobs"

    def __init__(self, client: Client) -> None:
        self._client = client
        self._events = Recorder(client, "cronjob-controller")
        self.watches: Sequence[Watches] = (
            Watches(CRON_JOBS, lambda obj: [place_of(obj)]),
            Watches(JOBS, _owner),
        )

    async def reconcile(self, key: Hashable) -> Result:
        """Look after one cron job: what it started, and whether something is due."""
        cron = self._client.find(CRON_JOBS, *as_place(key))
        if cron is None:
            return DONE
        jobs = [job for job in self._client.list(JOBS, namespace_of(cron)) if _owns(cron, job)]
        status = await self._watch_over(cron, jobs)
        again = DONE
        if not is_deleted(cron) and not part(cron, "spec").get("suspend"):
            again = await self._start(cron, status, jobs)
        await self._report(cron, status)
        await self._tidy(cron, jobs)
        return again

    async def _watch_over(self, cron: Object, jobs: Sequence[Object]) -> Object:
        """The status without the jobs that have ended."""
        status: Object = dict(part(cron, "status"))
        listed = {ref["uid"]: ref for ref in items(status, "active")}
        for job in jobs:
            uid, ended = job["metadata"]["uid"], _ended(job)
            if not ended and uid not in listed:
                message = "Saw a job that the controller did not create or forgot"
                await self._events.warning(cron, "UnexpectedJob", f"{message}: {name_of(job)}")
            if not ended or uid not in listed:
                continue
            del listed[uid]
            message = f"Saw completed job: {name_of(job)}, condition: {ended}"
            await self._events.normal(cron, "SawCompletedJob", message)
        known = {job["metadata"]["uid"] for job in jobs}
        for ref in [ref for uid, ref in listed.items() if uid not in known]:
            del listed[ref["uid"]]
            message = f"Active job went missing: {ref['name']}"
            await self._events.normal(cron, "MissingJob", message)
        status["active"] = list(listed.values())
        done = [part(job, "status").get("completionTime") for job in jobs]
        times = [moment for moment in done if moment]
        if times:
            status["lastSuccessfulTime"] = max(times)
        return status

    async def _start(self, cron: Object, status: Object, jobs: list[Object]) -> Result:
        spec, now = part(cron, "spec"), self._client.now()
        due, following, many = self._due(cron, status, now)
        if many:
            await self._events.warning(cron, "TooManyMissedTimes", _TOO_MANY)
        wait = (following - now).total_seconds() if following else None
        again = Result(again_s=max(wait, 0) if wait is not None else None)
        if due is None:
            return again
        deadline = spec.get("startingDeadlineSeconds")
        if deadline is not None and due + timedelta(seconds=deadline) < now:
            late = (
                f"Missed scheduled time to start a job: {due.astimezone(UTC):%a, %d %b %Y %H:%M:%S}"
            )
            await self._events.warning(cron, "MissSchedule", f"{late} +0000")
            return again
        policy = spec.get("concurrencyPolicy", "Allow")
        if policy == "Forbid" and status["active"]:
            why = "Not starting job because prior execution is running and concurrency policy is"
            await self._events.normal(cron, "JobAlreadyActive", f"{why} Forbid")
            return again
        if policy == "Replace":
            active = {ref["uid"] for ref in status["active"]}
            for job in [job for job in jobs if job["metadata"]["uid"] in active]:
                await self._delete(cron, job)
            status["active"] = []
        await self._make(cron, status, due)
        return again

    def _due(self, cron: Object, status: Object, now: datetime) -> _Due:
        spec = part(cron, "spec")
        since = datetime.fromisoformat(
            text(status, "lastScheduleTime") or cron["metadata"]["creationTimestamp"]
        )
        deadline = spec.get("startingDeadlineSeconds")
        if deadline is not None:
            since = max(since, now - timedelta(seconds=deadline))
        schedule, zone = text(spec, "schedule"), _zone(spec)
        first = next_time(schedule, since, zone)
        if first is None or first > now:
            return _Due(None, first)
        second = next_time(schedule, first, zone)
        if second is None or second > now:
            return _Due(first, second)
        # In universal time: a day with a change of clocks has more or less than 24 hours.
        first, second = first.astimezone(UTC), second.astimezone(UTC)
        between = second - first
        missed = (now - first) // between + 1
        due, following = None, next_time(schedule, first + (missed - 2) * between, zone)
        while following is not None and following <= now:
            due, following = following, next_time(schedule, following, zone)
        return _Due(due, following, many=missed > _MANY)

    async def _make(self, cron: Object, status: Object, due: datetime) -> None:
        try:
            job = await self._client.create(job_of(cron, due))
        except ApiError as error:
            if error.reason == "AlreadyExists":
                status["lastScheduleTime"] = timestamp(due.astimezone(UTC))
                return
            await self._events.warning(cron, "FailedCreate", f"Error creating job: {error}")
            return
        await self._events.normal(cron, "SuccessfulCreate", f"Created job {name_of(job)}")
        reference = {
            "kind": "Job",
            "namespace": namespace_of(job),
            "name": name_of(job),
            "uid": job["metadata"]["uid"],
            "apiVersion": "batch/v1",
            "resourceVersion": job["metadata"]["resourceVersion"],
        }
        status["active"] = [*status["active"], reference]
        status["lastScheduleTime"] = timestamp(due.astimezone(UTC))

    async def _report(self, cron: Object, status: Object) -> None:
        if not status["active"]:
            del status["active"]
        if status == part(cron, "status"):
            return
        try:
            await self._client.change(
                CRON_JOBS, *place_of(cron), lambda obj: obj | {"status": status}, "status"
            )
        except ApiError as error:
            if error.reason != "NotFound":
                raise

    async def _tidy(self, cron: Object, jobs: Sequence[Object]) -> None:
        """Delete the oldest jobs that have ended, beyond what is to be kept."""
        spec = part(cron, "spec")
        for kind, field, usual in _LIMITS:
            ended = [job for job in jobs if _ended(job) == kind]
            ended.sort(key=lambda job: part(job, "status").get("startTime", ""))
            for job in ended[: max(len(ended) - spec.get(field, usual), 0)]:
                await self._delete(cron, job)

    async def _delete(self, cron: Object, job: Object) -> None:
        try:
            await self._client.delete(JOBS, *place_of(job), _IN_BACKGROUND)
        except ApiError as error:
            if error.reason == "NotFound":
                return
            raise
        await self._events.normal(cron, "SuccessfulDelete", f"Deleted job {name_of(job)}")


def _owner(job: Object) -> list[tuple[str, str]]:
    ref = owner_of(job)
    return [(namespace_of(job), ref["name"])] if ref and ref["kind"] == "CronJob" else []


def _owns(cron: Object, job: Object) -> bool:
    return (owner_of(job) or {}).get("uid") == cron["metadata"]["uid"]


def _ended(job: Object) -> str:
    for kind in ("Complete", "Failed"):
        if (condition(job, kind) or {}).get("status") == "True":
            return kind
    return ""


def _zone(spec: Object) -> tzinfo:
    named = text(spec, "timeZone")
    return ZoneInfo(named) if named else UTC


def job_of(cron: Object, due: datetime) -> Object:
    """The job for a time."""
    template = part(cron, "spec", "jobTemplate")
    meta = part(template, "metadata")
    annotations = part(meta, "annotations") | {_SCHEDULED: due.isoformat().replace("+00:00", "Z")}
    placed: Object = {
        "name": f"{name_of(cron)}-{int(due.timestamp()) // 60}",
        "namespace": namespace_of(cron),
        "annotations": annotations,
        "ownerReferences": [owner_reference(cron)],
    }
    if labels := meta.get("labels"):
        placed["labels"] = labels
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": placed, "spec": template["spec"]}
