from typing import Any

import pytest
from admission_world import Objects, obj, pod, refusal, write_of

from tutor.sandbox.api.builtin.admission.service_account import ServiceAccount
from tutor.sandbox.api.webhooks import Write
from tutor.sandbox.kinds import Object

TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount"
MOUNT = {"name": "kube-api-access-abcde", "readOnly": True, "mountPath": TOKEN}


def account(name: str = "default", **more: Any) -> Object:
    return obj("ServiceAccount", name, namespace="here", **more)


def plugin(*accounts: Object) -> ServiceAccount:
    return ServiceAccount(Objects(list(accounts)), lambda length: "abcde"[:length])


def admitted(write: Write, *accounts: Object) -> Object:
    plugin(*accounts).admit(write)
    assert write.new is not None
    return write.new["spec"]


def refused(write: Write, *accounts: Object) -> str:
    return refusal(plugin(*accounts), write).message


def test_pod_runs_as_the_default_account_with_its_token():
    spec = admitted(write_of(pod(initContainers=[{"name": "i"}])), account())
    assert spec["serviceAccountName"] == spec["serviceAccount"] == "default"
    assert spec["containers"][0]["volumeMounts"] == [MOUNT]
    assert spec["initContainers"][0]["volumeMounts"] == [MOUNT]
    assert spec["volumes"] == [
        {
            "name": "kube-api-access-abcde",
            "projected": {
                "sources": [
                    {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                    {
                        "configMap": {
                            "name": "kube-root-ca.crt",
                            "items": [{"key": "ca.crt", "path": "ca.crt"}],
                        }
                    },
                    {
                        "downwardAPI": {
                            "items": [
                                {
                                    "path": "namespace",
                                    "fieldRef": {
                                        "apiVersion": "v1",
                                        "fieldPath": "metadata.namespace",
                                    },
                                }
                            ]
                        }
                    },
                ],
                "defaultMode": 420,
            },
        }
    ]


@pytest.mark.parametrize(
    ("wish", "of_account", "mounted"),
    [
        ({}, {}, True),
        ({}, {"automountServiceAccountToken": False}, False),
        ({"automountServiceAccountToken": True}, {"automountServiceAccountToken": False}, True),
        ({"automountServiceAccountToken": False}, {}, False),
    ],
)
def test_token_is_mounted_as_pod_and_account_wish(wish: Object, of_account: Object, mounted: bool):
    spec = admitted(write_of(pod(**wish)), account(**of_account))
    assert ("volumes" in spec) is mounted


def test_volume_that_is_there_is_used_again():
    there: Object = {"name": "kube-api-access-zzzzz", "emptyDir": {}}
    spec = admitted(write_of(pod(volumes=[there])), account())
    assert spec["volumes"] == [there]
    assert spec["containers"][0]["volumeMounts"][0]["name"] == "kube-api-access-zzzzz"


def test_container_that_mounts_something_there_is_left_alone():
    own = {"name": "own", "mountPath": TOKEN}
    spec = admitted(write_of(pod(containers=[{"name": "c", "volumeMounts": [own]}])), account())
    assert spec["containers"][0]["volumeMounts"] == [own]
    assert "volumes" not in spec


def test_pull_secrets_of_the_account_are_taken_over():
    pulls = [{"name": "registry"}]
    spec = admitted(write_of(pod()), account(imagePullSecrets=pulls))
    assert spec["imagePullSecrets"] == pulls
    own = [{"name": "own"}]
    spec = admitted(write_of(pod(imagePullSecrets=own)), account(imagePullSecrets=pulls))
    assert spec["imagePullSecrets"] == own


def test_missing_account_is_forbidden():
    assert refused(write_of(pod(serviceAccountName="bot"))) == (
        'pods "p" is forbidden: error looking up service account here/bot:'
        ' serviceaccount "bot" not found'
    )


STRICT = account(
    metadata={"annotations": {"kubernetes.io/enforce-mountable-secrets": "true"}},
    secrets=[{"name": "mine"}],
    imagePullSecrets=[{"name": "registry"}],
)
BECAUSE = "is not allowed because service account default does not reference that"
FROM_ENV = {"env": [{"name": "E", "valueFrom": {"secretKeyRef": {"name": "x", "key": "k"}}}]}
FROM_ALL = {"envFrom": [{"secretRef": {"name": "x"}}]}


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        (
            {"volumes": [{"name": "v", "secret": {"secretName": "x"}}]},
            f'volume with secret.secretName="x" {BECAUSE} secret',
        ),
        (
            {"containers": [{"name": "c", **FROM_ENV}]},
            f'container c with envVar E referencing secret.secretName="x" {BECAUSE} secret',
        ),
        (
            {"initContainers": [{"name": "i", **FROM_ALL}]},
            f'init container i with envFrom referencing secret.secretName="x" {BECAUSE} secret',
        ),
        (
            {"imagePullSecrets": [{"name": "x"}]},
            f'imagePullSecrets[0].name="x" {BECAUSE} imagePullSecret',
        ),
    ],
)
def test_pod_of_a_strict_account_uses_only_its_secrets(spec: Object, why: str):
    assert refused(write_of(pod(**spec)), STRICT) == f'pods "p" is forbidden: {why}'


def test_debug_container_of_a_strict_account_uses_only_its_secrets():
    old = pod(serviceAccountName="default")
    debugging = [{"name": "d", **FROM_ENV}]
    new = pod(serviceAccountName="default", ephemeralContainers=debugging)
    why = refused(write_of(new, old, subresource="ephemeralcontainers"), STRICT)
    assert why == (
        'pods "p" is forbidden: ephemeral container d with envVar E referencing'
        f' secret.secretName="x" {BECAUSE} secret'
    )


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"serviceAccountName": "a"}, "a mirror pod may not reference service accounts"),
        (
            {"volumes": [{"name": "v", "secret": {"secretName": "x"}}]},
            "a mirror pod may not reference secrets",
        ),
        (
            {
                "volumes": [
                    {
                        "name": "v",
                        "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]},
                    }
                ]
            },
            "a mirror pod may not use ServiceAccountToken volume projections",
        ),
    ],
)
def test_mirror_pod_gets_nothing_from_the_api(spec: Object, why: str):
    mirror = pod(**spec)
    mirror["metadata"]["annotations"] = {"kubernetes.io/config.mirror": "1"}
    assert refused(write_of(mirror)) == f'pods "p" is forbidden: {why}'


def test_mirror_pod_is_left_alone():
    mirror = pod()
    mirror["metadata"]["annotations"] = {"kubernetes.io/config.mirror": "1"}
    assert admitted(write_of(mirror)) == {"containers": [{"name": "c"}]}
