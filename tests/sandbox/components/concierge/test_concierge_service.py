"""Source: pinniped.md 1.4, 1.4.2 and 3.3."""

from typing import Any

import pytest
from concierge_world import NAMESPACE, Object, config

from tutor.sandbox.components.concierge.certificates import CertificateNames
from tutor.sandbox.components.concierge.impersonator.service import (
    ANNOTATION_KEYS,
    Place,
    desired,
    place_of,
    updated,
)
from tutor.sandbox.components.concierge.impersonator.spec import Spec, read
from tutor.sandbox.components.concierge.sync import SyncError

AWS = "service.beta.kubernetes.io/aws-load-balancer-connection-idle-timeout"


def spec(**proxy: Any) -> Spec:
    return read({"spec": {"impersonationProxy": {"mode": "enabled", **proxy}}})


def service(annotations: dict[str, str] | None = None, **fields: Any) -> Object:
    wanted = spec(service={"type": "ClusterIP", "annotations": annotations or {}})
    return desired(config(), wanted, "ClusterIP", NAMESPACE) | fields


def test_service_with_annotations_remembers_their_keys_sorted_and_compact():
    made = service({"b": "2", "a": "1"})
    assert made["metadata"]["annotations"] == {"a": "1", "b": "2", ANNOTATION_KEYS: '["a","b"]'}


def test_service_of_the_post_is_as_the_reference_shows_it():
    made = service({AWS: "4000"})
    assert made == {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "pinniped-concierge-impersonation-proxy-cluster-ip",
            "namespace": NAMESPACE,
            "labels": {"app": "pinniped-concierge"},
            "annotations": {AWS: "4000", ANNOTATION_KEYS: f'["{AWS}"]'},
        },
        "spec": {
            "type": "ClusterIP",
            "ports": [{"port": 443, "protocol": "TCP", "targetPort": 8444}],
            "selector": {"app": "pinniped-concierge"},
        },
    }


def test_service_without_annotations_has_none():
    assert "annotations" not in service()["metadata"]


def test_load_balancer_has_the_requested_address():
    wanted = spec(service={"type": "LoadBalancer", "loadBalancerIP": "10.0.0.1"})
    made = desired(config(), wanted, "LoadBalancer", NAMESPACE)
    assert made["spec"]["loadBalancerIP"] == "10.0.0.1"
    assert made["metadata"]["name"] == "pinniped-concierge-impersonation-proxy-load-balancer"


def test_update_drops_what_is_no_longer_requested_and_keeps_what_others_added():
    existing = service({"a": "1", "b": "2"})
    existing["metadata"]["annotations"] |= {"other": "x", "a": "changed"}
    new = updated(existing, service({"a": "1"}))
    assert new["metadata"]["annotations"] == {"a": "1", "other": "x", ANNOTATION_KEYS: '["a"]'}


def test_update_without_requests_drops_the_bookkeeping():
    new = updated(service({"a": "1"}), service())
    assert "annotations" not in new["metadata"]


def test_update_with_unreadable_bookkeeping_acts_as_without():
    existing = service({"a": "1"})
    existing["metadata"]["annotations"][ANNOTATION_KEYS] = "{"
    new = updated(existing, service({"b": "2"}))
    assert new["metadata"]["annotations"] == {"a": "1", "b": "2", ANNOTATION_KEYS: '["b"]'}


def test_update_does_not_repair_ports_but_everything_else():
    existing = service()
    existing["spec"] |= {
        "ports": [{"port": 1}],
        "selector": {"x": "y"},
        "type": "NodePort",
        "clusterIP": "10.96.1.2",
        "loadBalancerIP": "10.0.0.1",
    }
    existing["metadata"]["labels"] = {"x": "y"}
    new = updated(existing, service())
    assert new["spec"] == {
        "ports": [{"port": 1}],
        "selector": {"app": "pinniped-concierge"},
        "type": "ClusterIP",
        "clusterIP": "10.96.1.2",
    }
    assert new["metadata"]["labels"] == {"app": "pinniped-concierge"}


def test_update_of_what_is_right_changes_nothing():
    assert updated(service({"a": "1"}), service({"a": "1"})) == service({"a": "1"})


def cluster_ip(*addresses: str) -> Object:
    if not addresses:
        return {"spec": {}}
    return {"spec": {"clusterIP": addresses[0], "clusterIPs": list(addresses)}}


def balancer(*ingress: dict[str, str]) -> Object:
    return {
        "metadata": {
            "name": "pinniped-concierge-impersonation-proxy-load-balancer",
            "namespace": NAMESPACE,
        },
        "status": {"loadBalancer": {"ingress": list(ingress)}},
    }


CLUSTER_IP = {"type": "ClusterIP"}
NAMED = CertificateNames(host="h")


def addressed(*addresses: str) -> CertificateNames:
    return CertificateNames(addresses=addresses)


@pytest.mark.parametrize(
    ("wanted", "service_ip", "load_balancer", "place"),
    [
        (spec(), None, None, None),
        (spec(), None, balancer(), None),
        (spec(), None, balancer({"ip": "10.0.0.1"}), Place("10.0.0.1", addressed("10.0.0.1"))),
        (spec(), None, balancer({"ip": "10.0.0.1"}, {"hostname": "h"}), Place("h", NAMED)),
        (spec(externalEndpoint="h"), None, balancer(), Place("h", NAMED)),
        (spec(externalEndpoint="h:8443"), None, None, Place("h:8443", NAMED)),
        (spec(externalEndpoint="::1"), None, None, Place("[::1]", addressed("::1"))),
        (spec(service=CLUSTER_IP), None, None, None),
        (spec(service=CLUSTER_IP), cluster_ip(), None, None),
        (
            spec(service=CLUSTER_IP),
            cluster_ip("10.96.1.2", "fd00::2"),
            None,
            Place("10.96.1.2", addressed("10.96.1.2", "fd00::2")),
        ),
        (spec(service=CLUSTER_IP, externalEndpoint="h"), cluster_ip(), None, Place("h", NAMED)),
    ],
)
def test_place_comes_from_the_endpoint_or_the_service(
    wanted: Spec, service_ip: Object | None, load_balancer: Object | None, place: Place | None
):
    assert place_of(wanted, service_ip, load_balancer) == place


def test_place_of_a_load_balancer_with_nonsense_is_an_error():
    with pytest.raises(SyncError) as refused:
        place_of(spec(), None, balancer({"ip": "nonsense"}))
    assert str(refused.value) == (
        "could not find valid IP addresses or hostnames from load balancer"
        " pinniped-concierge/pinniped-concierge-impersonation-proxy-load-balancer"
    )
