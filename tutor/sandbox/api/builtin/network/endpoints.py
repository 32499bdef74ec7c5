"""Endpoints and EndpointSlices.

Source: `apis/core/validation/validation.go`, `apis/discovery/validation/validation.go`.
"""

from tutor.sandbox.api import formats, metadata
from tutor.sandbox.api.builtin import addresses, checks
from tutor.sandbox.api.builtin.behaviour import Behaviour
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.network.service import PROTOCOLS
from tutor.sandbox.api.builtin.network.service_addresses import endpoint_ip
from tutor.sandbox.api.builtin.reading import fill, indexed, items, number, same, text
from tutor.sandbox.api.status import required
from tutor.sandbox.kinds import Object, labels_of


def _default(obj: Object) -> None:
    for subset in items(obj, "subsets"):
        for port in items(subset, "ports"):
            fill(port, protocol="TCP")


def _validate(obj: Object) -> Errors:
    return metadata.built_in(obj, metadata.dns_subdomain) + _subsets(obj)


def _validate_update(new: Object, old: Object) -> Errors:
    errors = metadata.built_in_update(new, old) + metadata.built_in(new, metadata.dns_subdomain)
    # What was let through once may stay.
    unchanged = same(new.get("subsets"), old.get("subsets"))
    return errors if unchanged else errors + _subsets(new)


def _subsets(obj: Object) -> Errors:
    errors: Errors = []
    for subset, path in indexed(obj, "subsets", ""):
        if not subset.get("addresses") and not subset.get("notReadyAddresses"):
            errors.append(required(path, "must specify `addresses` or `notReadyAddresses`"))
        for field in ("addresses", "notReadyAddresses"):
            for address, at in indexed(subset, field, path):
                errors += _address(address, at)
        for port, at in indexed(subset, "ports", path):
            errors += _port(port, at, named=len(subset["ports"]) > 1)
    return errors


def _address(address: Object, path: str) -> Errors:
    ip = text(address, "ip")
    errors = addresses.ip(ip, f"{path}.ip")
    if host := text(address, "hostname"):
        errors += checks.obey(formats.dns1123_label, host, f"{path}.hostname")
    if (node := address.get("nodeName")) is not None:
        errors += checks.obey(formats.dns1123_subdomain, node, f"{path}.nodeName")
    return errors + endpoint_ip(ip, f"{path}.ip")


def _port(port: Object, path: str, *, named: bool) -> Errors:
    errors: Errors = []
    if name := text(port, "name"):
        errors += checks.obey(formats.dns1123_label, name, f"{path}.name")
    elif named:
        errors.append(required(f"{path}.name"))
    errors += checks.port(number(port, "port"), f"{path}.port")
    errors += checks.required_one_of(port.get("protocol"), PROTOCOLS, f"{path}.protocol")
    if (protocol := port.get("appProtocol")) is not None:
        errors += checks.obey(formats.label_key, protocol, f"{path}.appProtocol")
    return errors


def _warnings(obj: Object, _old: Object | None) -> list[str]:
    if labels_of(obj).get("endpoints.kubernetes.io/managed-by") == "endpoint-controller":
        return []
    return [
        warning
        for subset, path in indexed(obj, "subsets", "")
        for field in ("addresses", "notReadyAddresses")
        for address, at in indexed(subset, field, path)
        for warning in addresses.ip_warnings(text(address, "ip"), f"{at}.ip")
    ]


ENDPOINTS = Behaviour(
    default=_default,
    validate=_validate,
    validate_update=_validate_update,
    warnings=_warnings,
    create_on_update=True,
)
