"""Privileged containers, which an API server refuses until it is started with a flag."""

from typing import Any

import pytest

from tests.fakes.cluster import Api, obj, pod
from tutor.sandbox.api.registry import Registry
from tutor.sandbox.api.strategies import builtin_served
from tutor.sandbox.controllers.resources import DEPLOYMENTS, PODS
from tutor.sandbox.kinds import Object

PRIVILEGED = [{"name": "c", "image": "i", "securityContext": {"privileged": True}}]
PLAIN = {"name": "i", "image": "i", "securityContext": {"privileged": False}}
TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": PRIVILEGED}}


def workload(kind: str, version: str, **spec: Any) -> Object:
    return obj(kind, "x", version=version, namespace="here", spec=spec | {"template": TEMPLATE})


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (
            "/api/v1/namespaces/here/pods",
            pod("x", containers=[PLAIN], initContainers=PRIVILEGED),
            "spec.initContainers[0].securityContext.privileged",
        ),
        (
            "/apis/apps/v1/namespaces/here/deployments",
            workload("Deployment", "apps/v1", selector={"matchLabels": {"a": "b"}}),
            "spec.template.spec.containers[0].securityContext.privileged",
        ),
        (
            "/apis/apps/v1/namespaces/here/daemonsets",
            workload("DaemonSet", "apps/v1", selector={"matchLabels": {"a": "b"}}),
            "spec.template.spec.containers[0].securityContext.privileged",
        ),
        (
            "/api/v1/namespaces/here/podtemplates",
            obj("PodTemplate", "x", namespace="here", template=TEMPLATE),
            "template.spec.containers[0].securityContext.privileged",
        ),
    ],
)
async def test_a_bare_server_refuses_privileged_containers_wherever_they_are(
    api: Api, path: str, body: Object, field: str
) -> None:
    account = obj("ServiceAccount", "default", namespace="here")
    await api.make("/api/v1/namespaces/here/serviceaccounts", account)
    reply = await api.ask("POST", path, body)
    assert reply.status == 422
    (cause,) = reply.body["details"]["causes"]
    assert cause == {
        "reason": "FieldValueForbidden",
        "message": "Forbidden: disallowed by cluster policy",
        "field": field,
    }


@pytest.mark.parametrize(
    ("resource", "body"),
    [
        (PODS, pod("x", containers=PRIVILEGED, restartPolicy="Always")),
        (DEPLOYMENTS, workload("Deployment", "apps/v1", selector={"matchLabels": {"a": "b"}})),
    ],
)
def test_a_server_with_the_flag_takes_them(resource: Any, body: Object) -> None:
    served = Registry(builtin_served()).of_resource(resource)
    assert served is not None
    made = served.strategy.decode(body).object
    served.strategy.default(made)
    found = [str(error) for error in served.strategy.validate(made)]
    assert not [error for error in found if "privileged" in error]
