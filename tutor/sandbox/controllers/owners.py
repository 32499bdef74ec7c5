"""What the garbage collector knows of who owns whom: of what is there, and of nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tutor.sandbox.kinds import Key, Object


@dataclass(slots=True)
class Owners:
    """Who names which owners, by uid. What nobody names any more is forgotten."""

    owners: dict[Key, frozenset[str]] = field(default_factory=dict[Key, frozenset[str]])
    dependents: dict[str, set[Key]] = field(default_factory=dict[str, set[Key]])
    gone: set[str] = field(default_factory=set[str])
    """Owners that were seen to go while somebody named them."""
    waiting: dict[str, Key] = field(default_factory=dict[str, Key])
    """Owners that go after their dependents."""
    told: dict[Key, set[str]] = field(default_factory=dict[Key, set[str]])
    """Whose owner in another namespace was warned of."""

    def see(self, key: Key, obj: Object | None) -> Sequence[Key]:
        """Note an object (None when it is gone); the owners that waited for it."""
        before = self.owners.pop(key, frozenset())
        owners = _named(obj) if obj else frozenset[str]()
        if owners:
            self.owners[key] = owners
            for uid in owners:
                self.dependents.setdefault(uid, set()).add(key)
        for uid in before - owners:
            self._leave(uid, key)
        if obj is None:
            self.told.pop(key, None)
        return [self.waiting[uid] for uid in before if uid in self.waiting]

    def names_any(self, key: Key) -> bool:
        """Whether an object names an owner."""
        return key in self.owners

    def of(self, uid: str) -> list[Key]:
        """Those who name an owner."""
        return sorted(self.dependents.get(uid, ()))

    def go(self, uid: str) -> list[Key]:
        """Note that an owner is gone; those who name it."""
        self.waiting.pop(uid, None)
        found = self.of(uid)
        if found:
            self.gone.add(uid)
        return found

    def _leave(self, uid: str, key: Key) -> None:
        left = self.dependents.get(uid, set())
        left.discard(key)
        if not left:
            self.dependents.pop(uid, None)
            self.gone.discard(uid)


def _named(obj: Object) -> frozenset[str]:
    return frozenset(ref["uid"] for ref in obj["metadata"].get("ownerReferences") or ())
