"""From maps to typed objects, as after a strategic merge.

Source: k8s.io/apimachinery (`runtime/converter.go`).
"""

from typing import Any

import pytest

from tutor.sandbox.schema.conversion import convert
from tutor.sandbox.schema.errors import DecodeError


def deployment(**spec: Any) -> Any:
    return convert("apps", "v1", "Deployment", {"spec": spec})["spec"]


def container(**fields: Any) -> Any:
    return deployment(template={"spec": {"containers": [{"name": "c", **fields}]}})


def test_fitting_values_and_unknown_fields_stay() -> None:
    assert deployment(replicas=3, other={"a": 1}) == {"replicas": 3, "other": {"a": 1}}
    assert deployment(replicas=None) == {"replicas": None}


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"replicas": "three"}, "unrecognized type: int32"),
        ({"replicas": True}, "unrecognized type: int32"),
        ({"replicas": 1.5}, "cannot convert float64 to int32"),
        ({"paused": "yes"}, "unrecognized type: bool"),
        ({"selector": "a=b"}, "cannot restore struct from: string"),
        ({"selector": {"matchLabels": ["a"]}}, "cannot restore map from slice"),
        ({"selector": {"matchLabels": {"a": 1}}}, "cannot convert int64 to string"),
        ({"selector": {"matchExpressions": {}}}, "cannot restore slice from map"),
        ({"strategy": {"type": 1}}, "cannot convert int64 to v1.DeploymentStrategyType"),
    ],
)
def test_value_of_another_type_is_refused(spec: dict[str, Any], why: str) -> None:
    with pytest.raises(DecodeError) as caught:
        deployment(**spec)
    assert str(caught.value) == why


def test_types_that_read_themselves_complain_in_their_own_words() -> None:
    with pytest.raises(DecodeError, match="quantities must match the regular expression"):
        container(resources={"limits": {"cpu": "lots"}})
    with pytest.raises(DecodeError, match="error decoding from json: illegal base64 data"):
        convert("", "v1", "Secret", {"data": {"a": "%"}})


def test_numbers_wrap_around_and_whole_ones_lose_their_point() -> None:
    assert deployment(replicas=2**32 + 5) == {"replicas": 5}
    assert deployment(replicas=3.0) == {"replicas": 3}


def test_kind_that_is_not_built_in_stays_as_it_is() -> None:
    assert convert("example.org", "v1", "Boat", {"spec": 1}) == {"spec": 1}
