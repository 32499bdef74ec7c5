"""Contour's real `certgen` and `serve` against the sandbox's API server.

Everything is done twice, in a sandbox with our Contour and in one with the real program of the
lesson's version in its place, and must come to the same. There is no Envoy: what `serve` tells
Envoy is not looked at.
"""

import base64
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.interop.programs import CONTOUR
from tests.interop.rules import Object, told
from tests.interop.worlds import MANIFESTS, PATIENCE, Pair, World, built, free_ports, world

pytestmark = pytest.mark.timeout(600)

NAMESPACE, HERE = "projectcontour", "pinniped-concierge"
MANIFEST = MANIFESTS / "contour" / "manifests" / "contour.yaml"
THROUGH: Object = {"passthrough": True}
TCP: Object = {"services": [{"name": "proxy", "port": 443}]}
SECRETS = ("contourcert", "envoycert")
JUDGED: tuple[Object, ...] = (
    {"tls": THROUGH, "tcpproxy": TCP},
    {"tls": THROUGH},
    {"tls": {"passthrough": True, "secretName": "s"}, "tcpproxy": TCP},
    {"tls": {}, "tcpproxy": TCP},
    {"tls": {"passthrough": True, "clientValidation": {"caSecret": "c"}}, "tcpproxy": TCP},
    {"tls": {"secretName": "nope"}, "tcpproxy": TCP},
    {"tcpproxy": TCP},
    {"tls": THROUGH, "tcpproxy": TCP | {"include": {"name": "other"}}},
    {"tls": THROUGH, "tcpproxy": {}},
    {"tls": THROUGH, "tcpproxy": {"services": [{"name": "nope", "port": 443}]}},
    {"tls": THROUGH, "tcpproxy": {"services": [{"name": "proxy", "port": 8443}]}},
    {"tls": THROUGH, "tcpproxy": {"services": [{"name": "udp", "port": 53}]}},
    {"tls": THROUGH, "tcpproxy": {"services": [{"name": "outside", "port": 443}]}},
    {"tls": THROUGH, "tcpproxy": {"services": [{"name": "portless", "port": 443}]}},
    {"tls": THROUGH, "tcpproxy": {"include": {"name": "nope"}}},
    {"tls": THROUGH, "tcpproxy": {"include": {"name": "judged-00"}}},
    {"routes": [{"services": [{"name": "proxy", "port": 443}]}]},
    {"routes": [{"conditions": [{"prefix": "/a"}], "services": [{"name": "no", "port": 1}]}]},
    {"tls": THROUGH, "routes": [{"services": [{"name": "proxy", "port": 443}]}]},
    {"routes": [{"requestRedirectPolicy": {"hostname": "elsewhere.local"}}]},
    {"includes": [{"name": "nope"}]},
)
"""Of an HTTPProxy: its spec, with `tls` for that of its virtual host."""


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Generator[Pair]:
    """Two sandboxes with Contour's objects, and some Services."""
    program = built(CONTOUR)
    folder = tmp_path_factory.mktemp("contour")
    without = ("--without", "contour")
    with world(folder / "ours") as ours, world(folder / "theirs", *without) as theirs:
        pair = Pair(ours, theirs)
        assert pair.play("apply", "--filename", str(MANIFEST)).exit == 0
        _start(theirs, program)
        available = ("--for=condition=Available", "deployment/contour", "-n", NAMESPACE)
        assert pair.play("wait", *available, PATIENCE).exit == 0
        apply(pair, *_services())
        yield pair


def _services() -> list[Object]:
    outside = {"type": "ExternalName", "externalName": "example.org"}
    kinds: dict[str, Object] = {
        "proxy": {"ports": [{"port": 443}]},
        "udp": {"ports": [{"port": 53, "protocol": "UDP"}]},
        "outside": outside | {"ports": [{"port": 443}]},
        "portless": outside,
    }
    place = {"apiVersion": "v1", "kind": "Service"}
    services = [
        place | {"metadata": {"name": name, "namespace": HERE}, "spec": spec}
        for name, spec in kinds.items()
    ]
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": HERE}}
    return [namespace, *services]


def _start(theirs: World, program: Path) -> None:
    """Make the keys of xDS, and serve with them and the configuration of the manifest."""
    reach = ("--kubeconfig", str(theirs.kubeconfig))
    form = ("--kube", "--overwrite", "--secrets-format=compact", f"--namespace={NAMESPACE}")
    made = theirs.run(program, "contour", "certgen", *form, *reach)
    assert made.exit == 0, made.err
    keys = _keys(theirs)
    configuration = theirs.user.home / "contour.yaml"
    path = r"jsonpath={.data.contour\.yaml}"
    found = theirs.kubectl("get", "configmap", "contour", "-n", NAMESPACE, "-o", path)
    configuration.write_text(found.out)
    xds, http, health, debug = map(str, free_ports(4))
    here = "127.0.0.1"
    theirs.start(
        program,
        "contour",
        *("serve", *reach, "--config-path", str(configuration)),
        *("--xds-address", here, "--xds-port", xds),
        *("--http-address", here, "--http-port", http),
        *("--health-address", here, "--health-port", health),
        *("--debug-http-address", here, "--debug-http-port", debug),
        *("--contour-cafile", str(keys["ca.crt"])),
        *("--contour-cert-file", str(keys["tls.crt"])),
        *("--contour-key-file", str(keys["tls.key"])),
        CONTOUR_NAMESPACE=NAMESPACE,
        POD_NAME="contour-outside",
    )


def _keys(found: World) -> dict[str, Path]:
    """The Secret `contourcert` as files, which a pod would have mounted."""
    listed = found.kubectl("get", "secret", "contourcert", "-n", NAMESPACE, "-o", "yaml")
    files: dict[str, Path] = {}
    for name, value in yaml.safe_load(listed.out)["data"].items():
        files[name] = found.user.home / name
        files[name].write_bytes(base64.b64decode(value))
    return files


def apply(both: Pair, *objects: Object) -> None:
    """Apply objects in both."""
    ran = both.play("apply", "-f", "-", stdin=yaml.safe_dump_all(objects))
    assert ran.exit == 0, ran.err


def http_proxy(name: str, tls: Object | None = None, **spec: Any) -> Object:
    """An HTTPProxy with a host name of its own."""
    host: Object = {"fqdn": f"{name}.local"} | ({} if tls is None else {"tls": tls})
    return {
        "apiVersion": "projectcontour.io/v1",
        "kind": "HTTPProxy",
        "metadata": {"name": name, "namespace": HERE},
        "spec": {"virtualhost": host} | spec,
    }


def proxies(found: World) -> list[Object]:
    """Every HTTPProxy."""
    return found.objects("httpproxies", "-A")


def judged(found: list[Object]) -> bool:
    """Whether all have a status."""
    states = [obj.get("status", {}).get("currentStatus", "NotReconciled") for obj in found]
    return bool(states) and "NotReconciled" not in states


async def test_both_make_the_keys_of_xds(both: Pair) -> None:
    await both.same(
        lambda found: [
            secret
            for secret in found.objects("secrets", "-n", NAMESPACE)
            if secret["metadata"]["name"] in SECRETS
        ],
        lambda found: len(found) == len(SECRETS),
    )


async def test_both_lead_and_say_so(both: Pair) -> None:
    await both.same(lambda found: found.objects("leases", "-n", NAMESPACE))

    def elections(found: World) -> list[tuple[str, ...]]:
        events = found.objects("events", "-n", NAMESPACE)
        return [told(event) for event in events if event["reason"] == "LeaderElection"]

    await both.same(elections)


async def test_both_judge_proxies_in_the_same_words(both: Pair) -> None:
    made = [http_proxy(f"judged-{number:02}", **spec) for number, spec in enumerate(JUDGED)]
    apply(both, *made)
    found = await both.same(proxies, lambda found: len(found) >= len(JUDGED) and judged(found))
    assert {"valid", "invalid"} <= {obj["status"]["currentStatus"] for obj in found}
    both.play("get", "httpproxies", "-A")
    both.play("describe", "httpproxies", "-n", HERE)


async def test_both_judge_again_when_a_service_comes_and_goes(both: Pair) -> None:
    late = {"services": [{"name": "late", "port": 443}]}
    apply(both, http_proxy("late", THROUGH, tcpproxy=late))

    def state(found: list[Object]) -> str:
        return next(o for o in found if o["metadata"]["name"] == "late")["status"]["currentStatus"]

    await both.same(proxies, lambda found: judged(found) and state(found) == "invalid")
    service = {"metadata": {"name": "late", "namespace": HERE}, "spec": {"ports": [{"port": 443}]}}
    apply(both, {"apiVersion": "v1", "kind": "Service"} | service)
    await both.same(proxies, lambda found: state(found) == "valid")
    both.play("delete", "service", "late", "-n", HERE)
    await both.same(proxies, lambda found: state(found) == "invalid")


async def test_both_refuse_a_host_name_that_two_want(both: Pair) -> None:
    twins = [http_proxy(name, THROUGH, tcpproxy=TCP) for name in ("twin-a", "twin-b")]
    for twin in twins:
        twin["spec"]["virtualhost"]["fqdn"] = "twin.local"
    apply(both, *twins)
    await both.same(proxies, judged)
    both.play("get", "httpproxies", "-A")
    both.play("delete", "httpproxy", "twin-b", "-n", HERE)
    await both.same(proxies, judged)


async def test_both_leave_proxies_of_other_classes_alone(both: Pair) -> None:
    other = http_proxy("other-class", THROUGH, tcpproxy=TCP)
    apply(both, other | {"spec": other["spec"] | {"ingressClassName": "other"}})
    apply(both, http_proxy("after", THROUGH, tcpproxy=TCP))

    def is_judged(found: list[Object]) -> bool:
        return any(o["metadata"]["name"] == "after" and "conditions" in o["status"] for o in found)

    await both.same(proxies, is_judged)
    both.play("delete", "httpproxy", "other-class", "-n", HERE)
