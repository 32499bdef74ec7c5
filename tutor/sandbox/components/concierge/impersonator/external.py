"""The serving certificate and CA bundle that somebody else provides.

Source: pinniped.md 3.5 (order, texts), 3.9 (log lines).
"""

from tutor.sandbox.components.concierge.cache import Absent, Cache
from tutor.sandbox.components.concierge.encoding import (
    decode_base64,
    has_pem_block,
    secret_bytes,
)
from tutor.sandbox.components.concierge.holder import Holder, InvalidPair
from tutor.sandbox.components.concierge.impersonator.spec import TlsSpec
from tutor.sandbox.components.concierge.log import Log
from tutor.sandbox.components.concierge.sync import SyncError, wrapped
from tutor.sandbox.kinds import Object

_FILE = "impersonatorconfig/impersonator_config.go"
_TYPE = "impersonatorconfig.(*impersonatorConfigController)"
_READ = f"{_FILE}:638${_TYPE}.readExternalTLSSecret"
_EVALUATE = f"{_FILE}:366${_TYPE}.evaluateExternallyProvidedTLSSecret"
_LOAD = f"{_FILE}:999${_TYPE}.loadTLSCertFromSecret"
_NO_PEM = "data is not a certificate"
_FAILED = "error loading cert from externally provided TLS secret for the impersonation proxy"


def bundle_of(tls: TlsSpec, secrets: Cache, serving: Holder, log: Log, plain: Log) -> bytes:
    """Load the certificate, and return the CA bundle to advertise, which may be empty.

    The certificate is served even if the bundle is refused afterwards. `plain` is the log without
    the controller's name.

    Raises:
        SyncError: For the first thing that is wrong.
    """
    try:
        bundle = _from_secret(tls, secrets, serving, log, plain)
    except (SyncError, Absent) as error:
        raise wrapped(
            "could not load the externally provided TLS secret for the impersonation proxy", error
        ) from None
    if not tls.bundle:
        return bundle
    bundle = decoded_bundle(tls.bundle)
    log.info(
        _EVALUATE,
        "the impersonation proxy will advertise its CA Bundle from"
        " impersonationSpec.TLS.CertificateAuthorityData",
        CertificateAuthorityData=tls.bundle,
    )
    return bundle


def decoded_bundle(text: str) -> bytes:
    """The bundle of a spec; raises SyncError for what is not base64 of PEM."""
    prefix = "could not decode impersonationSpec.TLS.certificateAuthorityData"
    try:
        bundle = decode_base64(text)
    except ValueError as error:
        raise wrapped(prefix, error) from None
    if not has_pem_block(bundle):
        raise SyncError(f"{prefix}: {_NO_PEM}")
    return bundle


def _from_secret(tls: TlsSpec, secrets: Cache, serving: Holder, log: Log, plain: Log) -> bytes:
    try:
        secret = secrets.get(tls.secret)
    except Absent:
        message = "could not find externally provided TLS secret for the impersonation proxy"
        log.info(_READ, message, secretName=tls.secret)
        raise
    message = "found externally provided TLS secret for the impersonation proxy"
    log.info(_READ, message, secretName=tls.secret)
    try:
        load_serving(secret, serving, log)
    except SyncError as error:
        plain.failed(_READ, _FAILED, error=str(error))
        raise
    bundle = secret_bytes(secret, "ca.crt")
    if not bundle:
        return b""
    plain.info(
        _READ,
        "found a ca.crt field in the externally provided TLS secret for the impersonation proxy",
        secretName=tls.secret,
    )
    if not has_pem_block(bundle):
        plain.warning(_READ, f"{_FAILED}: {_NO_PEM}")
        raise SyncError(f"unable to read provided ca.crt: {_NO_PEM}")
    return bundle


def load_serving(secret: Object, serving: Holder, log: Log) -> None:
    """Serve with the pair of a Secret; raises SyncError and goes on with the old one."""
    try:
        serving.load(secret_bytes(secret, "tls.crt"), secret_bytes(secret, "tls.key"))
    except InvalidPair as error:
        raise wrapped("could not parse TLS cert PEM data from Secret", error) from None
    meta = secret["metadata"]
    log.info(
        _LOAD,
        "loading TLS certificates for impersonation proxy",
        secret={"name": meta["name"], "namespace": meta["namespace"]},
    )
