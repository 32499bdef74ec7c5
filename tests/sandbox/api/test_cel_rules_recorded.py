"""Rules held against what a real server says of them (`recorded_rules.yaml`)."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tutor.sandbox.api.structural.cel.checking.declared import SELF_TYPE, Declared, declare
from tutor.sandbox.api.structural.cel.checking.rule import compile_rule
from tutor.sandbox.api.structural.schema import read_schema

RECORDED: dict[str, Any] = yaml.safe_load(
    Path(__file__).with_name("recorded_rules.yaml").read_text(encoding="utf-8")
)


@cache
def root() -> Declared:
    declared = declare(read_schema(RECORDED["schema"]), SELF_TYPE, root=False)
    assert declared is not None
    return declared


@pytest.mark.parametrize("case", RECORDED["rules"], ids=lambda case: case["rule"])
def test_a_rule_costs_or_fails_as_the_real_server_says(case: dict[str, Any]) -> None:
    compiled = compile_rule(case["rule"], root(), optional_old=False)
    failure = compiled.failure
    if not failure and compiled.type != "bool":
        failure = "cel expression must evaluate to a bool"
    assert failure == case.get("failure", "")
    if not failure:
        assert compiled.cost == case["cost"]


def test_old_values_are_seen_to_be_used() -> None:
    assert compile_rule("oldSelf.n <= self.n", root(), optional_old=False).uses_old
    assert not compile_rule("self.s == 'oldSelf'", root(), optional_old=False).uses_old


def test_optional_old_values_must_be_unwrapped() -> None:
    rule = "oldSelf.hasValue() && oldSelf.value().n <= self.n"
    assert not compile_rule(rule, root(), optional_old=True).failure
    assert compile_rule(rule, root(), optional_old=False).failure


def test_what_is_too_long_or_too_deep_is_refused() -> None:
    deep = compile_rule("(" * 300 + "true" + ")" * 300, root(), optional_old=False)
    assert deep.failure.endswith("<input>:-1:0: expression recursion limit exceeded: 250")
    long = compile_rule(f"self.s == '{'x' * 100_000}'", root(), optional_old=False)
    limit = "expression code point size exceeds limit: size: 100012, limit 100000"
    assert long.failure == f"compilation failed: ERROR: <input>:-1:0: {limit}"


def test_names_in_backquotes_are_no_names() -> None:
    failure = compile_rule("self.`a-b` == '`' && self.`c` > 1", root(), optional_old=False).failure
    assert failure.startswith("compilation failed: ERROR: <input>:1:6: unsupported syntax: '`'\n")
    assert failure.count("unsupported syntax") == 2
