"""The query parameters of operations, checked as the API server checks them."""

import re
from functools import lru_cache
from typing import NamedTuple

from tutor.sandbox.api.bodies import media_type
from tutor.sandbox.api.metadata import FIELD_MANAGER_MAX_BYTES, field_manager
from tutor.sandbox.api.request import Call, FieldValidation, Query, Request, User, read_target
from tutor.sandbox.api.routes import Target
from tutor.sandbox.api.status import (
    FieldError,
    bad_request,
    forbidden_field,
    go_quote,
    invalid,
    invalid_object,
    not_supported,
    required,
)

_APPLY = "application/apply-patch+yaml"
_INTEGER = re.compile(r"[+-]?[0-9]+")
_INT64 = range(-(2**63), 2**63)
_OPTIONS = {
    "create": "CreateOptions",
    "update": "UpdateOptions",
    "patch": "PatchOptions",
    "delete": "DeleteOptions",
    "deletecollection": "DeleteOptions",
}
_MATCH, _INITIAL = "resourceVersionMatch", "sendInitialEvents"
_EXACT, _NOT_OLDER = "Exact", "NotOlderThan"
_VALIDATIONS: tuple[FieldValidation, ...] = ("Ignore", "Strict", "Warn")


class _Options(NamedTuple):
    manager: str
    validation: FieldValidation
    dry_run: bool
    force: bool


def call_of(request: Request, target: Target, user: User) -> Call:
    """The call that a request makes.

    Raises:
        ApiError: 422 for options that are not allowed.
    """
    applies = target.verb == "patch" and media_type(request) == _APPLY
    chosen = _options(request.target, target.verb, applies)
    return Call(
        user=user,
        verb=target.verb,
        now=request.received,
        manager=chosen.manager or default_manager(request),
        validation=chosen.validation,
        dry_run=chosen.dry_run,
        subresource=target.subresource,
        force=chosen.force,
    )


@lru_cache(maxsize=256)
def _options(target: str, verb: str, applies: bool) -> _Options:
    query = read_target(target)[1]
    if verb in ("delete", "deletecollection"):
        # Their options have neither a manager nor a validation, and may be in the body.
        return _Options("", "Warn", dry_run=False, force=False)
    errors = _patch_errors(query, applies) if verb == "patch" else []
    manager = query.get("fieldManager")
    errors += field_manager(manager, "fieldManager")
    dry_run = query.all("dryRun")
    if any(value != "All" for value in dry_run):
        errors.append(not_supported("dryRun", dry_run, ["All"]))
    validation = query.get("fieldValidation") or "Warn"
    found: FieldValidation | None = next(
        (known for known in _VALIDATIONS if known == validation), None
    )
    if found is None:
        errors.append(not_supported("fieldValidation", validation, ["", *_VALIDATIONS]))
    if errors and verb in _OPTIONS:
        raise invalid_object("meta.k8s.io", _OPTIONS[verb], "", errors)
    return _Options(manager, found or "Warn", bool(dry_run), flag(query, "force"))


def _patch_errors(query: Query, applies: bool) -> list[FieldError]:
    """Server-side apply does not guess its manager; nothing else can be forced."""
    if applies:
        if query.get("fieldManager"):
            return []
        return [required("fieldManager", "is required for apply patch")]
    if not query.has("force"):
        return []
    return [forbidden_field("force", "may not be specified for non-apply patch")]


def default_manager(request: Request) -> str:
    """The field manager of a caller who names none: the start of the user agent."""
    return _manager_of(request.header("user-agent"))


@lru_cache(maxsize=64)
def _manager_of(agent: str) -> str:
    name = "".join(filter(str.isprintable, agent.partition("/")[0]))
    return name[:FIELD_MANAGER_MAX_BYTES] or "unknown"


def integer(text: str, default: int = 0) -> int:
    """An integer parameter.

    Raises:
        ApiError: 400 in the words of Go's strconv.
    """
    if not text:
        return default
    why = "invalid syntax"
    if _INTEGER.fullmatch(text):
        if (number := int(text)) in _INT64:
            return number
        why = "value out of range"
    raise bad_request(f"strconv.ParseInt: parsing {go_quote(text)}: {why}")


def flag(query: Query, name: str) -> bool:
    """A boolean parameter: whatever is not false is true, also nothing (`?watch`)."""
    return query.has(name) and query.get(name).lower() not in ("0", "false")


def revision(text: str) -> int:
    """A resource version, 0 when none is asked for.

    Raises:
        ValueError: It is none, in the server's words.
    """
    if not text:
        return 0
    if not (text.isascii() and text.isdigit()):
        why = f'strconv.ParseUint: parsing "{text}": invalid syntax'
        raise ValueError(str(invalid("resourceVersion", text, why)))
    return int(text)


def check_list(query: Query) -> None:
    """Refuse list options that contradict each other; raises ApiError 422."""
    errors: list[FieldError] = []
    match, wanted = query.get(_MATCH), query.get("resourceVersion")
    if match:
        if not wanted:
            why = "resourceVersionMatch is forbidden unless resourceVersion is provided"
            errors.append(forbidden_field(_MATCH, why))
        errors += _match_with_token(query)
        if match not in (_EXACT, _NOT_OLDER):
            errors.append(not_supported(_MATCH, match, [_EXACT, _NOT_OLDER, ""]))
        if match == _EXACT and wanted == "0":
            why = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
            errors.append(forbidden_field(_MATCH, why))
    if query.get(_INITIAL):
        errors.append(forbidden_field(_INITIAL, "sendInitialEvents is forbidden for list"))
    if errors:
        raise invalid_object("meta.k8s.io", "ListOptions", "", errors)


def check_watch(query: Query) -> None:
    """Refuse watch options that contradict each other; raises ApiError 422."""
    errors: list[FieldError] = []
    match, initial = query.get(_MATCH), query.get(_INITIAL)
    if initial and match != _NOT_OLDER:
        why = f"sendInitialEvents requires setting resourceVersionMatch to {_NOT_OLDER}"
        errors.append(forbidden_field(_MATCH, why))
    if match:
        if not initial:
            why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
            errors.append(forbidden_field(_MATCH, why))
        if match != _NOT_OLDER:
            errors.append(not_supported(_MATCH, match, [_NOT_OLDER]))
    if match or query.get("resourceVersion") in ("", "0"):
        errors += _match_with_token(query)
    if errors:
        raise invalid_object("meta.k8s.io", "ListOptions", "", errors)


def _match_with_token(query: Query) -> list[FieldError]:
    if not query.get("continue"):
        return []
    why = "resourceVersionMatch is forbidden when continue is provided"
    return [forbidden_field(_MATCH, why)]
