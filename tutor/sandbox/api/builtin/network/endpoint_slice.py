"""EndpointSlices. Source: `apis/discovery/validation`, `registry/discovery/endpointslice`."""

import ipaddress
from collections.abc import Iterable

from tutor.sandbox.api import formats, metadata
from tutor.sandbox.api.builtin import addresses, checks
from tutor.sandbox.api.builtin.behaviour import Behaviour, first_generation, next_generation
from tutor.sandbox.api.builtin.checks import Errors, Rule
from tutor.sandbox.api.builtin.network.service import PROTOCOLS
from tutor.sandbox.api.builtin.network.service_addresses import endpoint_ip
from tutor.sandbox.api.builtin.reading import (
    drop,
    fill_absent,
    indexed,
    items,
    part,
    same,
    text,
)
from tutor.sandbox.api.status import duplicate, invalid, required, too_many
from tutor.sandbox.kinds import Object, labels_of

_TYPES = ("FQDN", "IPv4", "IPv6")
_MANAGER = "endpointslice.kubernetes.io/managed-by"
_MANAGERS = ("endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io")
_MAX_ENDPOINTS, _MAX_ADDRESSES, _MAX_PORTS, _MAX_HINTS = 1000, 100, 20000, 8


def _default(obj: Object) -> None:
    for port in items(obj, "ports"):
        fill_absent(port, name="", protocol="TCP")


def _drop_topology(obj: Object) -> None:
    for endpoint in items(obj, "endpoints"):
        drop(endpoint, "deprecatedTopology")


def _prepare_create(obj: Object) -> None:
    first_generation(obj)
    _drop_topology(obj)


def _prepare_update(new: Object, old: Object) -> None:
    content, before = (
        {key: value for key, value in obj.items() if key != "metadata"} for obj in (new, old)
    )
    if not same(content, before) or labels_of(new) != labels_of(old):
        next_generation(new, old)
    if not same(new.get("endpoints"), old.get("endpoints")):
        _drop_topology(new)


def _validate(obj: Object) -> Errors:
    return _judge(obj, None)


def _judge(obj: Object, old: Object | None) -> Errors:
    errors = metadata.built_in(obj, metadata.dns_subdomain)
    kind = text(obj, "addressType")
    errors += checks.required_one_of(kind, _TYPES, "addressType") + _ports(obj)
    # What was let through once may stay.
    if old is None or not same(obj.get("endpoints"), old.get("endpoints")):
        errors += _endpoints(obj, kind)
    return errors


def _ports(obj: Object) -> Errors:
    count = len(items(obj, "ports"))
    if count > _MAX_PORTS:
        return [too_many("ports", count, _MAX_PORTS)]
    errors: Errors = []
    names: set[str] = set()
    for port, path in indexed(obj, "ports", ""):
        name = text(port, "name")
        if name:
            errors += checks.obey(formats.dns1123_label, name, f"{path}.name")
        errors += [duplicate(f"{path}.name", name)] if name in names else []
        names.add(name)
        errors += checks.one_of(port.get("protocol"), PROTOCOLS, f"{path}.protocol")
        if (protocol := port.get("appProtocol")) is not None:
            errors += checks.obey(formats.label_key, protocol, f"{path}.appProtocol")
    return errors


def _endpoints(obj: Object, kind: str) -> Errors:
    count = len(items(obj, "endpoints"))
    if count > _MAX_ENDPOINTS:
        return [too_many("endpoints", count, _MAX_ENDPOINTS)]
    errors: Errors = []
    for endpoint, path in indexed(obj, "endpoints", ""):
        errors += _addresses(endpoint, path, kind)
        if (node := endpoint.get("nodeName")) is not None:
            errors += checks.obey(formats.dns1123_subdomain, node, f"{path}.nodeName")
        if (host := endpoint.get("hostname")) is not None:
            errors += checks.obey(formats.dns1123_label, host, f"{path}.hostname")
        errors += _hints(part(endpoint, "hints"), f"{path}.hints")
    return errors


def _addresses(endpoint: Object, path: str, kind: str) -> Errors:
    at = f"{path}.addresses"
    count = len(items(endpoint, "addresses"))
    errors: Errors = []
    if not count:
        errors.append(required(at, "must contain at least 1 address"))
    elif count > _MAX_ADDRESSES:
        errors.append(too_many(at, count, _MAX_ADDRESSES))
    for address, own in indexed(endpoint, "addresses", path):
        if kind == "FQDN":
            errors += checks.full_domain_name(address, own)
        elif kind in _TYPES:
            errors += _address(address, own, at, kind)
    return errors


def _address(address: str, path: str, list_path: str, kind: str) -> Errors:
    strict = kind == "IPv6"
    errors = addresses.canonical_ip(address, path) if strict else addresses.ip(address, path)
    if errors:
        return errors
    version = ipaddress.ip_address(address).version
    if version != int(kind[-1]):
        errors.append(invalid(list_path, address, f"must be an {kind} address"))
    return errors + endpoint_ip(address, path)


def _hints(hints: Object, path: str) -> Errors:
    errors: Errors = []
    rules: Iterable[tuple[str, Rule]] = (
        ("forZones", formats.label_value),
        ("forNodes", formats.dns1123_subdomain),
    )
    for field, rule in rules:
        count = len(items(hints, field))
        if count > _MAX_HINTS:
            return [*errors, too_many(f"{path}.{field}", count, _MAX_HINTS)]
        names: set[str] = set()
        for hint, at in indexed(hints, field, path):
            name = text(hint, "name")
            errors += [duplicate(f"{at}.name", name)] if name in names else []
            names.add(name)
            errors += checks.obey(rule, name, f"{at}.name")
    return errors


def _validate_update(new: Object, old: Object) -> Errors:
    kind, before = new.get("addressType"), old.get("addressType")
    return _judge(new, old) + checks.immutable(kind, before, "addressType")


def _warnings(obj: Object, old: Object | None) -> list[str]:
    said: list[str] = []
    if old is None and obj.get("addressType") == "FQDN":
        said.append("spec.addressType: FQDN endpoints are deprecated")
    if labels_of(obj).get(_MANAGER) in _MANAGERS:
        return said
    for endpoint, path in indexed(obj, "endpoints", ""):
        for address, at in indexed(endpoint, "addresses", path):
            said += addresses.ip_warnings(address, at)
    return said


ENDPOINT_SLICE = Behaviour(
    default=_default,
    prepare_create=_prepare_create,
    prepare_update=_prepare_update,
    validate=_validate,
    validate_update=_validate_update,
    warnings=_warnings,
)
