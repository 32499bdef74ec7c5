"""What the webhook refuses in Issuers and ClusterIssuers, in its order and wording.

Solvers of ACME challenges are not judged.

Source: cert-manager v1.12.3, internal/apis/certmanager/validation/issuer.go.
"""

import base64

from tutor.sandbox.api.status import FieldError, forbidden_field, invalid, required
from tutor.sandbox.components.certmanager.pem import InvalidData, decode_chain
from tutor.sandbox.kinds import Object

Errors = list[FieldError]

_ONE_TYPE = "may not specify more than one issuer type"
_TYPES = ("acme", "ca", "selfSigned", "vault", "venafi")


def issuer_errors(spec: Object) -> Errors:
    """What is wrong with an Issuer's or ClusterIssuer's spec: the first type counts."""
    found: Errors = []
    present = [name for name in _TYPES if spec.get(name) is not None]
    if not present:
        return [required("spec", "at least one issuer must be configured")]
    first, *others = present
    checks = {"acme": _acme, "ca": _ca, "vault": _vault, "venafi": _venafi}
    if first in checks:
        found.extend(checks[first](spec[first], f"spec.{first}"))
    found.extend(forbidden_field(f"spec.{name}", _ONE_TYPE) for name in others)
    return found


def _ca(issuer: Object, path: str) -> Errors:
    found = [] if issuer["secretName"] else [required(f"{path}.secretName")]
    text = "must be a valid URL, e.g., http://ocsp.int-x3.letsencrypt.org"
    found.extend(
        invalid(f"{path}.ocspServer[{index}]", url, text)
        for index, url in enumerate(issuer.get("ocspServers") or ())
        if not url
    )
    return found


def _acme(issuer: Object, path: str) -> Errors:
    found: Errors = []
    bundle = issuer.get("caBundle")
    if bundle and issuer.get("skipTLSVerify"):
        text = "caBundle and skipTLSVerify are mutually exclusive and cannot both be set"
        found.append(invalid(f"{path}.caBundle", "", text))
        found.append(invalid(f"{path}.skipTLSVerify", value=True, detail=text))
    found.extend(_bundle(bundle, f"{path}.caBundle", ""))
    if not issuer["privateKeySecretRef"]["name"]:
        text = "private key secret name is a required field"
        found.append(required(f"{path}.privateKeySecretRef.name", text))
    if not issuer["server"]:
        found.append(required(f"{path}.server", "acme server URL is a required field"))
    binding: Object | None = issuer.get("externalAccountBinding")
    if binding is not None and not binding["keyID"]:
        text = "the keyID field is required when using externalAccountBinding"
        found.append(required(f"{path}.externalAccountBinding.keyID", text))
    return found


def _bundle(bundle: str | None, path: str, shown: str) -> Errors:
    if not bundle:
        return []
    try:
        decode_chain(base64.b64decode(bundle))
    except InvalidData:
        return [invalid(path, shown, "cert bundle didn't contain any valid certificates")]
    return []


def _vault(issuer: Object, path: str) -> Errors:
    found = [required(f"{path}.{name}") for name in ("server", "path") if not issuer[name]]
    bundle, reference = issuer.get("caBundle"), issuer.get("caBundleSecretRef")
    found.extend(_bundle(bundle, f"{path}.caBundle", "<snip>"))
    if bundle and reference is not None:
        text = "specified caBundle and caBundleSecretRef cannot be used together"
        found.append(invalid(f"{path}.caBundle", "<snip>", text))
        text = "specified caBundleSecretRef and caBundle cannot be used together"
        found.append(invalid(f"{path}.caBundleSecretRef", reference["name"], text))
    found.extend(_vault_auth(issuer["auth"], f"{path}.auth"))
    return found


def _vault_auth(auth: Object, path: str) -> Errors:
    found: Errors = []
    role, kubernetes = auth.get("appRole"), auth.get("kubernetes")
    if role is not None:
        if not role["roleId"]:
            found.append(required(f"{path}.appRole.roleId"))
        if not role["secretRef"]["name"]:
            found.append(required(f"{path}.appRole.secretRef.name"))
    if kubernetes is not None:
        found.extend(_vault_kubernetes(kubernetes, f"{path}.kubernetes"))
    if role is None and kubernetes is None and auth.get("tokenSecretRef") is None:
        text = "please supply one of: appRole, kubernetes, tokenSecretRef"
        found.append(required(path, text))
    return found


def _vault_kubernetes(auth: Object, path: str) -> Errors:
    found = [] if auth["role"] else [required(f"{path}.role")]
    text = "please supply one of: secretRef, serviceAccountRef"
    by_secret = bool(auth["secretRef"]["name"])
    account = auth.get("serviceAccountRef")
    if account is not None and not account["name"]:
        found.append(required(f"{path}.serviceAccountRef.name"))
    if not by_secret and account is None:
        found.append(required(path, text))
    if by_secret and account is not None:
        found.append(forbidden_field(path, text))
    return found


def _venafi(issuer: Object, path: str) -> Errors:
    found = [] if issuer["zone"] else [required(f"{path}.zone")]
    tpp, cloud = issuer.get("tpp"), issuer.get("cloud")
    text = "please supply one of: tpp, cloud"
    if tpp is not None and not tpp["url"]:
        found.append(required(f"{path}.tpp.url"))
    if tpp is None and cloud is None:
        found.append(required(path, text))
    if tpp is not None and cloud is not None:
        found.append(forbidden_field(path, text))
    return found
