"""CertificateSigningRequests: kubelets' are approved, approved ones are signed by the cluster's CA.

Source: pkg/controller/certificates (approver, signer, authority/policies.go).
"""

import base64
from collections.abc import Callable, Hashable, Sequence
from datetime import datetime, timedelta
from functools import partial

from cryptography import x509
from cryptography.x509.oid import NameOID

from tutor.sandbox import pki
from tutor.sandbox.api.builtin.admission.certificates import REQUESTS
from tutor.sandbox.api.builtin.reading import items, part, text
from tutor.sandbox.api.deletion import timestamp
from tutor.sandbox.api.rbac import Attributes
from tutor.sandbox.api.request import User
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.client import Client
from tutor.sandbox.component import DONE, ClusterFacts, Result, Watches
from tutor.sandbox.kinds import Object, name_of
from tutor.sandbox.usages import BITS, EXTENDED

_SERVING = "kubernetes.io/kubelet-serving"
_KUBELET = "kubernetes.io/kube-apiserver-client-kubelet"
_CLIENT = "kubernetes.io/kube-apiserver-client"
_UNKNOWN = "kubernetes.io/legacy-unknown"
_LIFETIME, _SHORTEST = timedelta(days=365), timedelta(minutes=10)
_BACKDATE, _SHORT = timedelta(minutes=5), timedelta(hours=8)
_NODES, _NODE_PREFIX = "system:nodes", "system:node:"


class CertificateRequests:
    """Approves what kubelets ask for themselves, and signs what is approved."""

    name = "certificatesigningrequests"

    def __init__(self, client: Client, facts: ClusterFacts) -> None:
        self._client = client
        self._authority = facts.authority
        self.watches: Sequence[Watches] = (Watches(REQUESTS, lambda obj: [name_of(obj)]),)

    async def reconcile(self, key: Hashable) -> Result:
        """Approve, sign or refuse one request."""
        request = self._client.find(REQUESTS, "", str(key))
        if request is None or text(part(request, "status"), "certificate"):
            return DONE
        asked = pki.load_request(base64.b64decode(text(part(request, "spec"), "request")))
        states = {c["type"]: c.get("status") for c in items(request, "status", "conditions")}
        if "Approved" not in states and "Denied" not in states:
            await self._approve(request, asked)
        elif states.get("Approved") == "True" and states.get("Failed") != "True":
            await self._sign(request, asked)
        return DONE

    async def _approve(self, request: Object, asked: x509.CertificateSigningRequest) -> None:
        spec = part(request, "spec")
        usages = frozenset(items(spec, "usages"))
        if text(spec, "signerName") != _KUBELET or why_no_kubelet_client(asked, usages):
            return
        user = User(name=text(spec, "username"), groups=tuple(items(spec, "groups")))
        itself = user.name == _common_name(asked)
        for below, whose in (("selfnodeclient", "self kubelet"), ("nodeclient", "kubelet")):
            access = Attributes(
                verb="create",
                group=REQUESTS.group,
                version="*",
                resource=REQUESTS.resource,
                subresource=below,
            )
            if (below == "selfnodeclient" and not itself) or not self._client.may(access, user)[0]:
                continue
            message = f"Auto approving {whose} client certificate after SubjectAccessReview."
            now = timestamp(self._client.now())
            condition = _condition("Approved", "AutoApproved", message, now)
            await self._write(request, partial(_with_condition, condition), "approval")
            return

    async def _sign(self, request: Object, asked: x509.CertificateSigningRequest) -> None:
        spec, now = part(request, "spec"), self._client.now()
        judge = _JUDGES.get(text(spec, "signerName"))
        if judge is None:
            return
        usages = items(spec, "usages")
        if why := judge(asked, frozenset(usages)):
            failed = _condition("Failed", "SignerValidationFailure", why, timestamp(now))
            await self._write(request, partial(_with_condition, failed), "status")
            return
        lifetime = lifetime_of(spec.get("expirationSeconds"))
        pem = signed(self._authority, asked, usages, now, lifetime)
        encoded = base64.b64encode(pem.encode()).decode()

        def certified(obj: Object) -> Object:
            obj.setdefault("status", {})["certificate"] = encoded
            return obj

        await self._write(request, certified, "status")

    async def _write(
        self, request: Object, change: Callable[[Object], Object], subresource: str
    ) -> None:
        try:
            await self._client.change(REQUESTS, "", name_of(request), change, subresource)
        except ApiError as error:
            if error.reason != "NotFound":
                raise


def _condition(kind: str, reason: str, message: str, now: str) -> Object:
    return {
        "type": kind,
        "status": "True",
        "reason": reason,
        "message": message,
        "lastUpdateTime": now,
    }


def _with_condition(condition: Object, request: Object) -> Object:
    request.setdefault("status", {}).setdefault("conditions", []).append(condition)
    return request


def lifetime_of(seconds: int | None) -> timedelta:
    """How long a certificate is valid for: as asked, within bounds."""
    if seconds is None:
        return _LIFETIME
    return min(max(timedelta(seconds=seconds), _SHORTEST), _LIFETIME)


def signed(
    authority: pki.Authority,
    asked: x509.CertificateSigningRequest,
    usages: Sequence[str],
    now: datetime,
    lifetime: timedelta,
) -> str:
    """A certificate, as PEM, with the subject and the alternative names that are asked for."""
    extensions: list[tuple[x509.ExtensionType, bool]] = []
    bits = sorted({BITS[usage] for usage in usages if usage in BITS})
    if bits:
        extensions.append((pki.key_usage(bits), True))
    extended = list(dict.fromkeys(EXTENDED[usage] for usage in usages if usage in EXTENDED))
    if extended:
        extensions.append((x509.ExtendedKeyUsage(extended), False))
    extensions.append((x509.BasicConstraints(ca=False, path_length=None), True))
    issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    extensions.append((issuer_key, False))
    names = _alternative_names(asked)
    if names is not None:
        extensions.append((names, not asked.subject.rdns))
    end = now + lifetime - (timedelta(0) if lifetime < _SHORT else _BACKDATE)
    certificate = pki.build(
        subject=asked.subject,
        issuer=authority.certificate.subject,
        public_key=asked.public_key(),
        signer=authority.key,
        not_before=now - _BACKDATE,
        not_after=min(end, authority.certificate.not_valid_after_utc),
        extensions=extensions,
    )
    return pki.certificate_pem(certificate)


def _alternative_names(
    asked: x509.CertificateSigningRequest,
) -> x509.SubjectAlternativeName | None:
    try:
        return asked.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None


def _common_name(asked: x509.CertificateSigningRequest) -> str:
    found = asked.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[-1].value) if found else ""


def _kinds_of_names(asked: x509.CertificateSigningRequest) -> dict[str, int]:
    names = _alternative_names(asked) or ()
    kinds = {"DNS": x509.DNSName, "Email": x509.RFC822Name, "IP": x509.IPAddress}
    every = kinds | {"URI": x509.UniformResourceIdentifier}
    return {kind: sum(isinstance(name, of) for name in names) for kind, of in every.items()}


def _no_node(asked: x509.CertificateSigningRequest) -> str:
    groups = asked.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    if [group.value for group in groups] == [_NODES]:
        return ""
    return "subject organization is not system:nodes"


def _wrong_name_or_usages(
    asked: x509.CertificateSigningRequest, usages: frozenset[str], purpose: str
) -> str:
    wanted = ["digital signature", "key encipherment", purpose]
    if usages not in (frozenset(wanted), frozenset(wanted) - {"key encipherment"}):
        return f"usages did not match [{' '.join(sorted(wanted))}]"
    if not _common_name(asked).startswith(_NODE_PREFIX):
        return "subject common name does not begin with system:node:"
    return ""


def why_no_kubelet_client(asked: x509.CertificateSigningRequest, usages: frozenset[str]) -> str:
    """Why a request is none for a kubelet's client certificate; empty when it is one."""
    if why := _no_node(asked):
        return why
    for kind, count in _kinds_of_names(asked).items():
        if count:
            return f"{kind} subjectAltNames are not allowed"
    return _wrong_name_or_usages(asked, usages, "client auth")


def _why_no_serving(asked: x509.CertificateSigningRequest, usages: frozenset[str]) -> str:
    if why := _no_node(asked):
        return why
    kinds = _kinds_of_names(asked)
    if not kinds["DNS"] and not kinds["IP"]:
        return "DNS or IP subjectAltName is required"
    for kind in ("Email", "URI"):
        if kinds[kind]:
            return f"{kind} subjectAltNames are not allowed"
    return _wrong_name_or_usages(asked, usages, "server auth")


def _why_no_client(_asked: x509.CertificateSigningRequest, usages: frozenset[str]) -> str:
    allowed = ("digital signature", "key encipherment", "client auth")
    for usage in sorted(usages):
        if usage not in allowed:
            return f"invalid usage for client certificate: {usage}"
    if "client auth" not in usages:
        return "missing required usage for client certificate: client auth"
    return ""


def _anything(_asked: x509.CertificateSigningRequest, _usages: frozenset[str]) -> str:
    return ""


_JUDGES: dict[str, Callable[[x509.CertificateSigningRequest, frozenset[str]], str]] = {
    _SERVING: _why_no_serving,
    _KUBELET: why_no_kubelet_client,
    _CLIENT: _why_no_client,
    _UNKNOWN: _anything,
}
