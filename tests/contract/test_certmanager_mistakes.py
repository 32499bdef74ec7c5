"""What learners get wrong with cert-manager, and what they see then. Source: cert-manager.md 6.

The first three rows and the last but two are in the tests of the installation, rows 20, 21 and 24
in those of changes, rows 17 to 19, 22, 23 and 28 are not cert-manager's.
"""

from collections.abc import AsyncGenerator, Callable

import pytest
import pytest_asyncio

from tests.contract.certmanager_lab import (
    CA,
    CA_ISSUER,
    CA_SECRET,
    CERTIFICATES,
    CONCIERGE,
    ISSUERS,
    LEAF,
    NAMESPACE,
    Lab,
    certificate_of,
    changed_document,
    cluster_issuer,
    conditions,
    installed,
)
from tests.fakes.waiting import until
from tutor.sandbox.kinds import Object, name_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

_DENIED = 'admission webhook "webhook.cert-manager.io" denied the request: '
_NOT_ACCEPTABLE = f'Error from server (NotAcceptable): error when creating "STDIN": {_DENIED}'
_BAD_REQUEST = f'Error from server (BadRequest): error when creating "STDIN": {_DENIED}'


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lab(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Lab]:
    """cert-manager with a self-signed issuer; each test has names of its own."""
    async with installed(tmp_path_factory.mktemp("lab")) as made:
        await made.apply(cluster_issuer("selfsigned-cluster-issuer", selfSigned={}))
        yield made


def _leaf(change: Callable[[Object], object]) -> Object:
    return changed_document(LEAF, lambda obj: change(obj["spec"]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"issuerRef": {"name": CA_ISSUER, "kind": "clusterissuer"}},
            (
                f'{_NOT_ACCEPTABLE}spec.issuerRef.kind: Invalid value: "clusterissuer": '
                "must be one of Issuer or ClusterIssuer"
            ),
        ),
        (
            {"dnsNames": []},
            (
                f'{_NOT_ACCEPTABLE}spec: Invalid value: "": at least one of commonName, dnsNames, '
                "uris ipAddresses, or emailAddresses must be set"
            ),
        ),
        ({"duration": "90d"}, f'{_BAD_REQUEST}time: unknown unit "d" in duration "90d"'),
        (
            {"duration": "240h"},
            (
                f"{_NOT_ACCEPTABLE}spec.renewBefore: Invalid value: 360h0m0s: certificate "
                "duration 240h0m0s must be greater than renewBefore 360h0m0s"
            ),
        ),
        (
            {"privateKey": {"algorithm": "ECDSA", "size": 2048}},
            (
                f"{_NOT_ACCEPTABLE}spec.privateKey.size: Unsupported value: 2048: "
                'supported values: "256", "384", "521"'
            ),
        ),
        (
            {"privateKey": {"algorithm": "RSA", "size": 256}},
            (
                f"{_NOT_ACCEPTABLE}spec.privateKey.size: Invalid value: 256: "
                "must be between 2048 & 8192 for rsa keyAlgorithm"
            ),
        ),
        (
            {"isCA": "true"},
            (
                f"{_BAD_REQUEST}json: cannot unmarshal string into Go struct field "
                "CertificateSpec.spec.isCA of type bool"
            ),
        ),
        (
            {"secretName": ""},
            f"{_NOT_ACCEPTABLE}spec.secretName: Required value: must be specified",
        ),
    ],
)
async def test_certificate_that_is_wrong_is_refused(lab: Lab, change: Object, message: str) -> None:
    ran = await lab.apply(_leaf(lambda spec: spec.update(change)))
    assert (ran.code, ran.err) == (1, f"{message}\n")
    assert lab.client.find(CERTIFICATES, CONCIERGE, LEAF) is None


async def test_misspelt_field_is_refused_before_any_webhook(lab: Lab) -> None:
    ran = await lab.apply(_leaf(lambda spec: spec.update(dnsName=spec.pop("dnsNames"))))
    assert ran.err == (
        'Error from server (BadRequest): error when creating "STDIN": Certificate in version "v1" '
        'cannot be handled as a Certificate: strict decoding error: unknown field "spec.dnsName"\n'
    )


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        ({"usages": ["serverAuth"]}, "spec.usages[0]", '"serverAuth": supported values: "signing"'),
        (
            {"privateKey": {"algorithm": "EC"}},
            "spec.privateKey.algorithm",
            '"EC": supported values: "RSA", "ECDSA", "Ed25519"',
        ),
    ],
)
async def test_value_outside_an_enumeration_is_refused_by_the_schema(
    lab: Lab, change: Object, field: str, value: str
) -> None:
    ran = await lab.apply(_leaf(lambda spec: spec.update(change)))
    assert ran.err.startswith(
        f'The Certificate "{LEAF}" is invalid: {field}: Unsupported value: {value}'
    )


async def test_issuer_without_braces_has_no_type(lab: Lab) -> None:
    ran = await lab.kubectl(
        *("apply", "-f", "-"),
        stdin=(
            "apiVersion: cert-manager.io/v1\nkind: ClusterIssuer\n"
            "metadata:\n  name: x\nspec:\n  selfSigned:\n"
        ),
    )
    text = "spec: Required value: at least one issuer must be configured"
    assert ran.err == f"{_NOT_ACCEPTABLE}{text}\n"


async def test_ca_in_another_namespace_is_not_found_by_its_issuer(lab: Lab) -> None:
    ca = changed_document(CA, lambda obj: obj["metadata"].update(namespace="default"))
    ca["spec"]["secretName"] = "elsewhere"
    await lab.apply(ca, cluster_issuer("elsewhere", ca={"secretName": "elsewhere"}))
    await lab.until_ready(CA, "default")
    text = 'Error getting keypair for CA issuer: secret "elsewhere" not found'
    place = ("", "elsewhere")
    await lab.until_condition(ISSUERS, place, "Ready", ("False", "ErrGetKeyPair", text))
    assert lab.secret("elsewhere", "default") is not None


async def test_issuer_with_a_typing_error_names_the_wrong_secret(lab: Lab) -> None:
    await lab.apply(cluster_issuer("typo", ca={"secretName": "self-singed-ca"}))
    text = 'Error getting keypair for CA issuer: secret "self-singed-ca" not found'
    place = ("", "typo")
    await lab.until_condition(ISSUERS, place, "Ready", ("False", "ErrGetKeyPair", text))


async def test_certificate_that_is_no_ca_is_told_to_its_issuer_until_it_is_one(lab: Lab) -> None:
    def change(obj: Object) -> None:
        obj["spec"].pop("isCA")
        obj["spec"]["secretName"] = "no-ca"
        obj["metadata"]["name"] = "no-ca"

    ca = changed_document(CA, change)
    await lab.apply(ca, cluster_issuer("no-ca", ca={"secretName": "no-ca"}))
    text = "Error getting keypair for CA issuer: certificate is not a CA"
    place = ("", "no-ca")
    await lab.until_condition(ISSUERS, place, "Ready", ("False", "ErrInvalidKeyPair", text))
    await lab.apply(_made("waits", name="no-ca", kind="ClusterIssuer"))
    text = "Referenced issuer does not have a Ready status condition"
    await _until_told(lab, "waits", ("False", "Pending", text))
    await lab.client.patch(CERTIFICATES, NAMESPACE, "no-ca", {"spec": {"isCA": True}})
    await lab.until_ready("waits")


def _made(certificate: str, /, **reference: str) -> Object:
    """A Certificate with a Secret of its own."""
    return certificate_of(
        certificate,
        secretName=f"{certificate}-tls",
        dnsNames=["a.local"],
        privateKey={"algorithm": "ECDSA"},
        issuerRef=reference,
    )


async def _until_told(lab: Lab, certificate: str, ready: tuple[str, str, str] | None) -> None:
    def is_told() -> bool:
        found = [r for r in lab.requests() if name_of(r).startswith(f"{certificate}-")]
        return len(found) == 1 and conditions(found[0]).get("Ready") == ready

    await until(is_told)


@pytest.mark.parametrize(
    ("name", "reference", "missing"),
    [
        (
            "kindless",
            {"name": "selfsigned-cluster-issuer"},
            (
                'Referenced "Issuer" not found: '
                'issuer.cert-manager.io "selfsigned-cluster-issuer" not found'
            ),
        ),
        (
            "misnamed",
            {"name": "my-c-issuer", "kind": "ClusterIssuer"},
            (
                'Referenced "ClusterIssuer" not found: '
                'clusterissuer.cert-manager.io "my-c-issuer" not found'
            ),
        ),
        (
            "namespaced",
            {"name": "elsewhere-issuer", "kind": "Issuer"},
            ('Referenced "Issuer" not found: issuer.cert-manager.io "elsewhere-issuer" not found'),
        ),
    ],
)
async def test_issuer_that_is_not_there_is_named_on_the_request(
    lab: Lab, name: str, reference: dict[str, str], missing: str
) -> None:
    ran = await lab.apply(_made(name, **reference))
    assert ran.code == 0, ran.err
    await _until_told(lab, name, ("False", "Pending", missing))
    request = next(r for r in lab.requests() if name_of(r).startswith(f"{name}-"))
    told = [e for e in lab.events(name_of(request)) if e[1] == "IssuerNotFound"]
    assert {message for _, _, message in told} == {missing}
    found = conditions(lab.certificate(name))
    assert found["Ready"] == (
        "False",
        "DoesNotExist",
        "Issuing certificate as Secret does not exist",
    )


async def test_issuer_that_comes_later_resumes_what_waits(lab: Lab) -> None:
    reference = {"name": "later", "kind": "ClusterIssuer"}
    await lab.apply(_made("patient", **reference))
    text = 'Referenced "ClusterIssuer" not found: clusterissuer.cert-manager.io "later" not found'
    await _until_told(lab, "patient", ("False", "Pending", text))
    await lab.apply(cluster_issuer("later", selfSigned={}))
    await lab.until_ready("patient")


async def test_request_for_a_foreign_group_waits_without_a_word(lab: Lab) -> None:
    reference = {
        "name": CA_ISSUER,
        "kind": "ClusterIssuer",
        "group": "certmanager.io",
    }
    await lab.apply(_made("foreign", **reference))
    refusal = (
        "spec.issuerRef: Forbidden: referenced signer resource does not exist: "
        f"{{{CA_ISSUER} ClusterIssuer certmanager.io}}"
    )
    await lab.until_logged(refusal)
    request = next(r for r in lab.requests() if name_of(r).startswith("foreign-"))
    assert conditions(request) == {}
    shown = await lab.kubectl("get", "cr", "-n", CONCIERGE, name_of(request))
    assert shown.out.splitlines()[1].split()[1] == CA_ISSUER


async def test_refused_update_is_told_with_its_patch(lab: Lab) -> None:
    made = _made("changed", name="selfsigned-cluster-issuer", kind="ClusterIssuer")
    await lab.apply(made)
    made["spec"]["privateKey"] = {"algorithm": "ECDSA", "size": 100}
    ran = await lab.apply(made)
    lines = ran.err.splitlines()
    assert lines[0] == "Error from server (NotAcceptable): error when applying patch:"
    assert lines[2] == "to:"
    assert lines[3] == (
        'Resource: "cert-manager.io/v1, Resource=certificates", '
        'GroupVersionKind: "cert-manager.io/v1, Kind=Certificate"'
    )
    assert lines[4] == f'Name: "changed", Namespace: "{CONCIERGE}"'
    assert lines[5].startswith(f'for: "STDIN": error when patching "STDIN": {_DENIED}')


async def test_secret_that_is_not_there_is_told_by_kubectl(lab: Lab) -> None:
    ran = await lab.kubectl("get", "secret", CA_SECRET, "-n", "default")
    assert ran.err == f'Error from server (NotFound): secrets "{CA_SECRET}" not found\n'


async def test_deleted_issuer_leaves_certificates_ready(lab: Lab) -> None:
    reference = {"name": "short-lived", "kind": "ClusterIssuer"}
    await lab.apply(
        cluster_issuer("short-lived", selfSigned={}),
        _made("orphan", **reference),
    )
    await lab.until_ready("orphan")
    await lab.client.delete(ISSUERS, "", "short-lived")
    await lab.client.patch(CERTIFICATES, CONCIERGE, "orphan", {"spec": {"renewBefore": "24h"}})
    await lab.until_ready("orphan")
    await lab.client.patch(CERTIFICATES, CONCIERGE, "orphan", {"spec": {"dnsNames": ["b.local"]}})
    text = (
        'Referenced "ClusterIssuer" not found: '
        'clusterissuer.cert-manager.io "short-lived" not found'
    )
    await lab.until_request(("False", "Pending", text))
