"""The plugin, and the count from scratch.

Source: apiserver's `admission/plugin/resourcequota/controller.go`, `pkg/quota/v1/resources.go`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from tutor.sandbox.api.builtin import quantity
from tutor.sandbox.api.builtin.admission.plugin import Plugin, World, refusal
from tutor.sandbox.api.builtin.admission.quota.counts import evaluator_of, resources_limited_by
from tutor.sandbox.api.builtin.admission.quota.evaluator import (
    Evaluator,
    Usage,
    added,
    grown,
    written,
)
from tutor.sandbox.api.builtin.quantity import Quantity, parse_all
from tutor.sandbox.api.builtin.reading import part
from tutor.sandbox.api.webhooks import Write
from tutor.sandbox.kinds import GroupResource, Object, name_of, namespace_of

QUOTAS = GroupResource("", "resourcequotas")
_AUTHENTICATION = "authentication.k8s.io"
_AUTHORIZATION = "authorization.k8s.io"
_UNCOUNTED = (
    GroupResource("", "bindings"),
    GroupResource("", "componentstatuses"),
    GroupResource(_AUTHENTICATION, "tokenreviews"),
    GroupResource(_AUTHENTICATION, "selfsubjectreviews"),
    GroupResource(_AUTHORIZATION, "subjectaccessreviews"),
    GroupResource(_AUTHORIZATION, "selfsubjectaccessreviews"),
    GroupResource(_AUTHORIZATION, "localsubjectaccessreviews"),
    GroupResource(_AUTHORIZATION, "selfsubjectrulesreviews"),
    GroupResource("", "events"),
    GroupResource("events.k8s.io", "events"),
)


@dataclass(frozen=True, slots=True)
class ResourceQuota(Plugin):
    """Refuses what goes beyond a quota, and books what does not.

    `book` gets each quota with its new `status.used` to store.
    """

    world: World
    book: Callable[[Object], None]

    def validate(self, write: Write) -> None:
        """Count what the write adds."""
        resource = write.served.kind.group_resource
        if not write.namespace or write.new is None or resource in _UNCOUNTED:
            return
        quotas = self.world.objects_of(QUOTAS, write.namespace)
        if not quotas:
            return
        evaluator = evaluator_of(resource)
        if not evaluator.handles(write):
            return
        booked = list(_booked(write, write.new, evaluator, quotas))
        if write.call.dry_run:
            return
        for quota, used in booked:
            self.book(quota | {"status": part(quota, "status") | {"used": written(used)}})


def recount(quota: Object, world: World, now: datetime) -> dict[str, str]:
    """What the objects of a quota's namespace use of what it limits."""
    hard = list(part(quota, "spec", "hard"))
    used: Usage = {}
    for resource in resources_limited_by(hard):
        evaluator = evaluator_of(resource)
        names = evaluator.matching(hard)
        total: Usage = dict.fromkeys(names, quantity.ZERO)
        for obj in world.objects_of(resource, namespace_of(quota)):
            if evaluator.covers(quota, obj):
                total = added(total, evaluator.usage(obj, now))
        used |= _only(total, names)
    return written(used)


def _only(usage: Mapping[str, Quantity], names: Iterable[str]) -> Usage:
    wanted = set(names)
    return {name: value for name, value in usage.items() if name in wanted}


def _booked(
    write: Write, new: Object, evaluator: Evaluator, quotas: Iterable[Object]
) -> Iterator[tuple[Object, Usage]]:
    """Each quota that the write concerns, with what is used of it afterwards."""
    concerned = [quota for quota in quotas if _concerns(write, new, evaluator, quota)]
    if not concerned:
        return
    usage = evaluator.usage(new, write.call.now)
    before = evaluator.usage(write.old, write.call.now) if write.old else {}
    for quota in concerned:
        counted = write.old is not None and evaluator.covers(quota, write.old)
        more = grown(usage, before if counted else {})
        status = part(quota, "status")
        hard, used = parse_all(part(status, "hard")), parse_all(part(status, "used"))
        requested = _only(more, hard)
        if not requested:
            continue
        after = added(used, requested)
        exceeded = [name for name in requested if after[name] > hard[name]]
        if exceeded and write.call.subresource != "status":
            told = (
                f"{name_of(quota)}, requested: {_told(requested, exceeded)}"
                f", used: {_told(used, exceeded)}, limited: {_told(hard, exceeded)}"
            )
            raise refusal(write, f"exceeded quota: {told}")
        yield quota, after


def _concerns(write: Write, new: Object, evaluator: Evaluator, quota: Object) -> bool:
    status = part(quota, "status")
    limited = evaluator.matching(part(status, "hard"))
    if not limited or not evaluator.covers(quota, new):
        return False
    if why := evaluator.lacking(limited, new):
        raise refusal(write, f"failed quota: {name_of(quota)}: {why}")
    if any(name not in part(status, "used") for name in limited):
        names = ",".join(sorted(limited))
        raise refusal(write, f"status unknown for quota: {name_of(quota)}, resources: {names}")
    return True


def _told(usage: Mapping[str, Quantity], names: Iterable[str]) -> str:
    return ",".join(f"{name}={usage[name]}" for name in sorted(names) if name in usage)
