"""Cluster roles that gather the rules of others."""

from typing import Any

from tests.fakes.cluster import Api, obj
from tutor.sandbox.controllers.cluster_roles import ClusterRoleAggregation, gathered
from tutor.sandbox.kinds import Object

RBAC = "rbac.authorization.k8s.io/v1"
PATH = f"/apis/{RBAC}/clusterroles"
WHOLE = {"clusterRoleSelectors": [{"matchLabels": {"part": "whole"}}]}


def rule(resource: str) -> Object:
    return {"apiGroups": [""], "resources": [resource], "verbs": ["get"]}


def role(name: str, *resources: str, part: str = "", **more: Any) -> Object:
    labels = {"labels": {"part": part}} if part else {}
    rules = [rule(resource) for resource in resources]
    return obj("ClusterRole", name, version=RBAC, metadata=labels, rules=rules, **more)


def test_rules_are_gathered_by_name_and_once() -> None:
    whole = role("a", part="whole", aggregationRule=WHOLE)
    others = [role("c", "pods", "nodes", part="whole"), role("b", "pods", part="whole")]
    assert gathered(whole, [whole, *others, role("d", "secrets")]) == [rule("pods"), rule("nodes")]


async def test_role_follows_its_parts_and_a_second_look_changes_nothing(api: Api) -> None:
    controller = ClusterRoleAggregation(api.client)
    await api.make(PATH, role("whole", "secrets", aggregationRule=WHOLE))
    await api.make(PATH, role("part", "pods", part="whole"))
    await controller.reconcile("whole")
    filled = (await api.get(f"{PATH}/whole")).body
    assert filled["rules"] == [rule("pods")]
    managers = {
        entry["manager"]: entry["operation"] for entry in filled["metadata"]["managedFields"]
    }
    assert managers["clusterrole-aggregation-controller"] == "Apply"
    await controller.reconcile("whole")
    assert (await api.get(f"{PATH}/whole")).version == filled["metadata"]["resourceVersion"]
    await api.ask("DELETE", f"{PATH}/part")
    await controller.reconcile("whole")
    assert not (await api.get(f"{PATH}/whole")).body.get("rules")


async def test_change_of_any_role_wakes_those_that_gather(api: Api) -> None:
    controller = ClusterRoleAggregation(api.client)
    await api.make(PATH, role("whole", aggregationRule=WHOLE))
    (watch,) = controller.watches
    assert watch.keys(role("part", "pods")) == ["whole"]
    await controller.reconcile("missing")
