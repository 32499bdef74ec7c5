"""Logins: from a token to a client certificate, and the errors on the way.

Source: pinniped.md 2.2, 2.3, 4.10, 5.4, 7.3 (A, B, D).
"""

import json
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from tests.contract.concierge_clients import IDENTITY_REQUEST, ask, b64, eventually, login_request
from tests.contract.concierge_lab import (
    API_SERVICES,
    DEPLOYMENTS,
    IDENTITIES,
    LOGINS,
    PODS,
    WEBHOOKS,
    Lab,
    is_concierge,
    lab,
    new_ca,
)
from tests.fakes.waiting import until
from tutor.sandbox import pki

pytestmark = pytest.mark.contract
FAILED = {"message": "authentication failed"}


@pytest.fixture
async def concierge(tmp_path: Path) -> AsyncGenerator[Lab]:
    async with lab(tmp_path) as found:
        await found.until_available()
        await until(lambda: found.strategy("SIGNING").get("status") == "Success")
        await found.trust_local_users()
        await found.until_logged("added new webhook authenticator")
        yield found


def certificate(reply: Any) -> x509.Certificate:
    text = reply.body["status"]["credential"]["clientCertificateData"]
    (found,) = pki.load_certificates(text)
    return found


async def test_right_password_earns_a_certificate_of_the_cluster_ca(concierge: Lab):
    reply = await concierge.login()
    assert reply.status == 201
    assert reply.body["spec"] == {"authenticator": {"apiGroup": None, "kind": "", "name": ""}}
    found = certificate(reply)
    assert found.issuer.rfc4514_string() == "CN=kubernetes"
    assert found.subject.rfc4514_string() == "CN=pinny,O=group-for-mtls"
    found.verify_directly_issued_by(concierge.cluster.keys.ca.certificate)
    assert found.not_valid_after_utc - found.not_valid_before_utc == timedelta(minutes=10)
    credential = reply.body["status"]["credential"]
    assert credential["clientKeyData"].startswith("-----BEGIN PRIVATE KEY-----")
    assert credential["expirationTimestamp"] == found.not_valid_after_utc.strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )


async def test_certificate_is_good_for_the_api_server_itself(concierge: Lab):
    reply = await concierge.ask_api("/api/v1/pods", pair=await concierge.pinny())
    assert reply.message == (
        'pods is forbidden: User "pinny" cannot list resource "pods" in API group "" at the cluster'
        " scope"
    )


async def test_groups_come_back_as_a_der_set(concierge: Lab):
    await concierge.put_user("pinny", "password123", "zebra,ab")
    reply = await concierge.login()
    assert pki.identity_of(certificate(reply)) == ("pinny", ("ab", "zebra"))


@pytest.mark.parametrize(
    ("token", "authenticator"),
    [
        ("pinny:wrong", {}),
        ("nobody:password123", {}),
        ("pinny", {}),
        ("pinny:password123", {"name": "x"}),
        ("pinny:password123", {"kind": "JWTAuthenticator"}),
        ("pinny:password123", {"apiGroup": "x"}),
    ],
)
async def test_every_failure_is_the_same(concierge: Lab, token: str, authenticator: dict[str, str]):
    reply = await concierge.login(token, **authenticator)
    assert reply.status == 201
    assert reply.body["status"] == FAILED


async def test_webhook_with_another_ca_is_not_believed(concierge: Lab):
    await concierge.put_webhook(b64(new_ca().pem))
    await concierge.until_login(FAILED)
    name = "local-user-authenticator"
    ran = await concierge.kubectl("logs", "--namespace", name, f"deployment/{name}")
    assert "http: TLS handshake error from 10.244.0.1:" in ran.out
    assert "remote error: tls: bad certificate" in ran.out


async def test_broken_authenticator_goes_on_with_its_last_good_version(concierge: Lab):
    await concierge.put_webhook("$(cat local-user-authenticator-ca.pem.b64)")
    expected = (
        "webhookcachefiller-controller: { local-user-authenticator} failed with: failed to build"
        " webhook config: invalid TLS configuration: illegal base64 data at input byte 0"
    )
    await concierge.until_logged(expected)
    assert "credential" in (await concierge.login()).body["status"]


async def test_authenticator_that_is_deleted_is_forgotten(concierge: Lab):
    await concierge.client.delete(WEBHOOKS, "", "local-user-authenticator")
    await concierge.until_login(FAILED)


async def test_webhook_that_nobody_serves_fails_the_login(concierge: Lab):
    change = {"spec": {"replicas": 0}}
    name = "local-user-authenticator"
    await concierge.client.patch(DEPLOYMENTS, name, name, change)
    await until(lambda: not concierge.client.list(PODS, name))
    reply = await concierge.login()
    assert reply.body["status"] == FAILED


@pytest.mark.parametrize(
    ("query", "token", "message"),
    [
        (
            "",
            "",
            (
                '.login.concierge.pinniped.dev "" is invalid: spec.token.value: Required'
                " value: token"
                " must be supplied"
            ),
        ),
        (
            "?dryRun=All",
            "x",
            (
                '.login.concierge.pinniped.dev "" is invalid: dryRun: Unsupported value:'
                ' []string{"All"}'
            ),
        ),
    ],
)
async def test_login_that_is_invalid_is_refused(
    concierge: Lab, query: str, token: str, message: str
):
    reply = await concierge.ask_api(LOGINS + query, body=login_request(token))
    assert reply.status == 422
    assert reply.body["reason"] == "Invalid"
    assert reply.message == message


async def test_lists_are_empty_at_version_0(concierge: Lab):
    reply = await concierge.ask_api(LOGINS)
    assert reply.body == {
        "kind": "TokenCredentialRequestList",
        "apiVersion": "login.concierge.pinniped.dev/v1alpha1",
        "metadata": {"resourceVersion": "0"},
        "items": [],
    }
    ran = await concierge.kubectl("get", "tokencredentialrequests,whoamirequests")
    assert (ran.out, ran.err) == ("", "No resources found\n")


async def test_categories_are_found_by_kubectl(concierge: Lab):
    ran = await concierge.kubectl("get", "pinniped", "--output", "name")
    assert ran.out.splitlines() == [
        "webhookauthenticator.authentication.concierge.pinniped.dev/local-user-authenticator",
        "credentialissuer.config.concierge.pinniped.dev/pinniped-concierge-config",
    ]


async def test_unknown_field_is_refused_when_the_caller_is_strict(concierge: Lab):
    path = concierge.home / "x.json"
    path.write_text(json.dumps(IDENTITY_REQUEST | {"spec": {"x": 1}}))
    ran = await concierge.kubectl("create", "--filename", str(path))
    assert ran.code == 1
    assert ran.err == (
        f'Error from server (BadRequest): error when creating "{path}": WhoAmIRequest in version'
        ' "v1alpha1" cannot be handled as a WhoAmIRequest: strict decoding error: unknown field'
        ' "spec.x"\n'
    )


async def test_who_am_i_tells_the_administrator(concierge: Lab):
    reply = await concierge.ask_api(
        IDENTITIES, pair=concierge.cluster.keys.admin, body=IDENTITY_REQUEST
    )
    assert reply.status == 201
    user = reply.body["status"]["kubernetesUserInfo"]["user"]
    assert user["username"] == "kubernetes-admin"
    assert user["groups"] == ["system:masters", "system:authenticated"]


async def test_who_am_i_tells_nobody(concierge: Lab):
    reply = await concierge.ask_api(IDENTITIES, body=IDENTITY_REQUEST)
    user = {"username": "system:anonymous", "groups": ["system:unauthenticated"]}
    assert reply.body["status"] == {"kubernetesUserInfo": {"user": user}}


async def test_requests_without_a_server_are_unavailable(concierge: Lab):
    await concierge.scale(0)
    await until(
        lambda: not any(map(is_concierge, concierge.client.list(PODS, "pinniped-concierge")))
    )

    async def is_unavailable() -> bool:
        # Until the APIService is looked at again, it is tried, and nobody answers.
        answer = await concierge.login()
        return (answer.status, answer.text) == (503, "service unavailable\n")

    await eventually(is_unavailable)
    ran = await concierge.kubectl("get", "apiservices", "v1alpha1.login.concierge.pinniped.dev")
    assert "False (MissingEndpoints)" in ran.out


async def test_requests_without_the_api_are_not_found(concierge: Lab):
    await concierge.client.delete(API_SERVICES, "", "v1alpha1.login.concierge.pinniped.dev")
    reply = await concierge.login()
    assert reply.status == 404


async def test_api_of_its_own_port_wants_the_front_proxy(concierge: Lab):
    """Whoever calls the pod directly is who they are, whatever their headers say."""
    port = concierge.loopback("pinniped-concierge-api")
    headers = [("X-Remote-User", "admin"), ("X-Remote-Group", "system:masters")]
    name = "pinniped-concierge-api.pinniped-concierge.svc"
    context = concierge.proxy_context(concierge.api_ca())
    reply = await ask(port, "/apis", context, name, headers=headers)
    assert reply.status == 403
    assert reply.message == 'forbidden: User "system:anonymous" cannot get path "/apis"'
    stranger = concierge.proxy_context(concierge.api_ca(), concierge.cluster.keys.server)
    reply = await ask(port, "/apis", stranger, name, headers=headers)
    assert reply.status == 401


async def test_health_is_open_to_everyone(concierge: Lab):
    port = concierge.loopback("pinniped-concierge-api")
    name = "pinniped-concierge-api.pinniped-concierge.svc"
    reply = await ask(port, "/healthz", concierge.proxy_context(concierge.api_ca()), name)
    assert (reply.status, reply.text) == (200, "ok")
