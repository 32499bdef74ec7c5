"""NetworkPolicies. Source: `apis/networking/validation/validation.go`, `registry/networking`."""

from collections.abc import Iterable, Iterator
from typing import Any

from tutor.sandbox.api import metadata
from tutor.sandbox.api.builtin import addresses, checks
from tutor.sandbox.api.builtin.addresses import Network
from tutor.sandbox.api.builtin.behaviour import Behaviour, first_generation
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.reading import fill_absent, indexed, items, part, text
from tutor.sandbox.api.builtin.workloads.template import count_changes
from tutor.sandbox.api.status import forbidden_field, invalid, not_supported, required
from tutor.sandbox.kinds import Object

_DIRECTIONS = (("ingress", "from"), ("egress", "to"))
_TYPES = ("Ingress", "Egress")
_PROTOCOLS = ("TCP", "UDP", "SCTP")


def _default(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]
    for direction, _ in _DIRECTIONS:
        for rule in items(spec, direction):
            for port in items(rule, "ports"):
                fill_absent(port, protocol="TCP")


def _validate(obj: Object) -> Errors:
    errors = metadata.built_in(obj, metadata.dns_subdomain)
    return errors + _spec(part(obj, "spec"), (), any_value=False)


def _validate_update(new: Object, old: Object) -> Errors:
    known = [cidr for block, _ in _blocks(old) for cidr in (text(block, "cidr"), *_except(block))]
    before = part(old, "spec", "podSelector")
    lax = bool(checks.label_selector(before, "spec.podSelector"))
    errors = metadata.built_in_update(new, old)
    return errors + _spec(part(new, "spec"), known, any_value=lax)


def _spec(spec: Object, known: Iterable[str], *, any_value: bool) -> Errors:
    selector = part(spec, "podSelector")
    errors = checks.label_selector(selector, "spec.podSelector", any_value=any_value)
    for direction, side in _DIRECTIONS:
        for rule, path in indexed(spec, direction, "spec"):
            for port, at in indexed(rule, "ports", path):
                errors += _port(port, at)
            for peer, at in indexed(rule, side, path):
                errors += _peer(peer, at, known, any_value=any_value)
    types = items(spec, "policyTypes")
    if len(types) > len(_TYPES):
        why = "may not specify more than two policyTypes"
        return [*errors, invalid("spec.policyTypes", types, why)]
    for kind, path in indexed(spec, "policyTypes", "spec"):
        errors += checks.one_of(kind, _TYPES, path)
    return errors


def _port(given: Object, path: str) -> Errors:
    errors: Errors = []
    protocol, port, end = given.get("protocol"), given.get("port"), given.get("endPort")
    if protocol is not None and protocol not in _PROTOCOLS:
        errors.append(not_supported(f"{path}.protocol", protocol, _PROTOCOLS))
    at = f"{path}.endPort"
    if port is None:
        why = "may not be specified when `port` is not specified"
        return errors if end is None else [*errors, invalid(at, end, why)]
    if isinstance(port, str):
        if end is not None:
            errors.append(invalid(at, end, "may not be specified when `port` is non-numeric"))
        return errors + checks.obey(checks.port_name, port, f"{path}.port")
    errors += checks.port(port, f"{path}.port")
    if end is not None:
        if end < port:
            errors.append(invalid(at, port, "must be greater than or equal to `port`"))
        errors += checks.port(end, at)
    return errors


def _peer(peer: Object, path: str, known: Iterable[str], *, any_value: bool) -> Errors:
    errors: Errors = []
    selectors = [
        field for field in ("podSelector", "namespaceSelector") if peer.get(field) is not None
    ]
    for field in selectors:
        errors += checks.label_selector(peer[field], f"{path}.{field}", any_value=any_value)
    block = peer.get("ipBlock")
    if block is not None:
        errors += _block(block, f"{path}.ipBlock", known)
    if block is None and not selectors:
        errors.append(required(path, "must specify a peer"))
    elif block is not None and selectors:
        why = "may not specify both ipBlock and another peer"
        errors.append(forbidden_field(path, why))
    return errors


def _block(block: Object, path: str, known: Iterable[str]) -> Errors:
    written = text(block, "cidr")
    if not written:
        return [required(f"{path}.cidr")]
    errors = addresses.cidr(written, f"{path}.cidr", known=known)
    whole = addresses.network(written)
    if whole is None:
        return errors
    for excepted, at in indexed(block, "except", path):
        errors += addresses.cidr(excepted, at, known=known)
        hole = addresses.network(excepted)
        if hole is not None and not _is_strictly_within(hole, whole):
            errors.append(invalid(at, excepted, "must be a strict subset of `cidr`"))
    return errors


def _is_strictly_within(hole: Network, whole: Network) -> bool:
    return hole.network_address in whole and whole.prefixlen < hole.prefixlen


def _except(block: Object) -> list[Any]:
    return items(block, "except")


def _blocks(obj: Object) -> Iterator[tuple[Object, str]]:
    spec = part(obj, "spec")
    for direction, side in _DIRECTIONS:
        for rule, path in indexed(spec, direction, "spec"):
            for peer, at in indexed(rule, side, path):
                if peer.get("ipBlock") is not None:
                    yield peer["ipBlock"], f"{at}.ipBlock"


def _warnings(obj: Object, _old: Object | None) -> list[str]:
    said: list[str] = []
    for block, path in _blocks(obj):
        said += addresses.cidr_warnings(text(block, "cidr"), f"{path}.cidr")
        for excepted, at in indexed(block, "except", path):
            said += addresses.cidr_warnings(excepted, at)
    return said


NETWORK_POLICY = Behaviour(
    default=_default,
    prepare_create=first_generation,
    prepare_update=count_changes,
    validate=_validate,
    validate_update=_validate_update,
    warnings=_warnings,
)
