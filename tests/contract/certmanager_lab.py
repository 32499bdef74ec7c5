"""A cluster in this process with cert-manager on it, and real kubectl to reach it with."""

import asyncio
import base64
import json
import os
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import yaml
from cryptography import x509

import tutor.sandbox.components as products
from tests.contract.bare import kubeconfig
from tests.fakes.waiting import DEADLINE_S, until
from tutor.sandbox import pki
from tutor.sandbox.catalogue import components
from tutor.sandbox.cluster.assembly import Cluster, running
from tutor.sandbox.cluster.settings import ClusterSettings
from tutor.sandbox.kinds import GroupResource, Object, name_of
from tutor.sandbox.pace import INSTANT, Pace

GROUP = "cert-manager.io"
CERTIFICATES = GroupResource(GROUP, "certificates")
REQUESTS = GroupResource(GROUP, "certificaterequests")
ISSUERS = GroupResource(GROUP, "clusterissuers")
SECRETS = GroupResource("", "secrets")
EVENTS = GroupResource("", "events")
PODS = GroupResource("", "pods")
DEPLOYMENTS = GroupResource("apps", "deployments")
MUTATING = GroupResource("admissionregistration.k8s.io", "mutatingwebhookconfigurations")
VALIDATING = GroupResource("admissionregistration.k8s.io", "validatingwebhookconfigurations")
LEASES = GroupResource("coordination.k8s.io", "leases")
NAMESPACE, CONCIERGE = "cert-manager", "pinniped-concierge"
CA, CA_SECRET = "my-selfsigned-ca", "self-signed-ca-for-kind-testing"
LEAF, LEAF_SECRET = "impersonation-serving-cert", "impersonation-proxy-tls-serving-cert"
CA_ISSUER = "my-ca-issuer"
HOST = "impersonation-proxy-mtls.local"
MANIFEST = Path(products.__path__[0]) / "certmanager" / "manifests" / "cert-manager.yaml"
_KUBECTL = Path(__file__).resolve().parents[2] / ".venv" / "bin" / "kubectl"


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that has ended."""

    code: int
    out: str
    err: str


class Lab:
    """A cluster with cert-manager."""

    def __init__(self, cluster: Cluster, home: Path) -> None:
        self.cluster = cluster
        self.client = cluster.client
        self.home = home

    async def kubectl(self, *arguments: str, stdin: str = "") -> Ran:
        """Run kubectl as the administrator."""
        environment = {
            **os.environ,
            "KUBECONFIG": str(self.home / "kubeconfig"),
            "HOME": str(self.home),
        }
        process = await asyncio.create_subprocess_exec(
            str(_KUBECTL),
            *arguments,
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate(stdin.encode())
        return Ran(process.returncode or 0, out.decode(), err.decode())

    async def apply(self, *objects: Object) -> Ran:
        """Apply objects from standard input."""
        return await self.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(objects))

    async def apply_post(self) -> Ran:
        """Apply the file of the post."""
        return await self.kubectl("apply", "--filename", str(self.write(documents())))

    def write(self, objects: Iterable[Object], name: str = "self-signed-cert.yaml") -> Path:
        """A file with objects."""
        path = self.home / name
        path.write_text(yaml.safe_dump_all(objects))
        return path

    async def log(self, deployment: str = "cert-manager") -> list[str]:
        """The lines of a program's log."""
        ran = await self.kubectl("logs", "-n", NAMESPACE, f"deploy/{deployment}")
        return ran.out.splitlines()

    async def until_logged(self, text: str, deployment: str = "cert-manager") -> None:
        """Wait for a line of a program's log that has this in it."""
        async with asyncio.timeout(DEADLINE_S):
            while not any(  # noqa: ASYNC110 - a log tells nobody that it has grown
                text in line for line in await self.log(deployment)
            ):
                await asyncio.sleep(0.01)

    def certificate(self, name: str = LEAF, namespace: str = CONCIERGE) -> Object:
        return self.client.get(CERTIFICATES, namespace, name)

    def secret(self, name: str = LEAF_SECRET, namespace: str = CONCIERGE) -> Object | None:
        return self.client.find(SECRETS, namespace, name)

    def data(self, key: str, name: str = LEAF_SECRET, namespace: str = CONCIERGE) -> str:
        """A decoded value of a Secret, empty while it is not there."""
        found = (self.secret(name, namespace) or {}).get("data", {})
        return base64.b64decode(found.get(key, "")).decode()

    def x509(self, name: str = LEAF_SECRET, namespace: str = CONCIERGE) -> x509.Certificate:
        return pki.load_certificates(self.data("tls.crt", name, namespace))[0]

    def requests(self, namespace: str = CONCIERGE) -> list[Object]:
        """The CertificateRequests, oldest first."""
        found = self.client.list(REQUESTS, namespace)
        return sorted(found, key=lambda obj: int(obj["metadata"]["resourceVersion"]))

    def events(self, name: str, namespace: str = CONCIERGE) -> list[tuple[str, str, str]]:
        """Source, reason and message of the events on an object, in their order."""
        found = [
            event
            for event in self.client.list(EVENTS, namespace)
            if event["involvedObject"]["name"] == name
        ]
        found.sort(key=lambda event: int(event["metadata"]["name"].rpartition(".")[2], 16))
        return [(e["source"]["component"], e["reason"], e["message"]) for e in found]

    def messages(self, name: str, namespace: str = CONCIERGE) -> list[str]:
        """What the events on an object say."""
        return [message for _, _, message in self.events(name, namespace)]

    async def until_ready(self, name: str = LEAF, namespace: str = CONCIERGE) -> None:
        """Wait until a Certificate is issued and ready."""

        def is_ready() -> bool:
            found = self.client.find(CERTIFICATES, namespace, name) or {}
            states = conditions(found)
            return states.get("Ready", ("",))[0] == "True" and "Issuing" not in states

        await until(is_ready)

    async def until_condition(
        self, resource: GroupResource, place: tuple[str, str], kind: str, wanted: Sequence[str]
    ) -> None:
        """Wait until a condition has a status, a reason and a message."""

        def has() -> bool:
            found = self.client.find(resource, *place) or {}
            return conditions(found).get(kind) == tuple(wanted)

        await until(has)

    async def until_request(self, wanted: tuple[str, str, str], namespace: str = CONCIERGE) -> None:
        """Wait until a CertificateRequest is ready or not so."""

        def has() -> bool:
            return any(conditions(r).get("Ready") == wanted for r in self.requests(namespace))

        await until(has)

    async def issued(self) -> None:
        """The two certificates of the post, issued."""
        ran = await self.apply_post()
        assert ran.code == 0, ran.err
        await self.until_ready(CA, NAMESPACE)
        await self.until_ready()


def conditions(obj: Object) -> dict[str, tuple[str, str, str]]:
    """Status, reason and message by type."""
    status: Object = obj.get("status") or {}
    found: list[Object] = status.get("conditions") or []
    return {c["type"]: (c["status"], c.get("reason", ""), c.get("message", "")) for c in found}


def certificate_of(name: str, namespace: str = CONCIERGE, **spec: object) -> Object:
    """A Certificate to apply."""
    return {
        "apiVersion": "cert-manager.io/v1",
        "kind": "Certificate",
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }


def cluster_issuer(name: str, **spec: object) -> Object:
    """A ClusterIssuer to apply."""
    return {
        "apiVersion": "cert-manager.io/v1",
        "kind": "ClusterIssuer",
        "metadata": {"name": name},
        "spec": spec,
    }


def documents() -> list[Object]:
    """The objects of the post's file: two issuers, and a certificate of each."""
    by = {"kind": "ClusterIssuer", "group": GROUP}
    ca = {
        "isCA": True,
        "commonName": CA,
        "secretName": CA_SECRET,
        "privateKey": {"algorithm": "ECDSA", "size": 256},
        "issuerRef": {"name": "selfsigned-cluster-issuer", **by},
    }
    leaf = {
        "secretName": LEAF_SECRET,
        "duration": "2160h",
        "renewBefore": "360h",
        "subject": {"organizations": ["Pinniped"]},
        "isCA": False,
        "privateKey": {"algorithm": "RSA", "encoding": "PKCS1", "size": 2048},
        "usages": ["server auth"],
        "dnsNames": [HOST],
        "issuerRef": {"name": CA_ISSUER, **by},
    }
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        cluster_issuer("selfsigned-cluster-issuer", selfSigned={}),
        certificate_of(CA, NAMESPACE, **ca),
        cluster_issuer(CA_ISSUER, ca={"secretName": CA_SECRET}),
        certificate_of(LEAF, CONCIERGE, **leaf),
    ]


def changed_document(name: str, change: Callable[[Object], object]) -> Object:
    """An object of the post's file, changed in place."""
    found = next(obj for obj in documents() if name_of(obj) == name)
    change(found)
    return found


@asynccontextmanager
async def bare(home: Path, pace: Pace = INSTANT) -> AsyncGenerator[Lab]:
    """A cluster without cert-manager."""
    settings = ClusterSettings(
        name="lab", folder=home / "cluster", node="lab-node", pace=pace, components=components()
    )
    async with running(settings) as cluster:
        keys = cluster.keys
        facts = {
            "server": cluster.url,
            "ca": keys.ca.pem,
            "certificate": keys.admin.certificate,
            "key": keys.admin.key,
        }
        (home / "kubeconfig").write_text(json.dumps(kubeconfig(facts)))
        yield Lab(cluster, home)


@asynccontextmanager
async def installed(home: Path, pace: Pace = INSTANT) -> AsyncGenerator[Lab]:
    """A cluster whose webhook answers, and the Concierge's namespace."""
    async with bare(home, pace) as lab:
        await lab.kubectl("create", "namespace", CONCIERGE)
        ran = await lab.kubectl("apply", "--filename", str(MANIFEST))
        assert ran.code == 0, ran.err
        await until(lambda: is_injected(lab))
        ran = await lab.kubectl(
            *("wait", "--for=condition=Available", "deployment", "--all"),
            *("-n", NAMESPACE, "--timeout=20s"),
        )
        assert ran.code == 0, ran.err
        yield lab


def is_injected(lab: Lab) -> bool:
    """Whether both configurations have a CA."""
    found = [lab.client.find(kind, "", "cert-manager-webhook") for kind in (MUTATING, VALIDATING)]
    return all(c and c["webhooks"][0]["clientConfig"].get("caBundle") for c in found)


def moment(text: str) -> datetime:
    """A time of a status."""
    return datetime.fromisoformat(text)
