"""The Go structs of cert-manager's API, as far as they shape what is stored.

What no controller of the sandbox reads (solvers of ACME challenges and the like) is opaque.

Source: cert-manager v1.12.3, pkg/apis/{certmanager,acme,meta}/v1.
"""

from tutor.sandbox.components.certmanager.shape import (
    GoType,
    ListOf,
    MapOf,
    Member,
    Opaque,
    Scalar,
    Struct,
)

_STRING = Scalar("string", "string")
_BOOL = Scalar("bool", "bool")
_INT = Scalar("int", "int")
_BYTES = Scalar("bytes", "[]uint8")
_TIME = Scalar("time", "v1.Time")
_DURATION = Scalar("duration", "v1.Duration")
_STRINGS = ListOf(_STRING)
_STRING_MAP = MapOf(_STRING)
_USAGES = ListOf(Scalar("string", "v1.KeyUsage"))


def _named(name: str) -> Scalar:
    return Scalar("string", f"v1.{name}")


def _optional(go: GoType) -> Member:
    return Member(go)


def _required(go: GoType) -> Member:
    return Member(go, kept=True)


def _pointer(go: GoType) -> Member:
    return Member(go, pointer=True)


def _top(kind: str, spec: Struct, status: Struct) -> Struct:
    return Struct(
        kind,
        {
            "apiVersion": _optional(_STRING),
            "kind": _optional(_STRING),
            "metadata": _optional(Opaque()),
            "spec": _optional(spec),
            "status": _optional(status),
        },
    )


def _condition(name: str, *, observed: bool) -> ListOf:
    members = {
        "type": _required(_named(f"{name}Type")),
        "status": _required(_named("ConditionStatus")),
        "lastTransitionTime": _pointer(_TIME),
        "reason": _optional(_STRING),
        "message": _optional(_STRING),
    }
    if observed:
        members["observedGeneration"] = _optional(Scalar("int", "int64"))
    return ListOf(Struct(name, members))


_LOCAL_REFERENCE = Struct("LocalObjectReference", {"name": _required(_STRING)})
_KEY_SELECTOR = Struct("SecretKeySelector", {"name": _required(_STRING), "key": _optional(_STRING)})
_ISSUER_REFERENCE = Struct(
    "ObjectReference",
    {"name": _required(_STRING), "kind": _optional(_STRING), "group": _optional(_STRING)},
)


def _keystore(name: str) -> Struct:
    return Struct(name, {"create": _required(_BOOL), "passwordSecretRef": _required(_KEY_SELECTOR)})


_CERTIFICATE_SPEC = Struct(
    "CertificateSpec",
    {
        "subject": _pointer(
            Struct(
                "X509Subject",
                {
                    "organizations": _optional(_STRINGS),
                    "countries": _optional(_STRINGS),
                    "organizationalUnits": _optional(_STRINGS),
                    "localities": _optional(_STRINGS),
                    "provinces": _optional(_STRINGS),
                    "streetAddresses": _optional(_STRINGS),
                    "postalCodes": _optional(_STRINGS),
                    "serialNumber": _optional(_STRING),
                },
            )
        ),
        "literalSubject": _optional(_STRING),
        "commonName": _optional(_STRING),
        "duration": _pointer(_DURATION),
        "renewBefore": _pointer(_DURATION),
        "dnsNames": _optional(_STRINGS),
        "ipAddresses": _optional(_STRINGS),
        "uris": _optional(_STRINGS),
        "emailAddresses": _optional(_STRINGS),
        "secretName": _required(_STRING),
        "secretTemplate": _pointer(
            Struct(
                "CertificateSecretTemplate",
                {"annotations": _optional(_STRING_MAP), "labels": _optional(_STRING_MAP)},
            )
        ),
        "keystores": _pointer(
            Struct(
                "CertificateKeystores",
                {
                    "jks": _pointer(_keystore("JKSKeystore")),
                    "pkcs12": _pointer(_keystore("PKCS12Keystore")),
                },
            )
        ),
        "issuerRef": _required(_ISSUER_REFERENCE),
        "isCA": _optional(_BOOL),
        "usages": _optional(_USAGES),
        "privateKey": _pointer(
            Struct(
                "CertificatePrivateKey",
                {
                    "rotationPolicy": _optional(_named("PrivateKeyRotationPolicy")),
                    "encoding": _optional(_named("PrivateKeyEncoding")),
                    "algorithm": _optional(_named("PrivateKeyAlgorithm")),
                    "size": _optional(_INT),
                },
            )
        ),
        "encodeUsagesInRequest": _pointer(_BOOL),
        "revisionHistoryLimit": _pointer(Scalar("int", "int32")),
        "additionalOutputFormats": _optional(
            ListOf(
                Struct(
                    "CertificateAdditionalOutputFormat",
                    {"type": _required(_named("CertificateOutputFormatType"))},
                )
            )
        ),
    },
)
_CERTIFICATE_STATUS = Struct(
    "CertificateStatus",
    {
        "conditions": _optional(_condition("CertificateCondition", observed=True)),
        "lastFailureTime": _pointer(_TIME),
        "notBefore": _pointer(_TIME),
        "notAfter": _pointer(_TIME),
        "renewalTime": _pointer(_TIME),
        "revision": _pointer(_INT),
        "nextPrivateKeySecretName": _pointer(_STRING),
        "failedIssuanceAttempts": _pointer(_INT),
    },
)
_REQUEST_SPEC = Struct(
    "CertificateRequestSpec",
    {
        "duration": _pointer(_DURATION),
        "issuerRef": _required(_ISSUER_REFERENCE),
        "request": _required(_BYTES),
        "isCA": _optional(_BOOL),
        "usages": _optional(_USAGES),
        "username": _optional(_STRING),
        "uid": _optional(_STRING),
        "groups": _optional(_STRINGS),
        "extra": _optional(MapOf(_STRINGS)),
    },
)
_REQUEST_STATUS = Struct(
    "CertificateRequestStatus",
    {
        "conditions": _optional(_condition("CertificateRequestCondition", observed=False)),
        "certificate": _optional(_BYTES),
        "ca": _optional(_BYTES),
        "failureTime": _pointer(_TIME),
    },
)
_VAULT_AUTH = Struct(
    "VaultAuth",
    {
        "tokenSecretRef": _pointer(_KEY_SELECTOR),
        "appRole": _pointer(
            Struct(
                "VaultAppRole",
                {
                    "path": _required(_STRING),
                    "roleId": _required(_STRING),
                    "secretRef": _required(_KEY_SELECTOR),
                },
            )
        ),
        "kubernetes": _pointer(
            Struct(
                "VaultKubernetesAuth",
                {
                    "mountPath": _optional(_STRING),
                    "secretRef": _optional(_KEY_SELECTOR),
                    "serviceAccountRef": _pointer(
                        Struct("ServiceAccountRef", {"name": _required(_STRING)})
                    ),
                    "role": _required(_STRING),
                },
            )
        ),
    },
)
_ACME = Struct(
    "ACMEIssuer",
    {
        "email": _optional(_STRING),
        "server": _required(_STRING),
        "preferredChain": _required(_STRING),
        "caBundle": _optional(_BYTES),
        "skipTLSVerify": _optional(_BOOL),
        "externalAccountBinding": _pointer(
            Struct(
                "ACMEExternalAccountBinding",
                {
                    "keyID": _required(_STRING),
                    "keySecretRef": _required(_KEY_SELECTOR),
                    "keyAlgorithm": _optional(_named("HMACKeyAlgorithm")),
                },
            )
        ),
        "privateKeySecretRef": _required(_KEY_SELECTOR),
        "solvers": _optional(ListOf(Opaque("v1.ACMEChallengeSolver"))),
        "disableAccountKeyGeneration": _optional(_BOOL),
        "enableDurationFeature": _optional(_BOOL),
    },
)
_VENAFI = Struct(
    "VenafiIssuer",
    {
        "zone": _required(_STRING),
        "tpp": _pointer(
            Struct(
                "VenafiTPP",
                {
                    "url": _required(_STRING),
                    "credentialsRef": _required(_LOCAL_REFERENCE),
                    "caBundle": _optional(_BYTES),
                },
            )
        ),
        "cloud": _pointer(
            Struct(
                "VenafiCloud",
                {"url": _optional(_STRING), "apiTokenSecretRef": _required(_KEY_SELECTOR)},
            )
        ),
    },
)
_ISSUER_SPEC = Struct(
    "IssuerSpec",
    {
        "acme": _pointer(_ACME),
        "ca": _pointer(
            Struct(
                "CAIssuer",
                {
                    "secretName": _required(_STRING),
                    "crlDistributionPoints": _optional(_STRINGS),
                    "ocspServers": _optional(_STRINGS),
                },
            )
        ),
        "vault": _pointer(
            Struct(
                "VaultIssuer",
                {
                    "auth": _required(_VAULT_AUTH),
                    "server": _required(_STRING),
                    "path": _required(_STRING),
                    "namespace": _optional(_STRING),
                    "caBundle": _optional(_BYTES),
                    "caBundleSecretRef": _pointer(_KEY_SELECTOR),
                },
            )
        ),
        "selfSigned": _pointer(
            Struct("SelfSignedIssuer", {"crlDistributionPoints": _optional(_STRINGS)})
        ),
        "venafi": _pointer(_VENAFI),
    },
)
_ISSUER_STATUS = Struct(
    "IssuerStatus",
    {
        "conditions": _optional(_condition("IssuerCondition", observed=True)),
        "acme": _pointer(
            Struct(
                "ACMEIssuerStatus",
                {
                    "uri": _optional(_STRING),
                    "lastRegisteredEmail": _optional(_STRING),
                    "lastPrivateKeyHash": _optional(_STRING),
                },
            )
        ),
    },
)
_ORDER_SPEC = Struct(
    "OrderSpec",
    {
        "request": _required(_BYTES),
        "issuerRef": _required(_ISSUER_REFERENCE),
        "commonName": _optional(_STRING),
        "dnsNames": _optional(_STRINGS),
        "ipAddresses": _optional(_STRINGS),
        "duration": _pointer(_DURATION),
    },
)
_ORDER_STATUS = Struct(
    "OrderStatus",
    {
        "url": _optional(_STRING),
        "finalizeURL": _optional(_STRING),
        "authorizations": _optional(ListOf(Opaque("v1.ACMEAuthorization"))),
        "certificate": _optional(_BYTES),
        "state": _optional(_named("State")),
        "reason": _optional(_STRING),
        "failureTime": _pointer(_TIME),
    },
)
_CHALLENGE_SPEC = Struct(
    "ChallengeSpec",
    {
        "url": _required(_STRING),
        "authorizationURL": _required(_STRING),
        "dnsName": _required(_STRING),
        "wildcard": _required(_BOOL),
        "type": _required(_named("ACMEChallengeType")),
        "token": _required(_STRING),
        "key": _required(_STRING),
        "solver": _required(Opaque("v1.ACMEChallengeSolver")),
        "issuerRef": _required(_ISSUER_REFERENCE),
    },
)
_CHALLENGE_STATUS = Struct(
    "ChallengeStatus",
    {
        "processing": _required(_BOOL),
        "presented": _required(_BOOL),
        "reason": _optional(_STRING),
        "state": _optional(_named("State")),
    },
)

STRUCTS: dict[str, Struct] = {
    "Certificate": _top("Certificate", _CERTIFICATE_SPEC, _CERTIFICATE_STATUS),
    "CertificateRequest": _top("CertificateRequest", _REQUEST_SPEC, _REQUEST_STATUS),
    "Issuer": _top("Issuer", _ISSUER_SPEC, _ISSUER_STATUS),
    "ClusterIssuer": _top("ClusterIssuer", _ISSUER_SPEC, _ISSUER_STATUS),
    "Order": _top("Order", _ORDER_SPEC, _ORDER_STATUS),
    "Challenge": _top("Challenge", _CHALLENGE_SPEC, _CHALLENGE_STATUS),
}
"""The kinds that the webhook knows."""
