"""The custom resource definitions: structural, and with the names and rules of the reference."""

import re

import pytest
from manifest_files import INSTALLED, Object, objects, reference, schemas, section

SCHEMA_KEYS = {
    "additionalProperties",
    "anyOf",
    "default",
    "description",
    "enum",
    "exclusiveMaximum",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "pattern",
    "properties",
    "required",
    "type",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
    "x-kubernetes-preserve-unknown-fields",
}
PYTHON_TYPES = {"array": list, "boolean": bool, "integer": int, "object": dict, "string": str}

DEFINITIONS = [
    item
    for name in INSTALLED
    for item in objects(name)
    if item["kind"] == "CustomResourceDefinition"
]


def defined(kind: str) -> Object:
    (found,) = [each for each in DEFINITIONS if each["spec"]["names"]["kind"] == kind]
    return found


def schema_at(kind: str, path: str) -> Object:
    (version,) = defined(kind)["spec"]["versions"]
    return dict(schemas(version["schema"]["openAPIV3Schema"]))[f".{path}"]


@pytest.mark.parametrize("item", DEFINITIONS, ids=lambda item: item["metadata"]["name"])
def test_definition_names_agree_with_its_group(item: Object) -> None:
    spec = item["spec"]
    names = spec["names"]
    assert item["metadata"]["name"] == f"{names['plural']}.{spec['group']}"
    assert names["singular"] == names["kind"].lower()
    assert names["listKind"] == names["kind"] + "List"
    (version,) = spec["versions"]
    assert version["served"]
    assert version["storage"]
    assert version["subresources"] == {"status": {}}


@pytest.mark.parametrize("item", DEFINITIONS, ids=lambda item: item["metadata"]["name"])
def test_definition_schema_is_structural(item: Object) -> None:
    (version,) = item["spec"]["versions"]
    root = version["schema"]["openAPIV3Schema"]
    assert {"apiVersion", "kind", "metadata", "spec", "status"} <= set(root["properties"])
    for path, schema in schemas(root):
        assert set(schema) <= SCHEMA_KEYS, path
        free = schema.get("x-kubernetes-int-or-string") or schema.get(
            "x-kubernetes-preserve-unknown-fields"
        )
        assert free or schema["type"] in PYTHON_TYPES, path
        assert "properties" not in schema or "additionalProperties" not in schema, path
        assert ("items" in schema) == (schema.get("type") == "array"), path
        assert set(schema.get("required", [])) <= set(schema.get("properties", {})) or free, path


@pytest.mark.parametrize("item", DEFINITIONS, ids=lambda item: item["metadata"]["name"])
def test_definition_lists_name_keys_that_their_items_have(item: Object) -> None:
    (version,) = item["spec"]["versions"]
    for path, schema in schemas(version["schema"]["openAPIV3Schema"]):
        keys = schema.get("x-kubernetes-list-map-keys", [])
        assert bool(keys) == (schema.get("x-kubernetes-list-type") == "map"), path
        for key in keys:
            entry = schema["items"]["properties"][key]
            assert key in schema["items"]["required"] or "default" in entry, path


@pytest.mark.parametrize("item", DEFINITIONS, ids=lambda item: item["metadata"]["name"])
def test_definition_values_are_of_their_own_type(item: Object) -> None:
    (version,) = item["spec"]["versions"]
    for path, schema in schemas(version["schema"]["openAPIV3Schema"]):
        values = [*schema.get("enum", []), *([schema["default"]] if "default" in schema else [])]
        for value in values:
            assert isinstance(value, PYTHON_TYPES[schema["type"]]), path
        if "enum" in schema and "default" in schema:
            assert schema["default"] in schema["enum"], path


@pytest.mark.parametrize("item", DEFINITIONS, ids=lambda item: item["metadata"]["name"])
def test_definition_columns_point_into_the_schema(item: Object) -> None:
    (version,) = item["spec"]["versions"]
    known = dict(schemas(version["schema"]["openAPIV3Schema"]))
    for column in version.get("additionalPrinterColumns", []):
        if column["jsonPath"] != ".metadata.creationTimestamp":
            assert re.sub(r"\[\?\(.*?\)\]", "[]", column["jsonPath"]) in known, column["name"]


@pytest.mark.parametrize(
    ("kind", "columns"),
    [
        ("Certificate", "Ready Secret Issuer:1 Status:1 Age"),
        ("CertificateRequest", "Approved Denied Ready Issuer Requestor Status:1 Age"),
        ("Issuer", "Ready Status:1 Age"),
        ("ClusterIssuer", "Ready Status:1 Age"),
        ("Order", "State Issuer:1 Reason:1 Age"),
        ("Challenge", "State Domain Reason:1 Age"),
        ("CredentialIssuer", "ProxyMode DefaultStrategy Age"),
        ("WebhookAuthenticator", "Endpoint Age"),
        ("JWTAuthenticator", "Issuer Audience Age"),
        ("HTTPProxy", "FQDN TLS_Secret Status Status_Description"),
        ("TLSCertificateDelegation", ""),
    ],
)
def test_definition_columns_are_those_of_the_reference(kind: str, columns: str) -> None:
    """cert-manager.md 2.1, pinniped.md 2.1, contour-and-kind.md 2.1."""
    (version,) = defined(kind)["spec"]["versions"]
    seen = [
        each["name"].replace(" ", "_") + (f":{each['priority']}" if "priority" in each else "")
        for each in version.get("additionalPrinterColumns", [])
    ]
    assert seen == columns.split()


@pytest.mark.parametrize(
    ("kind", "short_names", "categories", "scope"),
    [
        ("Certificate", "cert certs", "cert-manager", "Namespaced"),
        ("CertificateRequest", "cr crs", "cert-manager", "Namespaced"),
        ("Issuer", "", "cert-manager", "Namespaced"),
        ("ClusterIssuer", "", "cert-manager", "Cluster"),
        ("Order", "", "cert-manager cert-manager-acme", "Namespaced"),
        ("Challenge", "", "cert-manager cert-manager-acme", "Namespaced"),
        ("CredentialIssuer", "", "pinniped", "Cluster"),
        (
            "WebhookAuthenticator",
            "",
            "pinniped pinniped-authenticator pinniped-authenticators",
            "Cluster",
        ),
        ("HTTPProxy", "proxy proxies", "", "Namespaced"),
        ("ContourConfiguration", "contourconfig", "", "Namespaced"),
        ("ContourDeployment", "contourdeploy", "", "Namespaced"),
        ("ExtensionService", "extensionservice extensionservices", "", "Namespaced"),
        ("TLSCertificateDelegation", "tlscerts", "", "Namespaced"),
    ],
)
def test_definition_is_found_by_the_names_of_the_reference(
    kind: str, short_names: str, categories: str, scope: str
) -> None:
    spec = defined(kind)["spec"]
    assert spec["names"].get("shortNames", []) == short_names.split()
    assert spec["names"].get("categories", []) == categories.split()
    assert spec["scope"] == scope


@pytest.mark.parametrize(
    ("kind", "path", "rules"),
    [
        ("CredentialIssuer", "spec", {"required": ["impersonationProxy"]}),
        ("CredentialIssuer", "spec.impersonationProxy", {"required": ["mode", "service"]}),
        (
            "CredentialIssuer",
            "spec.impersonationProxy.service",
            {"default": {"type": "LoadBalancer"}},
        ),
        (
            "CredentialIssuer",
            "spec.impersonationProxy.service.type",
            {"default": "LoadBalancer", "enum": ["LoadBalancer", "ClusterIP", "None"]},
        ),
        ("CredentialIssuer", "spec.impersonationProxy.tls.secretName", {"minLength": 1}),
        (
            "CredentialIssuer",
            "status.strategies[].frontend.impersonationProxyInfo.certificateAuthorityData",
            {"minLength": 1},
        ),
        ("WebhookAuthenticator", "spec.endpoint", {"minLength": 1, "pattern": "^https://"}),
        ("JWTAuthenticator", "spec", {"required": ["audience", "issuer"]}),
        ("Certificate", "spec", {"required": ["issuerRef", "secretName"]}),
        ("Certificate", "spec.privateKey.algorithm", {"enum": ["RSA", "ECDSA", "Ed25519"]}),
        ("Certificate", "spec.privateKey.encoding", {"enum": ["PKCS1", "PKCS8"]}),
        ("CertificateRequest", "spec.request", {"format": "byte"}),
        ("HTTPProxy", "spec.virtualhost", {"required": ["fqdn"]}),
        ("HTTPProxy", "spec.tcpproxy.services[]", {"required": ["name", "port"]}),
        ("HTTPProxy", "spec.tcpproxy.services[].port", {"minimum": 1, "exclusiveMaximum": True}),
        (
            "HTTPProxy",
            "status",
            {
                "default": {
                    "currentStatus": "NotReconciled",
                    "description": "Waiting for controller",
                }
            },
        ),
    ],
)
def test_definition_keeps_the_rules_that_lessons_break(kind: str, path: str, rules: Object) -> None:
    seen = schema_at(kind, path)
    assert {key: seen.get(key) for key in rules} == rules


def test_certificate_usages_are_in_the_order_of_the_reference() -> None:
    text = section(reference("cert-manager.md"), "### 2.2")
    sentence = text[text.index("Usages enum") : text.index("Effective")]
    usages = re.findall(r"`([^`]+)`", sentence)
    assert schema_at("Certificate", "spec.usages[]")["enum"] == usages
