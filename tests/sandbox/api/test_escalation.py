"""Roles and bindings that grant more than their writer holds.

Source: Kubernetes' documentation, "Using RBAC", privilege escalation prevention.
"""

from typing import Any

import pytest

from tests.fakes.cluster import MASTERS, Api, obj
from tutor.sandbox.api.escalation import compact
from tutor.sandbox.kinds import Object

RBAC = "rbac.authorization.k8s.io/v1"
ROLES = f"/apis/{RBAC}/namespaces/here/roles"
BINDINGS = f"/apis/{RBAC}/namespaces/here/rolebindings"
CLUSTER_ROLES = f"/apis/{RBAC}/clusterroles"
CLUSTER_BINDINGS = f"/apis/{RBAC}/clusterrolebindings"
JANE = ("jane",)
HELD = 'user "jane" (groups=["system:authenticated"]) is attempting to grant RBAC permissions'
SECRETS = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list"]}
EDITING = {
    "apiGroups": ["rbac.authorization.k8s.io"],
    "resources": ["roles", "rolebindings", "clusterroles", "clusterrolebindings"],
    "verbs": ["create", "update", "patch", "get"],
}


def role(name: str, *rules: Object, kind: str = "Role", **more: Any) -> Object:
    namespace = "here" if kind == "Role" else ""
    return obj(kind, name, version=RBAC, namespace=namespace, rules=list(rules), **more)


def binding(name: str, role_name: str, *, kind: str = "Role", where: str = "Role") -> Object:
    subject = {"kind": "User", "name": "jane", "apiGroup": "rbac.authorization.k8s.io"}
    ref = {"kind": kind, "name": role_name, "apiGroup": "rbac.authorization.k8s.io"}
    namespace = "here" if where == "Role" else ""
    made = obj(f"{where}Binding", name, version=RBAC, namespace=namespace)
    return made | {"subjects": [subject], "roleRef": ref}


async def let_jane(api: Api, *rules: Object) -> None:
    await api.make(CLUSTER_ROLES, role("janes", *rules, kind="ClusterRole"))
    await api.make(
        CLUSTER_BINDINGS, binding("janes", "janes", kind="ClusterRole", where="ClusterRole")
    )


@pytest.mark.parametrize("kind", ["Role", "ClusterRole"])
async def test_role_with_rights_the_writer_lacks_is_refused(api: Api, kind: str) -> None:
    await let_jane(api, EDITING)
    path = ROLES if kind == "Role" else CLUSTER_ROLES
    refused = await api.ask("POST", path, role("big", SECRETS, kind=kind), user=JANE)
    assert refused.status == 403
    assert refused.message.startswith(
        f'{kind.lower()}s.rbac.authorization.k8s.io "big" is forbidden: {HELD}'
    )
    assert refused.message.endswith(
        'not currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}'
    )


async def test_role_with_rights_the_writer_holds_is_made(api: Api) -> None:
    await let_jane(api, EDITING, SECRETS)
    await api.make(ROLES, role("big", SECRETS), user=JANE)


async def test_change_of_a_role_is_judged_and_its_labels_are_too(api: Api) -> None:
    await let_jane(api, EDITING)
    await api.make(ROLES, role("big", SECRETS))
    patch = {"metadata": {"labels": {"a": "b"}}}
    headers = {"content-type": "application/merge-patch+json"}
    refused = await api.ask("PATCH", f"{ROLES}/big", patch, user=JANE, headers=headers)
    assert HELD in refused.message
    collected = {"metadata": {"finalizers": ["example.org/a"]}}
    kept = await api.ask("PATCH", f"{ROLES}/big", collected, user=JANE, headers=headers)
    assert kept.status == 200


async def test_who_may_escalate_writes_any_role(api: Api) -> None:
    await let_jane(api, EDITING, EDITING | {"resources": ["roles"], "verbs": ["escalate"]})
    await api.make(ROLES, role("big", SECRETS), user=JANE)
    refused = await api.ask(
        "POST", CLUSTER_ROLES, role("big", SECRETS, kind="ClusterRole"), user=JANE
    )
    assert HELD in refused.message


async def test_aggregation_takes_every_right(api: Api) -> None:
    await let_jane(api, EDITING)
    selectors = {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}
    wide = role("wide", kind="ClusterRole", aggregationRule=selectors)
    refused = await api.ask("POST", CLUSTER_ROLES, wide, user=JANE)
    assert refused.message == (
        'clusterroles.rbac.authorization.k8s.io "wide" is forbidden: must have cluster-admin'
        " privileges to use the aggregationRule"
    )
    await api.make(CLUSTER_ROLES, wide, user=("root", *MASTERS))


@pytest.mark.parametrize("where", ["Role", "ClusterRole"])
async def test_binding_to_rights_the_writer_lacks_is_refused(api: Api, where: str) -> None:
    await let_jane(api, EDITING)
    await api.make(CLUSTER_ROLES, role("big", SECRETS, kind="ClusterRole"))
    path = BINDINGS if where == "Role" else CLUSTER_BINDINGS
    bound = binding("big", "big", kind="ClusterRole", where=where)
    refused = await api.ask("POST", path, bound, user=JANE)
    assert refused.status == 403
    assert HELD in refused.message


async def test_who_may_bind_one_role_binds_that_one(api: Api) -> None:
    bind = EDITING | {"resources": ["roles"], "verbs": ["bind"], "resourceNames": ["big"]}
    await let_jane(api, EDITING, bind)
    await api.make(ROLES, role("big", SECRETS))
    await api.make(ROLES, role("other", SECRETS))
    refused = await api.ask("POST", BINDINGS, binding("other", "other"), user=JANE)
    assert HELD in refused.message
    await api.make(BINDINGS, binding("big", "big"), user=JANE)


async def test_binding_to_a_missing_role_is_not_found_under_the_binding(api: Api) -> None:
    await let_jane(api, EDITING)
    missing = await api.ask("POST", BINDINGS, binding("b", "missing"), user=JANE)
    assert missing.status == 404
    assert missing.message == 'rolebindings.rbac.authorization.k8s.io "missing" not found'
    await api.make(BINDINGS, binding("b", "missing"))


def test_rules_that_differ_by_verb_are_told_as_one() -> None:
    parts = [SECRETS | {"verbs": [verb]} for verb in ("get", "list")]
    url = {"verbs": ["get"], "nonResourceURLs": ["/x"]}
    assert compact([parts[0], url, parts[1]]) == [url, SECRETS]
