"""The controller of the impersonation proxy: from the CredentialIssuer to a running proxy.

Source: pinniped.md 3.2 (order), 3.3, 3.8 (triggers), 1.4 (objects).
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

from tutor.sandbox.api.status import ApiError
from tutor.sandbox.component import Watches
from tutor.sandbox.components.concierge import strategy
from tutor.sandbox.components.concierge.cache import Absent, Cache
from tutor.sandbox.components.concierge.deps import NODES, Surroundings
from tutor.sandbox.components.concierge.encoding import encode_base64, secret_bytes
from tutor.sandbox.components.concierge.holder import InvalidPair
from tutor.sandbox.components.concierge.impersonator import service as services
from tutor.sandbox.components.concierge.impersonator.external import bundle_of
from tutor.sandbox.components.concierge.impersonator.generated import Generated
from tutor.sandbox.components.concierge.impersonator.service import Place
from tutor.sandbox.components.concierge.impersonator.spec import Spec, has_control_plane, read
from tutor.sandbox.components.concierge.impersonator.writes import Writes
from tutor.sandbox.components.concierge.issuers import Issuers
from tutor.sandbox.components.concierge.log import ref
from tutor.sandbox.components.concierge.sync import EVERYTHING, Controller, Key, SyncError, wrapped
from tutor.sandbox.kinds import Object, name_of

NAME = "impersonator-config-controller"
_AT = (
    "impersonatorconfig/impersonator_config.go:{}"
    "$impersonatorconfig.(*impersonatorConfigController).{}"
)
_SYNC = _AT.format(189, "Sync")
_DO_SYNC = _AT.format(258, "doSync")
_LOAD = _AT.format(402, "loadImpersonationProxyConfiguration")
_CLEAR_TLS = _AT.format(1041, "clearTLSSecret")
_CLEAR_SIGNER = _AT.format(1065, "clearSignerCA")
_SIGNER = _AT.format(1046, "loadSignerCA")
_TLS = "kubernetes.io/tls"


class ProxyServer(Protocol):
    """The server on the proxy's port."""

    async def ensure_started(self) -> None:
        """Start it unless it runs; raises SyncError when it cannot, or has died."""
        ...

    async def ensure_stopped(self) -> None:
        """Stop it if it runs."""
        ...


class ImpersonatorConfig:
    """Brings the proxy to what the CredentialIssuer wants, and reports how that went."""

    def __init__(self, around: Surroundings, issuers: Issuers, server: ProxyServer) -> None:
        self._around = around
        self._issuers = issuers
        self._server = server
        self._log = around.log.named(NAME)
        self._writes = Writes(around, self._log)
        self._generated = Generated(around, self._writes, self._log)
        self._has_control_plane: bool | None = None

    def controller(self) -> Controller:
        """The controller, with what wakes it."""
        names = self._around.config.names
        caches = self._around.caches
        own_secrets = (names.tls_secret, names.ca_secret, names.signer_secret)

        def secret(obj: Object) -> Iterable[Key]:
            return [EVERYTHING] if name_of(obj) in own_secrets or obj.get("type") == _TLS else []

        return Controller(
            NAME,
            self._sync,
            (
                _named(caches.issuers, (names.credential_issuer,)),
                _named(caches.services, (names.load_balancer, names.cluster_ip)),
                Watches(caches.secrets.resource, secret, caches.secrets.namespace),
            ),
            self._around.log,
            self._around.workload.pace.opaque_resync,
        )

    async def _sync(self, _key: Key) -> None:
        self._log.debug(_SYNC, "starting impersonatorConfigController Sync")
        issuer = self._issuers.get()
        failure: SyncError | ApiError | Absent | None = None
        try:
            result = await self._do_sync(issuer)
        except (SyncError, ApiError, Absent) as error:
            failure = error
            reason = "" if isinstance(error, Absent) else error.reason
            result = strategy.proxy_failed(str(error), reason)
        await self._issuers.report(issuer, result, failure)
        self._log.debug(_SYNC, "successfully finished impersonatorConfigController Sync")

    async def _do_sync(self, issuer: Object) -> Object:
        spec = read(issuer)
        name = self._around.config.names.credential_issuer
        self._log.debug(_LOAD, "read impersonation proxy config", credentialIssuer=name)
        runs = spec.should_run(self._control_plane_is_visible())
        await (self._server.ensure_started() if runs else self._server.ensure_stopped())
        # What a sync creates it does not see: the next one does, woken by the creation.
        known = self._around.caches.services.snapshot()
        await self._ensure_service(spec, "LoadBalancer", known, runs)
        await self._ensure_service(spec, "ClusterIP", known, runs)
        if not runs:
            return await self._turn_off(spec)
        place = self._place(spec, known)
        bundle = await self._certificates(spec, place)
        self._load_signer()
        if place is None:
            return strategy.PROXY_WAITS
        return strategy.proxy_listens(place.endpoint, encode_base64(bundle))

    def _control_plane_is_visible(self) -> bool:
        if self._has_control_plane is None:
            try:
                nodes: Sequence[Object] = self._around.workload.client.list(NODES)
            except ApiError as error:
                raise wrapped("error fetching nodes", error) from None
            self._has_control_plane = has_control_plane(nodes)
            found = self._has_control_plane
            self._log.debug(
                _DO_SYNC, "queried for control plane nodes", foundControlPlaneNodes=found
            )
        return self._has_control_plane

    async def _ensure_service(self, spec: Spec, kind: str, known: Cache, runs: bool) -> None:
        wanted = services.desired(self._around.config, spec, kind, self._around.namespace)
        existing = known.find(name_of(wanted))
        if not (runs and spec.service == kind):
            if existing is not None:
                await self._writes.delete_service(existing, kind)
        elif existing is None:
            await self._writes.create_service(wanted)
        else:
            await self._writes.update_service(existing, services.updated(existing, wanted))

    def _place(self, spec: Spec, known: Cache) -> Place | None:
        names = self._around.config.names
        balancer = known.find(names.load_balancer)
        place = services.place_of(spec, known.find(names.cluster_ip), balancer)
        if place is None and balancer is not None and spec.service == "LoadBalancer":
            self._log.info(
                _AT.format(884, "findTLSCertificateNameFromLoadBalancer"),
                "load balancer for impersonation proxy does not have an ingress yet, so skipping"
                " tls cert generation while we wait",
                service=ref(name_of(balancer), self._around.namespace),
            )
        return place

    async def _certificates(self, spec: Spec, place: Place | None) -> bytes:
        if spec.tls is None:
            return await self._generated.ensure(place)
        if not spec.tls.secret:
            raise SyncError(
                "must provide impersonationSpec.TLS.secretName if impersonationSpec.TLS is provided"
            )
        self._log.info(
            _AT.format(340, "evaluateExternallyProvidedTLSSecret"),
            "configuring the impersonation proxy to use an externally provided TLS secret",
            secretName=spec.tls.secret,
        )
        own = self._around.config.names.tls_secret
        try:
            await self._generated.remove()
        except ApiError as error:
            raise wrapped(f"unable to remove generated TLS secret with name {own}", error) from None
        around = self._around
        return bundle_of(
            spec.tls, around.caches.secrets, around.holders.proxy, self._log, around.log
        )

    async def _turn_off(self, spec: Spec) -> Object:
        await self._generated.remove()
        self._log.debug(_CLEAR_TLS, "clearing TLS serving certificate for impersonation proxy")
        self._around.holders.proxy.clear()
        message = "clearing credential signing certificate for impersonation proxy"
        self._log.debug(_CLEAR_SIGNER, message)
        self._around.holders.signer.clear()
        return strategy.PROXY_OFF if spec.mode == "disabled" else strategy.PROXY_NOT_NEEDED

    def _load_signer(self) -> None:
        name = self._around.config.names.signer_secret
        try:
            secret = self._around.caches.secrets.get(name)
        except Absent as error:
            prefix = "could not load the impersonator's credential signing secret"
            raise wrapped(prefix, error) from None
        certificate = secret_bytes(secret, "caCertificate")
        key = secret_bytes(secret, "caCertificatePrivateKey")
        try:
            self._around.holders.signer.load(certificate, key)
        except InvalidPair as error:
            prefix = "could not set the impersonator's credential signing secret"
            raise wrapped(prefix, error) from None
        message = "loading credential signing certificate for impersonation proxy"
        self._log.info(_SIGNER, message, secret=ref(name, self._around.namespace))


def _named(cache: Cache, names: Sequence[str]) -> Watches:
    def keys(obj: Object) -> Iterable[Key]:
        return [EVERYTHING] if name_of(obj) in names else []

    return Watches(cache.resource, keys, cache.namespace)
