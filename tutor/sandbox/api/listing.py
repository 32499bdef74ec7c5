"""Lists: chunks, continue tokens, and what a collection was at an earlier revision.

Source: apiserver's storage (`continue.go`, resource version semantics of lists).
"""

import base64
import json
import string
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tutor.sandbox.api import gojson
from tutor.sandbox.api.options import revision as revision_of
from tutor.sandbox.api.status import ApiError, bad_request, expired
from tutor.sandbox.api.values import is_map
from tutor.sandbox.kinds import GroupResource, Key, Object, name_of
from tutor.sandbox.store import Compacted, Past, Store, Stored

_TOO_OLD_CONTINUE = (
    "The provided continue parameter is too old to display a consistent list result. You can "
    "start a new list without the continue parameter, or use the continue token in this response "
    "to retrieve the remainder of the results. Continuing with the provided token results in an "
    "inconsistent list - objects that were created, modified, or deleted between the time the "
    "first chunk was returned and now may show up in the list."
)
_BASE64 = frozenset(string.ascii_letters + string.digits + "-_")
_BLANKS = b" \t\r\n"
_TOKEN_VERSION = "meta.k8s.io/v1"  # noqa: S105 - a version
_TOO_OLD_LIST = "The resourceVersion for the provided list is too old."


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOptions:
    """Which part of a collection, at which revision. `limit` 0 is all."""

    namespace: str = ""
    name: str = ""
    """The one object that is asked for, empty for all."""
    limit: int = 0
    token: str = ""
    revision: str = ""
    match: str = ""
    matches: Callable[[Object], bool] | None = None
    """None selects everything, and allows a count of what remains."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A chunk of a list, with what its metadata says."""

    items: list[Stored]
    revision: int
    """0 for what is not stored."""
    token: str = ""
    remaining: int | None = None

    def meta(self) -> Object:
        """ListMeta, without empty fields."""
        meta: Object = {"resourceVersion": str(self.revision)} if self.revision else {}
        if self.token:
            meta["continue"] = self.token
            if self.remaining is not None:
                meta["remainingItemCount"] = self.remaining
        return meta


def page(store: Store, resource: GroupResource, options: ListOptions) -> Page:
    """One chunk of a collection.

    Raises:
        ApiError: 400 for bad options, 410 for a revision that is gone, 504 for one to come.
    """
    if options.token:
        if options.revision not in ("", "0"):
            raise bad_request("specifying resource version is not allowed when using continue")
        revision, start = _decode(options.token)
        if revision < 0:
            objects, revision = store.objects(resource, options.namespace), store.revision
        else:
            objects = _at(store, resource, options.namespace, revision, token_start=start)
    else:
        start = ""
        revision = _wanted(store, options)
        objects = (
            store.objects(resource, options.namespace)
            if revision == store.revision
            else _at(store, resource, options.namespace, revision)
        )
    if options.name:
        objects = [o for o in objects if name_of(o.object) == options.name]
    if start:
        objects = [o for o in objects if _path(o, options.namespace) >= start]
    return _cut(objects, revision, options)


def _wanted(store: Store, options: ListOptions) -> int:
    try:
        wanted = revision_of(options.revision)
    except ValueError as error:
        raise bad_request(f"invalid resource version: {error}") from None
    if wanted > store.revision:
        raise too_large(wanted, store.revision)
    exact = options.match == "Exact" or (options.limit and not options.match)
    return wanted if wanted and exact else store.revision


def too_large(wanted: int, current: int) -> ApiError:
    """504 for a resource version that is not there yet."""
    details = {
        "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
        "retryAfterSeconds": 1,
    }
    message = f"Timeout: Too large resource version: {wanted}, current: {current}"
    return ApiError(504, "Timeout", message, details=details, headers=[("Retry-After", "1")])


def _cut(objects: list[Stored], revision: int, options: ListOptions) -> Page:
    matches = options.matches
    # What the cache of a server has is given at once.
    fits = not options.limit or options.revision == "0" or len(objects) <= options.limit
    if fits:
        found = [o for o in objects if matches(o.object)] if matches else objects
        return Page(items=found, revision=revision)
    found: list[Stored] = []
    for index, stored in enumerate(objects):
        if matches is not None and not matches(stored.object):
            continue
        found.append(stored)
        left = len(objects) - index - 1
        if len(found) == options.limit and left:
            # Whether any of those that are left will match is not looked at.
            token = _encode(revision, _path(stored, options.namespace) + "\0")
            remaining = left if matches is None else None
            return Page(items=found, revision=revision, token=token, remaining=remaining)
    return Page(items=found, revision=revision)


def _at(
    store: Store, resource: GroupResource, namespace: str, revision: int, token_start: str = ""
) -> list[Stored]:
    try:
        later = store.since(revision, resource)
    except Compacted:
        if not token_start:
            raise expired(_TOO_OLD_LIST) from None
        meta = {"continue": _encode(-1, token_start)}
        raise ApiError(410, "Expired", _TOO_OLD_CONTINUE, meta=meta) from None
    objects = {stored.key: stored for stored in store.objects(resource)}
    for past in reversed(later):
        _undo(objects, past)
    return [objects[key] for key in sorted(objects) if not namespace or key.namespace == namespace]


def _undo(objects: dict[Key, Stored], past: Past) -> None:
    if past.change == "ADDED" or past.previous is None:
        objects.pop(past.key, None)
        return
    before = json.loads(past.previous)
    revision = int(before["metadata"]["resourceVersion"])
    objects[past.key] = Stored(past.key, before, revision, past.previous)


def _path(stored: Stored, namespace: str) -> str:
    key = stored.key
    if namespace or not key.namespace:
        return f"/{key.name}"
    return f"/{key.namespace}/{key.name}"


def _encode(revision: int, start: str) -> str:
    token = {"v": _TOKEN_VERSION, "rv": revision, "start": start}
    text = json.dumps(token, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def _decode(token: str) -> tuple[int, str]:
    try:
        return _read_token(token)
    except ValueError as error:
        raise bad_request(f"invalid continue token: continue key is not valid{error}") from None


def _read_token(token: str) -> tuple[int, str]:
    """Revision and start; raises ValueError with what follows "not valid"."""
    odd = next((at for at, char in enumerate(token) if char not in _BASE64), -1)
    if odd < 0 and len(token) % 4 == 1:
        odd = len(token) - 1
    if odd >= 0:
        raise ValueError(f": illegal base64 data at input byte {odd}")
    content = _json_object(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    version, start = content.get("v", ""), str(content.get("start", ""))
    if version != _TOKEN_VERSION:
        raise ValueError(f": server does not recognize this encoded version {version}")
    revision = content.get("rv", 0)
    if not isinstance(revision, int) or not revision:
        raise ValueError(f": incorrect encoded start resourceVersion (version {_TOKEN_VERSION})")
    if not start:
        raise ValueError(f": encoded start key empty (version {_TOKEN_VERSION})")
    if any(part in ("", ".", "..") for part in start.removeprefix("/").split("/")):
        raise ValueError(f": {start}")
    return revision, f"/{start.removeprefix('/')}"


def _json_object(data: bytes) -> Object:
    start = data.lstrip(_BLANKS)[:1]
    if start and not start.isascii():
        # As Go's newer reader spells it; the older one has \u0081 for \x81.
        raise ValueError(f": invalid character '\\x{start.hex()}' looking for beginning of value")
    try:
        content: Any = gojson.decode(data).value
    except (ValueError, RecursionError) as error:
        raise ValueError(f": {error}") from None
    return content if is_map(content) else {}
