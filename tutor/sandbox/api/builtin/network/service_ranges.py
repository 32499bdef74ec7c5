"""ServiceCIDRs and IPAddresses: from where services get addresses, and who has one.

Source: `apis/networking/validation/validation.go`, `registry/networking/{servicecidr,ipaddress}`.
"""

from tutor.sandbox.api import formats, metadata
from tutor.sandbox.api.builtin import addresses, checks, go_struct
from tutor.sandbox.api.builtin.behaviour import (
    Behaviour,
    Subpath,
    drop_status,
    keep_metadata,
    keep_spec,
    keep_status,
)
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.reading import indexed, items, part, text
from tutor.sandbox.api.status import invalid, required
from tutor.sandbox.kinds import Object

_RANGES = "spec.cidrs"
_MAX_RANGES = 2


def _meta(obj: Object, rule: checks.Rule) -> Errors:
    meta = part(obj, "metadata")
    return metadata.validate_object_meta(meta, namespaced=False, name_rule=rule)


def _changed_meta(new: Object, old: Object) -> Errors:
    return metadata.validate_object_meta_update(part(new, "metadata"), part(old, "metadata"))


def _validate_range(obj: Object) -> Errors:
    return _meta(obj, metadata.dns_subdomain) + _ranges(part(obj, "spec"))


def _ranges(spec: Object) -> Errors:
    listed = items(spec, "cidrs")
    if not listed:
        return [required(_RANGES, "at least one CIDR required")]
    if len(listed) > _MAX_RANGES:
        return [invalid(_RANGES, {"CIDRs": listed}, "may only hold up to 2 values")]
    errors = [
        error
        for found, path in indexed(spec, "cidrs", "spec")
        for error in addresses.canonical_cidr(found, path)
    ]
    families = [found.version for one in listed if (found := addresses.network(one))]
    if len(families) == _MAX_RANGES and len(set(families)) == 1:
        why = (
            "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and"
            " 2001:db8::/64"
        )
        errors.append(invalid(_RANGES, listed, why))
    return errors


def _validate_range_update(new: Object, old: Object) -> Errors:
    errors = _changed_meta(new, old)
    wanted, before = items(part(new, "spec"), "cidrs"), items(part(old, "spec"), "cidrs")
    grows = (len(before), len(wanted)) == (1, _MAX_RANGES)
    if len(wanted) != len(before) and not grows:
        return [*errors, invalid(_RANGES, wanted or None, checks.IMMUTABLE)]
    errors += [
        invalid(f"{_RANGES}[{index}]", now, checks.IMMUTABLE)
        for index, (now, then) in enumerate(zip(wanted, before, strict=False))
        if now != then
    ]
    return errors + (_ranges(part(new, "spec")) if grows else [])


def _prepare_range_status(new: Object, old: Object) -> None:
    keep_spec(new, old)
    keep_metadata(new, old)


SERVICE_CIDR = Behaviour(
    prepare_create=drop_status,
    prepare_update=keep_status,
    validate=_validate_range,
    validate_update=_validate_range_update,
    subpaths={"status": Subpath(prepare=_prepare_range_status, validate=_changed_meta)},
)


def _address_name(name: str) -> list[str]:
    return [error.detail for error in addresses.canonical_ip(name, "")]


def _validate_address(obj: Object) -> Errors:
    return _meta(obj, _address_name) + _parent(part(obj, "spec").get("parentRef"))


def _parent(reference: Object | None) -> Errors:
    path = "spec.parentRef"
    if reference is None:
        return [required(path)]
    errors: Errors = []
    if group := text(reference, "group"):
        errors += checks.obey(formats.dns1123_subdomain, group, f"{path}.group")
    for field in ("resource", "name"):
        if not text(reference, field):
            errors.append(required(f"{path}.{field}"))
    for field in ("resource", "name", "namespace"):
        if found := text(reference, field):
            errors += checks.obey(checks.path_segment, found, f"{path}.{field}")
    return errors


def _validate_address_update(new: Object, old: Object) -> Errors:
    errors = _validate_address(new) + _changed_meta(new, old)
    wanted, before = part(new, "spec").get("parentRef"), part(old, "spec").get("parentRef")
    if not checks.same(wanted, before):
        shown = None if wanted is None else go_struct.render("ParentReference", wanted)
        errors.append(invalid("spec.parentRef", shown, checks.IMMUTABLE))
    return errors


IP_ADDRESS = Behaviour(validate=_validate_address, validate_update=_validate_address_update)
