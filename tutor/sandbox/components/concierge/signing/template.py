"""The kube-cert-agent: a Deployment like the pod of the controller manager, and its key.

Source: pinniped.md 1.4.3, 3.10 and section 9.2.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

import yaml

from tutor.sandbox.components.concierge.config import Config
from tutor.sandbox.components.concierge.encoding import decode_base64
from tutor.sandbox.components.concierge.reading import part
from tutor.sandbox.components.concierge.sync import SyncError, wrapped
from tutor.sandbox.kinds import Object, labels_of, name_of, namespace_of, thaw

AGENT_LABELS = {"kube-cert-agent.pinniped.dev": "v3"}
MANAGER_LABELS = {"component": "kube-controller-manager"}
PRINT = ("pinniped-concierge-kube-cert-agent", "print")
CONTAINER = "sleeper"
_SLEEP = ("pinniped-concierge-kube-cert-agent", "sleep")
_CLUSTER_INFO_KEY = "kubeconfig"
_APP = "app"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CERTIFICATE = ("cluster-signing-cert-file", "/etc/kubernetes/ca/ca.pem")
_KEY = ("cluster-signing-key-file", "/etc/kubernetes/ca/ca.key")


def newest_running(pods: Sequence[Object]) -> Object | None:
    """The newest pod in phase Running; of pods of one second, the first by name."""
    running = [pod for pod in pods if pod.get("status", {}).get("phase") == "Running"]
    if not running:
        return None
    newest = max(pod["metadata"]["creationTimestamp"] for pod in running)
    alike = [pod for pod in running if pod["metadata"]["creationTimestamp"] == newest]
    return min(alike, key=name_of)


def candidates(pods: Sequence[Object]) -> str:
    """How many pods there were to choose from."""
    return "1 candidate" if len(pods) == 1 else f"{len(pods)} candidates"


def flag_of(pod: Object, name: str, fallback: str) -> str:
    """The value of a flag of any container of a pod."""
    for container in pod["spec"].get("containers") or ():
        words = [*(container.get("command") or ()), *(container.get("args") or ())]
        found = _flag(words, f"--{name}")
        if found:
            return found
    return fallback


def _flag(words: Sequence[str], flag: str) -> str:
    for index, word in enumerate(words):
        if word.startswith(f"{flag}="):
            return word.partition("=")[2]
        if word == flag and index + 1 < len(words):
            return words[index + 1]
    return ""


def agent_deployment(config: Config, namespace: str, manager: Object) -> Object:
    """The agent's Deployment, after the pod of the controller manager."""
    spec = manager["spec"]
    containers: list[Object] = spec.get("containers") or []
    pod: Object = {
        "terminationGracePeriodSeconds": 0,
        "containers": [_container(config, manager, containers[0] if containers else {})],
        "restartPolicy": "Always",
        "automountServiceAccountToken": False,
        "serviceAccountName": config.names.agent_account,
        "securityContext": {"runAsUser": 0, "runAsGroup": 0},
    }
    for field in ("volumes", "nodeSelector", "nodeName", "tolerations", "hostNetwork"):
        if spec.get(field):
            pod[field] = thaw(spec[field])
    if config.agent_pull_secrets:
        pod["imagePullSecrets"] = [{"name": name} for name in config.agent_pull_secrets]
    extra = {key: value for key, value in config.labels.items() if key != _APP}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": config.agent_deployment,
            "namespace": namespace,
            "labels": dict(config.labels),
        },
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": dict(AGENT_LABELS)},
            "template": {"metadata": {"labels": AGENT_LABELS | extra}, "spec": pod},
            "minReadySeconds": 10,
        },
    }


def _container(config: Config, manager: Object, like: Object) -> Object:
    container: Object = {
        "name": CONTAINER,
        "image": config.agent_image,
        "imagePullPolicy": "IfNotPresent",
        "command": list(_SLEEP),
        "env": [
            {"name": "CERT_PATH", "value": flag_of(manager, *_CERTIFICATE)},
            {"name": "KEY_PATH", "value": flag_of(manager, *_KEY)},
        ],
        "resources": {
            "limits": {"cpu": "20m", "memory": "32Mi"},
            "requests": {"cpu": "0", "memory": "32Mi"},
        },
    }
    if like.get("volumeMounts"):
        container["volumeMounts"] = thaw(like["volumeMounts"])
    return container


def brought_up_to(existing: Object, wanted: Object) -> Object | None:
    """An existing Deployment with the wanted spec and labels; None when it has them."""
    template = existing["spec"]["template"]
    same_labels = labels_of(template) == labels_of(wanted["spec"]["template"])
    labelled = same_labels and labels_of(wanted).items() <= labels_of(existing).items()
    if labelled and _within(wanted["spec"], existing["spec"]):
        return None
    new: Object = thaw(existing)
    new["spec"] = thaw(wanted["spec"])
    new["metadata"]["labels"] = labels_of(existing) | labels_of(wanted)
    return new


def selects_otherwise(existing: Object, wanted: Object) -> bool:
    """Whether the selector, which cannot be changed, would have to be."""
    return existing["spec"]["selector"] != wanted["spec"]["selector"]


def _within(wanted: Any, found: Any) -> bool:
    """Whether everything that is wanted is found; what is empty is not asked for."""
    if isinstance(wanted, dict):
        if not isinstance(found, dict):
            return not wanted
        left, right = cast("Object", wanted), cast("Object", found)
        return all(_within(value, right.get(key)) for key, value in left.items())
    if isinstance(wanted, list):
        if not wanted:
            return True
        left, right = cast("list[Any]", wanted), cast("list[Any]", found)
        if not isinstance(found, list) or len(left) != len(right):
            return False
        return all(_within(a, b) for a, b in zip(left, right, strict=True))
    return not wanted or wanted == found


def cluster_info(config_map: Object, url: str | None) -> tuple[str, str]:
    """Server and CA (base64) of the first cluster; `url` overrides the server.

    Raises:
        SyncError: There is nothing to read there.
    """
    data: Mapping[str, str] = config_map.get("data") or {}
    text = data.get(_CLUSTER_INFO_KEY)
    if text is None:
        raise SyncError(f'missing "{_CLUSTER_INFO_KEY}" key')
    clusters = _clusters(text)
    if not clusters:
        raise SyncError(f'kubeconfig in key "{_CLUSTER_INFO_KEY}" does not contain any clusters')
    first = part(clusters[0], "cluster")
    return url or first.get("server") or "", first.get("certificate-authority-data") or ""


def _clusters(text: str) -> Sequence[Object]:
    try:
        value: Any = yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe loader
        found: list[Any] = part(value).get("clusters") or []
        if not all(isinstance(item, dict) for item in found):
            raise TypeError("not clusters")
    except (yaml.YAMLError, AttributeError, TypeError):
        raise SyncError(f'key "{_CLUSTER_INFO_KEY}" does not contain a valid kubeconfig') from None
    return found


def read_printed(output: str, pod: Object) -> tuple[bytes, bytes]:
    """Certificate and key from what the agent printed; raises SyncError."""
    where = f"agent pod {namespace_of(pod)}/{name_of(pod)}"
    try:
        printed: Any = json.loads(output)
        certificate, key = printed.get("tls.crt") or "", printed.get("tls.key") or ""
    except (ValueError, AttributeError) as error:
        raise wrapped(f"failed to decode signing cert/key JSON from {where}", error) from None
    try:
        certificate_pem = decode_base64(certificate)
    except ValueError as error:
        raise wrapped(f"failed to decode signing cert base64 from {where}", error) from None
    try:
        return certificate_pem, decode_base64(key)
    except ValueError as error:
        raise wrapped(f"failed to decode signing key base64 from {where}", error) from None
