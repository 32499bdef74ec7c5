"""Leases. Source: `apis/coordination/validation/validation.go`."""

from tutor.sandbox.api import metadata
from tutor.sandbox.api.builtin.behaviour import Behaviour
from tutor.sandbox.api.builtin.checks import NEGATIVE, Errors
from tutor.sandbox.api.builtin.reading import drop, number, part
from tutor.sandbox.api.status import invalid
from tutor.sandbox.kinds import Object


def _drop_coordination(obj: Object) -> None:
    # Coordinated leader election is behind a gate that is off.
    drop(part(obj, "spec"), "strategy", "preferredHolder")


def _drop_changed_coordination(new: Object, _old: Object) -> None:
    _drop_coordination(new)


def _spec(obj: Object) -> Errors:
    errors: Errors = []
    spec = part(obj, "spec")
    duration, transitions = spec.get("leaseDurationSeconds"), number(spec, "leaseTransitions")
    if duration is not None and duration <= 0:
        errors.append(invalid("spec.leaseDurationSeconds", duration, "must be greater than 0"))
    if transitions < 0:
        errors.append(invalid("spec.leaseTransitions", transitions, NEGATIVE))
    return errors


def _validate(obj: Object) -> Errors:
    return metadata.built_in(obj, metadata.dns_subdomain) + _spec(obj)


def _validate_update(new: Object, old: Object) -> Errors:
    errors = metadata.built_in_update(new, old)
    return errors + _spec(new)


LEASE = Behaviour(
    prepare_create=_drop_coordination,
    prepare_update=_drop_changed_coordination,
    validate=_validate,
    validate_update=_validate_update,
    create_on_update=True,
    unconditional_update=False,
)
