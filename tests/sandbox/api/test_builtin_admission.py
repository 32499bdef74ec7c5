import base64
from typing import Any

import pytest
from admission_world import Objects, obj, pod, refusal, write_of
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tutor.sandbox.api.builtin.admission.catalogue import default_plugins
from tutor.sandbox.api.builtin.admission.certificates import (
    CertificateApproval,
    CertificateSigning,
    CertificateSubjectRestriction,
)
from tutor.sandbox.api.builtin.admission.ingress_class import DefaultIngressClass
from tutor.sandbox.api.builtin.admission.limit_ranger import LimitRanger
from tutor.sandbox.api.builtin.admission.namespace_lifecycle import NamespaceLifecycle
from tutor.sandbox.api.builtin.admission.node_taint import TaintNodesByCondition
from tutor.sandbox.api.builtin.admission.plugin import Plugin
from tutor.sandbox.api.builtin.admission.pod_resize import PodResizeValidator
from tutor.sandbox.api.builtin.admission.priority import Priority
from tutor.sandbox.api.builtin.admission.runtime_class import RuntimeClass
from tutor.sandbox.api.builtin.admission.storage import (
    DefaultStorageClass,
    PersistentVolumeClaimResize,
    StorageObjectInUseProtection,
)
from tutor.sandbox.api.builtin.admission.toleration_seconds import DefaultTolerationSeconds
from tutor.sandbox.api.rbac import Attributes, Decision
from tutor.sandbox.api.request import User
from tutor.sandbox.api.webhooks import Write
from tutor.sandbox.kinds import Object, thaw

HERE = obj("Namespace", "here", status={"phase": "Active"})
ENDING = obj("Namespace", "ending", status={"phase": "Terminating"})
DEFAULT_ACCOUNT = obj("ServiceAccount", "default", namespace="here")


def admitted(plugin: Plugin, write: Write) -> Object:
    plugin.admit(write)
    assert write.new is not None
    return write.new


def test_create_in_a_missing_namespace_is_not_found():
    write = write_of(obj("ConfigMap", "x", namespace="nowhere"))
    error = refusal(NamespaceLifecycle(Objects([HERE])), write)
    assert error.status() == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'namespaces "nowhere" not found',
        "reason": "NotFound",
        "details": {"name": "nowhere", "kind": "namespaces"},
        "code": 404,
    }


def test_create_in_a_terminating_namespace_is_forbidden():
    write = write_of(obj("ConfigMap", "x", namespace="ending"))
    error = refusal(NamespaceLifecycle(Objects([ENDING])), write)
    assert error.message == (
        'configmaps "x" is forbidden: unable to create new content in namespace ending'
        " because it is being terminated"
    )
    assert error.details == {
        "name": "x",
        "kind": "configmaps",
        "causes": [
            {
                "reason": "NamespaceTerminating",
                "message": "namespace ending is being terminated",
                "field": "metadata.namespace",
            }
        ],
    }


def test_update_and_delete_in_a_terminating_namespace_are_allowed():
    plugin = NamespaceLifecycle(Objects([ENDING]))
    there = obj("ConfigMap", "x", namespace="ending")
    for write in (write_of(there, there), write_of(None, there)):
        plugin.admit(write)
        plugin.validate(write)


@pytest.mark.parametrize("name", ["default", "kube-system", "kube-public"])
def test_namespaces_of_every_cluster_are_not_deleted(name: str):
    error = refusal(NamespaceLifecycle(Objects([])), write_of(None, obj("Namespace", name)))
    assert error.message == f'namespaces "{name}" is forbidden: this namespace may not be deleted'


def test_priority_classes_of_the_system_are_not_deleted():
    name = "system-node-critical"
    error = refusal(Priority(Objects([])), write_of(None, priority_class(name, 5)))
    assert error.message.endswith(
        f'"{name}" is forbidden: this is a system priority class and cannot be deleted'
    )
    Priority(Objects([])).validate(write_of(None, priority_class("mine", 5)))


def test_other_namespaces_are_deleted():
    NamespaceLifecycle(Objects([])).validate(write_of(None, HERE))


def test_new_node_is_tainted_once():
    node = admitted(TaintNodesByCondition(), write_of(obj("Node", "n", spec={})))
    taint = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
    assert node["spec"]["taints"] == [taint]
    assert admitted(TaintNodesByCondition(), write_of(thaw(node))) == node


def test_pod_tolerates_lost_nodes_for_five_minutes():
    new = admitted(DefaultTolerationSeconds(), write_of(pod()))
    assert new["spec"]["tolerations"] == [
        {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
        for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
    ]


def test_pod_that_tolerates_everything_keeps_its_tolerations():
    everything = [{"operator": "Exists"}]
    new = admitted(DefaultTolerationSeconds(), write_of(pod(tolerations=everything)))
    assert new["spec"]["tolerations"] == everything


def priority_class(name: str, value: int, **more: Any) -> Object:
    version = "scheduling.k8s.io/v1"
    kind = "PriorityClass"
    policy = {"preemptionPolicy": "PreemptLowerPriority"}
    return obj(kind, name, version=version, value=value, **(policy | more))


def test_pod_without_class_gets_priority_zero():
    new = admitted(Priority(Objects([])), write_of(pod()))
    assert new["spec"]["priority"] == 0
    assert new["spec"]["preemptionPolicy"] == "PreemptLowerPriority"
    assert "priorityClassName" not in new["spec"]


def test_pod_without_class_gets_the_default_class():
    world = Objects([priority_class("high", 9), priority_class("low", 5, globalDefault=True)])
    new = admitted(Priority(world), write_of(pod()))
    assert new["spec"]["priority"] == 5
    assert new["spec"]["priorityClassName"] == "low"


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"priorityClassName": "none"}, "no PriorityClass with name none was found"),
        (
            {"priorityClassName": "high", "priority": 3},
            (
                "the integer value of priority (3) must not be provided in pod spec; priority"
                " admission controller computed 9 from the given PriorityClass name"
            ),
        ),
        (
            {"preemptionPolicy": "Never"},
            (
                "the string value of PreemptionPolicy (Never) must not be provided in pod spec;"
                " priority admission controller computed PreemptLowerPriority from the given"
                " PriorityClass name"
            ),
        ),
    ],
)
def test_pod_with_a_wrong_priority_is_forbidden(spec: Object, why: str):
    world = Objects([priority_class("high", 9)])
    error = refusal(Priority(world), write_of(pod(**spec)))
    assert error.message == f'pods "p" is forbidden: {why}'


def test_updated_pod_keeps_its_priority():
    old = pod(priority=7, preemptionPolicy="Never")
    new = admitted(Priority(Objects([])), write_of(pod(), old))
    assert new["spec"]["priority"] == 7
    assert new["spec"]["preemptionPolicy"] == "Never"


def test_second_default_priority_class_is_forbidden():
    first = priority_class("first", 1, globalDefault=True)
    second = priority_class("second", 2, globalDefault=True)
    error = refusal(Priority(Objects([first])), write_of(second))
    assert error.message == (
        'priorityclasses.scheduling.k8s.io "second" is forbidden: PriorityClass first is already'
        " marked as default. Only one default can exist"
    )
    Priority(Objects([first])).validate(write_of(first, first))


def storage_class(name: str, made: str, **more: Any) -> Object:
    marked = {"storageclass.kubernetes.io/is-default-class": "true"}
    meta = {"creationTimestamp": made, "annotations": marked}
    return obj("StorageClass", name, version="storage.k8s.io/v1", metadata=meta, **more)


def claim(storage: str = "1Gi", *, phase: str = "Bound", **spec: Any) -> Object:
    asked = {"resources": {"requests": {"storage": storage}}}
    kind = "PersistentVolumeClaim"
    return obj(kind, "c", namespace="here", spec=asked | spec, status={"phase": phase})


def test_claim_without_class_gets_the_newest_default():
    older, newer = (
        storage_class("a", "2026-01-01T00:00:00Z"),
        storage_class("b", "2026-02-01T00:00:00Z"),
    )
    world = Objects([newer, older])
    new = admitted(DefaultStorageClass(world), write_of(claim()))
    assert new["spec"]["storageClassName"] == "b"
    new = admitted(DefaultStorageClass(world), write_of(claim(storageClassName="")))
    assert new["spec"]["storageClassName"] == ""


def test_volumes_and_claims_are_protected():
    new = admitted(StorageObjectInUseProtection(), write_of(claim()))
    assert new["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]
    new = admitted(StorageObjectInUseProtection(), write_of(obj("PersistentVolume", "v")))
    assert new["metadata"]["finalizers"] == ["kubernetes.io/pv-protection"]


@pytest.mark.parametrize(
    ("old", "why"),
    [
        (claim(phase="Pending"), "Only bound persistent volume claims can be expanded"),
        (
            claim(storageClassName="stiff"),
            (
                "only dynamically provisioned pvc can be resized and the storageclass that"
                " provisions the pvc must support resize"
            ),
        ),
    ],
)
def test_claim_that_cannot_grow_does_not(old: Object, why: str):
    stiff = storage_class("stiff", "2026-01-01T00:00:00Z")
    new = claim("2Gi", **{key: old["spec"][key] for key in old["spec"] if key != "resources"})
    error = refusal(PersistentVolumeClaimResize(Objects([stiff])), write_of(new, old))
    assert error.message == f'persistentvolumeclaims "c" is forbidden: {why}'


def test_claim_whose_class_can_expand_grows():
    elastic = storage_class("elastic", "2026-01-01T00:00:00Z", allowVolumeExpansion=True)
    old, new = claim(storageClassName="elastic"), claim("2Gi", storageClassName="elastic")
    PersistentVolumeClaimResize(Objects([elastic])).validate(write_of(new, old))


def test_ingress_without_class_gets_the_default():
    marked = {"ingressclass.kubernetes.io/is-default-class": "true"}
    version = "networking.k8s.io/v1"
    meta = {"annotations": marked, "creationTimestamp": "2026-01-01T00:00:00Z"}
    world = Objects([obj("IngressClass", "contour", version=version, metadata=meta)])
    ingress = obj("Ingress", "i", namespace="here", version=version, spec={})
    new = admitted(DefaultIngressClass(world), write_of(ingress))
    assert new["spec"]["ingressClassName"] == "contour"
    old_way = thaw(ingress) | {"spec": {}}
    old_way["metadata"]["annotations"] = {"kubernetes.io/ingress.class": "nginx"}
    new = admitted(DefaultIngressClass(world), write_of(old_way))
    assert new["spec"] == {}


def runtime_class(**more: Any) -> Object:
    return obj("RuntimeClass", "box", version="node.k8s.io/v1", handler="box", **more)


def test_pod_gets_overhead_and_scheduling_of_its_runtime():
    runtime = runtime_class(
        overhead={"podFixed": {"cpu": "250m"}},
        scheduling={
            "nodeSelector": {"box": "yes"},
            "tolerations": [{"key": "box", "operator": "Exists"}],
        },
    )
    given = pod(
        runtimeClassName="box", tolerations=[{"key": "box", "operator": "Equal", "value": "1"}]
    )
    plugin = RuntimeClass(Objects([runtime]))
    new = admitted(plugin, write_of(given))
    plugin.validate(write_of(new))
    assert new["spec"]["overhead"] == {"cpu": "250m"}
    assert new["spec"]["nodeSelector"] == {"box": "yes"}
    assert new["spec"]["tolerations"] == [{"key": "box", "operator": "Exists"}]


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"runtimeClassName": "none"}, 'pod rejected: RuntimeClass "none" not found'),
        (
            {"overhead": {"cpu": "1"}},
            "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead",
        ),
        (
            {"runtimeClassName": "box", "overhead": {"cpu": "1"}},
            "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
        ),
        (
            {"runtimeClassName": "box", "nodeSelector": {"box": "no"}},
            (
                "conflict: runtimeClass.scheduling.nodeSelector[box] = yes;"
                " pod.spec.nodeSelector[box] = no"
            ),
        ),
    ],
)
def test_pod_against_its_runtime_class_is_forbidden(spec: Object, why: str):
    runtime = runtime_class(
        overhead={"podFixed": {"cpu": "250m"}}, scheduling={"nodeSelector": {"box": "yes"}}
    )
    error = refusal(RuntimeClass(Objects([runtime])), write_of(pod(**spec)))
    assert error.message == f'pods "p" is forbidden: {why}'


def request(signer: str, organisation: str = "devs", **status: Any) -> Object:
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    signed = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    pem = base64.b64encode(signed.public_bytes(serialization.Encoding.PEM)).decode()
    spec = {"signerName": signer, "request": pem}
    version = "certificates.k8s.io/v1"
    return obj("CertificateSigningRequest", "r", version=version, spec=spec, status=status)


def test_nobody_asks_for_a_client_certificate_of_the_masters():
    bad = request("kubernetes.io/kube-apiserver-client", "system:masters")
    error = refusal(CertificateSubjectRestriction(), write_of(bad))
    assert error.message == (
        'certificatesigningrequests.certificates.k8s.io "r" is forbidden: use of'
        " kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed"
    )
    plugin = CertificateSubjectRestriction()
    plugin.validate(write_of(request("kubernetes.io/kube-apiserver-client")))
    plugin.validate(write_of(request("example.com/own", "system:masters")))


def test_approval_and_signature_need_a_right_to_the_signer():
    asked: list[tuple[str, str]] = []

    def decide(user: User, access: Attributes) -> Decision:
        asked.append((access.verb, access.name))
        return Decision(user.name == "chief" and access.name == "example.com/*")

    old, new = request("example.com/own"), request("example.com/own", certificate="MQ==")
    approval = CertificateApproval(decide)
    error = refusal(approval, write_of(new, old, subresource="approval"))
    assert error.message.endswith(
        'user not permitted to approve requests with signerName "example.com/own"'
    )
    assert asked == [("approve", "example.com/own"), ("approve", "example.com/*")]
    approval.validate(write_of(new, old, subresource="approval", user="chief"))
    signing = CertificateSigning(decide)
    error = refusal(signing, write_of(new, old, subresource="status"))
    assert error.message.endswith(
        'user not permitted to sign requests with signerName "example.com/own"'
    )
    signing.validate(write_of(new, old, subresource="status", user="chief"))
    signing.validate(write_of(old, old, subresource="status"))


LIMITS = obj(
    "LimitRange",
    "lr",
    namespace="here",
    spec={
        "limits": [
            {
                "type": "Container",
                "default": {"cpu": "200m", "memory": "64Mi"},
                "defaultRequest": {"cpu": "100m", "memory": "64Mi"},
                "max": {"cpu": "500m"},
                "min": {"memory": "16Mi"},
                "maxLimitRequestRatio": {"cpu": "4"},
            },
            {"type": "Pod", "max": {"cpu": "1"}},
            {"type": "PersistentVolumeClaim", "min": {"storage": "1Gi"}, "max": {"storage": "2Gi"}},
        ]
    },
)


def limited(*resources: Object) -> Object:
    named = [{"name": f"c{index}", "resources": one} for index, one in enumerate(resources)]
    return pod(containers=named)


def test_container_gets_the_limits_of_its_namespace():
    new = admitted(LimitRanger(Objects([LIMITS])), write_of(pod()))
    assert new["spec"]["containers"][0]["resources"] == {
        "requests": {"cpu": "100m", "memory": "64Mi"},
        "limits": {"cpu": "200m", "memory": "64Mi"},
    }
    assert new["metadata"]["annotations"] == {
        "kubernetes.io/limit-ranger": "LimitRanger plugin set: cpu, memory request for container c;"
        " cpu, memory limit for container c"
    }


FULL = {"requests": {"cpu": "400m"}, "limits": {"cpu": "400m"}}


@pytest.mark.parametrize(
    ("new", "why"),
    [
        (
            limited({"limits": {"cpu": "1"}, "requests": {"cpu": "500m"}}),
            "maximum cpu usage per Container is 500m, but limit is 1",
        ),
        (
            limited({"limits": {"memory": "1Mi"}, "requests": {"memory": "1Mi"}}),
            "minimum memory usage per Container is 16Mi, but request is 1Mi",
        ),
        (
            limited({"limits": {"cpu": "500m"}, "requests": {"cpu": "50m"}}),
            "cpu max limit to request ratio per Container is 4, but provided ratio is 10.000000",
        ),
        (limited(FULL, FULL, FULL), "maximum cpu usage per Pod is 1, but limit is 1200m"),
        (
            limited(
                {
                    "limits": {"cpu": "1", "memory": "1Mi"},
                    "requests": {"memory": "1Mi", "cpu": "500m"},
                }
            ),
            (
                "[minimum memory usage per Container is 16Mi, but request is 1Mi,"
                " maximum cpu usage per Container is 500m, but limit is 1]"
            ),
        ),
    ],
)
def test_pod_out_of_range_is_forbidden(new: Object, why: str):
    error = refusal(LimitRanger(Objects([LIMITS])), write_of(new))
    assert error.message == f'pods "p" is forbidden: {why}'


@pytest.mark.parametrize(
    ("size", "why"),
    [
        ("512Mi", "minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 512Mi"),
        ("3Gi", "maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi"),
    ],
)
def test_claim_out_of_range_is_forbidden(size: str, why: str):
    error = refusal(LimitRanger(Objects([LIMITS])), write_of(claim(size)))
    assert error.message == f'persistentvolumeclaims "c" is forbidden: {why}'


def test_pod_under_deletion_is_out_of_range_in_peace():
    old = limited({"limits": {"cpu": "1"}, "requests": {"cpu": "500m"}})
    old["metadata"]["deletionTimestamp"] = "2026-05-04T12:00:00Z"
    LimitRanger(Objects([LIMITS])).validate(write_of(old, old, subresource="resize"))


def test_pod_grows_no_larger_than_its_node():
    allocatable = {"cpu": "2", "memory": "1Gi"}
    node = obj("Node", "n", status={"allocatable": allocatable})
    old = limited(FULL)
    new = limited({"requests": {"cpu": "3", "memory": "2Gi"}})
    for one, generation in ((old, 1), (new, 2)):
        one["spec"]["nodeName"] = "n"
        one["metadata"]["generation"] = generation
    error = refusal(PodResizeValidator(Objects([node])), write_of(new, old, subresource="resize"))
    assert error.message == (
        'pods "p" is forbidden: node didn\'t have enough allocatable resources: cpu, requested:'
        " 3000, allocatable: 2000; memory, requested: 2147483648, allocatable: 1073741824"
    )
    assert error.details == {"name": "p", "kind": "pods", "causes": [{"reason": "NodeCapacity"}]}


def may(_user: User, _access: Attributes) -> Decision:
    return Decision(True)


def test_all_plugins_together_admit_a_plain_pod():
    world = Objects([HERE, DEFAULT_ACCOUNT])
    write = write_of(pod())
    plugins = default_plugins(world, lambda length: "x" * length, may, lambda _version, _kind: None)
    for plugin in plugins:
        plugin.admit(write)
    for plugin in plugins:
        plugin.validate(write)
    assert list((write.new or {})["spec"]) == [
        "containers",
        "serviceAccountName",
        "serviceAccount",
        "volumes",
        "priority",
        "preemptionPolicy",
        "tolerations",
    ]
