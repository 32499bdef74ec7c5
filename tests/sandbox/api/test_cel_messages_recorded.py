"""Expressions held against what a real server makes of them (`recorded_messages.yaml`)."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tutor.sandbox.api.structural.structural import Structural, compile_schema

HERE = Path(__file__).parent
FALLBACK = "no text"


def recorded(name: str) -> dict[str, Any]:
    return yaml.safe_load((HERE / f"{name}.yaml").read_text(encoding="utf-8"))


RECORDED = recorded("recorded_messages")


@cache
def schema() -> dict[str, Any]:
    return recorded("recorded_rules")["schema"]


def judge_of(expression: str) -> Structural:
    rule = {"rule": "self.s == '#'", "messageExpression": expression, "message": FALLBACK}
    spec = schema() | {"x-kubernetes-validations": [rule]}
    return compile_schema({"type": "object", "properties": {"spec": spec}})


@pytest.mark.parametrize(
    "case", RECORDED["messages"], ids=lambda case: f"{case['expression']}-{case.get('s', '')}"
)
def test_an_expression_has_the_value_that_the_real_server_gives_it(case: dict[str, Any]) -> None:
    value = RECORDED["value"] | ({"s": case["s"]} if "s" in case else {})
    (complaint,) = judge_of(case["expression"]).validate({"spec": value})
    assert str(complaint) == f"spec: Invalid value: {case.get('text', FALLBACK)}"
