"""What a CredentialIssuer asks of the impersonation proxy.

Source: pinniped.md 3.2 to 3.4.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tutor.sandbox.api.status import go_quote
from tutor.sandbox.components.concierge.certificates import is_address
from tutor.sandbox.components.concierge.impersonator.endpoint import BadAddress, parse
from tutor.sandbox.components.concierge.reading import part
from tutor.sandbox.components.concierge.sync import SyncError
from tutor.sandbox.kinds import Object, labels_of

_MODES = ("auto", "enabled", "disabled")
_TYPES = ("None", "LoadBalancer", "ClusterIP")
_CONTROL_PLANE = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
_ROLE = "kubernetes.io/node-role"
_LEADING_ZERO = re.compile(r"(^|\.)0\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSpec:
    """A serving certificate from elsewhere."""

    secret: str
    bundle: str
    """Base64, as it was pasted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """The wishes, checked."""

    mode: str
    service: str
    load_balancer_ip: str
    annotations: Mapping[str, str]
    endpoint: str
    tls: TlsSpec | None

    def should_run(self, has_control_plane: bool) -> bool:
        """Whether there is to be a proxy."""
        return self.mode == "enabled" or (self.mode == "auto" and not has_control_plane)


def read(issuer: Object) -> Spec:
    """The wishes of a CredentialIssuer; raises SyncError for those that cannot be."""
    raw: Object | None = part(issuer, "spec").get("impersonationProxy")
    if raw is None:
        raise SyncError("could not load CredentialIssuer: spec.impersonationProxy is nil")
    service = part(raw, "service")
    tls: Object | None = raw.get("tls")
    spec = Spec(
        mode=raw.get("mode") or "",
        service=service.get("type") or "LoadBalancer",
        load_balancer_ip=service.get("loadBalancerIP") or "",
        annotations=service.get("annotations") or {},
        endpoint=raw.get("externalEndpoint") or "",
        tls=None if tls is None else _tls(tls),
    )
    fault = fault_of(spec)
    if fault:
        raise SyncError(f"could not load CredentialIssuer spec.impersonationProxy: {fault}")
    return spec


def _tls(raw: Object) -> TlsSpec:
    return TlsSpec(
        secret=raw.get("secretName") or "", bundle=raw.get("certificateAuthorityData") or ""
    )


def fault_of(spec: Spec) -> str:
    """What is wrong, empty for nothing; when disabled, nothing but the mode is looked at."""
    if spec.mode not in _MODES:
        return f"invalid proxy mode {go_quote(spec.mode)} (expected auto, disabled, or enabled)"
    if spec.mode == "disabled":
        return ""
    if spec.service not in _TYPES:
        expected = "expected None, LoadBalancer, or ClusterIP"
        return f"invalid service type {go_quote(spec.service)} ({expected})"
    if spec.load_balancer_ip and not _is_plain_address(spec.load_balancer_ip):
        return f"invalid LoadBalancerIP {go_quote(spec.load_balancer_ip)}"
    if not spec.endpoint:
        if spec.service == "None":
            return "externalEndpoint must be set when service.type is None"
        return ""
    try:
        parse(spec.endpoint)
    except BadAddress as error:
        return f"invalid ExternalEndpoint {go_quote(spec.endpoint)}: {error}"
    return ""


def _is_plain_address(text: str) -> bool:
    return is_address(text) and not _LEADING_ZERO.search(text)


def has_control_plane(nodes: Sequence[Object]) -> bool:
    """Whether the nodes of the control plane are visible; raises SyncError without any node."""
    if not nodes:
        raise SyncError("no nodes found")
    return any(_is_control_plane(labels_of(node)) for node in nodes)


def _is_control_plane(labels: Mapping[str, str]) -> bool:
    if any(label in labels for label in _CONTROL_PLANE):
        return True
    return labels.get(_ROLE) in ("control-plane", "master")
