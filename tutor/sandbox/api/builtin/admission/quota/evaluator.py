"""How objects count against quotas. Source: apiserver's `pkg/quota/v1/generic`."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from tutor.sandbox.api.builtin import quantity
from tutor.sandbox.api.builtin.quantity import Quantity
from tutor.sandbox.api.builtin.reading import items, part
from tutor.sandbox.api.webhooks import Write
from tutor.sandbox.kinds import Object

Usage = dict[str, Quantity]
ONE = quantity.parse("1")


def added(one: Mapping[str, Quantity], other: Mapping[str, Quantity]) -> Usage:
    """The sum of two usages."""
    return dict(one) | {
        name: one[name] + value if name in one else value for name, value in other.items()
    }


def grown(new: Mapping[str, Quantity], old: Mapping[str, Quantity]) -> Usage:
    """By how much usage grew; what shrank counts as nothing."""
    differences = {name: value - old.get(name, quantity.ZERO) for name, value in new.items()}
    return {name: value for name, value in differences.items() if value > quantity.ZERO}


def written(usage: Mapping[str, Quantity]) -> dict[str, str]:
    """A usage as an object has it."""
    return {name: str(value) for name, value in sorted(usage.items())}


def on_creation(write: Write) -> bool:
    """Whether something new comes about."""
    return write.operation == "CREATE" and not write.call.subresource


def on_change(write: Write) -> bool:
    """Whether something comes about or changes."""
    return write.operation in ("CREATE", "UPDATE") and not write.call.subresource


def in_no_scope(_requirement: Object, _obj: Object) -> bool:
    """Quotas with a scope are not for these objects."""
    return False


def lacks_nothing(_names: Collection[str], _obj: Object) -> str:
    """These objects need not say what they will use."""
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluator:
    """How objects of one resource count.

    `matching` picks the limits that are about them, `lacking` tells what they must say of
    themselves where these are limited.
    """

    usage: Callable[[Object, datetime], Usage]
    matching: Callable[[Iterable[str]], list[str]]
    handles: Callable[[Write], bool]
    in_scope: Callable[[Object, Object], bool] = in_no_scope
    lacking: Callable[[Collection[str], Object], str] = lacks_nothing

    def covers(self, quota: Object, obj: Object) -> bool:
        """Whether the scopes of a quota take in an object."""
        return all(self.in_scope(requirement, obj) for requirement in _scopes(quota))


def _scopes(quota: Object) -> list[Object]:
    spec = part(quota, "spec")
    plain = [{"scopeName": scope, "operator": "Exists"} for scope in items(spec, "scopes")]
    return plain + items(spec, "scopeSelector", "matchExpressions")


def selects(requirement: Object, values: Collection[str]) -> bool:
    """Whether one of the values of a scope, or their absence, meets a requirement."""
    wanted = items(requirement, "values")
    match requirement["operator"]:
        case "In":
            return any(value in wanted for value in values)
        case "NotIn":
            return not values or any(value not in wanted for value in values)
        case "DoesNotExist":
            return not values
        case _:
            return bool(values)
