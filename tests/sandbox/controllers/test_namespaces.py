"""Namespaces that are to go. Source: pkg/controller/namespace."""

from tests.fakes.cluster import Api, config_map
from tutor.sandbox.controllers.namespaces import Namespaces
from tutor.sandbox.controllers.resources import CONFIG_MAPS, NAMESPACES


async def test_a_namespace_keeps_its_contents_for_a_grace_period(api: Api) -> None:
    await api.make("/api/v1/namespaces/here/configmaps", config_map("a"))
    await api.ask("DELETE", "/api/v1/namespaces/here")
    controller = Namespaces(api.client, api.parts.namespaced, grace_s=5)
    again = (await controller.reconcile("here")).again_s
    assert again is not None
    assert 0 < again <= 5
    assert api.stored(CONFIG_MAPS, "a") is not None
    assert api.client.get(NAMESPACES, "", "here")["status"]["phase"] == "Terminating"


async def test_a_namespace_without_a_grace_period_goes_at_once(api: Api) -> None:
    await api.make("/api/v1/namespaces/here/configmaps", config_map("a"))
    await api.ask("DELETE", "/api/v1/namespaces/here")
    assert (await Namespaces(api.client, api.parts.namespaced).reconcile("here")).again_s is None
    assert api.stored(CONFIG_MAPS, "a") is None
    assert api.client.find(NAMESPACES, "", "here") is None


async def test_a_namespace_whose_contents_stay_is_looked_at_again_no_sooner(api: Api) -> None:
    held = config_map("a", metadata={"finalizers": ["example.com/hold"]})
    await api.make("/api/v1/namespaces/here/configmaps", held)
    await api.ask("DELETE", "/api/v1/namespaces/here")
    controller = Namespaces(api.client, api.parts.namespaced)
    assert (await controller.reconcile("here")).again_s == 0.2
    await api.client.patch(CONFIG_MAPS, "here", "a", {"metadata": {"finalizers": None}})
    assert (await controller.reconcile("here")).again_s is None
    assert api.client.find(NAMESPACES, "", "here") is None
