"""`pinniped whoami`: ask the cluster who the kubeconfig's user is.

Source: pinniped v0.25.0, cmd/pinniped/cmd/whoami.go.
"""

from __future__ import annotations

import json
from typing import Any

from tutor.sandbox.shims import tree
from tutor.sandbox.shims.cobra import Invocation
from tutor.sandbox.shims.flags import UsageError
from tutor.sandbox.shims.pinniped import client, concierge, kubeconfig
from tutor.sandbox.shims.pinniped.api import ApiError


def run(invocation: Invocation) -> int:
    """Print the answer in the format wanted; the result is the exit code.

    Raises:
        UsageError: with the real command's sentence.
    """
    flags = invocation.flags
    context, suffix = flags.text("kubeconfig-context"), flags.text("api-group-suffix")
    try:
        config = kubeconfig.load(flags.text("kubeconfig"))
        user = client.build(kubeconfig.client(config, context))
    except kubeconfig.ConfigError as error:
        raise UsageError(f"could not configure Kubernetes client: {error}") from None
    resource = concierge.who_am_i_requests(suffix)
    request = {
        "kind": "WhoAmIRequest",
        "apiVersion": f"{resource.group}/{resource.version}",
        "metadata": {"creationTimestamp": None},
        "spec": {},
        "status": {"kubernetesUserInfo": {"user": {"username": ""}}},
    }
    try:
        answer = user.create(resource, request)
    except ApiError as error:
        missing = error.reason == "NotFound"
        hint = " (is the Pinniped WhoAmI API running and healthy?)" if missing else ""
        raise UsageError(f"could not complete WhoAmIRequest{hint}: {error}") from None
    cluster = tree.text(tree.at(config.contexts, context or config.current, "cluster"))
    server = tree.text(tree.at(config.clusters, cluster, "server"))
    print(_written(flags.text("output"), cluster, server, _shaped(request, answer)), end="")
    return 0


def _shaped(request: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """The answer with the fields of the API type, in its order, empty ones left out."""
    found = tree.at(answer, "status", "kubernetesUserInfo")
    user = {"username": tree.text(tree.at(found, "user", "username"))}
    for key in ("uid", "groups", "extra"):
        if value := tree.at(found, "user", key):
            user[key] = value
    info: dict[str, Any] = {"user": user}
    if audiences := tree.at(found, "audiences"):
        info["audiences"] = audiences
    return {**request, "status": {"kubernetesUserInfo": info}}


def _written(output: str, cluster: str, server: str, answer: dict[str, Any]) -> str:
    user = answer["status"]["kubernetesUserInfo"]["user"]
    if output == "text":
        groups = ", ".join(str(group) for group in tree.items(user.get("groups")))
        return (
            f"Current cluster info:\n\nName: {cluster or '???'}\nURL: {server or '???'}\n\n"
            f"Current user info:\n\nUsername: {user['username']}\nGroups: {groups}\n"
        )
    if output == "json":
        return json.dumps(answer, ensure_ascii=False, indent=2)
    if output == "yaml":
        from tutor.sandbox.shims import yamltext

        return yamltext.dump(answer)
    raise UsageError(f'could not write output: unknown output format: "{output}"')
