"""Addresses and ports of services, over an API without sockets.

Source: Kubernetes' `registry/core/service/storage`.
"""

from typing import Any

import pytest

from tests.fakes.cluster import Api, Reply, obj
from tutor.sandbox.kinds import Object

PATH = "/api/v1/namespaces/here/services"
TCP: Object = {"port": 80}


def service(name: str = "s", *ports: Object, **spec: Any) -> Object:
    whole = {"ports": list(ports) or [TCP]} | spec
    return obj("Service", name, namespace="here", spec=whole)


async def make(api: Api, made: Object, *, dry: bool = False) -> Reply:
    return await api.ask("POST", PATH + ("?dryRun=All" if dry else ""), made)


async def change(api: Api, name: str, **spec: Any) -> Reply:
    headers = {"content-type": "application/merge-patch+json"}
    return await api.ask("PATCH", f"{PATH}/{name}", {"spec": spec}, headers=headers)


async def spec_of(api: Api, made: Object) -> Object:
    reply = await make(api, made)
    assert reply.status == 201, reply.content
    return reply.body["spec"]


async def test_service_gets_an_address_of_the_range_and_one_family(api: Api) -> None:
    spec = await spec_of(api, service())
    assert spec["clusterIP"].startswith("10.96.")
    assert spec["clusterIPs"] == [spec["clusterIP"]]
    assert (spec["ipFamilies"], spec["ipFamilyPolicy"]) == (["IPv4"], "SingleStack")


async def test_headless_service_without_a_selector_is_dual_stack(api: Api) -> None:
    lone = await spec_of(api, service("a", clusterIP="None"))
    assert (lone["ipFamilies"], lone["ipFamilyPolicy"]) == (["IPv4", "IPv6"], "RequireDualStack")
    selecting = await spec_of(api, service("b", clusterIP="None", selector={"a": "b"}))
    assert (selecting["clusterIPs"], selecting["ipFamilyPolicy"]) == (["None"], "SingleStack")


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        (
            {"ipFamilyPolicy": "RequireDualStack"},
            "this cluster is not configured for dual-stack services",
        ),
        ({"ipFamilies": ["IPv6"]}, 'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on'),
        ({"clusterIP": "fd00::1"}, "IPv6 is not configured on this cluster"),
        ({"clusterIP": "192.0.2.5"}, "failed to allocate IP 192.0.2.5: the provided IP"),
    ],
)
async def test_what_the_cluster_does_not_have_is_refused(api: Api, spec: Object, why: str) -> None:
    refused = await make(api, service(**spec))
    assert refused.status == 422
    assert why in refused.message


async def test_taken_address_is_refused_unless_it_is_a_trial(api: Api) -> None:
    taken = (await spec_of(api, service("a")))["clusterIP"]
    refused = await make(api, service("b", clusterIP=taken))
    assert refused.message.endswith("provided IP is already allocated")
    assert (await make(api, service("b", clusterIP=taken), dry=True)).status == 201


async def test_node_port_out_of_range_is_refused_unless_it_is_a_trial(api: Api) -> None:
    wanted = service("a", {"port": 80, "nodePort": 80}, type="NodePort")
    refused = await make(api, wanted)
    assert refused.message.endswith(
        "spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The"
        " range of valid ports is 30000-32767"
    )
    tried = await make(api, wanted, dry=True)
    assert tried.body["spec"]["ports"][0]["nodePort"] == 80
    drawn = await make(api, service("a", type="NodePort"), dry=True)
    assert drawn.body["spec"]["ports"][0]["nodePort"] == 32769


async def test_taken_node_port_is_refused_in_a_trial_too(api: Api) -> None:
    port = {"port": 80, "nodePort": 30100}
    await spec_of(api, service("a", port, type="NodePort"))
    for dry in (False, True):
        refused = await make(api, service("b", port, type="NodePort"), dry=dry)
        assert refused.message.endswith("30100: provided port is already allocated")


async def test_protocols_of_one_port_share_a_node_port(api: Api) -> None:
    ports = [{"name": p, "port": 53, "protocol": p.upper()} for p in ("tcp", "udp")]
    spec = await spec_of(api, service("a", *ports, type="NodePort"))
    assert len({port["nodePort"] for port in spec["ports"]}) == 1


async def test_update_keeps_address_and_node_ports_that_it_leaves_out(api: Api) -> None:
    before = await spec_of(api, service("a", {"name": "x", "port": 80}, type="NodePort"))
    changed = await api.ask(
        "PUT", f"{PATH}/a", service("a", {"name": "x", "port": 81}, type="NodePort")
    )
    after = changed.body["spec"]
    assert after["clusterIP"] == before["clusterIP"]
    assert after["ports"][0]["nodePort"] == before["ports"][0]["nodePort"]


async def test_external_name_gives_its_address_back_and_gets_one_again(api: Api) -> None:
    await spec_of(api, service("a"))
    away = await change(api, "a", type="ExternalName", externalName="example.org")
    assert "clusterIP" not in away.body["spec"]
    back = await change(api, "a", type="ClusterIP", externalName=None)
    assert back.body["spec"]["clusterIP"].startswith("10.96.")


async def test_local_load_balancer_gets_a_health_check_port_and_keeps_it(api: Api) -> None:
    local = {"type": "LoadBalancer", "externalTrafficPolicy": "Local"}
    before = await spec_of(api, service("a", **local))
    assert before["healthCheckNodePort"] >= 30000
    again = await api.ask("PUT", f"{PATH}/a", service("a", **local))
    assert again.body["spec"]["healthCheckNodePort"] == before["healthCheckNodePort"]
    without = await spec_of(
        api, service("b", type="LoadBalancer", allocateLoadBalancerNodePorts=False)
    )
    assert "nodePort" not in without["ports"][0]
