"""Asks for certificates: one CertificateRequest for each revision; and forgets old ones.

Source: cert-manager v1.12.3, pkg/controller/certificates/{requestmanager,revisionmanager}.
"""

import base64
from collections.abc import Mapping

from tutor.sandbox.api.status import ApiError, go_quote
from tutor.sandbox.component import DONE, Result, Watches
from tutor.sandbox.components.certmanager.controllers.base import (
    REVISION,
    Around,
    Controller,
    certificate_watches,
    next_revision,
    own,
    owner_certificate,
    requests_of,
    revision_of,
    status_of,
)
from tutor.sandbox.components.certmanager.csr import make_request, request_of
from tutor.sandbox.components.certmanager.matching import go_list, request_mismatches
from tutor.sandbox.components.certmanager.pem import InvalidData, decode_key
from tutor.sandbox.components.certmanager.policies import (
    CERTIFICATE_NAME,
    parse_time,
    secret_value,
)
from tutor.sandbox.components.certmanager.request_state import PRIVATE_KEY_SECRET
from tutor.sandbox.components.certmanager.resources import (
    CERTIFICATES,
    REQUESTS,
)
from tutor.sandbox.controllers.resources import SECRETS, condition, is_true, owner_reference
from tutor.sandbox.kinds import Object, annotations_of, labels_of, name_of, namespace_of
from tutor.sandbox.pki import PrivateKey

_NOT_COPIED = ("kubectl.kubernetes.io/", "fluxcd.io/", "argocd.argoproj.io/")
_COPIED_FIELDS = ("duration", "issuerRef", "isCA", "usages")
_NAME_LENGTH = 52


def new_request(certificate: Object, csr: str, revision: int, secret: str) -> Object:
    """The CertificateRequest for a Certificate's revision, whose key is in `secret`."""
    annotations = {
        key: value
        for key, value in annotations_of(certificate).items()
        if not key.startswith(_NOT_COPIED)
    } | {
        CERTIFICATE_NAME: name_of(certificate),
        REVISION: str(revision),
        PRIVATE_KEY_SECRET: secret,
    }
    meta: Object = {
        "generateName": f"{shortened(name_of(certificate))}-",
        "namespace": namespace_of(certificate),
        "annotations": annotations,
        "ownerReferences": [owner_reference(certificate)],
    }
    if labels_of(certificate):
        meta["labels"] = labels_of(certificate)
    spec: Mapping[str, object] = certificate["spec"]
    return {
        "apiVersion": "cert-manager.io/v1",
        "kind": "CertificateRequest",
        "metadata": meta,
        "spec": {field: spec[field] for field in _COPIED_FIELDS if field in spec}
        | {"request": base64.b64encode(csr.encode()).decode()},
    }


def shortened(name: str) -> str:
    """A name cut so that a suffix fits, ending in a letter or digit."""
    if len(name) < _NAME_LENGTH:
        return name
    cut = name[:_NAME_LENGTH]
    while cut and not cut[-1].isalnum():
        cut = cut[:-1]
    return cut


class RequestManager(Controller):
    """Keeps the one CertificateRequest of the next revision."""

    def __init__(self, around: Around) -> None:
        super().__init__(around, "certificates-request-manager")
        self.watches = (*certificate_watches(self.client), Watches(SECRETS, owner_certificate))

    async def sync(self, namespace: str, name: str) -> Result:
        """Bring the request of one Certificate a step further."""
        certificate = self.client.find(CERTIFICATES, namespace, name)
        if certificate is None or not is_true(certificate, "Issuing"):
            return DONE
        secret_name = status_of(certificate).get("nextPrivateKeySecretName")
        if not secret_name:
            return DONE
        secret = self.client.find(SECRETS, namespace, secret_name)
        try:
            key = decode_key(secret_value(secret, "tls.key"))
        except InvalidData:
            return DONE
        if not await self._is_requested(certificate, key):
            await self._request(certificate, key, secret_name)
        return DONE

    async def _is_requested(self, certificate: Object, key: PrivateKey) -> bool:
        wanted = next_revision(certificate)
        left = False
        for request in requests_of(self.client, certificate):
            revision = revision_of(request)
            if revision is None:
                await self._delete(request)
            elif revision == wanted:
                if self._is_usable(request, certificate, key):
                    left = True
                else:
                    await self._delete(request)
        return left

    def _is_usable(self, request: Object, certificate: Object, key: PrivateKey) -> bool:
        try:
            mismatches = request_mismatches(request, certificate["spec"])
            public_key = request_of(request).public_key
        except InvalidData:
            return False
        if mismatches:
            text = (
                "CertificateRequest does not match requirements on certificate.spec, "
                "deleting CertificateRequest"
            )
            pairs = {
                "key": f"{namespace_of(certificate)}/{name_of(certificate)}",
                "violations": go_list(mismatches),
            }
            self.klog.info("requestmanager_controller.go:323", text, pairs)
            return False
        return public_key == key.public_key() and not failed_before(request, certificate)

    async def _delete(self, request: Object) -> None:
        await self.client.delete(REQUESTS, namespace_of(request), name_of(request))

    async def _request(self, certificate: Object, key: PrivateKey, secret: str) -> None:
        try:
            csr = make_request(certificate["spec"], key)
        except ValueError as error:
            text = "Failed to generate CSR - will not retry"
            pairs = {"key": f"{namespace_of(certificate)}/{name_of(certificate)}"}
            self.klog.error("requestmanager_controller.go:354", text, str(error), pairs)
            return
        request = new_request(certificate, csr, next_revision(certificate), secret)
        try:
            created = await self.client.create(request)
        except ApiError as error:
            text = f"Failed to create CertificateRequest: {error}"
            await self.recorder.warning(certificate, "RequestFailed", text)
            raise
        text = f"Created new CertificateRequest resource {go_quote(name_of(created))}"
        await self.recorder.normal(certificate, "Requested", text)


def failed_before(request: Object, certificate: Object) -> bool:
    """Whether a request failed in an earlier attempt at the same revision."""
    ready = condition(request, "Ready")
    if ready is None or ready["status"] != "False" or ready.get("reason") != "Failed":
        return False
    failure = status_of(request).get("failureTime")
    issuing: Object = condition(certificate, "Issuing") or {}
    since = issuing.get("lastTransitionTime")
    if failure is None or since is None:
        return False
    return parse_time(failure) < parse_time(since)


class RevisionManager(Controller):
    """Deletes old CertificateRequests where the spec limits their number."""

    def __init__(self, around: Around) -> None:
        super().__init__(around, "certificates-revision-manager")
        self.watches = (Watches(CERTIFICATES, own), Watches(REQUESTS, owner_certificate))

    async def sync(self, namespace: str, name: str) -> Result:
        """Delete what is too much for one Certificate."""
        certificate = self.client.find(CERTIFICATES, namespace, name)
        if certificate is None or not is_true(certificate, "Ready"):
            return DONE
        limit = certificate["spec"].get("revisionHistoryLimit")
        if limit is None:
            return DONE
        requests = requests_of(self.client, certificate)
        for request in superfluous(requests, limit):
            pairs = {
                "related_resource_kind": "CertificateRequest",
                "related_resource_name": name_of(request),
                "related_resource_namespace": namespace,
                "resource_kind": "Certificate",
                "resource_name": name,
                "resource_namespace": namespace,
                "resource_version": "v1",
                "revision": revision_of(request) or 0,
                "key": f"{namespace}/{name}",
            }
            text = "garbage collecting old certificate request revsion"
            self.klog.info("revisionmanager_controller.go:141", text, pairs)
            await self.client.delete(REQUESTS, namespace, name_of(request))
        return DONE


def superfluous(requests: list[Object], limit: int) -> list[Object]:
    """The oldest revisions beyond a limit; requests without a revision stay."""
    if limit >= len(requests):
        return []
    numbered = [(rev, request) for request in requests if (rev := revision_of(request)) is not None]
    numbered.sort(key=lambda pair: pair[0])
    return [request for _, request in numbered[: max(len(numbered) - limit, 0)]]
