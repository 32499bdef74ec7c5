"""Jobs: how many pods run, which part of the work each does, and when it is suspended."""

from typing import Any

import pytest

from tests.fakes.cluster import Api, obj
from tutor.sandbox.controllers.jobs import Jobs
from tutor.sandbox.controllers.resources import EVENTS, JOBS, PODS
from tutor.sandbox.kinds import Object, name_of

PATH = "/apis/batch/v1/namespaces/here/jobs"
MERGE = {"Content-Type": "application/merge-patch+json"}
INDEX = "batch.kubernetes.io/job-completion-index"


@pytest.fixture(autouse=True)
async def account(api: Api) -> None:
    """What every pod needs."""
    await api.make("/api/v1/namespaces/here/serviceaccounts", obj("ServiceAccount", "default"))


def job(**spec: Any) -> Object:
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}
    return obj("Job", "j", version="batch/v1", spec={"template": template} | spec)


def pods(api: Api) -> list[Object]:
    return list(api.client.list(PODS, "here"))


async def step(api: Api) -> Object:
    await Jobs(api.client).reconcile(("here", "j"))
    return (await api.get(f"{PATH}/j")).body["status"]


async def change(api: Api, **spec: Any) -> None:
    reply = await api.ask("PATCH", f"{PATH}/j", {"spec": spec}, headers=MERGE)
    assert reply.status == 200, reply.content


async def succeed(api: Api, pod: Object) -> None:
    await api.client.patch(PODS, "here", name_of(pod), {"status": {"phase": "Succeeded"}}, "status")


async def test_indexed_job_gives_each_pod_its_part(api: Api) -> None:
    await api.make(PATH, job(completions=4, parallelism=2, completionMode="Indexed"))
    assert (await step(api))["active"] == 2
    found = pods(api)
    assert [pod["metadata"]["labels"][INDEX] for pod in found] == ["0", "1"]
    assert [pod["spec"]["hostname"] for pod in found] == ["j-0", "j-1"]
    assert name_of(found[1]).startswith("j-1-")
    (variable,) = found[0]["spec"]["containers"][0]["env"]
    assert variable["name"] == "JOB_COMPLETION_INDEX"
    await succeed(api, found[1])
    status = await step(api)
    assert (status["succeeded"], status["completedIndexes"]) == (1, "1")
    indexes = [pod["metadata"]["annotations"][INDEX] for pod in pods(api)]
    assert indexes == ["0", "1", "2"]


async def test_suspended_job_has_no_pods_and_begins_anew_when_it_goes_on(api: Api) -> None:
    await api.make(PATH, job(parallelism=2))
    assert "conditions" not in await step(api)
    await change(api, suspend=True)
    status = await step(api)
    assert pods(api) == []
    assert "startTime" not in status
    (condition,) = status["conditions"]
    assert (condition["type"], condition["status"]) == ("Suspended", "True")
    await change(api, suspend=False)
    status = await step(api)
    assert status["active"] == 2
    assert status["startTime"]
    assert [c["reason"] for c in status["conditions"]] == ["JobResumed"]
    said = [event["message"] for event in api.client.list(EVENTS, "here")]
    assert {"Job suspended", "Job resumed"} <= set(said)


async def test_fewer_at_once_takes_pods_away(api: Api) -> None:
    await api.make(PATH, job(completions=5, parallelism=3))
    await step(api)
    await change(api, parallelism=1)
    assert (await step(api))["active"] == 1


async def test_job_without_completions_is_over_with_a_success_and_no_pod_left(api: Api) -> None:
    await api.make(PATH, job(parallelism=2))
    await step(api)
    first, second = pods(api)
    await succeed(api, first)
    assert (await step(api))["active"] == 1
    await succeed(api, second)
    status = await step(api)
    assert [c["type"] for c in status["conditions"]] == ["SuccessCriteriaMet", "Complete"]


async def test_a_job_that_is_active_for_too_long_fails_and_its_pods_go(api: Api) -> None:
    await api.make(PATH, job(activeDeadlineSeconds=0))
    assert (await Jobs(api.client).reconcile(("here", "j"))).again_s == 0
    assert len(pods(api)) == 1
    status = await step(api)
    ends = [(c["type"], c["reason"], c["message"]) for c in status["conditions"]]
    why = ("DeadlineExceeded", "Job was active longer than specified deadline")
    assert ends == [("FailureTarget", *why), ("Failed", *why)]
    assert pods(api) == []
    reasons = [event["reason"] for event in api.client.list(EVENTS)]
    assert reasons == ["SuccessfulCreate", "SuccessfulDelete", "DeadlineExceeded"]


async def test_a_job_is_looked_at_again_when_its_time_is_up(api: Api) -> None:
    await api.make(PATH, job(activeDeadlineSeconds=60))
    again = (await Jobs(api.client).reconcile(("here", "j"))).again_s
    assert again is not None
    assert 0 < again <= 60


async def test_a_suspended_job_has_all_its_time_left(api: Api) -> None:
    await api.make(PATH, job(activeDeadlineSeconds=1, suspend=True))
    assert (await Jobs(api.client).reconcile(("here", "j"))).again_s is None


@pytest.mark.parametrize(("ttl", "stays"), [(None, True), (60, True), (0, False)])
async def test_a_job_that_is_over_goes_when_its_time_to_live_has_passed(
    api: Api, ttl: int | None, stays: bool
) -> None:
    await api.make(PATH, job(ttlSecondsAfterFinished=ttl))
    await step(api)
    (pod,) = pods(api)
    await succeed(api, pod)
    await Jobs(api.client).reconcile(("here", "j"))
    found = api.stored(JOBS, "j")
    assert (found is not None and "deletionTimestamp" not in found["metadata"]) is stays


async def test_job_that_somebody_else_sees_to_is_left_alone(api: Api) -> None:
    await api.make(PATH, job(managedBy="example.org/queue"))
    await Jobs(api.client).reconcile(("here", "j"))
    assert pods(api) == []
    assert "startTime" not in (await api.get(f"{PATH}/j")).body["status"]
