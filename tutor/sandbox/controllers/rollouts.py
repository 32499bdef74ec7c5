"""The sizes of a Deployment's ReplicaSets, step by step.

Everything here is arithmetic on objects as they are now; it says how large each set should become.
Source: pkg/controller/deployment (rolling.go, sync.go, util/deployment_util.go).
"""

from collections.abc import Iterable, Sequence
from math import ceil, floor

from tutor.sandbox.api.builtin.reading import part
from tutor.sandbox.kinds import Object, annotations_of, name_of

DESIRED = "deployment.kubernetes.io/desired-replicas"
MOST = "deployment.kubernetes.io/max-replicas"

Sizes = dict[str, int]
"""Name of a ReplicaSet to its new size."""


def amount(value: object, total: int, *, up: bool) -> int:
    """An IntOrString of a total: percentages are rounded up or down."""
    if isinstance(value, str) and value.endswith("%"):
        share = int(value[:-1]) * total / 100
        return ceil(share) if up else floor(share)
    return int(str(value))


def wanted_of(owner: Object) -> int:
    """How many pods a Deployment wants."""
    return owner["spec"].get("replicas", 0)


def is_rolling(owner: Object) -> bool:
    """Whether the Deployment replaces its pods gradually."""
    return owner["spec"].get("strategy", {}).get("type") == "RollingUpdate"


def surge(owner: Object) -> int:
    """How many pods there may be beyond those that are wanted."""
    if not is_rolling(owner):
        return 0
    rolling = part(owner, "spec", "strategy", "rollingUpdate")
    return amount(rolling.get("maxSurge", 0), wanted_of(owner), up=True)


def unavailable(owner: Object) -> int:
    """How many of the wanted pods may be unavailable."""
    wanted = wanted_of(owner)
    if not is_rolling(owner) or not wanted:
        return 0
    rolling = part(owner, "spec", "strategy", "rollingUpdate")
    most = amount(rolling.get("maxUnavailable", 0), wanted, up=False)
    return min(most if most or surge(owner) else 1, wanted)


def size(rs: Object) -> int:
    """How many pods a ReplicaSet wants."""
    return rs["spec"].get("replicas", 0)


def counted(rs: Object, field: str) -> int:
    """A number in a ReplicaSet's status."""
    return rs.get("status", {}).get(field, 0)


def total(sets: Iterable[Object], field: str = "") -> int:
    """The sizes of ReplicaSets, or a number in their statuses, together."""
    return sum(counted(rs, field) if field else size(rs) for rs in sets)


def active(sets: Iterable[Object]) -> list[Object]:
    """The ReplicaSets that want pods."""
    return [rs for rs in sets if size(rs)]


def is_scaling(owner: Object, sets: Iterable[Object]) -> bool:
    """Whether the Deployment was scaled since its ReplicaSets were sized."""
    noted = (annotations_of(rs).get(DESIRED, "") for rs in active(sets))
    return any(text.isdecimal() and int(text) != wanted_of(owner) for text in noted)


def grown(owner: Object, sets: Iterable[Object], new_size: int) -> int:
    """The size of the current ReplicaSet in a rollout; `sets` are all that there are."""
    wanted = wanted_of(owner)
    if not is_rolling(owner):
        return wanted
    if new_size >= wanted:
        return wanted
    room = wanted + surge(owner) - total(sets)
    return new_size if room <= 0 else new_size + min(room, wanted - new_size)


def shrunk(owner: Object, old: Sequence[Object], new: Object) -> Sizes:
    """How far the old ReplicaSets may be scaled down: what is not healthy first."""
    sets = [*old, new]
    least = wanted_of(owner) - unavailable(owner)
    missing = size(new) - counted(new, "availableReplicas")
    most = total(sets) - least - missing
    if not total(old) or most <= 0:
        return {}
    sizes = {name_of(rs): size(rs) for rs in _by_age(old)}
    available = {name_of(rs): counted(rs, "availableReplicas") for rs in old}
    for name, now in sizes.items():
        cleaned = max(min(most, now - available[name]), 0)
        sizes[name] -= cleaned
        most -= cleaned
    spare = total(sets, "availableReplicas") - least
    for name, now in sizes.items():
        taken = max(min(now, spare), 0)
        sizes[name] -= taken
        spare -= taken
    return sizes


def scaled(owner: Object, old: Sequence[Object], new: Object | None) -> Sizes:
    """Sizes after the Deployment was scaled or while it is paused: shares stay as they are."""
    wanted = wanted_of(owner)
    sets = active([*old, new] if new else old)
    if len(sets) <= 1:
        latest = sets or ([new] if new else _by_age(old)[-1:])
        return {name_of(rs): wanted for rs in latest}
    if new is not None and _is_saturated(owner, new):
        return {name_of(rs): 0 for rs in active(old)}
    return _proportional(owner, sets) if is_rolling(owner) else {}


def _is_saturated(owner: Object, rs: Object) -> bool:
    wanted = wanted_of(owner)
    noted = annotations_of(rs).get(DESIRED)
    return size(rs) == wanted == counted(rs, "availableReplicas") and noted == str(wanted)


def _proportional(owner: Object, sets: Sequence[Object]) -> Sizes:
    wanted = wanted_of(owner)
    missing = (wanted + surge(owner) if wanted else 0) - total(sets)
    ordered = _by_age(sets)
    if missing > 0:
        ordered.reverse()
    ordered.sort(key=size, reverse=True)
    sizes, added = Sizes(), 0
    for rs in ordered:
        share = _share(owner, rs, missing, added)
        sizes[name_of(rs)] = size(rs) + share
        added += share
    first = name_of(ordered[0])
    sizes[first] = max(sizes[first] + missing - added, 0)
    return sizes


def _share(owner: Object, rs: Object, missing: int, added: int) -> int:
    if missing == added:
        return 0
    allowed = missing - added
    fraction = _fraction(owner, rs)
    return min(fraction, allowed) if missing > 0 else max(fraction, allowed)


def _fraction(owner: Object, rs: Object) -> int:
    wanted = wanted_of(owner)
    if not wanted:
        return -size(rs)
    noted = annotations_of(rs).get(MOST, "")
    before = int(noted) if noted.isdecimal() else 0
    before = before or owner.get("status", {}).get("replicas", 0)
    if not before:
        return 0
    return floor(size(rs) * (wanted + surge(owner)) / before + 0.5) - size(rs)


def _by_age(sets: Iterable[Object]) -> list[Object]:
    """Oldest first; those of one second by name."""
    return sorted(sets, key=lambda rs: (rs["metadata"]["creationTimestamp"], name_of(rs)))
