"""What kubectl makes of our Tables, against what it printed for a real server's.

The commands' output is that of the recorded scenarios; the objects are those that their files and
commands make. Ages and assigned addresses are set as they were in the recording.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from tutor.sandbox.api.tables import columns, table
from tutor.sandbox.kinds import Kind, Object

SCENARIOS = Path(__file__).resolve().parents[4] / "shared" / "scenarios"

pytestmark = pytest.mark.skipif(
    not SCENARIOS.is_dir(),
    reason="the scenarios (../shared/scenarios) are not beside this checkout",
)

NOW = datetime(2026, 11, 24, 7, 38, 22, tzinfo=UTC)


def recorded(scenario: str, command: str) -> str:
    steps = yaml.safe_load((SCENARIOS / f"{scenario}.yaml").read_text())["steps"]
    return next(step["stdout"] for step in steps if step["run"] == command)


def kind(plural: str, group: str = "", *, custom: bool = False) -> Kind:
    return Kind(
        group=group,
        version="v1",
        kind="",
        plural=plural,
        singular="",
        namespaced=True,
        verbs=(),
        custom=custom,
    )


def printed(
    of: Kind, objects: list[Object], declared: list[Object] | None = None, *, wide: bool = False
) -> str:
    """The table as kubectl lays it out: columns padded to at least six, three blanks between."""
    shown = columns(of, declared or ())
    made = table(of, objects, shown, include="None", now=NOW, list_meta={})
    kept = [index for index, one in enumerate(shown) if wide or not one.priority]
    lines = [[shown[index].name.upper() for index in kept]]
    lines += [[_text(row["cells"][index]) for index in kept] for row in made["rows"]]
    widths = [max(6, 3 + max(map(len, column))) for column in zip(*lines, strict=True)]
    return "".join(
        "".join(f"{cell:{width}}" for cell, width in zip(line, widths[:-1], strict=False))
        + f"{line[-1]}\n"
        for line in lines
    )


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    return str(cell).lower() if isinstance(cell, bool) else str(cell)


def named(name: str, age_s: int, **fields: Any) -> Object:
    created = NOW.replace(second=NOW.second - age_s).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"metadata": {"name": name, "creationTimestamp": created}, **fields}


def service(name: str, type_: str, ip: str, *ports: Object, age_s: int = 1, **spec: Any) -> Object:
    ips = {"clusterIP": ip, "clusterIPs": [ip]} if ip else {}
    return named(name, age_s, spec={"type": type_, **ips, "ports": list(ports), **spec})


def port(number: int, node_port: int = 0) -> Object:
    return {"port": number, "protocol": "TCP", **({"nodePort": node_port} if node_port else {})}


def trips() -> tuple[list[Object], list[Object]]:
    files = yaml.safe_load((SCENARIOS / "crd" / "printer-columns.yaml").read_text())["files"]
    (version,) = yaml.safe_load(files["crd.yaml"])["spec"]["versions"]
    objects = [
        named(document["metadata"]["name"], 0, spec=document.get("spec") or {})
        for document in yaml.safe_load_all(files["trips.yaml"])
    ]
    by_name = sorted(objects, key=lambda one: one["metadata"]["name"])
    return by_name, version["additionalPrinterColumns"]


TRIP = kind("trips", "sea.example.com", custom=True)


def test_custom_columns_are_printed_as_recorded() -> None:
    objects, declared = trips()

    assert printed(TRIP, objects, declared) == recorded("crd/printer-columns", "kubectl get trips")


def test_wide_custom_columns_are_printed_as_recorded() -> None:
    objects, declared = trips()

    shown = printed(TRIP, objects, declared, wide=True)

    assert shown == recorded("crd/printer-columns", "kubectl get trips -o wide")


def test_custom_objects_without_columns_are_printed_as_recorded() -> None:
    objects, _ = trips()

    steps = yaml.safe_load((SCENARIOS / "crd" / "printer-columns.yaml").read_text())["steps"]
    (shown,) = [step["stdout"] for step in steps if "\nNAME    AGE\n" in step["stdout"]]
    assert shown.endswith(printed(TRIP, objects))


def test_services_are_printed_as_recorded() -> None:
    objects = [
        service("web", "ClusterIP", "10.96.192.22", port(80), port(443)),
        service("np", "NodePort", "10.96.139.29", port(80, 32584)),
        service("ext", "ExternalName", "", externalName="example.com"),
        service("none", "ClusterIP", "None"),
        service("lb", "LoadBalancer", "10.96.34.151", port(5678, 30258), age_s=0),
    ]

    shown = printed(kind("services"), objects)

    command = "kubectl get service web np ext none lb"
    assert shown == recorded("create/service-generators", command)


def test_bindings_are_printed_as_recorded_when_wide() -> None:
    subjects = [
        {"kind": "User", "name": "jane"},
        {"kind": "Group", "name": "devs"},
        {"kind": "ServiceAccount", "name": "bot", "namespace": "default"},
    ]
    role = named(
        "rolebinding.rbac.authorization.k8s.io/rb",
        1,
        roleRef={"kind": "Role", "name": "reader"},
        subjects=subjects,
    )
    cluster_role = named(
        "clusterrolebinding.rbac.authorization.k8s.io/crb",
        0,
        roleRef={"kind": "ClusterRole", "name": "view"},
        subjects=[{"kind": "Group", "name": "everyone"}],
    )

    group = "rbac.authorization.k8s.io"
    shown = "\n".join(
        [
            printed(kind("rolebindings", group), [role], wide=True),
            printed(kind("clusterrolebindings", group), [cluster_role], wide=True),
        ]
    )

    command = "kubectl get rolebinding,clusterrolebinding rb crb -o wide"
    assert shown == recorded("create/rbac-generators", command)


def test_scales_are_printed_as_recorded() -> None:
    scale = named("rs", 0, spec={}, status={"replicas": 0})

    shown = printed(kind("scale", "autoscaling"), [scale])

    command = "kubectl get replicaset rs --subresource=scale"
    assert shown == recorded("patch/subresources", command)


def test_pending_pods_are_printed_as_recorded() -> None:
    pod = named("p", 0, spec={"containers": [{"name": "c"}]}, status={"phase": "Pending"})

    shown = printed(kind("pods"), [pod])

    scenario = "workloads-objects/pod-defaults-and-immutability"
    assert shown == recorded(scenario, "kubectl get pod p")
