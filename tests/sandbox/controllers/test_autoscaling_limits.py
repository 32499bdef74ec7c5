"""What keeps an autoscaler from doing at once what its metrics ask for.

Source: Kubernetes concepts, "Horizontal Pod Autoscaling" ("Configurable scaling behavior").
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tutor.sandbox.controllers.autoscaling.limits import Bounds, History
from tutor.sandbox.kinds import Object

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
BOUNDS = Bounds(1, 50)


def later(seconds: int) -> datetime:
    return NOW + timedelta(seconds=seconds)


def rules(kind: str, value: int, **more: Any) -> Object:
    policy = {"type": kind, "value": value, "periodSeconds": 60}
    usual = {"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "policies": [policy]}
    return usual | more


@pytest.mark.parametrize(
    ("desired", "replicas", "reason"),
    [
        (6, 6, "DesiredWithinRange"),
        (9, 8, "ScaleUpLimit"),
        (60, 8, "ScaleUpLimit"),
        (0, 4, "DesiredWithinRange"),
    ],
)
def test_autoscaler_without_behavior_at_most_doubles(
    desired: int, replicas: int, reason: str
) -> None:
    found = History(4, NOW).decide(None, BOUNDS, 4, desired, later(15))
    assert (found.replicas, found.limit[0]) == (replicas, reason)
    assert found.limited == (reason != "DesiredWithinRange")


def test_bounds_limit_what_is_desired() -> None:
    history = History(4, NOW)
    found = history.decide(None, Bounds(1, 5), 4, 7, later(15))
    assert (found.replicas, found.limited, found.limit[0]) == (5, True, "TooManyReplicas")
    found = history.decide(None, Bounds(2, 5), 4, 1, later(400))
    assert (found.replicas, found.limited, found.limit[0]) == (2, True, "TooFewReplicas")


def test_fewer_replicas_wait_until_no_recent_recommendation_was_higher() -> None:
    history = History(4, NOW)
    found = history.decide(None, BOUNDS, 4, 2, later(299))
    assert (found.replicas, found.able[0]) == (4, "ScaleDownStabilized")
    found = history.decide(None, BOUNDS, 4, 2, later(301))
    assert (found.replicas, found.able[0]) == (2, "ReadyForNewScale")


def test_policies_count_what_was_done_in_their_period() -> None:
    behavior = {"scaleUp": rules("Pods", 3), "scaleDown": rules("Percent", 50)}
    history = History(10, NOW)
    found = history.decide(behavior, BOUNDS, 10, 20, later(15))
    assert (found.replicas, found.limit[0]) == (13, "ScaleUpLimit")
    history.scaled(10, 13, later(15))
    assert history.decide(behavior, BOUNDS, 13, 20, later(30)).replicas == 13
    assert history.decide(behavior, BOUNDS, 13, 20, later(76)).replicas == 16
    found = history.decide(behavior, BOUNDS, 13, 1, later(90))
    assert (found.replicas, found.limit[0]) == (6, "ScaleDownLimit")


def test_smallest_change_or_none_can_be_chosen() -> None:
    several = [
        {"type": kind, "value": value, "periodSeconds": 60}
        for kind, value in (("Pods", 2), ("Percent", 100))
    ]
    up = rules("Pods", 1, policies=several, selectPolicy="Min")
    down = rules("Pods", 1, selectPolicy="Disabled")
    behavior = {"scaleUp": up, "scaleDown": down}
    history = History(10, NOW)
    assert history.decide(behavior, BOUNDS, 10, 40, later(15)).replicas == 12
    assert history.decide(behavior, BOUNDS, 10, 1, later(30)).replicas == 10


def test_windows_hold_back_both_ways() -> None:
    behavior = {
        "scaleUp": rules("Percent", 900, stabilizationWindowSeconds=60),
        "scaleDown": rules("Percent", 100, stabilizationWindowSeconds=60),
    }
    history = History(4, NOW)
    found = history.decide(behavior, BOUNDS, 4, 9, later(30))
    assert (found.replicas, found.able[0]) == (4, "ScaleUpStabilized")
    assert history.decide(behavior, BOUNDS, 4, 9, later(61)).replicas == 9
    found = history.decide(behavior, BOUNDS, 9, 2, later(75))
    assert (found.replicas, found.able[0]) == (9, "ScaleDownStabilized")
