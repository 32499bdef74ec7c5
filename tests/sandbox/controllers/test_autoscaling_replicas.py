"""How many replicas measurements ask for.

Source: Kubernetes concepts, "Horizontal Pod Autoscaling", and pkg/controller/podautoscaler's
replica_calculator_test.go for the cases.
"""

from datetime import UTC, datetime, timedelta

import pytest

from tutor.sandbox.controllers.autoscaling.replicas import (
    Asked,
    CannotCompute,
    Sample,
    Tolerances,
    by_average,
    by_share,
    by_utilization,
    by_value,
)
from tutor.sandbox.kinds import Object

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(hours=1)


def pod(
    name: str,
    *,
    phase: str = "Running",
    ready: str = "True",
    started: datetime = LONG_AGO,
    since: datetime = LONG_AGO,
    requests: Object | None = None,
) -> Object:
    container = {"name": "c", "resources": {"requests": requests or {"cpu": "1"}}}
    condition = {"type": "Ready", "status": ready, "lastTransitionTime": since.isoformat()}
    status = {"phase": phase, "startTime": started.isoformat(), "conditions": [condition]}
    return {"metadata": {"name": name}, "spec": {"containers": [container]}, "status": status}


def asked(*pods: Object, replicas: int = 0) -> Asked:
    return Asked(replicas or len(pods), Tolerances(0.1, 0.1), pods, NOW)


def used(**values: int) -> dict[str, Sample]:
    return {name: Sample(value, NOW, timedelta(seconds=15)) for name, value in values.items()}


def test_utilization_grows_and_shrinks_with_what_pods_use() -> None:
    three = asked(pod("a"), pod("b"), pod("c"))
    found = by_utilization(three, used(a=300, b=500, c=700), "cpu", "", 30)
    assert (found.replicas, found.utilization, found.usage) == (5, 50, 500)
    assert by_utilization(three, used(a=100, b=100, c=100), "cpu", "", 30).replicas == 1
    assert by_utilization(three, used(a=320, b=320, c=320), "cpu", "", 30).replicas == 3


def test_utilization_counts_pods_that_are_not_ready_as_idle_when_it_grows() -> None:
    fresh = pod("c", ready="False", started=NOW - timedelta(minutes=1))
    found = by_utilization(asked(pod("a"), pod("b"), fresh), used(a=500, b=700), "cpu", "", 30)
    assert (found.replicas, found.utilization) == (4, 60)


def test_utilization_counts_missing_pods_as_busy_when_it_shrinks() -> None:
    three = asked(pod("a"), pod("b"), pod("c"))
    assert by_utilization(three, used(a=100, b=100), "cpu", "", 50).replicas == 3
    assert by_utilization(three, used(a=900, b=900), "cpu", "", 50).replicas == 4


def test_cpu_of_pods_counts_only_after_it_was_measured_while_they_were_ready() -> None:
    just_ready = pod("b", started=NOW - timedelta(minutes=1), since=NOW - timedelta(seconds=5))
    found = by_utilization(asked(pod("a"), just_ready), used(a=900, b=100), "cpu", "", 50)
    assert found.utilization == 90
    settled = pod("b", started=NOW - timedelta(minutes=1), since=NOW - timedelta(seconds=30))
    found = by_utilization(asked(pod("a"), settled), used(a=900, b=100), "cpu", "", 50)
    assert found.utilization == 50


def test_pods_that_go_or_failed_are_left_out() -> None:
    gone = pod("b")
    gone["metadata"]["deletionTimestamp"] = NOW.isoformat()
    pods = asked(pod("a"), gone, pod("c", phase="Failed"))
    assert by_average(pods, used(a=10, b=99, c=99), 10).replicas == 3


@pytest.mark.parametrize(
    ("pods", "measured", "container", "why"),
    [
        ([], {"a": 1}, "", "no pods returned by selector while calculating replica count"),
        (["a"], {}, "", "did not receive metrics for targeted pods (pods might be unready)"),
        (["a"], {"b": 1}, "", "no metrics returned matched known pods"),
        (["a"], {"a": 1}, "d", "container d not found in Pod a"),
    ],
)
def test_nothing_follows_from_what_is_not_measured(
    pods: list[str], measured: dict[str, int], container: str, why: str
) -> None:
    with pytest.raises(CannotCompute) as caught:
        by_utilization(asked(*map(pod, pods)), used(**measured), "cpu", container, 50)
    assert str(caught.value) == why


def test_pod_without_a_request_has_no_utilization() -> None:
    with pytest.raises(CannotCompute, match="missing request for memory in container c of Pod a"):
        by_utilization(asked(pod("a")), used(a=1), "memory", "", 50)


def test_request_of_a_whole_pod_comes_before_those_of_its_containers() -> None:
    whole = pod("a")
    whole["spec"]["resources"] = {"requests": {"cpu": "2"}}
    assert by_utilization(asked(whole), used(a=1000), "cpu", "", 50).utilization == 50
    assert by_utilization(asked(whole), used(a=1000), "cpu", "c", 50).utilization == 100


def test_value_is_for_all_pods_together_and_a_share_for_each() -> None:
    two = asked(pod("a"), pod("b"))
    assert by_value(two, 37_000, 10_000).replicas == 8
    assert by_value(two, 10_500, 10_000).replicas == 2
    assert by_value(asked(replicas=0), 37_000, 10_000).replicas == 4
    found = by_share(two, 37_000, 10_000, 2)
    assert (found.replicas, found.usage) == (4, 18_500)
    assert by_share(two, 20_000, 10_000, 2).replicas == 2
    assert by_share(two, 20_000, 10_000, 0).replicas == 2
    with pytest.raises(CannotCompute, match="unable to calculate ready pods: no pods returned"):
        by_value(asked(replicas=2), 37_000, 10_000)
