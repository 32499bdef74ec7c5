"""The controller's writes of Services and Secrets, each with its line in the log."""

from tutor.sandbox.api.deletion import DeleteOptions
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.components.concierge.deps import SECRETS, SERVICES, Surroundings
from tutor.sandbox.components.concierge.log import Log, ref
from tutor.sandbox.kinds import GroupResource, Object, name_of

_AT = (
    "impersonatorconfig/impersonator_config.go:{}"
    "$impersonatorconfig.(*impersonatorConfigController).{}"
)
_NOUNS = {"LoadBalancer": "load balancer", "ClusterIP": "cluster ip"}
_STOPPERS = {
    "LoadBalancer": _AT.format(489, "ensureLoadBalancerIsStopped"),
    "ClusterIP": _AT.format(537, "ensureClusterIPServiceIsStopped"),
}


class Writes:
    """Creates, updates and deletes; raises ApiError."""

    def __init__(self, around: Surroundings, log: Log) -> None:
        self._around = around
        self._client = around.workload.client
        self._log = log

    def _ref(self, obj: Object) -> dict[str, str]:
        return ref(name_of(obj), self._around.namespace)

    async def create_service(self, service: Object) -> None:
        """Make a Service."""
        self._log.info(
            _AT.format(576, "createOrUpdateService"),
            "creating service for impersonation proxy",
            serviceType=service["spec"]["type"],
            service=self._ref(service),
        )
        await self._client.create(self._around.owned(service))

    async def update_service(self, existing: Object, service: Object) -> None:
        """Change a Service, if there is something to change."""
        if service == existing:
            return
        message = "updating service for impersonation proxy"
        self._log.info(_AT.format(643, "createOrUpdateService"), message)
        await self._client.update(service)

    async def delete_service(self, service: Object, kind: str) -> None:
        """Remove a Service."""
        message = f"deleting {_NOUNS[kind]} for impersonation proxy"
        self._log.info(_STOPPERS[kind], message, service=self._ref(service))
        await self._delete(SERVICES, service)

    async def create_secret(self, secret: Object, message: str, function: str) -> Object:
        """Make a Secret."""
        self._log.info(_AT.format(826, function), message, secret=self._ref(secret))
        return await self._client.create(secret)

    async def delete_tls_secret(self, secret: Object) -> None:
        """Remove the generated TLS Secret."""
        self._log.info(
            _AT.format(1022, "ensureTLSSecretIsRemoved"),
            "deleting TLS serving certificate for impersonation proxy",
            secret=self._ref(secret),
        )
        await self._delete(SECRETS, secret)

    async def _delete(self, resource: GroupResource, obj: Object) -> None:
        meta = obj["metadata"]
        exactly = DeleteOptions(uid=meta["uid"], resource_version=meta["resourceVersion"])
        try:
            await self._client.delete(resource, self._around.namespace, meta["name"], exactly)
        except ApiError as error:
            if error.reason != "NotFound":
                raise
