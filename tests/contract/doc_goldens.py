"""Plays the commands of the document on a whole kind cluster, where real kubectl and our products
do what stand-ins did in the recording.

Between the commands happens what happened in the recording: products are installed, the
CredentialIssuer was disabled once, the authenticator's certificate was not there yet.
"""

import asyncio
import json
import os
import shlex
import shutil
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

import tutor.sandbox.components as products
from tests.contract.bare import kubeconfig
from tests.contract.concierge_lab import is_ready, new_client
from tests.contract.normalise import normalise
from tests.fakes.waiting import until
from tutor.sandbox.catalogue import components
from tutor.sandbox.cluster.assembly import Cluster, running
from tutor.sandbox.cluster.settings import ClusterSettings
from tutor.sandbox.controllers.resources import is_true
from tutor.sandbox.kinds import GroupResource, Object
from tutor.sandbox.pace import INSTANT

CASES = Path(__file__).resolve().parents[3] / "shared" / "goldens" / "cases"
CLIENT = "1.36"
ADMIN, PINNY = "kind-with-contour.kubeconfig.yaml", "pinny.kubeconfig.yaml"
_MANIFESTS = Path(products.__path__[0])
_KUBECTL = Path(__file__).resolve().parents[2] / ".venv" / "bin"
_AUTHENTICATOR = "local-user-authenticator"
_AUTHENTICATOR_TLS = "local-user-authenticator-tls-serving-certificate"
_ISSUER = "pinniped-concierge-config"
_SECRETS = GroupResource("", "secrets")
_SERVICES = GroupResource("", "services")
_PODS = GroupResource("", "pods")
_DEFINITIONS = GroupResource("apiextensions.k8s.io", "customresourcedefinitions")
_ISSUERS = GroupResource("config.concierge.pinniped.dev", "credentialissuers")
_RECORDED_RESOURCES = (
    ("Namespace", "pinniped-concierge"),
    ("ServiceAccount", "pinniped-concierge"),
    ("ConfigMap", _ISSUER),
    ("Service", "pinniped-concierge-api"),
    ("Deployment", "pinniped-concierge"),
    ("CredentialIssuer", _ISSUER),
)
_CRDS = "concierge/manifests/install-pinniped-concierge-crds.yaml"
_EDIT = """\
sed -i \\
  -e 's/mode: disabled/mode: enabled/' \\
  -e 's/type: LoadBalancer$/type: ClusterIP/' \\
  -e 's/^  impersonationProxy:/&\\n    externalEndpoint: impersonation-proxy-mtls.local/' "$1"
"""


@dataclass(frozen=True, slots=True)
class Played:
    """What a command did, here or in the recording. Requests: method, path, status."""

    exit: int
    out: str
    err: str
    discovery: frozenset[tuple[str, int]]
    requests: tuple[tuple[str, str, int], ...]


def recorded(case: str) -> Played:
    """A case as it was recorded."""
    run = _document(case)["runs"][CLIENT]
    hops = [(each["method"], each["path"], each["status"]) for each in run["requests"]]
    return _played(run["exit_code"], run["stdout"], run["stderr"], hops)


def _document(case: str) -> dict[str, Any]:
    return json.loads((CASES / f"{case}.json").read_text())


def _played(code: int, out: str, err: str, hops: list[tuple[str, str, int]]) -> Played:
    paths = [(method, path.partition("?")[0], status) for method, path, status in hops]
    return Played(
        code,
        normalise(out),
        normalise(err),
        frozenset((path, status) for _, path, status in paths if _is_discovery(path)),
        tuple(each for each in paths if not _is_discovery(each[1])),
    )


def _is_discovery(path: str) -> bool:
    return path in ("/api", "/apis") or path.startswith("/openapi/")


class Document:
    """The cluster of the document, and what its commands did."""

    def __init__(self, cluster: Cluster, folder: Path, hops: list[tuple[str, str, int]]) -> None:
        self._cluster = cluster
        self._folder = folder
        self._hops = hops
        self.played: dict[str, Played] = {}

    async def play(self, case: str) -> None:
        """Play one recorded command."""
        document = _document(case)
        for name, text in dict(document.get("files") or {}).items():
            if isinstance(text, str):
                (self._folder / name).write_text(text)
        run = document["runs"][CLIENT]
        if run["cache"] == "cold":
            shutil.rmtree(self._folder / ".kube", ignore_errors=True)
        self._hops.clear()
        code, out, err = await self._run(run["command"], run["env"])
        self.played[case] = _played(code, out, err, list(self._hops))

    async def kubectl(self, words: str, **environment: str) -> None:
        """Run a command that is in no recording; it has to work."""
        code, _, err = await self._run(f"kubectl {words}", {"KUBECONFIG": ADMIN, **environment})
        assert code == 0, err

    async def _run(self, command: str, environment: Mapping[str, str]) -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            "/bin/sh",
            "-c",
            command,
            cwd=self._folder,
            env={
                "PATH": f"{_KUBECTL}{os.pathsep}/usr/bin{os.pathsep}/bin",
                "HOME": str(self._folder),
                "LANG": "C.UTF-8",
                **environment,
            },
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return process.returncode or 0, out.decode(), err.decode()

    def manifest(self, source: str, name: str, wanted: Callable[[Object], bool] = bool) -> None:
        """Write the wanted objects of an install manifest to a file."""
        self.write(name, yaml.safe_dump_all(filter(wanted, manifest(source)), sort_keys=False))

    def credentials(self, name: str, certificate: str, key: str) -> None:
        """Write a kubeconfig."""
        facts = {
            "server": self._cluster.url,
            "ca": self._cluster.keys.ca.pem,
            "certificate": certificate,
            "key": key,
        }
        (self._folder / name).write_text(json.dumps(kubeconfig(facts)))

    def found(self, resource: GroupResource, namespace: str, name: str) -> Object | None:
        """An object of the cluster."""
        return self._cluster.client.find(resource, namespace, name)

    async def until_served(self) -> None:
        """Wait until the custom resources are served that are defined: kubectl looks for them."""

        def are() -> bool:
            definitions = self._cluster.client.list(_DEFINITIONS)
            return all(is_true(each, "Established") for each in definitions)

        await until(are)

    async def until_ready(self, namespace: str, count: int) -> None:
        """Wait until so many pods are ready or complete, and no other is there."""

        def are() -> bool:
            pods = self._cluster.client.list(_PODS, namespace)
            return len(pods) == count and all(map(_is_settled, pods))

        await until(are)

    def write(self, name: str, text: str) -> None:
        """Write a file of the folder."""
        (self._folder / name).write_text(text)


def manifest(source: str) -> list[Object]:
    """The objects of an install manifest of ours."""
    text = (_MANIFESTS / source).read_text()
    return [obj for obj in yaml.load_all(text, yaml.CSafeLoader) if obj]


def as_recorded(concierge: list[Object]) -> list[Object]:
    """The six objects of the recording's Concierge, in its order.

    Its Deployment had nothing of what kubectl finds changed whenever it looks, since the server
    fills it in: an empty `env`, and references without an `apiVersion`.
    """
    everything = [*manifest(_CRDS), *concierge]
    found = {(obj["kind"], obj["metadata"]["name"]): obj for obj in everything}
    pod = found["Deployment", "pinniped-concierge"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    del container["env"]
    pod["volumes"] = [volume for volume in pod["volumes"] if "downwardAPI" not in volume]
    mounted = {volume["name"] for volume in pod["volumes"]}
    container["volumeMounts"] = [m for m in container["volumeMounts"] if m["name"] in mounted]
    return [found[each] for each in _RECORDED_RESOURCES]


def _is_settled(pod: Object) -> bool:
    return is_ready(pod) or pod.get("status", {}).get("phase") == "Succeeded"


@asynccontextmanager
async def _document_cluster(folder: Path) -> AsyncGenerator[Document]:
    hops: list[tuple[str, str, int]] = []

    def hear(kind: str, fields: Mapping[str, Any]) -> None:
        if kind == "api" and fields.get("user") in ("kubernetes-admin", "pinny"):
            hops.append((fields["method"], fields["path"], fields["status"]))

    settings = ClusterSettings(
        name="kind-with-contour",
        folder=folder / "cluster",
        node="kind-with-contour-control-plane",
        pace=INSTANT,
        components=components(),
        publish=hear,
    )
    async with running(settings) as cluster:
        document = Document(cluster, folder, hops)
        admin = cluster.keys.admin
        document.credentials(ADMIN, admin.certificate, admin.key)
        pinny = new_client(cluster.keys.ca, "pinny", "group-for-mtls")
        document.credentials(PINNY, pinny.certificate, pinny.key)
        yield document


async def play(folder: Path) -> dict[str, Played]:
    """Play everything, in the order of the document."""
    async with _document_cluster(folder) as document:
        await _ingress(document)
        await _authenticator(document)
        await _products(document)
        await _issuer(document)
        await _rights(document)
        return document.played


async def _ingress(document: Document) -> None:
    document.manifest("contour/manifests/contour.yaml", "contour.yaml")
    await document.play("doc-apply-contour")
    await document.until_ready("projectcontour", 4)
    await document.play("doc-get-pods-contour")


async def _authenticator(document: Document) -> None:
    file = "install-local-user-authenticator.yaml"
    document.manifest(f"localuser/manifests/{file}", file)
    await document.play("doc-apply-local-user-authenticator")
    await document.play("doc-create-secret-pinny")

    def has_certificate() -> bool:
        return document.found(_SECRETS, _AUTHENTICATOR, _AUTHENTICATOR_TLS) is not None

    await until(has_certificate)
    await document.play("doc-get-secret-jsonpath")
    here = f"--namespace {_AUTHENTICATOR}"
    await document.kubectl(f"scale deployment {_AUTHENTICATOR} --replicas 0 {here}")
    await document.until_ready(_AUTHENTICATOR, 0)
    await document.kubectl(f"delete secret {_AUTHENTICATOR_TLS} {here}")
    await document.play("doc-get-secret-jsonpath-not-found")
    await document.kubectl(f"scale deployment {_AUTHENTICATOR} --replicas 1 {here}")
    await until(has_certificate)


async def _products(document: Document) -> None:
    crds, resources = (f"install-pinniped-concierge-{each}.yaml" for each in ("crds", "resources"))
    source = f"concierge/manifests/{crds}"
    document.manifest(source, crds, lambda obj: obj["kind"] == "CustomResourceDefinition")
    await document.play("doc-apply-pinniped-crds")
    await document.until_served()
    recorded_alone = as_recorded(manifest(f"concierge/manifests/{resources}"))
    document.write("before.yaml", yaml.safe_dump_all(recorded_alone[:-1], sort_keys=False))
    await document.kubectl("apply --filename before.yaml")
    document.write(resources, yaml.safe_dump_all(recorded_alone, sort_keys=False))
    await document.play("doc-apply-pinniped-resources")
    for name in (crds, resources):
        document.manifest(f"concierge/manifests/{name}", name)
        await document.kubectl(f"apply --filename {name}")
    source = "certmanager/manifests/cert-manager.yaml"
    document.manifest(
        source, "cert-manager.crds.yaml", lambda obj: obj["kind"] == "CustomResourceDefinition"
    )
    await document.play("doc-apply-cert-manager-crds")
    await document.until_served()
    await document.play("doc-apply-self-signed-cert")
    document.manifest(source, "cert-manager.yaml")
    await document.kubectl("apply --filename cert-manager.yaml")
    secret = "self-signed-ca-for-kind-testing"
    await until(lambda: document.found(_SECRETS, "cert-manager", secret))
    await document.play("doc-get-secret-jsonpath-escaped")


async def _issuer(document: Document) -> None:
    await document.kubectl(
        f"patch credentialissuer {_ISSUER} --type merge --patch "
        + shlex.quote('{"spec":{"impersonationProxy":{"mode":"disabled"}}}')
    )
    document.write("ed-change.sh", _EDIT)
    await document.play("doc-edit-credentialissuer")

    def strategies() -> list[Object]:
        issuer = document.found(_ISSUERS, "", _ISSUER) or {}
        status: Object = issuer.get("status") or {}
        return status.get("strategies") or []

    await until(lambda: {one["status"] for one in strategies()} == {"Success"})
    await document.play("doc-get-credentialissuer-yaml")
    await document.play("doc-get-service-yaml")
    await document.play("doc-apply-webhookauthenticator")
    await document.play("doc-apply-httpproxy")
    await document.play("doc-get-credentialissuer-jsonpath")


async def _rights(document: Document) -> None:
    await document.play("doc-forbidden-pinny")
    await document.play("doc-create-clusterrolebinding")
    await document.play("doc-get-pods-pinny-allowed")
