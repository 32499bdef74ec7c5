"""Acting as somebody else through the proxy, decided by the proxy with the caller's rights.

Source: pinniped.md 4.7; apiserver v0.27's impersonation filter (the one that Pinniped v0.25.0 is
built with), which knows only the verb `impersonate`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from tutor.sandbox.api.identity import (
    AUTHENTICATED,
    SERVICE_ACCOUNT_PREFIX,
    service_account_user,
)
from tutor.sandbox.api.rbac import Attributes
from tutor.sandbox.api.request import ANONYMOUS, Request, User
from tutor.sandbox.components.concierge.serving.errors import internal_text

_AUTHENTICATION = "authentication.k8s.io"
_USER, _UID, _GROUP, _EXTRA = (
    "impersonate-user",
    "impersonate-uid",
    "impersonate-group",
    "impersonate-extra-",
)
PREFIX = "impersonate-"
_VERB = "impersonate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Whom the headers name."""

    name: str
    uid: str
    groups: tuple[str, ...]
    extra: tuple[tuple[str, str], ...]
    """Keys and values, in the order of the headers."""

    @property
    def account(self) -> tuple[str, str] | None:
        """Namespace and name, when it is a service account."""
        if not self.name.startswith(SERVICE_ACCOUNT_PREFIX):
            return None
        namespace, _, name = self.name.removeprefix(SERVICE_ACCOUNT_PREFIX).partition(":")
        return (namespace, name) if namespace and name and ":" not in name else None

    def asked(self) -> Iterator[Attributes]:
        """The rights that it takes."""
        account = self.account
        if account:
            namespace, name = account
            yield Attributes(verb=_VERB, resource="serviceaccounts", namespace=namespace, name=name)
        else:
            yield Attributes(verb=_VERB, resource="users", name=self.name)
        for group in self.groups:
            yield Attributes(verb=_VERB, resource="groups", name=group)
        for key, value in self.extra:
            yield Attributes(
                verb=_VERB,
                group=_AUTHENTICATION,
                version="v1",
                resource="userextras",
                subresource=key,
                name=value,
            )
        if self.uid:
            yield Attributes(
                verb=_VERB, group=_AUTHENTICATION, version="v1", resource="uids", name=self.uid
            )

    def user(self) -> User:
        """The user to go on as."""
        extra: dict[str, tuple[str, ...]] = {}
        for key, value in self.extra:
            extra[key] = (*extra.get(key, ()), value)
        groups, account = self.groups, self.account
        if account and not groups:
            groups = service_account_user(*account).groups
        return User(name=self.name, uid=self.uid, groups=_completed(self.name, groups), extra=extra)


def _completed(name: str, groups: tuple[str, ...]) -> tuple[str, ...]:
    unauthenticated = ANONYMOUS.groups[0]
    if name == ANONYMOUS.name:
        return groups if unauthenticated in groups else (*groups, unauthenticated)
    if AUTHENTICATED in groups or unauthenticated in groups:
        return groups
    return (*groups, AUTHENTICATED)


def wanted(request: Request) -> Wanted | None:
    """Whom the headers name, None without any; raises Plain 500 for attributes of nobody."""
    extra = tuple(
        (unquote(header.removeprefix(_EXTRA)), value)
        for header, value in request.headers
        if header.startswith(_EXTRA)
    )
    want = Wanted(
        name=request.header(_USER),
        uid=request.header(_UID),
        groups=tuple(request.header_values(_GROUP)),
        extra=extra,
    )
    if want.name:
        return want
    if want.uid or want.groups or want.extra:
        text = f"requested [{' '.join(_references(want))}] without impersonating a user"
        raise internal_text(request.target, text)
    return None


def _references(want: Wanted) -> Iterator[str]:
    """Object references as Go prints them: kind, namespace, name, uid, version, resource, path."""
    for group in want.groups:
        yield f"{{Group  {group}    }}"
    for key, value in want.extra:
        yield f"{{UserExtra  {value}  {_AUTHENTICATION}/v1  {key}}}"
    if want.uid:
        yield f"{{UID  {want.uid}  {_AUTHENTICATION}/v1  }}"
