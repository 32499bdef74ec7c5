"""Acting as somebody else, with `Impersonate-*` headers.

Since 1.36 the constrained modes (verbs `impersonate:MODE` and `impersonate-on:MODE:VERB`) are asked
before the old verb `impersonate`; the mode that worked last for a requestor is asked first.

Source: apiserver's endpoints/filters/impersonation.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from urllib.parse import unquote

from tutor.sandbox.api.identity import (
    AUTHENTICATED,
    SERVICE_ACCOUNT_PREFIX,
    service_account_user,
)
from tutor.sandbox.api.rbac import Attributes, Decision
from tutor.sandbox.api.request import ANONYMOUS, Request, User
from tutor.sandbox.api.status import ApiError, bad_request, forbidden, go_quote
from tutor.sandbox.kinds import GroupResource

_USER, _UID, _GROUP, _EXTRA = (
    "impersonate-user",
    "impersonate-uid",
    "impersonate-group",
    "impersonate-extra-",
)
_ANY = "impersonate-"
_AUTHENTICATION = "authentication.k8s.io"
_NODE_PREFIX = "system:node:"
_NODES = ("system:nodes",)

Decide = Callable[[User, Attributes], Decision]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The user that the headers ask for, as they say it."""

    name: str
    uid: str
    groups: tuple[str, ...]
    extra: dict[str, tuple[str, ...]]


def wanted(request: Request) -> Wanted | None:
    """What the headers ask for; None without any.

    Raises:
        ApiError: 400 for attributes without a user.
    """
    if not any([header.startswith(_ANY) for header, _ in request.headers]):  # noqa: C419 - faster
        return None
    name, uid = request.header(_USER), request.header(_UID)
    groups = tuple(request.header_values(_GROUP))
    extra: dict[str, tuple[str, ...]] = {}
    for header, value in request.headers:
        if header.startswith(_EXTRA):
            key = unquote(header.removeprefix(_EXTRA))
            extra[key] = (*extra.get(key, ()), value)
    if not name and (uid or groups or extra):
        raise bad_request(
            f'requested &user.DefaultInfo{{Name:"", UID:{go_quote(uid)}, '
            f"Groups:{_go_slice(groups)}, Extra:{_go_map(extra)}}} "
            "without impersonating a user name"
        )
    return Wanted(name, uid, groups, extra) if name else None


def _go_slice(values: tuple[str, ...]) -> str:
    if not values:
        return "[]string(nil)"
    return "[]string{" + ", ".join(go_quote(value) for value in values) + "}"


def _go_map(extra: dict[str, tuple[str, ...]]) -> str:
    if not extra:
        return "map[string][]string(nil)"
    pairs = ", ".join(
        f"{go_quote(key)}:[]string{{{', '.join(go_quote(v) for v in values)}}}"
        for key, values in sorted(extra.items())
    )
    return f"map[string][]string{{{pairs}}}"


class Impersonator:
    """Decides whether a requestor may act as somebody, and who that is."""

    def __init__(self, decide: Decide) -> None:
        self._decide = decide
        self._last: dict[str, str] = {}

    def act_as(self, user: User, want: Wanted, access: Attributes) -> User:
        """The user to go on as.

        Raises:
            ApiError: 403 that names the first right that was missing.
        """
        constrained = "serviceaccount" if _account_of(want.name) else "user-info"
        modes = ["legacy"] if want.name.startswith(_NODE_PREFIX) else [constrained, "legacy"]
        last = self._last.get(user.name)
        if last in modes:
            modes.sort(key=lambda mode: mode != last)
        first: ApiError | None = None
        for mode in modes:
            try:
                self._check(mode, user, want, access)
            except ApiError as error:
                first = first or error
                continue
            self._last[user.name] = mode
            return _acting(want)
        raise first or forbidden(GroupResource("", "users"), want.name, "cannot impersonate")

    def _check(self, mode: str, user: User, want: Wanted, access: Attributes) -> None:
        verb = "impersonate"
        if mode != "legacy":
            verb = f"impersonate:{mode}"
            self._require(user, replace(access, verb=f"impersonate-on:{mode}:{access.verb}"))
        for attributes in _asked(want, verb, legacy=mode == "legacy"):
            self._require(user, attributes)

    def _require(self, user: User, attributes: Attributes) -> None:
        decision = self._decide(user, attributes)
        if not decision.allowed:
            resource = GroupResource(attributes.group, attributes.resource)
            why = attributes.denial(user, decision.reason)
            raise forbidden(resource, attributes.name, why)


def _asked(want: Wanted, verb: str, *, legacy: bool) -> Iterator[Attributes]:
    group = "" if legacy else _AUTHENTICATION
    account = _account_of(want.name)
    if account:
        namespace, name = account
        yield Attributes(
            verb=verb, group=group, resource="serviceaccounts", namespace=namespace, name=name
        )
    else:
        yield Attributes(verb=verb, group=group, resource="users", name=want.name)
    for name in want.groups:
        yield Attributes(verb=verb, group=group, resource="groups", name=name)
    for key, values in want.extra.items():
        for value in values:
            yield Attributes(
                verb=verb,
                group=_AUTHENTICATION,
                resource="userextras",
                subresource=key,
                name=value,
            )
    if want.uid:
        yield Attributes(verb=verb, group=_AUTHENTICATION, resource="uids", name=want.uid)


def _account_of(name: str) -> tuple[str, str] | None:
    if not name.startswith(SERVICE_ACCOUNT_PREFIX):
        return None
    namespace, found, account = name.removeprefix(SERVICE_ACCOUNT_PREFIX).partition(":")
    # A name with another colon in it is nobody's.
    real = found and namespace and account and ":" not in account
    return (namespace, account) if real else None


def _acting(want: Wanted) -> User:
    account = _account_of(want.name)
    groups = want.groups
    if not groups and account:
        groups = service_account_user(*account).groups
    if not groups and want.name.startswith(_NODE_PREFIX):
        groups = _NODES
    if want.name == ANONYMOUS.name:
        groups = tuple(dict.fromkeys((*groups, *ANONYMOUS.groups)))
    elif not {AUTHENTICATED, *ANONYMOUS.groups} & set(groups):
        groups = (*groups, AUTHENTICATED)
    return User(name=want.name, uid=want.uid, groups=groups, extra=want.extra)
