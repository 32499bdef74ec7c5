"""Keeps the Ready condition of Issuers and ClusterIssuers.

Source: cert-manager v1.12.3, pkg/controller/{issuers,clusterissuers}; cert-manager.md 3.2, 3.3.
"""

from tutor.sandbox.component import DONE, Result, Watches
from tutor.sandbox.components.certmanager.controllers.base import (
    Around,
    Controller,
    changed,
    own,
)
from tutor.sandbox.components.certmanager.issuer_state import issuer_type, set_up
from tutor.sandbox.components.certmanager.resources import CLUSTER_ISSUERS, ISSUERS
from tutor.sandbox.controllers.resources import SECRETS, Place, place_of
from tutor.sandbox.kinds import GroupResource, Object, name_of, namespace_of


class Issuers(Controller):
    """The controller of one of the two kinds."""

    resource: GroupResource = ISSUERS

    def __init__(self, around: Around, name: str = "issuers") -> None:
        super().__init__(around, name)
        self._cluster_namespace = around.cluster_namespace
        self.watches = (
            Watches(self.resource, own),
            Watches(SECRETS, self._signing_with, rate_limited=True),
        )

    def _namespace(self, issuer: Object) -> str:
        """Where an issuer's Secrets are."""
        return namespace_of(issuer) or self._cluster_namespace

    def _signing_with(self, secret: Object) -> list[Place]:
        return [
            place_of(issuer)
            for issuer in self.client.list(self.resource)
            if self._namespace(issuer) == namespace_of(secret)
            and ca_secret(issuer) == name_of(secret)
        ]

    async def sync(self, namespace: str, name: str) -> Result:
        """Judge one issuer."""
        issuer = self.client.find(self.resource, namespace, name)
        if issuer is None:
            return DONE
        kind = issuer_type(issuer["spec"])
        if kind is None:
            place = f"{namespace}/{name}"
            error = ValueError(f"no issuer specified for Issuer '{place}'")
            self.requeued((namespace, name), error)
            return Result(failed=True)
        where = self._namespace(issuer)
        signing = ca_secret(issuer)
        secret = self.client.find(SECRETS, where, signing) if signing else None
        found = set_up(kind, issuer["spec"], where, secret)
        pairs = {
            "resource_kind": issuer["kind"],
            "resource_name": name,
            "resource_namespace": namespace,
            "resource_version": "v1",
        }
        klog = self.klog.having(pairs)
        if found.log is not None:
            klog.named("setup").error(*found.log)
        if found.error is not None:
            klog.error("sync.go:62", "error setting up issuer", found.error)
        for told in found.events:
            record = self.recorder.normal if told.severity == "Normal" else self.recorder.warning
            await record(issuer, told.reason, told.message)
        if found.condition.reason == "NotSimulated":
            self.not_simulated(found.condition.message)
        new = changed(issuer)
        self.set_condition(new, found.condition)
        await self.write_status(new, issuer)
        if found.error is not None:
            self.requeued((namespace, name), ValueError(found.error))
            return Result(failed=True)
        return DONE


def ca_secret(issuer: Object) -> str | None:
    """The name of the Secret that a CA issuer signs with, None for issuers of other types."""
    ca: Object = issuer["spec"].get("ca") or {}
    return ca.get("secretName")


class ClusterIssuers(Issuers):
    """Those whose Secrets are in cert-manager's own namespace."""

    resource = CLUSTER_ISSUERS

    def __init__(self, around: Around) -> None:
        super().__init__(around, "clusterissuers")
