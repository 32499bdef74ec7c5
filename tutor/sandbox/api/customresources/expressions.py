"""The expressions of a schema: whether they compile, what they look at, and what they may cost.

Source: apiextensions-apiserver (`pkg/apis/apiextensions/validation/{,cel_}validation.go`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from tutor.sandbox.api.customresources.printed import rule_printed
from tutor.sandbox.api.status import FieldError, forbidden_field, invalid
from tutor.sandbox.api.structural.cel.checking.declared import (
    MAX_REQUEST,
    SELF_TYPE,
    Declared,
    declare,
)
from tutor.sandbox.api.structural.schema import Schema
from tutor.sandbox.kinds import Object

_MOST = 10_000_000
"""What one expression may cost."""
_MOST_IN_ALL = 100_000_000
_MOST_NAMED = 4
_UNLIMITED = 2**64 - 1
_TOO_COSTLY_IN_ALL = (
    "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema"
)
_ALL_RULES = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema"
_NO_TYPE = (
    "internal error: failed to construct type information for x-kubernetes-validations rules:"
    " unable to convert structural schema to CEL declarations"
)


class Judged(NamedTuple):
    """A schema whose rules are to be judged."""

    schema: Schema
    root: bool
    cardinality: int | None
    """How many values of it there may be in one object; None when nothing limits that."""

    def below(self, schema: Schema | None) -> "Judged | None":
        """A schema directly in this one."""
        if schema is None:
            return None
        factor = _multiplies(self.schema)
        unlimited = self.cardinality is None or factor is None
        return Judged(
            schema,
            root=schema.embedded,
            cardinality=None if unlimited else _times(self.cardinality or 0, factor or 0),
        )


@dataclass(slots=True)
class Budget:
    """What the rules of one version may cost together."""

    unchanged: bool
    """Whether the schema has been let through before: then single rules may cost what they do."""
    _total: int = 0
    _costly: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])

    def spend(self, path: str, cost: int) -> None:
        """Count an expression."""
        self._total = min(self._total + cost, _UNLIMITED)
        if cost >= _MOST_IN_ALL // 100:
            ordered = sorted([*self._costly, (cost, path)], key=lambda one: -one[0])
            self._costly = ordered[:_MOST_NAMED]

    def excess(self, path: str) -> Iterator[FieldError]:
        """What is wrong with the sum."""
        if self._total <= _MOST_IN_ALL:
            return
        for _, at in self._costly:
            yield forbidden_field(at, _TOO_COSTLY_IN_ALL)
        yield forbidden_field(path, _exceeding(_ALL_RULES, self._total, _MOST_IN_ALL))


def check_rules(
    judged: Judged, path: str, uncorrelated: str, budget: Budget
) -> Iterator[FieldError]:
    """What is wrong with the rules of one schema, but for those of schemas in it.

    `uncorrelated` is the path of the value around this one of which old and new cannot be
    matched, empty when they can.
    """
    rules: list[Object] = judged.schema.raw.get("x-kubernetes-validations") or []
    if not rules:
        return
    at = f"{path}.x-kubernetes-validations"
    declared = declare(judged.schema, SELF_TYPE, root=judged.root)
    if declared is None:
        yield FieldError(at, "Internal error", "InternalError", _NO_TYPE)
        return
    judge = _Judge(judged, declared, budget, uncorrelated)
    for index, rule in enumerate(rules):
        yield from judge.check(rule, f"{at}[{index}]")


@dataclass(frozen=True, slots=True)
class _Judge:
    judged: Judged
    declared: Declared
    budget: Budget
    uncorrelated: str

    def check(self, rule: Object, path: str) -> Iterator[FieldError]:
        """What is wrong with one rule."""
        # The engine takes 15 MB, which clusters without rules need not pay.
        from tutor.sandbox.api.structural.cel.checking.rule import (  # noqa: PLC0415
            compile_rule,
        )

        text, at = rule.get("rule", ""), f"{path}.rule"
        optional = rule.get("optionalOldSelf") is True
        compiled = compile_rule(text, self.declared, optional_old=optional)
        yield from self._check_cost(at, "estimated rule cost", self._in_all(compiled.cost))
        if compiled.failure:
            yield invalid(at, rule_printed(rule), compiled.failure)
        elif compiled.type != "bool":
            yield invalid(at, rule_printed(rule), "cel expression must evaluate to a bool")
        elif message := rule.get("messageExpression"):
            told = compile_rule(message, self.declared, optional_old=optional)
            yield from self._check_message(rule, told.failure, told.type, told.cost, path)
        if compiled.uses_old and compiled.type == "bool":
            if self.uncorrelated:
                why = "oldSelf cannot be used on the uncorrelatable portion of the schema within "
                yield invalid(at, text, why + self.uncorrelated)
        elif rule.get("optionalOldSelf") is not None:
            why = "may not be set if oldSelf is not used in rule"
            yield invalid(f"{path}.optionalOldSelf", rule["optionalOldSelf"], why)

    def _check_message(
        self, rule: Object, failure: str, type_: str, cost: int, path: str
    ) -> Iterator[FieldError]:
        at, shown = f"{path}.messageExpression", rule_printed(rule)
        if failure:
            told = failure.removeprefix("program ")
            yield invalid(at, shown, f"messageExpression {told}")
        elif type_ != "string":
            yield invalid(at, shown, "messageExpression must evaluate to a string")
        else:
            yield from self._check_cost(at, "estimated messageExpression cost", cost)

    def _check_cost(self, at: str, what: str, cost: int) -> Iterator[FieldError]:
        if cost > _MOST and not self.budget.unchanged:
            yield forbidden_field(at, _exceeding(what, cost, _MOST))
        self.budget.spend(at, cost)

    def _in_all(self, cost: int) -> int:
        """What a rule costs that is asked about every value of its schema."""
        if not cost:
            return 0
        count = self.judged.cardinality
        if count is None:
            count = MAX_REQUEST // (self.declared.least_in_json + 1)
        return _times(cost, count)


def _times(one: int, other: int) -> int:
    return min(one * other, _UNLIMITED)


def _multiplies(schema: Schema) -> int | None:
    """How many values of what is in it a value may have; None when nothing limits that."""
    raw = schema.raw
    if schema.type == "array":
        limit = raw.get("maxItems")
    elif schema.type == "object" and raw.get("additionalProperties") is not None:
        limit = raw.get("maxProperties")
    else:
        return 1
    return None if limit is None else max(int(limit), 0)


def _exceeding(what: str, cost: int, limit: int) -> str:
    factor = cost / limit
    if factor > 100:
        shown = "more than 100x"
    else:
        shown = f"{factor:f}x" if factor < 1.5 else f"{factor:.1f}x"
    return (
        f"{what} exceeds budget by factor of {shown} (try simplifying the rule, or adding"
        " maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)"
    )
