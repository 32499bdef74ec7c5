"""What a claim asks for: requests, constraints on them, and their configuration.

Source: `apis/resource/validation/validation.go`, whose generated rules say the same.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tutor.sandbox.api import formats
from tutor.sandbox.api.builtin import checks
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.pod.network_volumes import driver_name
from tutor.sandbox.api.builtin.reading import fill, indexed, items, number, part, text
from tutor.sandbox.api.status import duplicate, invalid, not_supported, required, too_long, too_many
from tutor.sandbox.api.values import is_map
from tutor.sandbox.kinds import Object

EFFECTS = ("NoExecute", "NoSchedule", "None")
_MODES, _OPERATORS = ("All", "ExactCount"), ("Equal", "Exists")
_MAX_ITEMS, _MAX_ALTERNATIVES = 32, 8
_MAX_EXPRESSION = 10 * 1024
_MAX_ID = 32
_NOT_A_REQUEST = (
    "must be the name of a request in the claim or the name of a request and a subrequest separated"
    " by '/'"
)
_ONE_KIND = "exactly one of `exactly` or `firstAvailable` is required"

Names = Mapping[str, Sequence[str]]
"""The names of requests, with those of the alternatives of each."""
Judge = Callable[[Object, str], Errors]


def default_claim(spec: Object) -> None:
    """One device, where nobody says how many."""
    for request in items(part(spec, "devices"), "requests"):
        for wanted in (request.get("exactly"), *items(request, "firstAvailable")):
            if wanted is not None:
                fill(wanted, allocationMode="ExactCount")
                if wanted["allocationMode"] == "ExactCount":
                    fill(wanted, count=1)
                for toleration in items(wanted, "tolerations"):
                    fill(toleration, operator="Equal")


def claim(spec: Object, path: str) -> Errors:
    """The spec of a claim."""
    devices, path = part(spec, "devices"), f"{path}.devices"
    names = {
        text(request, "name"): [text(one, "name") for one in items(request, "firstAvailable")]
        for request in items(devices, "requests")
    }
    errors = named(devices, "requests", path, _MAX_ITEMS, _request)
    errors += listed(devices, "constraints", path, lambda one, at: _constraint(one, names, at))
    return errors + listed(
        devices,
        "config",
        path,
        lambda one, at: _references(one, names, at) + configuration(one, at),
    )


def listed(obj: Object, field: str, path: str, judge: Judge, *, most: int = _MAX_ITEMS) -> Errors:
    """The items of a list, unless they are too many."""
    if (count := len(items(obj, field))) > most:
        return [too_many(f"{path}.{field}", count, most)]
    return [error for one, at in indexed(obj, field, path) for error in judge(one, at)]


def named(obj: Object, field: str, path: str, most: int, judge: Judge, key: str = "name") -> Errors:
    """The items of a list, each with a name of its own."""
    errors = listed(obj, field, path, judge, most=most)
    seen: set[str] = set()
    if len(items(obj, field)) > most:
        return errors
    for one, at in indexed(obj, field, path):
        name = text(one, key)
        errors += [duplicate(at, name)] if name in seen else []
        seen.add(name)
    return errors


def label(name: str, path: str) -> Errors:
    """A DNS label."""
    return checks.obey(formats.dns1123_label, name, path)


def _request(request: Object, path: str) -> Errors:
    errors = label(text(request, "name"), f"{path}.name")
    exactly, alternatives = request.get("exactly"), items(request, "firstAvailable")
    if alternatives and exactly is not None:
        return [*errors, invalid(path, None, f"{_ONE_KIND}, but multiple fields are set")]
    if exactly is not None:
        return errors + _wanted(exactly, f"{path}.exactly")
    if not alternatives:
        return [*errors, required(path, _ONE_KIND)]
    return errors + named(request, "firstAvailable", path, _MAX_ALTERNATIVES, _alternative)


def _alternative(request: Object, path: str) -> Errors:
    return label(text(request, "name"), f"{path}.name") + _wanted(request, path)


def _wanted(request: Object, path: str) -> Errors:
    name, at = text(request, "deviceClassName"), f"{path}.deviceClassName"
    errors = checks.obey(formats.dns1123_subdomain, name, at) if name else [required(at)]
    errors += selectors(request, path)
    mode, count = text(request, "allocationMode"), number(request, "count")
    if mode not in _MODES:
        errors.append(not_supported(f"{path}.allocationMode", mode, _MODES))
    elif mode == "All" and count:
        why = "must not be specified when allocationMode is 'All'"
        errors.append(invalid(f"{path}.count", count, why))
    elif mode == "ExactCount" and count <= 0:
        errors.append(invalid(f"{path}.count", count, "must be greater than zero"))
    for toleration, at in indexed(request, "tolerations", path):
        errors += _toleration(toleration, at)
    return errors


def selectors(obj: Object, path: str) -> Errors:
    """Expressions that devices have to fulfil."""
    return listed(obj, "selectors", path, _selector)


def _selector(selector: Object, path: str) -> Errors:
    # The engine takes 15 MB, which clusters without expressions need not pay.
    from tutor.sandbox.api.builtin.registration.expressions import value_failure  # noqa: PLC0415

    if selector.get("cel") is None:
        return [required(f"{path}.cel")]
    expression, path = text(selector["cel"], "expression"), f"{path}.cel.expression"
    if len(expression.encode()) > _MAX_EXPRESSION:
        return [too_long(path, _MAX_EXPRESSION)]
    return value_failure(expression, path, ["device"], "bool")


def _toleration(toleration: Object, path: str) -> Errors:
    errors: Errors = []
    operator, value = text(toleration, "operator"), text(toleration, "value")
    if key := text(toleration, "key"):
        errors += checks.obey(formats.label_key, key, f"{path}.key")
    if operator == "Exists":
        if value:
            why = "must be empty for operator `Exists`"
            errors.append(invalid(f"{path}.value", value, why))
    elif operator == "Equal":
        errors += checks.obey(formats.label_value, value, f"{path}.value")
    else:
        errors += checks.required_one_of(operator, _OPERATORS, f"{path}.operator")
    if effect := text(toleration, "effect"):
        errors += checks.one_of(effect, EFFECTS, f"{path}.effect")
    return errors


def _constraint(constraint: Object, names: Names, path: str) -> Errors:
    errors = _references(constraint, names, path)
    for field in ("matchAttribute", "distinctAttribute"):
        if constraint.get(field) is not None:
            return errors + _full_name(constraint[field], f"{path}.{field}")
    why = (
        'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields'
        " are set"
    )
    return [*errors, required(path, why)]


def _references(obj: Object, names: Names, path: str) -> Errors:
    """The requests that something is about."""
    errors: Errors = []
    wanted = items(obj, "requests")
    for name, at in indexed(obj, "requests", path):
        first, slash, second = name.partition("/")
        if "/" in second:
            errors.append(invalid(at, name, _NOT_A_REQUEST))
            continue
        errors += label(first, at) + (label(second, at) if slash else [])
        if first not in names or (slash and second not in names[first]):
            errors.append(invalid(at, name, _NOT_A_REQUEST))
    for index, name in enumerate(wanted):
        if name in wanted[:index]:
            errors.append(duplicate(f"{path}.requests[{index}]", name))
    return errors


def _full_name(name: str, path: str) -> Errors:
    errors = qualified_name(name, path)
    if "/" not in name:
        why = "a fully qualified name must be a domain and a name separated by a slash"
        errors.append(invalid(path, name, why))
    return errors


def qualified_name(name: str, path: str) -> Errors:
    """The name of an attribute or a capacity, perhaps with the domain of a driver before it."""
    domain, *rest = name.split("/")
    if not rest:
        return _identifier(domain, path)
    if len(rest) > 1:
        return []
    errors = (
        driver_name(domain, path) if domain else [invalid(path, "", "the domain must not be empty")]
    )
    if not rest[0]:
        return [*errors, invalid(path, "", "the name must not be empty")]
    return errors + _identifier(rest[0], path)


def _identifier(name: str, path: str) -> Errors:
    errors = [too_long(path, _MAX_ID)] if len(name.encode()) > _MAX_ID else []
    return errors + checks.obey(formats.c_identifier, name, path)


def configuration(config: Object, path: str) -> Errors:
    """What a driver is told, which nobody else reads."""
    opaque, path = config.get("opaque"), f"{path}.opaque"
    if opaque is None:
        return [required(path)]
    errors = driver_name(text(opaque, "driver"), f"{path}.driver")
    parameters: Any = opaque.get("parameters")
    if parameters is None:
        errors.append(required(f"{path}.parameters"))
    elif not is_map(parameters):
        why = "must be a valid JSON object"
        errors.append(invalid(f"{path}.parameters", "<value omitted>", why))
    return errors
