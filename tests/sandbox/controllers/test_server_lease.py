"""The lease of an API server, as a kube-apiserver v1.36.2 wrote its own."""

from datetime import UTC, datetime

from tutor.sandbox.controllers.bootstrap import server_lease


def test_lease_is_named_by_a_hash_of_the_machine() -> None:
    now = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
    lease = server_lease("vm", "10.0.0.1:6443", "run", now)
    name = "apiserver-wlv32tlttr4jl3gtroqexyxapa"
    assert lease["metadata"] == {
        "name": name,
        "namespace": "kube-system",
        "labels": {
            "apiserver.kubernetes.io/identity": "kube-apiserver",
            "kubernetes.io/hostname": "vm",
        },
        "annotations": {"kubernetes.io/peer-advertise-address": "10.0.0.1:6443"},
    }
    assert lease["spec"] == {
        "holderIdentity": f"{name}_run",
        "leaseDurationSeconds": 3600,
        "renewTime": "2026-01-02T03:04:05.000678Z",
    }
