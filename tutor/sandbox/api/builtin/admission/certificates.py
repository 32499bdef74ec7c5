"""The plugins around certificate requests.

CertificateApproval, CertificateSigning and CertificateSubjectRestriction. Source:
Kubernetes' `plugin/pkg/admission/certificates`, `pkg/certauthorization`.
"""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.x509.oid import NameOID

from tutor.sandbox import pki
from tutor.sandbox.api.builtin.admission.plugin import Plugin, concerns, refusal
from tutor.sandbox.api.builtin.reading import part, same, text
from tutor.sandbox.api.rbac import Attributes, Decision
from tutor.sandbox.api.request import User
from tutor.sandbox.api.webhooks import Write
from tutor.sandbox.kinds import GroupResource, Object

REQUESTS = GroupResource("certificates.k8s.io", "certificatesigningrequests")
Decide = Callable[[User, Attributes], Decision]
_CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client"


def _may(decide: Decide, user: User, verb: str, signer: str) -> bool:
    """Whether a user may do this with the requests for a signer, or for all of its domain."""
    domain = signer.partition("/")[0]
    return any(
        decide(
            user,
            Attributes(verb=verb, group=REQUESTS.group, version="*", resource="signers", name=name),
        ).allowed
        for name in (signer, f"{domain}/*")
    )


@dataclass(frozen=True, slots=True)
class CertificateApproval(Plugin):
    """Asks whether a user may approve for a signer."""

    resources = frozenset({REQUESTS})

    decide: Decide

    def validate(self, write: Write) -> None:
        """Refuse those who may not."""
        if not concerns(write, REQUESTS, "UPDATE", subresource="approval"):
            return
        signer = _signer(write.old)
        if not _may(self.decide, write.call.user, "approve", signer):
            why = f'user not permitted to approve requests with signerName "{signer}"'
            raise refusal(write, why)


@dataclass(frozen=True, slots=True)
class CertificateSigning(Plugin):
    """Asks whether a user may sign for a signer."""

    resources = frozenset({REQUESTS})

    decide: Decide

    def validate(self, write: Write) -> None:
        """Refuse those who may not."""
        if not concerns(write, REQUESTS, "UPDATE", subresource="status"):
            return
        new, old = part(write.new or {}, "status"), part(write.old or {}, "status")
        if all(same(new.get(field), old.get(field)) for field in ("certificate", "conditions")):
            return
        signer = _signer(write.old)
        if not _may(self.decide, write.call.user, "sign", signer):
            why = f'user not permitted to sign requests with signerName "{signer}"'
            raise refusal(write, why)


class CertificateSubjectRestriction(Plugin):
    """Lets nobody ask for the group that may do everything."""

    __slots__ = ()
    resources = frozenset({REQUESTS})

    def validate(self, write: Write) -> None:
        """Refuse a client certificate for system:masters."""
        if not concerns(write, REQUESTS, "CREATE") or _signer(write.new) != _CLIENT_SIGNER:
            return
        try:
            pem = base64.b64decode(text(part(write.new or {}, "spec"), "request"), validate=True)
            asked = pki.load_request(pem)
        except (binascii.Error, ValueError):
            why = "failed to parse CSR: PEM block type must be CERTIFICATE REQUEST"
            raise refusal(write, why) from None
        groups = asked.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        if any(group.value == "system:masters" for group in groups):
            why = f"use of {_CLIENT_SIGNER} signer with system:masters group is not allowed"
            raise refusal(write, why)


def _signer(request: Object | None) -> str:
    return text(part(request or {}, "spec"), "signerName")
