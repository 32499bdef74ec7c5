"""What becomes of the dependents where a deletion does not say."""

import pytest

from tests.fakes.cluster import Api, obj
from tutor.sandbox.kinds import Object

CONTAINERS = {"containers": [{"name": "c", "image": "i"}]}
ONCE = CONTAINERS | {"restartPolicy": "Never"}
JOB = obj("Job", "a", version="batch/v1", spec={"template": {"spec": ONCE}})
CONTROLLER = obj(
    "ReplicationController",
    "a",
    spec={"template": {"metadata": {"labels": {"a": "b"}}, "spec": CONTAINERS}},
)
JOBS = "/apis/batch/v1/namespaces/here/jobs"
CONTROLLERS = "/api/v1/namespaces/here/replicationcontrollers"


@pytest.mark.parametrize(("path", "made"), [(JOBS, JOB), (CONTROLLERS, CONTROLLER)])
async def test_old_kinds_are_marked_and_leave_their_pods(api: Api, path: str, made: Object) -> None:
    await api.make(path, made)
    reply = await api.ask("DELETE", f"{path}/a")
    assert reply.body["metadata"]["finalizers"] == ["orphan"]
    again = await api.ask("DELETE", f"{path}/a", {"propagationPolicy": "Background"})
    assert again.body["status"] == "Success"


@pytest.mark.parametrize("policy", ["", "Background"])
async def test_who_deletes_a_job_is_told_of_its_pods(api: Api, policy: str) -> None:
    await api.make(JOBS, JOB)
    reply = await api.ask("DELETE", f"{JOBS}/a?propagationPolicy={policy}")
    assert bool(reply.header("Warning")) == (not policy)


async def test_job_shows_the_labels_of_its_pods_which_nobody_set(api: Api) -> None:
    made = await api.make(JOBS, JOB)
    labels = made["metadata"]["labels"]
    assert labels["job-name"] == "a"
    assert labels == made["spec"]["template"]["metadata"]["labels"]
    owned = [entry["fieldsV1"] for entry in made["metadata"]["managedFields"]]
    assert all("f:metadata" not in fields for fields in owned)


@pytest.mark.parametrize(
    ("value", "shown"), [("y", '"y"'), ("no", '"no"'), ("*", "'*'"), ("1", '"1"'), ("x", "x")]
)
async def test_text_in_yaml_is_quoted_where_it_means_something_else(
    api: Api, value: str, shown: str
) -> None:
    await api.make("/api/v1/namespaces/here/configmaps", obj("ConfigMap", "a", data={"k": value}))
    path = "/api/v1/namespaces/here/configmaps/a"
    reply = await api.get(path, headers={"Accept": "application/yaml"})
    assert f"  k: {shown}\n" in reply.content.decode()
