"""When cron jobs are due, and what they start. Source: Kubernetes concepts, "CronJob"."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.fakes.cluster import Api, now, obj
from tutor.sandbox.controllers.cron_times import next_time
from tutor.sandbox.controllers.cronjobs import CronJobs
from tutor.sandbox.controllers.resources import CRON_JOBS, JOBS
from tutor.sandbox.kinds import Object, name_of

PATH = "/apis/batch/v1/namespaces/here/cronjobs"
EVENTS = "/api/v1/namespaces/here/events"
START = datetime(2026, 5, 4, 12, 34, 56, tzinfo=UTC)  # a Monday


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("* * * * *", "2026-05-04T12:35"),
        ("*/15 * * * *", "2026-05-04T12:45"),
        ("5-10/2 * * * *", "2026-05-04T13:05"),
        ("0 0 * * *", "2026-05-05T00:00"),
        ("@hourly", "2026-05-04T13:00"),
        ("@weekly", "2026-05-10T00:00"),
        ("0 12 * feb,MAR sun", "2027-02-07T12:00"),
        ("0 0 13 * 5", "2026-05-08T00:00"),
        ("0 0 29 2 *", "2028-02-29T00:00"),
        ("CRON_TZ=UTC 0 13 * * ?", "2026-05-04T13:00"),
    ],
)
def test_next_time_of_a_schedule(schedule: str, expected: str) -> None:
    assert next_time(schedule, START, UTC) == datetime.fromisoformat(f"{expected}:00+00:00")


def test_schedule_is_in_its_zone_and_intervals_are_from_the_last_time() -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    due = next_time("0 9 * * *", START, tokyo)
    assert due is not None
    assert due.astimezone(UTC) == datetime(2026, 5, 5, 0, 0, tzinfo=UTC)
    assert next_time("@every 1h30m", START, UTC) == START + timedelta(hours=1, minutes=30)
    assert next_time("0 0 31 2 *", START, UTC) is None


class World:
    """A cron job that was last due some minutes ago, and its controller."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.controller = CronJobs(api.client)

    async def begin(self, *, missed: int = 2, **spec: Any) -> None:
        template = {
            "spec": {
                "template": {
                    "spec": {
                        "restartPolicy": "Never",
                        "containers": [{"name": "c", "image": "example.org/c:1"}],
                    }
                }
            }
        }
        whole = {"schedule": "* * * * *", "jobTemplate": template} | spec
        made = obj("CronJob", "c", version="batch/v1", namespace="here", spec=whole)
        await self.api.make(PATH, made)
        last = (now() - timedelta(minutes=missed)).replace(second=0, microsecond=0)
        status = {"lastScheduleTime": last.strftime("%Y-%m-%dT%H:%M:%SZ")}
        await self.api.client.patch(CRON_JOBS, "here", "c", {"status": status}, "status")

    async def look(self) -> list[str]:
        result = await self.controller.reconcile(("here", "c"))
        assert result.again_s is None or result.again_s >= 0
        return sorted(name_of(job) for job in self.api.client.list(JOBS, "here"))

    @property
    def status(self) -> Object:
        return self.api.client.get(CRON_JOBS, "here", "c").get("status", {})

    async def reasons(self) -> list[str]:
        events = (await self.api.get(EVENTS)).body["items"]
        return sorted(event["reason"] for event in events)


async def test_only_the_last_of_the_missed_times_starts_a_job(api: Api) -> None:
    world = World(api)
    await world.begin(missed=5)
    (job,) = await world.look()
    assert [ref["name"] for ref in world.status["active"]] == [job]
    assert await world.look() == [job]
    assert await world.reasons() == ["SuccessfulCreate"]


async def test_the_last_time_counts_however_many_were_missed(api: Api) -> None:
    world = World(api)
    await world.begin(missed=1000)
    before = now()
    names = await world.look()
    minute = int(before.timestamp()) // 60
    assert names in ([f"c-{minute}"], [f"c-{minute + 1}"])
    assert await world.reasons() == ["SuccessfulCreate", "TooManyMissedTimes"]


async def test_job_that_somebody_deleted_is_told_of(api: Api) -> None:
    world = World(api)
    await world.begin()
    (name,) = await world.look()
    await api.client.delete(JOBS, "here", name)
    await api.client.patch(CRON_JOBS, "here", "c", {"spec": {"suspend": True}})
    await world.look()
    events = (await api.get(EVENTS)).body["items"]
    told = [(event["reason"], event["message"]) for event in events]
    assert ("MissingJob", f"Active job went missing: {name}") in told
    assert not api.client.get(CRON_JOBS, "here", "c")["status"].get("active")


async def test_suspended_or_late_jobs_are_not_started(api: Api) -> None:
    world = World(api)
    await world.begin(suspend=True)
    assert await world.look() == []
    await api.ask("DELETE", f"{PATH}/c")
    await world.begin(startingDeadlineSeconds=10, schedule="0 0 1 1 *")
    assert await world.look() == []


@pytest.mark.parametrize(("policy", "count"), [("Allow", 2), ("Forbid", 1), ("Replace", 1)])
async def test_what_runs_yet_matters_as_the_policy_says(api: Api, policy: str, count: int) -> None:
    world = World(api)
    await world.begin(concurrencyPolicy=policy)
    (first,) = await world.look()
    earlier = (now() - timedelta(minutes=2)).strftime("%Y-%m-%dT%H:%M:00Z")
    active = [ref | {"name": "old"} for ref in world.status["active"]]
    await api.ask(
        "DELETE", f"/apis/batch/v1/namespaces/here/jobs/{first}?propagationPolicy=Background"
    )
    renamed = obj("Job", "old", version="batch/v1", namespace="here")
    renamed["metadata"]["ownerReferences"] = [
        {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "name": "c",
            "uid": api.client.get(CRON_JOBS, "here", "c")["metadata"]["uid"],
            "controller": True,
        }
    ]
    template = api.client.get(CRON_JOBS, "here", "c")["spec"]["jobTemplate"]
    made = await api.make(
        "/apis/batch/v1/namespaces/here/jobs", renamed | {"spec": template["spec"]}
    )
    active[0]["uid"] = made["metadata"]["uid"]
    status = {"lastScheduleTime": earlier, "active": active}
    await api.client.patch(CRON_JOBS, "here", "c", {"status": status}, "status")
    assert len(await world.look()) == count
    if policy == "Forbid":
        assert "JobAlreadyActive" in await world.reasons()


async def test_jobs_that_have_ended_are_told_of_and_the_oldest_deleted(api: Api) -> None:
    world = World(api)
    await world.begin(successfulJobsHistoryLimit=0)
    (job,) = await world.look()
    stamp = now().strftime("%Y-%m-%dT%H:%M:%SZ")
    conditions = [{"type": kind, "status": "True"} for kind in ("SuccessCriteriaMet", "Complete")]
    status = {"startTime": stamp, "completionTime": stamp, "conditions": conditions}
    await api.client.patch(JOBS, "here", job, {"status": status}, "status")
    assert await world.look() == []
    assert "active" not in world.status
    assert world.status["lastSuccessfulTime"] == stamp
    assert await world.reasons() == ["SawCompletedJob", "SuccessfulCreate", "SuccessfulDelete"]
