"""The way of bytes through Envoy, on the wire. Source: contour-and-kind.md 3.2 and 2.4."""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509

from tests.contract.concierge_clients import eventually
from tests.contract.concierge_lab import FOLDER, HOST, NAMESPACE, PROXY_SERVICE, Lab, lab
from tests.fakes.waiting import until
from tutor.sandbox.cluster.settings import NODE_ADDRESS
from tutor.sandbox.kinds import GroupResource, Object, name_of

pytestmark = pytest.mark.contract

PROXIES = GroupResource("projectcontour.io", "httpproxies")
PODS = GroupResource("", "pods")
CLOSED = b""


@pytest.fixture
async def ingress(tmp_path: Path) -> AsyncGenerator[Lab]:
    """Contour in front of the Concierge's impersonation proxy, and no HTTPProxy yet."""
    async with lab(tmp_path) as found:
        text = (FOLDER / "contour/manifests/contour.yaml").read_text()
        for obj in yaml.load_all(text, yaml.CSafeLoader):
            if obj:
                await found.create(obj)
        await found.until_available()
        await found.as_in_the_post()
        yield found


def http_proxy(name: str = "impersonation-proxy", **spec: Any) -> Object:
    """The HTTPProxy of the post, with another spec where given."""
    usual: Object = {
        "virtualhost": {"fqdn": HOST, "tls": {"passthrough": True}},
        "tcpproxy": {"services": [{"name": PROXY_SERVICE, "port": 443}]},
    }
    return {
        "apiVersion": "projectcontour.io/v1",
        "kind": "HTTPProxy",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": usual | spec,
    }


async def publish(found: Lab, proxy: Object) -> Object:
    """Create an HTTPProxy, and wait until Contour has judged it; its status."""
    await found.create(proxy)
    name = proxy["metadata"]["name"]

    def status() -> Object:
        return found.client.get(PROXIES, NAMESPACE, name).get("status") or {}

    await until(lambda: status().get("currentStatus") not in (None, "NotReconciled"))
    return status()


def behind(found: Lab, port: int = 443) -> int:
    """The port of this machine behind a port of the node; 0 for none."""
    return found.cluster.network.bound(NODE_ADDRESS, port) or 0


async def handshake(found: Lab, name: str | None) -> str:
    """Who answers for a name at port 443: the certificate's issuer, or empty when it is closed."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname=name)
    reader, writer = await asyncio.open_connection("127.0.0.1", behind(found))
    try:
        while True:
            try:
                client.do_handshake()
            except ssl.SSLWantReadError:
                writer.write(outgoing.read())
                data = await reader.read(65_536)
                if not data:
                    return ""
                incoming.write(data)
            else:
                return _issuer(client.getpeercert(binary_form=True) or b"")
    finally:
        writer.close()


def _issuer(der: bytes) -> str:
    return x509.load_der_x509_certificate(der).issuer.rfc4514_string()


async def say(found: Lab, data: bytes, port: int = 443) -> bytes:
    """What comes back for some bytes, until the connection is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", behind(found, port))
    try:
        writer.write(data)
        return await reader.read()
    finally:
        writer.close()


async def until_answered(found: Lab, issuer: str) -> None:
    """Wait until this is what a client with the right name meets."""

    async def is_so() -> bool:
        return bool(behind(found)) and await handshake(found, HOST) == issuer

    await eventually(is_so)


async def test_connections_are_passed_by_their_name_alone(ingress: Lab) -> None:
    status = await publish(ingress, http_proxy())
    assert status["description"] == "Valid HTTPProxy"
    await until_answered(ingress, "CN=my-selfsigned-ca")
    assert await handshake(ingress, HOST.upper()) == "CN=my-selfsigned-ca"
    assert await handshake(ingress, "other.local") == ""
    assert await handshake(ingress, None) == ""
    assert await say(ingress, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") == CLOSED


async def test_nothing_listens_before_there_is_something_to_serve(ingress: Lab) -> None:
    assert behind(ingress) == 0
    assert behind(ingress, 80) == 0
    await publish(ingress, http_proxy())
    await until_answered(ingress, "CN=my-selfsigned-ca")
    assert behind(ingress, 80) == 0
    await ingress.client.delete(PROXIES, NAMESPACE, "impersonation-proxy")
    await until(lambda: behind(ingress) == 0)


async def test_leader_and_certgen_are_known_by_what_they_write(ingress: Lab) -> None:
    """Who they are to the API server: seen of the real program by `make interop`."""
    place = (GroupResource("coordination.k8s.io", "leases"), "projectcontour", "leader-elect")
    await until(lambda: ingress.client.find(*place))
    holder = ingress.client.get(*place)["spec"]["holderIdentity"]
    pods = ingress.client.list(PODS, "projectcontour", {"app": "contour"})
    assert holder in {f"{name_of(pod)}_{pod['metadata']['uid']}" for pod in pods}

    def elected() -> list[Object]:
        events = ingress.client.list(GroupResource("", "events"), "projectcontour")
        return [event for event in events if event["reason"] == "LeaderElection"]

    await until(elected)
    (event,) = elected()
    assert (event["message"], event["source"]) == (f"{holder} became leader", {"component": holder})
    secret = ingress.client.get(GroupResource("", "secrets"), "projectcontour", "contourcert")
    assert [entry["manager"] for entry in secret["metadata"]["managedFields"]] == ["contour"]


async def test_proxy_that_is_invalid_serves_nothing(ingress: Lab) -> None:
    await publish(ingress, http_proxy())
    await until_answered(ingress, "CN=my-selfsigned-ca")
    await publish(ingress, http_proxy("second"))
    await until(lambda: behind(ingress) == 0)
    first = ingress.client.get(PROXIES, NAMESPACE, "impersonation-proxy")
    assert first["status"]["currentStatus"] == "invalid"
    await ingress.client.delete(PROXIES, NAMESPACE, "second")
    await until_answered(ingress, "CN=my-selfsigned-ca")


async def test_service_without_endpoints_closes_and_is_logged(ingress: Lab) -> None:
    await publish(ingress, http_proxy())
    await until_answered(ingress, "CN=my-selfsigned-ca")
    await ingress.scale(0)
    await until(lambda: not ingress.concierge_pods())
    await until_answered(ingress, "")
    status = ingress.client.get(PROXIES, NAMESPACE, "impersonation-proxy")["status"]
    assert status["currentStatus"] == "valid"

    async def is_logged() -> bool:
        # Until Envoy hears of it, the last endpoint refuses: `UF`.
        assert await handshake(ingress, HOST) == ""
        logs = await ingress.kubectl("logs", "-n", "projectcontour", "ds/envoy", "-c", "envoy")
        return '"- - -" 0 UH ' in logs.out

    await eventually(is_logged)


async def test_status_follows_the_service(ingress: Lab) -> None:
    services = {"services": [{"name": "later", "port": 443}]}
    status = await publish(ingress, http_proxy(tcpproxy=services))
    assert status["conditions"][0]["errors"][0]["message"] == (
        f'Spec.TCPProxy unresolved service reference: service "{NAMESPACE}/later" not found'
    )
    await ingress.create(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "later", "namespace": NAMESPACE},
            "spec": {"ports": [{"port": 443, "targetPort": 8444}]},
        }
    )

    def is_valid() -> bool:
        proxy = ingress.client.get(PROXIES, NAMESPACE, "impersonation-proxy")
        return proxy["status"]["currentStatus"] == "valid"

    await until(is_valid)


async def test_envoy_goes_on_without_contour(ingress: Lab) -> None:
    await publish(ingress, http_proxy())
    await until_answered(ingress, "CN=my-selfsigned-ca")
    scaled = await ingress.kubectl(
        "scale", "deployment", "contour", "-n", "projectcontour", "--replicas", "0"
    )
    assert scaled.code == 0, scaled.err

    await until(lambda: not _contour_pods(ingress))
    assert await handshake(ingress, HOST) == "CN=my-selfsigned-ca"
    await ingress.create(http_proxy("late", virtualhost={"fqdn": "late.local"}))
    late = ingress.client.get(PROXIES, NAMESPACE, "late")
    assert late["status"] == {
        "currentStatus": "NotReconciled",
        "description": "Waiting for controller",
    }


def _contour_pods(found: Lab) -> list[str]:
    """The pods of the Deployment, which are not those of certgen."""
    pods = found.client.list(PODS, "projectcontour")
    labels = [pod["metadata"].get("labels", {}) for pod in pods]
    return [each["app"] for each in labels if each.get("app") == "contour"]


async def test_routes_answer_as_envoy_does(ingress: Lab) -> None:
    routes = [{"services": [{"name": PROXY_SERVICE, "port": 443}]}]
    await publish(ingress, http_proxy(routes=routes))
    await until(lambda: behind(ingress, 80) != 0)
    redirected = await say(ingress, f"GET /a HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode(), port=80)
    assert redirected.startswith(b"HTTP/1.1 301 Moved Permanently\r\n")
    assert f"location: https://{HOST}/a\r\n".encode() in redirected
    unknown = await say(ingress, b"GET / HTTP/1.1\r\nHost: other\r\n\r\n", port=80)
    assert unknown.startswith(b"HTTP/1.1 404 Not Found\r\nserver: envoy\r\n")
