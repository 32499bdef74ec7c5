"""Evaluates the expressions of policies and webhooks on a request.

Importing it is cheap; the engine is imported by the first expression that is evaluated.
Source: apiserver's `admission/plugin/cel` (condition.go, composition.go) and `matchconditions`.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from tutor.sandbox.api.builtin.reading import items, part, text
from tutor.sandbox.api.structural.cel.errors import EvaluationError
from tutor.sandbox.kinds import Object

_VARIABLE = re.compile(r"(?<![\w.])variables\.([_a-zA-Z]\w*)")
_CACHED = 512


class Activation:
    """The values that expressions may look at; variables are evaluated when one is asked for."""

    def __init__(self, values: Mapping[str, Any], variables: Sequence[Object] = ()) -> None:
        self._values = dict(values)
        self._expressions = {text(one, "name"): text(one, "expression") for one in variables}
        self._variables: dict[str, Any] = {}

    def evaluate(self, expression: str, *, written: str = "") -> Any:
        """The plain value of an expression; `written` is how it was written, if that differs.

        Raises:
            EvaluationError: it has none; the text is the server's.
        """
        try:
            return self._value(expression)
        except EvaluationError as error:
            told = f"expression '{written or expression}' resulted in error: {error}"
            raise EvaluationError(told) from error

    def _value(self, expression: str) -> Any:
        for name in dict.fromkeys(_VARIABLE.findall(expression)):
            if name in self._expressions and name not in self._variables:
                self._variables[name] = self._variable(name)
        data = self._values | ({"variables": self._variables} if self._expressions else {})
        return _run(expression, data)

    def _variable(self, name: str) -> Any:
        try:
            return self._value(self._expressions[name])
        except EvaluationError as error:
            told = f'composited variable "{name}" fails to evaluate: {error}'
            raise EvaluationError(told) from error


def _run(expression: str, data: dict[str, Any]) -> Any:
    # The engine takes 15 MB, which clusters without expressions need not pay.
    from tutor.sandbox.api.structural.cel import engine  # noqa: PLC0415

    try:
        result = _compiled(expression.strip(), tuple(data)).eval(data=data)
    except (RuntimeError, ValueError) as error:
        raise EvaluationError(engine.words(str(error))) from error
    value = result.plain_value()
    if result.type().name() in ("ERROR", "*error*"):
        raise EvaluationError(engine.words(str(value)))
    return value


@lru_cache(_CACHED)
def _compiled(expression: str, names: tuple[str, ...]) -> Any:
    from tutor.sandbox.api.builtin.registration import compiler  # noqa: PLC0415

    return compiler.compiled(expression, names)


def conditions_hold(obj: Object, activation: Activation, *, fails: bool) -> bool:
    """Whether the `matchConditions` of a policy or webhook hold.

    Raises:
        EvaluationError: none is false, and one has no value; when `fails` says that this counts.
    """
    errors: list[str] = []
    for condition in items(obj, "matchConditions"):
        try:
            if activation.evaluate(text(condition, "expression")) is False:
                return False
        except EvaluationError as error:
            errors.append(str(error))
    if errors and fails:
        unique = list(dict.fromkeys(errors))
        raise EvaluationError(unique[0] if len(unique) == 1 else f"[{', '.join(unique)}]")
    return not errors


def namespace_object(namespace: Object | None) -> Object | None:
    """What expressions see of a namespace."""
    if namespace is None:
        return None
    hidden = ("managedFields", "ownerReferences", "selfLink")
    meta = {key: value for key, value in part(namespace, "metadata").items() if key not in hidden}
    shown = {key: value for key, value in namespace.items() if key in ("spec", "status")}
    return {"metadata": meta, **shown}
