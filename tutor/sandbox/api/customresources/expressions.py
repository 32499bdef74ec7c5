"""The expressions of a schema: whether they compile, and what they may look at.

Source: apiextensions-apiserver (`pkg/apiserver/schema/cel/compilation.go`).
"""

from collections.abc import Iterator

from tutor.sandbox.api.customresources.printed import rule_printed
from tutor.sandbox.api.status import FieldError, invalid
from tutor.sandbox.api.structural.cel.errors import SyntaxFailure
from tutor.sandbox.api.structural.rules import uses_old_self
from tutor.sandbox.kinds import Object


def check_rules(schema: Object, path: str, uncorrelated: str) -> Iterator[FieldError]:
    """What is wrong with the rules of one schema, but for those of schemas in it.

    `uncorrelated` is the path of the value around this one of which old and new cannot be
    matched, empty when they can.
    """
    for index, rule in enumerate(schema.get("x-kubernetes-validations") or ()):
        yield from _check_rule(rule, f"{path}.x-kubernetes-validations[{index}]", uncorrelated)


def _check_rule(rule: Object, path: str, uncorrelated: str) -> Iterator[FieldError]:
    text, shown = rule.get("rule", ""), rule_printed(rule)
    if why := _failure(text):
        yield invalid(f"{path}.rule", shown, f"compilation failed: {why}")
    elif (message := rule.get("messageExpression")) and (why := _failure(message)):
        told = f"messageExpression compilation failed: {why}"
        yield invalid(f"{path}.messageExpression", shown, told)
    if uses_old_self(text):
        if uncorrelated:
            why = "oldSelf cannot be used on the uncorrelatable portion of the schema within "
            yield invalid(f"{path}.rule", text, why + uncorrelated)
    elif rule.get("optionalOldSelf") is not None:
        why = "may not be set if oldSelf is not used in rule"
        yield invalid(f"{path}.optionalOldSelf", rule["optionalOldSelf"], why)


def _failure(text: str) -> str:
    # The engine takes 15 MB, which clusters without rules need not pay.
    from tutor.sandbox.api.structural.cel import engine  # noqa: PLC0415

    try:
        engine.parse(text)
    except SyntaxFailure as error:
        return str(error)
    return ""
