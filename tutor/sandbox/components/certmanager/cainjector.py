"""The CA injector: copies CAs into webhook configurations, APIServices and CRDs that ask for one.

Source: cert-manager v1.12.3, pkg/controller/cainjector.
"""

import asyncio
import base64
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass

from tutor.sandbox.api.status import ApiError
from tutor.sandbox.client import Client
from tutor.sandbox.component import DONE, Result, Watches, Workload
from tutor.sandbox.components.certmanager.flags import Flags
from tutor.sandbox.components.certmanager.klog import Klog
from tutor.sandbox.components.certmanager.lease import Leader
from tutor.sandbox.components.certmanager.resources import CERTIFICATES
from tutor.sandbox.controllers.resources import CRDS, SECRETS, is_deleted
from tutor.sandbox.kinds import (
    GroupResource,
    Object,
    annotations_of,
    name_of,
    namespace_of,
    thaw,
)

_ADMISSION = "admissionregistration.k8s.io"
_FROM_SECRET = "cert-manager.io/inject-ca-from-secret"  # noqa: S105 - an annotation
_FROM_CERTIFICATE = "cert-manager.io/inject-ca-from"
_FROM_API_SERVER = "cert-manager.io/inject-apiserver-ca"
_ALLOWED = "cert-manager.io/allow-direct-injection"
_CERTIFICATE_NAME = "cert-manager.io/certificate-name"
_LEASE = "cert-manager-cainjector-leader-election"


def _of_webhooks(obj: Object) -> Iterator[Object]:
    for hook in obj.get("webhooks") or ():
        yield hook["clientConfig"]


def _of_service(obj: Object) -> Iterator[Object]:
    yield obj["spec"]


def _of_conversion(obj: Object) -> Iterator[Object]:
    conversion: Object = obj["spec"].get("conversion") or {}
    if conversion.get("strategy") == "Webhook" and conversion.get("webhook"):
        yield conversion["webhook"].setdefault("clientConfig", {})


@dataclass(frozen=True, slots=True)
class Target:
    """A kind of objects that take CAs: its log name, and where in an object they go."""

    kind: str
    resource: GroupResource
    places: Callable[[Object], Iterator[Object]]


TARGETS = (
    Target(
        "mutatingwebhookconfiguration",
        GroupResource(_ADMISSION, "mutatingwebhookconfigurations"),
        _of_webhooks,
    ),
    Target(
        "validatingwebhookconfiguration",
        GroupResource(_ADMISSION, "validatingwebhookconfigurations"),
        _of_webhooks,
    ),
    Target("apiservice", GroupResource("apiregistration.k8s.io", "apiservices"), _of_service),
    Target("customresourcedefinition", CRDS, _of_conversion),
)


def injected(target: Target, obj: Object, bundle: str) -> Object:
    """The object with a CA (base64) in every place for one."""
    new = thaw(obj)
    for place in target.places(new):
        place["caBundle"] = bundle
    return new


def source_of(obj: Object) -> tuple[str, str, str] | None:
    """Annotation, namespace and name of where an object wants its CA from; None for nowhere."""
    annotations = annotations_of(obj)
    for key in (_FROM_SECRET, _FROM_CERTIFICATE):
        if key in annotations:
            namespace, slash, name = annotations[key].partition("/")
            return (key, namespace, name) if slash else (key, "", namespace)
    if annotations.get(_FROM_API_SERVER) == "true":
        return (_FROM_API_SERVER, "", "")
    return None


class Injector:
    """Keeps the CAs of one kind of objects."""

    def __init__(self, workload: Workload, target: Target, klog: Klog) -> None:
        self.name = f"cainjector-{target.kind}"
        self._client: Client = workload.client
        self._workload = workload
        self._target = target
        self._klog = klog
        self.watches: Sequence[Watches] = (
            Watches(target.resource, lambda obj: [name_of(obj)] if source_of(obj) else ()),
            Watches(SECRETS, self._fed_by),
            Watches(CERTIFICATES, self._fed_by),
        )

    def _fed_by(self, source: Object) -> list[str]:
        """The objects that take their CA from a Secret, directly or through its Certificate."""
        namespace, name = namespace_of(source), name_of(source)
        if source["kind"] == "Certificate":
            wanted = {(_FROM_CERTIFICATE, namespace, name)}
        else:
            owner = annotations_of(source).get(_CERTIFICATE_NAME, "")
            wanted = {(_FROM_SECRET, namespace, name), (_FROM_CERTIFICATE, namespace, owner)}
        return [
            name_of(obj)
            for obj in self._client.list(self._target.resource)
            if source_of(obj) in wanted
        ]

    async def reconcile(self, key: Hashable) -> Result:
        """Bring one object's CAs up to date."""
        name = str(key)
        klog = self._klog.having({"kind": self._target.kind, "name": name})
        obj = self._client.find(self._target.resource, "", name)
        if obj is None or is_deleted(obj):
            return DONE
        source = source_of(obj)
        if source is None:
            return DONE
        bundle = self._bundle(source, klog)
        if bundle is None:
            text = "could not find any ca data in data source for target"
            klog.info("reconciler.go:118", text)
            return DONE
        if injected(self._target, obj, bundle) != obj:
            await asyncio.sleep(self._workload.pace.cainjector)
        try:
            await self._client.change(
                self._target.resource, "", name, lambda old: injected(self._target, old, bundle)
            )
        except ApiError as error:
            klog.error(
                "reconciler.go:138", "unable to update target object with new CA data", str(error)
            )
            return Result(failed=True)
        klog.info("reconciler.go:142", "Updated object")
        return DONE

    def _bundle(self, source: tuple[str, str, str], klog: Klog) -> str | None:
        """Base64 of the CA, None when there is none to take."""
        annotation, namespace, name = source
        if annotation == _FROM_API_SERVER:
            return base64.b64encode(self._workload.api_server()[2].encode()).decode()
        if annotation == _FROM_CERTIFICATE:
            return self._of_certificate(namespace, name, klog)
        klog = klog.having({"secret": f"{namespace}/{name}"})
        if not namespace:
            text = "invalid secret source: missing namespace/ prefix"
            klog.error("sources.go:160", text, "invalid annotation")
            return None
        secret = self._client.find(SECRETS, namespace, name)
        if secret is None:
            why = f'Secret "{name}" not found'
            klog.error("sources.go:176", "unable to fetch associated secret", why)
            return None
        if annotations_of(secret).get(_ALLOWED) != "true":
            text = "Secret resource does not allow direct injection - refusing to inject CA"
            klog.info("sources.go:182", text)
            return None
        return self._ca_of(secret, klog, ("sources.go:190", "secret contains no CA data"))

    def _of_certificate(self, namespace: str, name: str, klog: Klog) -> str | None:
        klog = klog.having({"certificate": f"{namespace}/{name}"})
        if not namespace:
            text = "invalid certificate name: needs a namespace/ prefix"
            klog.error("sources.go:92", text, "invalid annotation")
            return None
        certificate = self._client.find(CERTIFICATES, namespace, name)
        if certificate is None:
            why = f'Certificate.cert-manager.io "{name}" not found'
            klog.error("sources.go:106", "unable to fetch associated certificate", why)
            return None
        secret_name = certificate["spec"]["secretName"]
        secret = self._client.find(SECRETS, namespace, secret_name)
        if secret is None:
            why = f'Secret "{secret_name}" not found'
            klog.error("sources.go:116", "unable to fetch associated secret", why)
            return None
        if annotations_of(secret).get(_CERTIFICATE_NAME) != name:
            klog.info("sources.go:122", "refusing to target secret not owned by certificate")
            return None
        return self._ca_of(secret, klog, ("sources.go:130", "certificate has no CA data"))

    def _ca_of(self, secret: Object, klog: Klog, complaint: tuple[str, str]) -> str | None:
        data: Object = secret.get("data") or {}
        found = data.get("ca.crt")
        if found is None:
            klog.error(*complaint, "invalid CA source")
        return found


async def cainjector(workload: Workload) -> None:
    """Run the injector until cancelled."""
    flags = Flags(workload.container, workload.pod)
    klog = Klog(workload.log, workload.client.now).named("cert-manager")
    identity = f"{name_of(workload.pod)}_{workload.pod['metadata']['uid']}"
    place = (flags.get("leader-election-namespace", "kube-system"), _LEASE)
    elector = workload.client.managed_by("cainjector")
    leader = Leader(elector, klog, place, identity, identity)
    for target in TARGETS:
        text = "Registering a reconciler for injectable"
        klog.info("setup.go:119", text, {"kind": target.kind})
    workload.ready()
    await leader.acquire()
    async with asyncio.TaskGroup() as group:
        group.create_task(leader.keep(), name="cainjector lease")
        injectors = [Injector(workload, target, klog) for target in TARGETS]
        group.create_task(workload.reconcile(injectors), name="cainjector")
