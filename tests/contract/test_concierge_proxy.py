"""The impersonation proxy on the wire: TLS, who is let in, what they may, what comes back.

Source: pinniped.md section 4.
"""

import asyncio
import base64
import json
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.contract.concierge_clients import IDENTITY_REQUEST, b64, eventually, login_request
from tests.contract.concierge_lab import (
    BINDINGS,
    HOST,
    IDENTITIES,
    LOGINS,
    NAMESPACE,
    PODS,
    SECRETS,
    Lab,
    lab,
    new_ca,
    new_client,
    now,
)
from tests.fakes.waiting import DEADLINE_S, until
from tutor.sandbox import pki
from tutor.sandbox.pki import Pair

pytestmark = pytest.mark.contract
SUFFIX = ": decision made by impersonation-proxy.concierge.pinniped.dev"
CANNOT = "Internal error occurred: unimplemented functionality - unable to act as current user"
ACCOUNT = "system:serviceaccount:pinniped-concierge:pinniped-concierge-impersonation-proxy"
SIGNER = "pinniped-concierge-impersonation-proxy-signer-ca-certificate"
LEGACY = (
    "Use tokens from the TokenRequest API or manually created secret-based tokens instead of"
    " auto-generated secret-based tokens."
)


@pytest.fixture
async def concierge(tmp_path: Path) -> AsyncGenerator[Lab]:
    async with lab(tmp_path) as found:
        await found.until_available()
        await until(lambda: found.strategy("SIGNING").get("status") == "Success")
        await found.as_in_the_post()
        yield found


@pytest.fixture
async def local_users(concierge: Lab) -> Lab:
    await concierge.trust_local_users()
    await concierge.until_logged("added new webhook authenticator")
    return concierge


def grant(role: str = "cluster-admin", **subject: str) -> dict[str, Any]:
    group = "rbac.authorization.k8s.io"
    who = {"kind": "Group", "name": "group-for-mtls", "apiGroup": group} | subject
    return {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "mtls-admins"},
        "subjects": [who],
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
    }


def pinny_of(concierge: Lab) -> Pair:
    """A certificate for pinny, by the cluster's CA, without a login."""
    return new_client(concierge.cluster.keys.ca, "pinny", "group-for-mtls")


ANONYMOUS = {
    "/": (403, f'forbidden: User "system:anonymous" cannot get path "/"{SUFFIX}'),
    "/healthz/log": (
        403,
        f'forbidden: User "system:anonymous" cannot get path "/healthz/log"{SUFFIX}',
    ),
    "/api/v1/namespaces/kube-system/pods/x": (
        403,
        (
            'pods "x" is forbidden: User "system:anonymous" cannot get resource "pods"'
            ' in API group ""'
            f' in the namespace "kube-system"{SUFFIX}'
        ),
    ),
    "/api/v1/namespaces/kube-system/pods/x/log": (
        403,
        (
            'pods "x" is forbidden: User "system:anonymous" cannot get resource'
            ' "pods/log" in API group'
            f' "" in the namespace "kube-system"{SUFFIX}'
        ),
    ),
}


async def test_nobody_in_particular_is_authorized_like_anybody(concierge: Lab):
    for path, (status, message) in ANONYMOUS.items():
        reply = await concierge.ask_proxy(path)
        assert (reply.status, reply.message) == (status, message)
    for path in ("/healthz", "/livez", "/readyz"):
        reply = await concierge.ask_proxy(path)
        assert (reply.status, reply.text) == (200, "ok")
    version = await concierge.ask_proxy("/version")
    assert version.body["gitVersion"] == "v1.27.3"


async def test_refusal_has_the_whole_status(concierge: Lab):
    reply = await concierge.ask_proxy("/api/v1/pods", pair=pinny_of(concierge))
    assert reply.text == (
        '{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"pods is'
        ' forbidden: User \\"pinny\\" cannot list resource \\"pods\\" in API group \\"\\" at the'
        ' cluster scope: decision made by impersonation-proxy.concierge.pinniped.dev",'
        '"reason":"Forbidden","details":{"kind":"pods"},"code":403}\n'
    )
    path = await concierge.ask_proxy("/x")
    assert path.body["details"] == {}


async def test_nobody_may_log_in_and_ask_who_they_are(local_users: Lab):
    reply = await local_users.ask_proxy(LOGINS, body=login_request("pinny:password123"))
    assert reply.status == 201
    assert "credential" in reply.body["status"]
    reply = await local_users.ask_proxy(IDENTITIES, body=IDENTITY_REQUEST)
    user = {"username": "system:anonymous", "groups": ["system:unauthenticated"]}
    assert reply.body["status"] == {"kubernetesUserInfo": {"user": user}}


async def test_every_answer_carries_the_security_headers(concierge: Lab):
    for path in ("/", "/version", "/api/v1/pods"):
        reply = await concierge.ask_proxy(path)
        assert reply.header("X-Frame-Options") == ["DENY"]
        assert reply.header("Cache-Control")[0] == ("no-cache,no-store,max-age=0,must-revalidate")
        assert reply.header("Audit-Id")
    proxied = await concierge.ask_proxy("/version")
    assert proxied.header("Cache-Control")[1:] == ["no-cache, private"]
    direct = await concierge.ask_api("/version")
    assert direct.header("X-Frame-Options") == []


async def test_request_that_is_forwarded_carries_the_warning_about_the_token(concierge: Lab):
    forwarded = await concierge.ask_proxy("/version")
    assert forwarded.header("Warning") == [f'299 - "{LEGACY}"']
    refused = await concierge.ask_proxy("/")
    assert refused.header("Warning") == []
    ran = await concierge.kubectl("get", "namespaces", proxied_as=concierge.cluster.keys.admin)
    assert ran.err == f"Warning: {LEGACY}\n"


async def test_administrator_of_the_cluster_is_one_here_too(concierge: Lab):
    admin = concierge.cluster.keys.admin
    ran = await concierge.kubectl("get", "pods", "--all-namespaces", proxied_as=admin)
    assert ran.code == 0
    assert "pinniped-concierge-kube-cert-agent-" in ran.out


async def test_certificate_by_the_signer_of_the_proxy_is_accepted(concierge: Lab):
    data = concierge.client.get(SECRETS, NAMESPACE, SIGNER)["data"]
    names = ("caCertificate", "caCertificatePrivateKey")
    authority = pki.load_authority(Pair(*(base64.b64decode(data[n]).decode() for n in names)))
    pair = new_client(authority, "somebody", "g")
    reply = await concierge.ask_proxy(IDENTITIES, pair=pair, body=IDENTITY_REQUEST)
    user = {"username": "somebody", "groups": ["g", "system:authenticated"]}
    assert reply.body["status"] == {"kubernetesUserInfo": {"user": user}}


async def test_certificates_that_do_not_hold_are_unauthorized(concierge: Lab):
    ca = concierge.cluster.keys.ca
    for pair in (
        new_client(new_ca(), "pinny"),
        new_client(ca, "pinny", lifetime=timedelta(minutes=-1)),
        new_client(ca, "pinny", now=now() + timedelta(hours=1)),
        new_client(ca, "pinny", extended=(pki.SERVER_AUTH,)),
    ):
        reply = await concierge.ask_proxy("/version", pair=pair)
        assert reply.status == 401
        assert reply.text == (
            '{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",'
            '"message":"Unauthorized","reason":"Unauthorized","code":401}\n'
        )


async def test_token_that_nobody_issued_is_unauthorized_and_a_password_is_ignored(
    local_users: Lab,
):
    token = [("Authorization", "Bearer pinny:password123")]
    assert (await local_users.ask_proxy("/version", headers=token)).status == 401
    basic = [("Authorization", f"Basic {b64('pinny:password123')}")]
    assert (await local_users.ask_proxy("/version", headers=basic)).status == 200


async def test_token_of_a_service_account_is_passed_on(concierge: Lab):
    ran = await concierge.kubectl("create", "token", "default")
    headers = [("Authorization", f"Bearer {ran.out.strip()}")]
    reply = await concierge.ask_proxy(IDENTITIES, headers=headers, body=IDENTITY_REQUEST)
    user = reply.body["status"]["kubernetesUserInfo"]["user"]
    assert user["username"] == "system:serviceaccount:default:default"
    assert user["groups"] == [
        "system:serviceaccounts",
        "system:serviceaccounts:default",
        "system:authenticated",
    ]
    assert reply.header("Warning") == []
    reply = await concierge.ask_proxy("/api/v1/pods", headers=headers)
    assert reply.message == (
        'pods is forbidden: User "system:serviceaccount:default:default" cannot list resource'
        f' "pods" in API group "" at the cluster scope{SUFFIX}'
    )


async def test_certificate_beats_a_token(concierge: Lab):
    ran = await concierge.kubectl("create", "token", "default")
    reply = await concierge.ask_proxy(
        IDENTITIES,
        pair=pinny_of(concierge),
        headers=[("Authorization", f"Bearer {ran.out.strip()}")],
        body=IDENTITY_REQUEST,
    )
    assert reply.body["status"]["kubernetesUserInfo"]["user"]["username"] == "pinny"


async def test_right_that_is_granted_is_noticed_when_the_refusal_is_forgotten(local_users: Lab):
    pair = await local_users.pinny()
    words = ("get", "pods", "--all-namespaces")
    ran = await local_users.kubectl(*words, proxied_as=pair)
    assert ran.code == 1
    assert ran.err.endswith(
        'Error from server (Forbidden): pods is forbidden: User "pinny" cannot list resource "pods"'
        f' in API group "" at the cluster scope{SUFFIX}\n'
    )
    await local_users.create(grant())

    async def is_allowed() -> bool:
        return (await local_users.ask_proxy("/api/v1/pods", pair=pair)).status == 200

    await eventually(is_allowed)
    ran = await local_users.kubectl(*words, proxied_as=pair)
    assert ran.code == 0
    who = await local_users.ask_proxy(IDENTITIES, pair=pair, body=IDENTITY_REQUEST)
    assert who.body["status"]["kubernetesUserInfo"]["user"] == {
        "username": "pinny",
        "groups": ["group-for-mtls", "system:authenticated"],
    }


async def test_binding_to_a_role_that_is_missing_is_named(concierge: Lab):
    await concierge.create(grant("cluster-admn"))
    reply = await concierge.ask_proxy("/api/v1/pods", pair=pinny_of(concierge))
    assert reply.message == (
        'pods is forbidden: User "pinny" cannot list resource "pods" in API group "" at the cluster'
        ' scope: RBAC: clusterrole.rbac.authorization.k8s.io "cluster-admn" not found,'
        " decision made"
        " by impersonation-proxy.concierge.pinniped.dev"
    )


async def test_proxy_without_its_right_to_impersonate_is_named_by_the_api_server(concierge: Lab):
    await concierge.client.delete(BINDINGS, "", "pinniped-concierge-impersonation-proxy")
    reply = await concierge.ask_proxy("/version")
    assert reply.status == 403
    assert f'User "{ACCOUNT}" cannot impersonate' in reply.message
    assert "decision made by" not in reply.message


async def test_proxy_without_its_right_to_ask_cannot_decide(concierge: Lab):
    await concierge.client.delete(BINDINGS, "", "pinniped-concierge")
    reply = await concierge.ask_proxy("/api/v1/pods?limit=1", pair=pinny_of(concierge))
    assert reply.status == 500
    assert reply.text == (
        'Internal Server Error: "/api/v1/pods?limit=1":'
        " subjectaccessreviews.authorization.k8s.io is"
        ' forbidden: User "system:serviceaccount:pinniped-concierge:pinniped-concierge" cannot'
        ' create resource "subjectaccessreviews" in API group "authorization.k8s.io" at the cluster'
        " scope\n"
    )


async def test_acting_as_somebody_takes_the_callers_right(concierge: Lab):
    pair = pinny_of(concierge)
    cases = {
        "Impersonate-User: other": (
            'users "other" is forbidden: User "pinny" cannot impersonate resource "users" in API'
            ' group "" at the cluster scope'
        ),
        "Impersonate-User: system:serviceaccount:ns:n": (
            'serviceaccounts "n" is forbidden: User "pinny" cannot impersonate resource'
            ' "serviceaccounts" in API group "" in the namespace "ns"'
        ),
    }
    for header, message in cases.items():
        name, _, value = header.partition(": ")
        reply = await concierge.ask_proxy("/version", pair=pair, headers=[(name, value)])
        assert (reply.status, reply.message) == (403, message + SUFFIX)


async def test_acting_as_somebody_tells_who_asked(concierge: Lab):
    await concierge.create(grant())
    reply = await concierge.ask_proxy(
        IDENTITIES,
        pair=pinny_of(concierge),
        headers=[("Impersonate-User", "other"), ("Impersonate-Group", "g")],
        body=IDENTITY_REQUEST,
    )
    assert reply.body["status"]["kubernetesUserInfo"]["user"] == {
        "username": "other",
        "groups": ["g", "system:authenticated"],
        "extra": {
            "original-user-info.impersonation-proxy.concierge.pinniped.dev": [
                '{"username":"pinny","groups":["group-for-mtls","system:authenticated"]}'
            ]
        },
    }
    ran = await concierge.kubectl(
        "auth", "can-i", "list", "pods", "--as", "other", proxied_as=pinny_of(concierge)
    )
    assert ran.out == "no\n"


async def test_acting_as_what_cannot_be_told_is_an_internal_error(concierge: Lab):
    await concierge.create(grant())
    pair = pinny_of(concierge)
    other = ("Impersonate-User", "other")
    for header in (
        ("Impersonate-Uid", "1"),
        ("Impersonate-Extra-x.impersonation-proxy.concierge.pinniped.dev", "v"),
        ("Impersonate-Extra-a%20b", "v"),
    ):
        reply = await concierge.ask_proxy("/version", pair=pair, headers=[other, header])
        assert (reply.status, reply.message) == (500, CANNOT)
        assert reply.body["reason"] == "InternalError"
        assert reply.body["details"]["causes"] == [
            {"message": "unimplemented functionality - unable to act as current user"}
        ]
    reply = await concierge.ask_proxy("/version", pair=pair, headers=[("Impersonate-Uid", "1")])
    assert reply.status == 500
    assert reply.text == (
        'Internal Server Error: "/version": requested [{UID  1  authentication.k8s.io/v1'
        "  }] without"
        " impersonating a user\n"
    )


async def test_watch_streams_through_the_proxy(concierge: Lab):
    admin = concierge.cluster.keys.admin
    context = concierge.proxy_context(pair=admin)
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", concierge.loopback(), ssl=context, server_hostname=HOST
    )
    try:
        selector = "fieldSelector=metadata.name%3Dx"
        path = f"/api/v1/namespaces/{NAMESPACE}/configmaps?watch=true&{selector}"
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        meta = {"name": "x", "namespace": NAMESPACE}
        await concierge.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})
        async with asyncio.timeout(DEADLINE_S):
            await reader.readline()
            event = json.loads(await reader.readline())
        assert event["type"] == "ADDED"
        assert event["object"]["metadata"]["name"] == "x"
    finally:
        writer.close()
        await writer.wait_closed()


async def test_writes_pass_through_the_proxy(concierge: Lab):
    admin = concierge.cluster.keys.admin
    words = ("create", "configmap", "x", "--from-literal=a=b", "--namespace", NAMESPACE)
    ran = await concierge.kubectl(*words, proxied_as=admin)
    assert ran.out == "configmap/x created\n"


async def test_log_is_read_through_the_proxy(concierge: Lab):
    pod = next(
        p for p in concierge.client.list(PODS, NAMESPACE) if "agent" not in p["metadata"]["name"]
    )
    ran = await concierge.kubectl(
        "logs",
        "--namespace",
        NAMESPACE,
        pod["metadata"]["name"],
        proxied_as=concierge.cluster.keys.admin,
    )
    assert "Running concierge" in ran.out
