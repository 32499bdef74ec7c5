from typing import Any

import pytest
from admission_world import Objects, obj, pod, refusal, write_of

from tutor.sandbox.api.builtin.admission.pod_security.checks import evaluate
from tutor.sandbox.api.builtin.admission.pod_security.enforcement import PodSecurity
from tutor.sandbox.api.builtin.admission.pod_security.policy import Rules, policy_of
from tutor.sandbox.api.webhooks import Write
from tutor.sandbox.kinds import Object

LABEL = "pod-security.kubernetes.io/"
BASELINE = Rules("baseline")
RESTRICTED = Rules("restricted")
GOOD: Object = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


AS_ROOT: Object = GOOD | {"runAsNonRoot": None, "runAsUser": 0}


def container(name: str = "c", **security: Any) -> Object:
    return {"name": name, "image": "i", "securityContext": security}


def told(rules: Rules, meta: Object, spec: Object) -> list[str]:
    return [str(finding) for finding in evaluate(rules, meta, spec)]


@pytest.mark.parametrize(
    ("spec", "finding"),
    [
        (
            {"hostNetwork": True, "hostPID": True},
            "host namespaces (hostNetwork=true, hostPID=true)",
        ),
        (
            {"volumes": [{"name": "v", "hostPath": {"path": "/"}}]},
            'hostPath volumes (volume "v")',
        ),
        (
            {"containers": [{"name": "c", "ports": [{"hostPort": 80}, {"hostPort": 9}]}]},
            'hostPort (container "c" uses hostPorts 80, 9)',
        ),
        (
            {"containers": [container("a", privileged=True), container("b", privileged=True)]},
            'privileged (containers "a", "b" must not set securityContext.privileged=true)',
        ),
        (
            {"containers": [container(capabilities={"add": ["CHOWN", "NET_ADMIN"]})]},
            (
                'non-default capabilities (container "c" must not include "NET_ADMIN" in'
                " securityContext.capabilities.add)"
            ),
        ),
        (
            {"containers": [{"name": "c", "livenessProbe": {"tcpSocket": {"host": "h"}}}]},
            'probe or lifecycle host (container "c" uses probe or lifecycle host "h")',
        ),
        (
            {"securityContext": {"seLinuxOptions": {"type": "spc_t", "user": "u"}}},
            (
                'seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "spc_t";'
                " user may not be set)"
            ),
        ),
        (
            {"securityContext": {"sysctls": [{"name": "kernel.msgmax"}]}},
            "forbidden sysctls (kernel.msgmax)",
        ),
        (
            {
                "securityContext": {"appArmorProfile": {"type": "Unconfined"}},
                "containers": [container(seccompProfile={"type": "Unconfined"})],
            },
            (
                "forbidden AppArmor profile (pod must not set AppArmor profile type to"
                ' "Unconfined"), seccompProfile (container "c" must not set'
                ' securityContext.seccompProfile.type to "Unconfined")'
            ),
        ),
    ],
)
def test_baseline_forbids_what_breaks_out(spec: Object, finding: str):
    assert ", ".join(told(BASELINE, {}, spec)) == finding
    assert told(Rules(), {}, spec) == []


def test_restricted_forbids_a_plain_container():
    assert told(RESTRICTED, {}, {"containers": [{"name": "c"}]}) == [
        (
            'allowPrivilegeEscalation != false (container "c" must set'
            " securityContext.allowPrivilegeEscalation=false)"
        ),
        (
            'unrestricted capabilities (container "c" must set'
            ' securityContext.capabilities.drop=["ALL"])'
        ),
        'runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true)',
        (
            'seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to'
            ' "RuntimeDefault" or "Localhost")'
        ),
    ]


def test_restricted_allows_a_careful_container():
    assert told(RESTRICTED, {}, {"containers": [container(**GOOD)]}) == []


def test_restricted_forbids_volumes_that_need_the_node():
    spec: Object = {
        "containers": [container(**GOOD)],
        "volumes": [
            {"name": "a", "hostPath": {}},
            {"name": "b", "nfs": {}},
            {"name": "c", "secret": {}},
        ],
    }
    assert told(RESTRICTED, {}, spec) == [
        'restricted volume types (volumes "a", "b" use restricted volume types "hostPath", "nfs")'
    ]


def test_older_version_has_older_rules():
    spec = {"containers": [container(capabilities={"add": ["NET_ADMIN"]}, runAsUser=0)]}
    names = [finding.reason for finding in evaluate(Rules("restricted", 8), {}, spec)]
    assert names == [
        "non-default capabilities",
        "allowPrivilegeEscalation != false",
        "runAsNonRoot != true",
    ]


def test_own_user_namespace_relaxes_restricted():
    spec = {
        "hostUsers": False,
        "containers": [container(**AS_ROOT)],
    }
    assert told(RESTRICTED, {}, spec) == []
    assert len(told(Rules("restricted", 34), {}, spec)) == 2


@pytest.mark.parametrize(
    ("labels", "enforce", "warn"),
    [
        ({}, "privileged:latest", "privileged:latest"),
        ({"enforce": "baseline"}, "baseline:latest", "baseline:latest"),
        ({"enforce": "baseline", "enforce-version": "v1.30"}, "baseline:v1.30", "baseline:v1.30"),
        ({"enforce": "baseline", "warn": "privileged"}, "baseline:latest", "privileged:latest"),
        ({"enforce": "restricted", "warn-version": "v1.2"}, "restricted:latest", "restricted:v1.2"),
        ({"enforce": "none"}, "restricted:latest", "privileged:latest"),
        ({"warn": "none", "warn-version": "1.2"}, "privileged:latest", "privileged:latest"),
    ],
)
def test_labels_say_what_is_enforced(labels: dict[str, str], enforce: str, warn: str):
    policy = policy_of({LABEL + mode: value for mode, value in labels.items()})
    assert (str(policy.enforce), str(policy.warn)) == (enforce, warn)


def namespace(**labels: str) -> Object:
    named = {LABEL + mode: level for mode, level in labels.items()}
    return obj("Namespace", "here", metadata={"labels": named})


def warned(write: Write, *stored: Object) -> list[str]:
    PodSecurity(Objects(list(stored))).validate(write)
    return write.call.warnings


def test_forbidden_pod_is_refused():
    error = refusal(
        PodSecurity(Objects([namespace(enforce="baseline")])), write_of(pod(hostPID=True))
    )
    assert error.code == 403
    assert error.message == (
        'pods "p" is forbidden: violates PodSecurity "baseline:latest": host namespaces'
        " (hostPID=true)"
    )


def test_template_is_only_warned_of():
    template = {"spec": {"hostPID": True}}
    spec = {"template": template}
    new = obj("Deployment", "d", namespace="here", version="apps/v1", spec=spec)
    assert warned(write_of(new), namespace(enforce="baseline")) == [
        'would violate PodSecurity "baseline:latest": host namespaces (hostPID=true)'
    ]
    assert warned(write_of(new), namespace()) == []


def test_update_of_a_forbidden_pod_is_refused_only_with_another_image():
    old = pod(hostPID=True)
    strict = namespace(enforce="baseline")
    assert warned(write_of(old, old), strict) == []
    new = pod(hostPID=True, containers=[{"name": "c", "image": "other"}])
    refusal(PodSecurity(Objects([strict])), write_of(new, old))
    debugged = pod(hostPID=True, ephemeralContainers=[{"name": "d", "image": "busybox"}])
    write = write_of(debugged, old, subresource="ephemeralcontainers")
    refusal(PodSecurity(Objects([strict])), write)


def test_level_that_does_not_exist_is_invalid():
    error = refusal(PodSecurity(Objects([])), write_of(namespace(enforce="strict")))
    assert error.message == (
        'Namespace "here" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]:'
        ' Invalid value: "strict": must be one of privileged, baseline, restricted'
    )


def test_labels_that_were_wrong_before_may_stay():
    wrong = namespace(enforce="strict")
    assert warned(write_of(wrong, wrong)) == []


def test_stricter_level_tells_of_the_pods_that_break_it():
    owner = {"ownerReferences": [{"uid": "1", "controller": True}]}
    pods = [pod(name, hostPID=True) for name in ("b", "a")]
    for one in pods:
        one["metadata"] |= owner
    pods.append(pod("z", hostNetwork=True, hostPID=True))
    write = write_of(namespace(enforce="baseline"), namespace())
    assert warned(write, *pods, pod("fine")) == [
        (
            'existing pods in namespace "here" violate the new PodSecurity enforce level'
            ' "baseline:latest"'
        ),
        "a (and 2 other pods): host namespaces",
    ]


def test_laxer_level_says_nothing():
    write = write_of(namespace(enforce="baseline"), namespace(enforce="restricted"))
    assert warned(write, pod(hostPID=True)) == []
