"""The status of quotas. Source: Kubernetes concepts, "Resource Quotas"."""

from tests.fakes.cluster import Api, config_map, obj, pod
from tutor.sandbox.api.builtin.admission.quota.resource_quota import QUOTAS
from tutor.sandbox.controllers.quotas import Quotas
from tutor.sandbox.kinds import Object
from tutor.sandbox.store import Event

PATH = "/api/v1/namespaces/here/resourcequotas"
MAPS = "/api/v1/namespaces/here/configmaps"
ACCOUNTS = "/api/v1/namespaces/here/serviceaccounts"
PODS = "/api/v1/namespaces/here/pods"


def quota(**hard: str) -> Object:
    limits = {name.replace("_", "/"): value for name, value in hard.items()}
    return obj("ResourceQuota", "q", namespace="here", spec={"hard": limits})


async def status(api: Api) -> Object:
    return (await api.get(f"{PATH}/q")).body["status"]


async def test_quota_is_counted_and_a_second_look_writes_nothing(api: Api) -> None:
    quotas = Quotas(api.client, api.parts)
    await api.make(MAPS, config_map("a"))
    await api.make(PATH, quota(configmaps="2", pods="1"))
    await quotas.reconcile(("here", "q"))
    counted = await status(api)
    assert counted == {
        "hard": {"configmaps": "2", "pods": "1"},
        "used": {"configmaps": "1", "pods": "0"},
    }
    before = api.store.revision
    await quotas.reconcile(("here", "q"))
    assert api.store.revision == before


async def test_changed_limit_reaches_the_status(api: Api) -> None:
    quotas = Quotas(api.client, api.parts)
    await api.make(PATH, quota(configmaps="2"))
    await quotas.reconcile(("here", "q"))
    await api.ask("PUT", f"{PATH}/q", quota(secrets="1"))
    await quotas.reconcile(("here", "q"))
    assert await status(api) == {"hard": {"secrets": "1"}, "used": {"secrets": "0"}}


async def test_what_goes_or_shrinks_has_its_quotas_counted_again(api: Api) -> None:
    quotas = Quotas(api.client, api.parts)
    await api.make(PATH, quota(configmaps="2", pods="1"))
    await quotas.reconcile(("here", "q"))
    await api.make(ACCOUNTS, obj("ServiceAccount", "default", namespace="here"))
    seen: list[Event] = []
    unsubscribe = api.store.subscribe(None, seen.append)
    await api.make(MAPS, config_map("a"))
    await api.make(PODS, pod("p"))
    assert [key for event in seen for key in quotas.see(event)] == []
    seen.clear()
    await api.ask("DELETE", f"{MAPS}/a")
    assert [key for event in seen for key in quotas.see(event)] == [("here", "q")]
    seen.clear()
    headers = {"content-type": "application/merge-patch+json"}
    await api.ask("PATCH", f"{PODS}/p/status", {"status": {"phase": "Failed"}}, headers=headers)
    assert [key for event in seen for key in quotas.see(event)] == [("here", "q")]
    unsubscribe()


async def test_only_a_quota_whose_status_is_behind_wakes_the_counter(api: Api) -> None:
    quotas = Quotas(api.client, api.parts)
    (watch,) = quotas.watches
    made = await api.make(PATH, quota(configmaps="2"))
    assert watch.resource == QUOTAS
    assert watch.keys(made) == [("here", "q")]
    await quotas.reconcile(("here", "q"))
    assert watch.keys((await api.get(f"{PATH}/q")).body) == []
