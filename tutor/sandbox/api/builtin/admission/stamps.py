"""What the server writes into objects about the request itself: who asked, and when.

The real server does this where it prepares objects. Source: `registry/certificates/certificates`,
`registry/core/persistentvolume`.
"""

from tutor.sandbox.api.builtin.admission.certificates import REQUESTS
from tutor.sandbox.api.builtin.admission.plugin import Plugin, concerns
from tutor.sandbox.api.builtin.reading import drop, ensure, items, part, text
from tutor.sandbox.api.deletion import timestamp
from tutor.sandbox.api.request import User
from tutor.sandbox.api.webhooks import Write
from tutor.sandbox.kinds import GroupResource, Object

VOLUMES = GroupResource("", "persistentvolumes")


class Stamps(Plugin):
    """Names the requester of certificates, and tells when conditions and phases changed."""

    __slots__ = ()
    resources = frozenset({REQUESTS, VOLUMES})

    def admit(self, write: Write) -> None:
        """Fill in user and times."""
        if write.new is None:
            return
        now = timestamp(write.call.now)
        if concerns(write, REQUESTS, "CREATE"):
            _name_requester(ensure(write.new, "spec"), write.call.user)
        elif any(
            concerns(write, REQUESTS, "UPDATE", subresource=path) for path in ("status", "approval")
        ):
            _time_conditions(write.new, write.old or {}, now)
        elif concerns(write, VOLUMES, "UPDATE", subresource="status"):
            _time_phase(write.new, write.old or {}, now)


def _name_requester(spec: Object, user: User) -> None:
    drop(spec, "username", "uid", "groups", "extra")
    spec |= user.info()


def _time_conditions(new: Object, old: Object, now: str) -> None:
    known = items(old, "status", "conditions")
    for condition in items(new, "status", "conditions"):
        if not condition.get("lastUpdateTime"):
            condition["lastUpdateTime"] = now
        if not condition.get("lastTransitionTime"):
            times = [
                one["lastTransitionTime"]
                for one in known
                if text(one, "type") == text(condition, "type")
                and text(one, "status") == text(condition, "status")
                and one.get("lastTransitionTime")
            ]
            condition["lastTransitionTime"] = times[0] if times else now


def _time_phase(new: Object, old: Object, now: str) -> None:
    status, before = ensure(new, "status"), part(old, "status")
    field = "lastPhaseTransitionTime"
    changed = text(status, "phase") != text(before, "phase")
    if changed and status.get(field) in (None, before.get(field)):
        status[field] = now
