"""Keeps `metadata.managedFields` of every object, and applies configurations.

Source: k8s.io/apimachinery (`util/managedfields/internal/fieldmanager.go`, skipnonapplied.go).
"""

from collections.abc import Callable
from typing import Any

from tutor.sandbox.api.deletion import timestamp
from tutor.sandbox.api.managed import entries, lastapplied, ownership, resets, scaling
from tutor.sandbox.api.managed.checking import complaint
from tutor.sandbox.api.managed.claims import settled
from tutor.sandbox.api.managed.conflicts import conflict
from tutor.sandbox.api.managed.entries import BadEntries, Owner, Owners
from tutor.sandbox.api.managed.fields import Fields, difference
from tutor.sandbox.api.managed.ownership import Conflicts, Typed, Versions
from tutor.sandbox.api.managed.shape import Shape, shape_of
from tutor.sandbox.api.registry import Served
from tutor.sandbox.api.request import Call
from tutor.sandbox.api.scale import ScalePaths, apply_scale, scale_of
from tutor.sandbox.api.status import bad_request, method_not_allowed, unexplained
from tutor.sandbox.api.values import is_map
from tutor.sandbox.kinds import Object, thaw
from tutor.sandbox.schema.decode import DecodeError, decode
from tutor.sandbox.schema.table import node_of

_FIELD = "managedFields"
_BEFORE_FIRST_APPLY = "before-first-apply"
_UNTRACKED = "binding"
"""The path by which pods get their node, past field management."""
_INVALID = (
    ".metadata.managedFields was in an invalid state after admission; this could be caused by an"
    " outdated mutating admission controller; please fix your requests: "
)

Find = Callable[[str, str, str], Served | None]
"""(group, version, plural) -> what is served there."""


class Tracking:
    """Field management for all kinds."""

    def __init__(self, find: Find) -> None:
        self._find = find
        self._empty: dict[tuple[str, str], Object] = {}
        self._ownables: dict[tuple[str, str], Object] = {}

    def track(self, call: Call, served: Served, new: Object, old: Object | None) -> None:
        """Record on `new` which fields the caller's manager set. `old` is None for a new object."""
        node = served.strategy.node()
        given = new["metadata"].pop(_FIELD, None)
        if node is None:
            return
        kept: list[Object] = old["metadata"].get(_FIELD, []) if old else []
        owners = _owners_of(given, kept, is_sub=bool(call.subresource))
        if call.subresource != _UNTRACKED and (owners or old is None):
            owners = self._tracked(call, served, new, old, owners)
        if owners:
            new["metadata"][_FIELD] = entries.write(owners)

    def apply(self, call: Call, served: Served, config: Object, live: Object | None) -> Object:
        """The object with a configuration merged in: a new one, decoded, its owners recorded.

        Raises:
            ApiError: 400 for a configuration of something else, 409 for conflicts, 500 for what
                does not fit the type.
        """
        if call.subresource == "scale" and live is not None:
            return self._apply_scale(call, served, config, live)
        if served.strategy.node() is None:
            raise method_not_allowed()
        _check_type(config, served.kind.api_version, served.kind.kind)
        versions = _KindVersions(served, call.subresource, self._find)
        before = Typed(_bare(live or self._new(served)), versions.shape)
        owners = self._known(served, versions, live) if live else {}
        if live and not owners:
            owners = _before_first_apply(call, versions, self._new(served), before)
        made, owners = _applied(call, versions, before, config, owners)
        decoded = _decoded(config, made, lambda value: served.strategy.decode(value).object)
        if owners:
            decoded["metadata"][_FIELD] = entries.write(owners)
        return decoded

    def after_admission(self, call: Call, new: Object, before: Any) -> None:
        """Undo what admission made of the managed fields when nobody can read that."""
        given = new["metadata"].get(_FIELD)
        if not given or given is before or given == before:
            return
        try:
            new["metadata"][_FIELD] = entries.write(entries.read(given))
        except BadEntries as error:
            call.warn([_INVALID + str(error)])
            new["metadata"][_FIELD] = before or []

    def _tracked(
        self, call: Call, served: Served, new: Object, old: Object | None, owners: Owners
    ) -> Owners:
        now = timestamp(call.now)
        paths = served.strategy.scale_paths
        if call.subresource == "scale" and old is not None and paths is not None:
            return self._scaled(call, served, (scale_of(old, paths), scale_of(new, paths)), owners)
        versions = _KindVersions(served, call.subresource, self._find)
        me = entries.updater(call.manager, versions.current, call.subresource)
        if old is None and not owners:
            empty = Typed(self._ownable(served), versions.shape)
            return ownership.created(versions, empty, new, me, now)
        live = Typed(_bare(old) if old else self._new(served), versions.shape)
        if served.kind.custom:
            owners = _settled(versions, live.object, owners)
        return entries.capped(ownership.updated(versions, live, new, owners, me, now))

    def _known(self, served: Served, versions: "_KindVersions", live: Object) -> Owners:
        owners = _owners_of(None, live["metadata"].get(_FIELD, []), is_sub=True)
        return _settled(versions, live, owners) if served.kind.custom else owners

    def _new(self, served: Served) -> Object:
        """An object of the kind with nothing in it, as the server makes one."""
        kind = served.kind
        head = (kind.api_version, kind.kind)
        if head not in self._empty:
            value = {"apiVersion": kind.api_version, "kind": kind.kind}
            self._empty[head] = value if kind.custom else served.strategy.decode(value).object
        return self._empty[head]

    def _ownable(self, served: Served) -> Object:
        head = (served.kind.api_version, served.kind.kind)
        found = self._ownables.get(head)
        if found is None:
            found = self._ownables[head] = ownership.ownable(self._new(served))
        return found

    def _scaled(
        self, call: Call, served: Served, scales: tuple[Object, Object], owners: Owners
    ) -> Owners:
        path_at = self._paths_of(served)
        mine = scaling.to_scale(owners, path_at)
        if not mine:
            return owners
        versions = scaling.ScaleVersions(_scale_shape())
        old, new = scales
        me = entries.updater(call.manager, versions.current, call.subresource)
        live, now = Typed(old, _scale_shape()), timestamp(call.now)
        mine = ownership.updated(versions, live, new, mine, me, now)
        return scaling.to_parent(owners, mine, path_at, served.kind.api_version)

    def _apply_scale(self, call: Call, served: Served, config: Object, live: Object) -> Object:
        paths = served.strategy.scale_paths
        if paths is None:
            raise method_not_allowed()
        _check_type(config, scaling.SCALE_VERSION, scaling.SCALE_KIND)
        path_at = self._paths_of(served)
        owners = _owners_of(None, live["metadata"].get(_FIELD, []), is_sub=True)
        versions = scaling.ScaleVersions(_scale_shape())
        before = Typed(scale_of(live, paths), _scale_shape())
        mine = scaling.to_scale(owners, path_at)
        mine = mine or _before_first_apply(
            call, versions, scale_of({"metadata": {}}, paths), before
        )
        scale, mine = _applied(call, versions, before, config, mine)
        owners = scaling.to_parent(owners, mine, path_at, served.kind.api_version)
        made = apply_scale(thaw(live), _decoded(config, scale, _decode_scale), paths)
        made["metadata"][_FIELD] = entries.write(owners)
        return made

    def _paths_of(self, served: Served) -> scaling.PathAt:
        def path_at(version: str) -> tuple[str, ...] | None:
            group, _, short = version.rpartition("/")
            found = self._find(group, short, served.kind.plural)
            if found is None:
                return None
            paths: ScalePaths | None = found.strategy.scale_paths
            return tuple(paths.spec) if paths else ()

        return path_at


class _KindVersions:
    """The versions of a kind, for one request."""

    def __init__(self, served: Served, subresource: str, find: Find) -> None:
        self._served = served
        self._subresource = subresource
        self._find = find
        self.current = served.kind.api_version
        self.shape: Shape = shape_of(served.strategy.node())

    def convert(self, obj: Object, version: str) -> Typed | None:
        """An object in another version, None when it is not served any more."""
        served, shape = self._served, self.shape
        if version != self.current:
            group, _, short = version.rpartition("/")
            found = self._find(group, short, served.kind.plural)
            # Events of another group are the same objects; what is owned in it is forgotten.
            if found is None or group != served.kind.group:
                return None
            served, shape = found, shape_of(found.strategy.node())
        if obj.get("apiVersion") == version:
            return Typed(obj, shape)
        return Typed(served.strategy.from_storage(obj) | {"apiVersion": version}, shape)

    def writable(self, fields: Fields, version: str) -> Fields:
        """Those of the fields that the request's path can set."""
        kind = self._served.kind
        if kind.custom and version != self.current:
            return fields
        return resets.writable(fields, kind, self._subresource)


def _owners_of(given: Any, kept: list[Object], *, is_sub: bool) -> Owners:
    """The owners that a write starts from: those in the request where it may name them."""
    if not is_sub and given is not None:
        if given in ([], [{}]):
            return {}
        try:
            return entries.read(given, kept)
        except BadEntries:
            pass
    try:
        return entries.read(kept, kept)
    except BadEntries:
        return {}


def _before_first_apply(call: Call, versions: Versions, empty: Object, live: Typed) -> Owners:
    """The owner of everything in an object that has no owners yet."""
    me = entries.updater(_BEFORE_FIRST_APPLY, versions.current, call.subresource)
    now, start = timestamp(call.now), Typed(empty, live.shape)
    return ownership.updated(versions, start, live.object, {}, me, now)


def _settled(versions: _KindVersions, live: Object, owners: Owners) -> Owners:
    found: Owners = {}
    for owner, owned in owners.items():
        typed = versions.convert(live, owned.api_version)
        if typed is not None:
            found[owner] = owned._replace(fields=settled(owned.fields, typed.shape))
    return found


def _bare(obj: Object) -> Object:
    """The object without its managed fields."""
    meta = {name: value for name, value in obj.get("metadata", {}).items() if name != _FIELD}
    return obj | {"metadata": meta}


def _check_type(config: Object, api_version: str, kind: str) -> None:
    if (config.get("apiVersion"), config.get("kind")) != (api_version, kind):
        raise bad_request(f"invalid object type: {_type_of(config)}")


def _type_of(obj: Object) -> str:
    group, _, version = _text(obj, "apiVersion").rpartition("/")
    return f"{group}/{version}, Kind={_text(obj, 'kind')}"


def _named(config: Object) -> str:
    meta = _meta(config)
    return f"({_text(meta, 'namespace')}/{_text(meta, 'name')}; {_type_of(config)})"


def _meta(config: Object) -> Object:
    """The metadata of what may be no object yet, empty where it has none."""
    meta: Any = config.get("metadata")
    return meta if is_map(meta) else {}


def _text(value: Object, name: str) -> str:
    found: Any = value.get(name)
    return found if isinstance(found, str) else ""


def _applied(
    call: Call, versions: Versions, before: Typed, config: Object, owners: Owners
) -> tuple[Object, Owners]:
    me: Owner = entries.applier(call.manager, call.subresource)
    if _meta(config).get(_FIELD) is not None:
        raise bad_request("metadata.managedFields must be nil")
    if why := complaint(config, before.shape):
        raise unexplained(f"failed to create typed patch object {_named(config)}: {why}")
    now, is_kubectl = timestamp(call.now), call.manager == lastapplied.KUBECTL

    def attempt(*, force: bool) -> tuple[Object, Owners]:
        return ownership.applied(versions, before, config, owners, me, force=force, now=now)

    try:
        made, owners = attempt(force=call.force)
    except Conflicts as error:
        said = lastapplied.unchanged_since(before, versions.current) if is_kubectl else {}
        taken = {owner: difference(fields, said) for owner, fields in error.taken.items()}
        if any(taken.values()):
            raise conflict({owner: left for owner, left in taken.items() if left}) from None
        made, owners = attempt(force=True)
    return (lastapplied.follow(made, config) if is_kubectl else made), owners


def _decoded(config: Object, made: Object, decode_object: Callable[[Object], Object]) -> Object:
    try:
        return decode_object(made)
    except DecodeError as error:
        raise unexplained(
            f"failed to convert new object {_named(config)} to proper version: unable to convert"
            f" unstructured object to {_type_of(config)}: {error}"
        ) from None


def _decode_scale(value: Object) -> Object:
    group, version = scaling.SCALE_VERSION.split("/")
    return decode(group, version, scaling.SCALE_KIND, value).object


def _scale_shape() -> Shape:
    node = node_of(*scaling.SCALE_VERSION.split("/"), scaling.SCALE_KIND)
    assert node is not None  # noqa: S101 (built in)
    return shape_of(node)
