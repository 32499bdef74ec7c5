"""Who a client is, over TLS: certificates that are no good end in 401, not in a dead handshake.

Source: apiserver's x509 authenticator, behind a listener that asks for certificates only.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.fakes.cluster import HOUR, now
from tutor.sandbox import pki
from tutor.sandbox.cluster.assembly import Cluster, running
from tutor.sandbox.cluster.settings import BARE_VERSION, ClusterSettings
from tutor.sandbox.pace import INSTANT
from tutor.sandbox.pki import Authority, Pair

pytestmark = pytest.mark.contract

WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
REVIEW = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncGenerator[Cluster]:
    """A bare cluster, listening."""
    settings = ClusterSettings(
        name="bare", folder=tmp_path / "cluster", version=BARE_VERSION, pace=INSTANT
    )
    async with running(settings) as made:
        yield made


def client_pair(authority: Authority, *groups: str, **more: Any) -> Pair:
    """A certificate for `jane`."""
    given: dict[str, Any] = {"now": now(), "lifetime": HOUR, "extended": (pki.CLIENT_AUTH,)}
    return pki.issue(authority, subject=pki.subject_of("jane", groups), **given | more)


def context(cluster: Cluster, folder: Path, pair: Pair | None) -> ssl.SSLContext:
    """TLS as clients speak it, with a certificate or without."""
    made = ssl.create_default_context(cadata=cluster.keys.ca.pem)
    if pair is not None:
        file = folder / "pair.pem"
        file.write_text(pair.certificate + pair.key)
        made.load_cert_chain(file)
    return made


async def ask(
    cluster: Cluster,
    folder: Path,
    pair: Pair | None,
    path: str = "/api/v1/namespaces",
    *,
    method: str = "GET",
    body: Any = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, Any]:
    """Status and body of one request."""
    connector = aiohttp.TCPConnector(ssl=context(cluster, folder, pair))
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.request(method, cluster.url + path, json=body, headers=headers) as answer,
    ):
        return answer.status, await answer.json(content_type=None)


async def who(cluster: Cluster, folder: Path, pair: Pair | None, **headers: str) -> Any:
    """Whom the server takes a client for."""
    status, answer = await ask(
        cluster, folder, pair, WHO, method="POST", body=REVIEW, headers=headers
    )
    assert status == 201, answer
    return answer["status"]["userInfo"]


async def test_certificate_of_the_cluster_is_its_subject(cluster: Cluster, tmp_path: Path) -> None:
    user = await who(cluster, tmp_path, client_pair(cluster.keys.ca, "red", "blue"))
    assert user["username"] == "jane"
    assert user["groups"] == ["red", "blue", "system:authenticated"]


async def test_client_without_a_certificate_is_anonymous(cluster: Cluster, tmp_path: Path) -> None:
    status, answer = await ask(cluster, tmp_path, None)
    assert status == 403
    assert 'User "system:anonymous" cannot list resource "namespaces"' in answer["message"]
    assert (await ask(cluster, tmp_path, None, "/version"))[0] == 200


def foreign(_cluster: Cluster) -> Pair:
    other = pki.new_authority("kubernetes", now=now(), lifetime=HOUR)
    return client_pair(other, "system:masters")


def expired(cluster: Cluster) -> Pair:
    long_ago = now() - timedelta(days=2)
    return client_pair(cluster.keys.ca, "system:masters", now=long_ago)


def not_yet(cluster: Cluster) -> Pair:
    return client_pair(cluster.keys.ca, "system:masters", now=now() + timedelta(days=2))


def server_only(cluster: Cluster) -> Pair:
    return client_pair(cluster.keys.ca, "system:masters", extended=(pki.SERVER_AUTH,))


def self_signed(_cluster: Cluster) -> Pair:
    own = pki.new_authority("jane", now=now(), lifetime=HOUR, extended=(pki.CLIENT_AUTH,))
    return Pair(own.pem, pki.key_pem(own.key))


def of_the_front_proxy(cluster: Cluster) -> Pair:
    return client_pair(cluster.keys.front_proxy_ca, "system:masters")


@pytest.mark.parametrize(
    "bad", [foreign, expired, not_yet, server_only, self_signed, of_the_front_proxy]
)
@pytest.mark.parametrize("path", ["/api/v1/namespaces", "/version", "/healthz"])
async def test_certificate_that_is_no_good_is_answered_401(
    cluster: Cluster, tmp_path: Path, bad: Any, path: str
) -> None:
    status, answer = await ask(cluster, tmp_path, bad(cluster), path)
    assert status == 401
    assert (answer["message"], answer["reason"]) == ("Unauthorized", "Unauthorized")


async def test_remote_headers_of_clients_count_for_nothing(
    cluster: Cluster, tmp_path: Path
) -> None:
    claim = {"X-Remote-User": "queen", "X-Remote-Group": "system:masters"}
    user = await who(cluster, tmp_path, client_pair(cluster.keys.ca), **claim)
    assert user["username"] == "jane"
    status, _ = await ask(cluster, tmp_path, None, headers=claim)
    assert status == 403


@pytest.mark.parametrize("token", ["x", "a.b.c", "", "e30.e30.e30", "x" * 20_000])
async def test_token_that_is_no_good_is_answered_401(
    cluster: Cluster, tmp_path: Path, token: str
) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    status, answer = await ask(cluster, tmp_path, None, headers=headers)
    # An empty token is no token, and nobody is anonymous then.
    assert status == (401 if token else 403)
    assert answer["kind"] == "Status"


async def test_token_of_a_service_account_is_that_account_until_it_is_deleted(
    cluster: Cluster, tmp_path: Path
) -> None:
    accounts, admin = "/api/v1/namespaces/default/serviceaccounts", cluster.keys.admin
    account = {"metadata": {"name": "robot"}}
    assert (await ask(cluster, tmp_path, admin, accounts, method="POST", body=account))[0] == 201
    _, made = await ask(
        cluster, tmp_path, admin, f"{accounts}/robot/token", method="POST", body={"spec": {}}
    )
    bearer = {"Authorization": f"Bearer {made['status']['token']}"}
    user = await who(cluster, tmp_path, None, **bearer)
    assert user["username"] == "system:serviceaccount:default:robot"
    assert (await ask(cluster, tmp_path, admin, f"{accounts}/robot", method="DELETE"))[0] == 200
    assert (await ask(cluster, tmp_path, None, headers=bearer))[0] == 401


async def test_certificate_counts_before_a_token(cluster: Cluster, tmp_path: Path) -> None:
    pair = client_pair(cluster.keys.ca)
    user = await who(cluster, tmp_path, pair, Authorization="Bearer nonsense")
    assert user["username"] == "jane"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_both_versions_of_tls_are_spoken(
    cluster: Cluster, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    made = context(cluster, tmp_path, client_pair(cluster.keys.ca))
    made.minimum_version = made.maximum_version = version
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=made)) as session,
        session.post(cluster.url + WHO, json=REVIEW) as answer,
    ):
        assert (await answer.json())["status"]["userInfo"]["username"] == "jane"


@pytest.mark.parametrize("name", ["localhost", "kubernetes", "kubernetes.default.svc", "10.96.0.1"])
async def test_server_s_certificate_holds_for_its_names_and_no_other(
    cluster: Cluster, tmp_path: Path, name: str
) -> None:
    made = context(cluster, tmp_path, None)
    _, writer = await asyncio.open_connection(
        "127.0.0.1", cluster.port, ssl=made, server_hostname=name
    )
    writer.close()
    with pytest.raises(ssl.SSLCertVerificationError, match=r"example\.org"):
        await asyncio.open_connection(
            "127.0.0.1", cluster.port, ssl=made, server_hostname="example.org"
        )


async def test_plain_http_is_told_to_speak_https(cluster: Cluster) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", cluster.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (await reader.read(-1)).endswith(b"Client sent an HTTP request to an HTTPS server.\n")
    writer.close()
