"""What every controller of cert-manager shares: its names, its writes, its failures.

Source: cert-manager v1.12.3, pkg/controller/controller.go; cert-manager.md 3.1 and 4.4.
"""

from abc import abstractmethod
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import cast

from tutor.sandbox.api.status import ApiError
from tutor.sandbox.client import Client
from tutor.sandbox.component import Result, Watches
from tutor.sandbox.components.certmanager.conditions import Condition, Setter
from tutor.sandbox.components.certmanager.klog import Klog
from tutor.sandbox.components.certmanager.policies import Gathered
from tutor.sandbox.components.certmanager.resources import CERTIFICATES, REQUESTS
from tutor.sandbox.controllers.events import Recorder
from tutor.sandbox.controllers.resources import SECRETS, Place, owner_of, place_of
from tutor.sandbox.kinds import Object, annotations_of, name_of, namespace_of, thaw
from tutor.sandbox.pace import Pace

REVISION = "cert-manager.io/certificate-revision"


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What a controller works with."""

    client: Client
    klog: Klog
    pace: Pace
    setter: Setter
    cluster_namespace: str
    """Where ClusterIssuers have their Secrets."""
    not_simulated: Callable[[str], None]
    """Counts what was asked for and is not simulated."""


class Controller:
    """One controller; its name is in events, field managers and log lines."""

    watches: Sequence[Watches] = ()

    def __init__(self, around: Around, name: str) -> None:
        self.name = name
        full = f"cert-manager-{name}"
        self.client = around.client.managed_by(full)
        self.recorder = Recorder(around.client, full, reporting=False)
        self.klog = around.klog.named(name)
        self.pace = around.pace
        self._setter = around.setter
        self.not_simulated = around.not_simulated

    async def reconcile(self, key: Hashable) -> Result:
        """Look at one object; a refused write is logged and tried again."""
        place = cast("Place", key)
        try:
            return await self.sync(*place)
        except ApiError as error:
            self.requeued(place, error)
            return Result(failed=True)

    @abstractmethod
    async def sync(self, namespace: str, name: str) -> Result:
        """Bring one object a step further."""

    def requeued(self, place: Place, error: Exception) -> None:
        """Log that an object will be looked at again."""
        pairs = {"key": "/".join(filter(None, place))}
        if isinstance(error, ApiError) and error.reason == "Conflict":
            text = "re-queuing item due to optimistic locking on resource"
            self.klog.info("controller.go:162", text, pairs | {"error": str(error)})
        else:
            text = "re-queuing item due to error processing"
            self.klog.error("controller.go:167", text, str(error), pairs)

    def set_condition(self, obj: Object, wanted: Condition) -> None:
        """Set a condition in an object that may be changed."""
        self._setter.set(obj, wanted)

    async def write_status(self, new: Object, old: Object) -> None:
        """Write a status that differs; raises ApiError, also when somebody else was faster."""
        if new.get("status") != old.get("status"):
            await self.client.update(new, "status")


def own(obj: Object) -> list[Place]:
    """The object itself."""
    return [place_of(obj)]


def owner_certificate(obj: Object) -> list[Place]:
    """The Certificate that owns an object."""
    owner = owner_of(obj)
    if owner is None or owner["kind"] != "Certificate":
        return []
    return [(namespace_of(obj), owner["name"])]


def stored_in(client: Client) -> Callable[[Object], Iterable[Place]]:
    """From a Secret to the Certificates that are stored in it."""

    def keys(secret: Object) -> list[Place]:
        return [
            place_of(certificate)
            for certificate in client.list(CERTIFICATES, namespace_of(secret))
            if certificate["spec"]["secretName"] == name_of(secret)
        ]

    return keys


def certificate_watches(client: Client) -> list[Watches]:
    """Certificates, their requests, and the Secrets they are stored in."""
    return [
        Watches(CERTIFICATES, own),
        Watches(REQUESTS, owner_certificate),
        Watches(SECRETS, stored_in(client)),
    ]


def is_owned(obj: Object, owner: Object) -> bool:
    """Whether an object is controlled by another."""
    reference = owner_of(obj)
    return reference is not None and reference["uid"] == owner["metadata"]["uid"]


def requests_of(client: Client, certificate: Object) -> list[Object]:
    """The CertificateRequests of a Certificate."""
    found = client.list(REQUESTS, namespace_of(certificate))
    return [request for request in found if is_owned(request, certificate)]


def revision_of(request: Object) -> int | None:
    """The revision that a request is for, None when it does not say."""
    text = annotations_of(request).get(REVISION, "")
    return int(text) if text.isdecimal() else None


def status_of(obj: Object) -> Object:
    """The status, empty when there is none yet."""
    return obj.get("status") or {}


def next_revision(certificate: Object) -> int:
    """The revision after the one that was issued last."""
    return status_of(certificate).get("revision", 0) + 1


def gather(client: Client, certificate: Object) -> Gathered:
    """Everything that belongs to a Certificate."""
    revision = status_of(certificate).get("revision")
    by_revision = {revision_of(r): r for r in requests_of(client, certificate)}
    return Gathered(
        certificate=certificate,
        secret=client.find(SECRETS, namespace_of(certificate), certificate["spec"]["secretName"]),
        current=by_revision.get(revision) if revision is not None else None,
        next=by_revision.get(next_revision(certificate)),
    )


def changed(obj: Object) -> Object:
    """A copy of an object to change, with a status."""
    new = thaw(obj)
    new.setdefault("status", {})
    return new
