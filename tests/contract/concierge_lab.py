"""A cluster in this process with the Concierge on it, and real clients to reach it with."""

import asyncio
import base64
import json
import os
import ssl
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import bcrypt
import yaml
from cryptography import x509

import tutor.sandbox.components as products
from tests.contract.concierge_clients import Ran, Reply, ask, b64, eventually, login_request
from tests.fakes.waiting import until
from tutor.clock import SystemClock
from tutor.sandbox import pki
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.catalogue import components
from tutor.sandbox.cluster.assembly import Cluster, running
from tutor.sandbox.cluster.settings import ClusterSettings
from tutor.sandbox.component import Publish, unheard
from tutor.sandbox.kinds import GroupResource, Object
from tutor.sandbox.pace import INSTANT, Pace
from tutor.sandbox.pki import Authority, Pair

NAMESPACE = "pinniped-concierge"
HOST = "impersonation-proxy-mtls.local"
TLS_SECRET = "impersonation-proxy-tls-serving-cert"
ISSUER = "pinniped-concierge-config"
ISSUERS = GroupResource("config.concierge.pinniped.dev", "credentialissuers")
WEBHOOKS = GroupResource("authentication.concierge.pinniped.dev", "webhookauthenticators")
SECRETS = GroupResource("", "secrets")
SERVICES = GroupResource("", "services")
PODS = GroupResource("", "pods")
NODES = GroupResource("", "nodes")
CONFIG_MAPS = GroupResource("", "configmaps")
DEPLOYMENTS = GroupResource("apps", "deployments")
API_SERVICES = GroupResource("apiregistration.k8s.io", "apiservices")
BINDINGS = GroupResource("rbac.authorization.k8s.io", "clusterrolebindings")
PROXY_SERVICE = "pinniped-concierge-proxy"
LOGINS = "/apis/login.concierge.pinniped.dev/v1alpha1/tokencredentialrequests"
IDENTITIES = "/apis/identity.concierge.pinniped.dev/v1alpha1/whoamirequests"
FOLDER = Path(products.__path__[0])
_BIN = Path(__file__).resolve().parents[2] / ".venv" / "bin"
_MANIFESTS = (
    "localuser/manifests/install-local-user-authenticator.yaml",
    "concierge/manifests/install-pinniped-concierge-crds.yaml",
    "concierge/manifests/install-pinniped-concierge-resources.yaml",
)
_BY_KIND = {"SIGNING": "KubeClusterSigningCertificate", "PROXY": "ImpersonationProxy"}


class Lab:
    """A cluster with the Concierge."""

    def __init__(self, cluster: Cluster, home: Path) -> None:
        self.cluster = cluster
        self.client = cluster.client
        self.home = home
        self.ca = new_ca()

    def find(self, resource: GroupResource, name: str, namespace: str = NAMESPACE) -> Object | None:
        return self.client.find(resource, namespace, name)

    def strategy(self, kind: str) -> Object:
        """A strategy of the CredentialIssuer, empty before there is one."""
        issuer: Object = self.find(ISSUERS, ISSUER, "") or {}
        status: Object = issuer.get("status") or {}
        found: list[Object] = status.get("strategies") or []
        none: Object = {}
        return next((one for one in found if one["type"] == _BY_KIND[kind]), none)

    def proxy(self) -> tuple[str, str]:
        """Reason and message of the proxy's strategy."""
        strategy = self.strategy("PROXY")
        return strategy.get("reason", ""), strategy.get("message", "")

    def info(self) -> Object:
        """What the status tells clients of the proxy."""
        return self.strategy("PROXY")["frontend"]["impersonationProxyInfo"]

    def advertised(self) -> str:
        """The name of the CA in the status."""
        text = base64.b64decode(self.info()["certificateAuthorityData"])
        return pki.load_certificates(text)[0].subject.rfc4514_string()

    async def until_failed(self, text: str) -> None:
        """Wait until the proxy's strategy is an error with this text."""
        await until(lambda: self.proxy() == ("ErrorDuringSetup", text))
        assert "frontend" not in self.strategy("PROXY")

    def concierge_pods(self) -> list[Object]:
        """The pods of the Concierge itself."""
        return [pod for pod in self.client.list(PODS, NAMESPACE) if is_concierge(pod)]

    async def log(self) -> list[Object]:
        """The lines of the Concierge's log."""
        pod = self.concierge_pods()[0]
        path = f"/api/v1/namespaces/{NAMESPACE}/pods/{pod['metadata']['name']}/log"
        reply = await self.ask_api(path, pair=self.cluster.keys.admin)
        return [json.loads(line) for line in reply.text.splitlines()]

    async def until_logged(self, message: str) -> None:
        """Wait for a line of the Concierge's log."""

        async def is_there() -> bool:
            return message in await self.messages()

        await eventually(is_there)

    async def until_login(self, status: Object) -> None:
        """Wait until logins are answered so."""

        async def is_answered() -> bool:
            return (await self.login()).body["status"] == status

        await eventually(is_answered)

    async def until_handshake(self, context: ssl.SSLContext, error: str) -> None:
        """Wait until handshakes end so."""

        async def is_so() -> bool:
            return error in await self.handshake(context)

        await eventually(is_so)

    async def until_available(self) -> None:
        """Wait until both aggregated APIs are."""
        names = [f"v1alpha1.{n}.concierge.pinniped.dev" for n in ("login", "identity")]

        def are() -> bool:
            services = [self.client.get(API_SERVICES, "", name) for name in names]
            return all(s["status"]["conditions"][0]["status"] == "True" for s in services)

        await until(are)

    async def messages(self) -> list[str]:
        """What the lines of the log say."""
        return [line["message"] for line in await self.log()]

    async def create(self, obj: Object) -> Object:
        return await self.client.create(obj)

    async def configure(self, **proxy: Any) -> None:
        """Change the spec of the proxy; None takes a field away."""
        change = {"spec": {"impersonationProxy": proxy}}
        await self.client.patch(ISSUERS, "", ISSUER, change)

    async def put_tls(self, pair: Pair, name: str = TLS_SECRET, **more: str) -> None:
        """Create or replace the external TLS Secret."""
        values = {"tls.crt": pair.certificate, "tls.key": pair.key, **more}
        await self.put_secret(name, values, "kubernetes.io/tls")

    async def put_secret(
        self, name: str, values: Mapping[str, str], kind: str, namespace: str = NAMESPACE
    ) -> None:
        data = {key: b64(value) for key, value in values.items()}
        if self.client.find(SECRETS, namespace, name) is not None:
            await self.client.patch(SECRETS, namespace, name, {"data": data})
            return
        meta = {"name": name, "namespace": namespace}
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": kind}
        await self.client.create({**secret, "data": data})

    async def as_in_the_post(self) -> None:
        """The proxy, enabled with an external certificate."""
        await self.put_tls(new_serving(self.ca), **{"ca.crt": self.ca.pem})
        await self.configure(
            mode="enabled",
            externalEndpoint=HOST,
            service={"type": "ClusterIP"},
            tls={"certificateAuthorityData": b64(self.ca.pem), "secretName": TLS_SECRET},
        )
        await until(lambda: self.proxy()[0] == "Listening")

    async def trust_local_users(self) -> None:
        """The WebhookAuthenticator of the post, and its user pinny."""
        tls = "local-user-authenticator-tls-serving-certificate"
        await until(lambda: self.client.find(SECRETS, "local-user-authenticator", tls))
        secret = self.client.get(SECRETS, "local-user-authenticator", tls)
        await self.put_webhook(secret["data"]["caCertificate"])
        await self.put_user("pinny", "password123", "group-for-mtls")

    async def put_webhook(self, bundle: str) -> None:
        """Create or change the WebhookAuthenticator. `bundle` is base64."""
        host = "local-user-authenticator.local-user-authenticator.svc"
        spec = {
            "endpoint": f"https://{host}/authenticate",
            "tls": {"certificateAuthorityData": bundle},
        }
        name = "local-user-authenticator"
        if self.client.find(WEBHOOKS, "", name) is not None:
            await self.client.patch(WEBHOOKS, "", name, {"spec": spec})
            return
        await self.client.create(
            {
                "apiVersion": "authentication.concierge.pinniped.dev/v1alpha1",
                "kind": "WebhookAuthenticator",
                "metadata": {"name": name},
                "spec": spec,
            }
        )

    async def put_user(self, name: str, password: str, groups: str) -> None:
        digest = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()
        values = {"passwordHash": digest, "groups": groups}
        await self.put_secret(name, values, "Opaque", "local-user-authenticator")

    async def scale(self, replicas: int) -> None:
        await self.client.patch(
            DEPLOYMENTS, NAMESPACE, "pinniped-concierge", {"spec": {"replicas": replicas}}
        )

    async def restart(self) -> None:
        """Delete the Concierge's pods and wait for their successors."""
        old = {pod["metadata"]["uid"] for pod in self.concierge_pods()}
        for pod in self.concierge_pods():
            await self.client.delete(PODS, NAMESPACE, pod["metadata"]["name"])

        def renewed() -> bool:
            pods = self.concierge_pods()
            fresh = [p for p in pods if p["metadata"]["uid"] not in old]
            return len(pods) == len(fresh) == 2 and all(map(is_ready, fresh))

        await until(renewed)

    def api_ca(self) -> str:
        """The CA of the aggregated API."""
        name = "pinniped-concierge-api-tls-serving-certificate"
        secret = self.client.get(SECRETS, NAMESPACE, name)
        return base64.b64decode(secret["data"]["caCertificate"]).decode()

    def loopback(self, service: str = PROXY_SERVICE) -> int:
        """The port of this machine behind a Service's port 443."""
        return self.cluster.network.to_service(NAMESPACE, service, 443).loopback

    def proxy_context(self, ca: str | None = None, pair: Pair | None = None) -> ssl.SSLContext:
        context = ssl.create_default_context(cadata=ca or self.ca.pem)
        if pair is not None:
            path = self.home / "client.pem"
            path.write_text(pair.certificate + pair.key)
            context.load_cert_chain(path)
        return context

    async def ask_proxy(
        self,
        path: str,
        *,
        pair: Pair | None = None,
        body: Object | None = None,
        headers: Sequence[tuple[str, str]] = (),
        method: str = "",
    ) -> Reply:
        """One request to the impersonation proxy, with verified TLS."""
        context = self.proxy_context(pair=pair)
        return await ask(
            self.loopback(), path, context, HOST, body=body, headers=headers, method=method
        )

    async def ask_api(
        self,
        path: str,
        *,
        pair: Pair | None = None,
        body: Object | None = None,
        headers: Sequence[tuple[str, str]] = (),
        method: str = "",
    ) -> Reply:
        """One request to the API server."""
        context = self.proxy_context(self.cluster.keys.ca.pem, pair)
        return await ask(
            self.cluster.port,
            path,
            context,
            "127.0.0.1",
            body=body,
            headers=headers,
            method=method,
        )

    async def login(self, token: str = "pinny:password123", **authenticator: str) -> Reply:
        """A TokenCredentialRequest, sent by nobody in particular."""
        return await self.ask_api(LOGINS, body=login_request(token, **authenticator))

    async def pinny(self) -> Pair:
        """The credential of pinny."""
        reply = await self.login()
        credential = reply.body["status"]["credential"]
        return Pair(credential["clientCertificateData"], credential["clientKeyData"])

    async def kubectl(self, *words: str, proxied_as: Pair | None = None) -> Ran:
        """Run the real kubectl, as the administrator or as somebody through the proxy."""
        path = self.home / "kubeconfig"
        path.write_text(json.dumps(self._kubeconfig(proxied_as)))
        environment = {**os.environ, "KUBECONFIG": str(path), "HOME": str(self.home)}
        process = await asyncio.create_subprocess_exec(
            _BIN / "kubectl",
            *words,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
        )
        out, err = await process.communicate()
        return Ran(process.returncode or 0, out.decode(), err.decode())

    def _kubeconfig(self, proxied_as: Pair | None) -> Object:
        pair = proxied_as or self.cluster.keys.admin
        cluster: Object = {
            "server": self.cluster.url,
            "certificate-authority-data": b64(self.cluster.keys.ca.pem),
        }
        if proxied_as is not None:
            cluster = {
                "server": f"https://127.0.0.1:{self.loopback()}",
                "certificate-authority-data": b64(self.ca.pem),
                "tls-server-name": HOST,
            }
        user = {
            "client-certificate-data": b64(pair.certificate),
            "client-key-data": b64(pair.key),
        }
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "x", "cluster": cluster}],
            "users": [{"name": "x", "user": user}],
            "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
            "current-context": "x",
        }

    async def served(self) -> x509.Certificate:
        """The certificate that the proxy presents now."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        _, writer = await asyncio.open_connection("127.0.0.1", self.loopback(), ssl=context)
        try:
            presented = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            return x509.load_der_x509_certificate(presented)
        finally:
            writer.close()
            await writer.wait_closed()

    async def handshake(self, context: ssl.SSLContext, name: str = HOST) -> str:
        """What becomes of a handshake: empty, or the error."""
        try:
            _, writer = await asyncio.open_connection(
                "127.0.0.1", self.loopback(), ssl=context, server_hostname=name
            )
        except (OSError, ssl.SSLError) as error:
            return str(error)
        writer.close()
        await writer.wait_closed()
        return ""


def is_concierge(pod: Object) -> bool:
    return pod["metadata"].get("labels", {}).get("deployment.pinniped.dev") == "concierge"


def is_ready(pod: Object) -> bool:
    conditions: list[Object] = pod.get("status", {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def new_ca(name: str = "my-selfsigned-ca") -> Authority:
    return pki.new_authority(name, now=now(), lifetime=timedelta(days=90))


def new_serving(ca: Authority, host: str = HOST) -> Pair:
    return pki.issue(
        ca, subject=pki.subject_of(), now=now(), lifetime=timedelta(days=90), hosts=[host]
    )


def new_client(ca: Authority, name: str, *groups: str, **how: Any) -> Pair:
    settings: dict[str, Any] = {
        "now": now(),
        "lifetime": timedelta(hours=1),
        "extended": (pki.CLIENT_AUTH,),
    }
    return pki.issue(ca, subject=pki.subject_of(name, groups), **(settings | how))


def now() -> datetime:
    """The time of the cluster, which is the machine's."""
    return SystemClock().now()


@asynccontextmanager
async def lab(
    folder: Path,
    *,
    pace: Pace = INSTANT,
    change: Callable[[Object], None] = lambda _obj: None,
    publish: Publish = unheard,
) -> AsyncGenerator[Lab]:
    """A kind cluster with local-user-authenticator and the Concierge, ready.

    `change` may change an object of the manifests before it is created; `publish` hears the hops of
    requests.
    """
    settings = ClusterSettings(
        name="kind-with-contour",
        folder=folder / "cluster",
        node="kind-with-contour-control-plane",
        pace=pace,
        components=components(),
        publish=publish,
    )
    async with running(settings) as cluster:
        for name in _MANIFESTS:
            for obj in yaml.load_all((FOLDER / name).read_text(), yaml.CSafeLoader):
                change(obj)
                await _create(cluster, obj)
        yield Lab(cluster, folder)


async def _create(cluster: Cluster, obj: Object) -> None:
    for _ in range(1000):
        try:
            await cluster.client.create(obj)
        except ApiError as error:
            if error.code != 404:
                raise
            await asyncio.sleep(0.005)
        else:
            return
    raise AssertionError(f"{obj['kind']} is not served")
