"""What every cluster has comes back. Delays as seen at a kube-apiserver v1.36.2."""

from tests.fakes.cluster import Api, obj
from tutor.sandbox.controllers.resources import CONFIG_MAPS, SERVICES
from tutor.sandbox.controllers.server_objects import ServerObjects

KEPT = obj("ConfigMap", "trust", namespace="here", data={"k": "v"})
LATER = obj("Namespace", "kube-node-lease")
SERVICE = obj("Service", "kubernetes", namespace="here", spec={"ports": [{"port": 443}]})
OTHER = obj("ConfigMap", "other", namespace="here")
TRUST, LEASES = ("ConfigMap", ("here", "trust")), ("Namespace", ("", "kube-node-lease"))
API_SERVER = ("Service", ("here", "kubernetes"))


async def test_what_the_server_watches_is_made_again_at_once(api: Api) -> None:
    keeper = ServerObjects(api.client, [KEPT, LATER, obj("Secret", "s", namespace="here")])
    assert [key for watch in keeper.watches for key in watch.always] == [LEASES, TRUST]
    assert (await keeper.reconcile(TRUST)).again_s is None
    made = api.client.get(CONFIG_MAPS, "here", "trust")
    assert made["data"] == {"k": "v"}
    concerned = next(watch.keys for watch in keeper.watches if watch.resource == CONFIG_MAPS)
    assert (list(concerned(made)), list(concerned(OTHER))) == ([TRUST], [])
    await keeper.reconcile(TRUST)
    assert api.client.get(CONFIG_MAPS, "here", "trust") == made


async def test_what_the_server_looks_at_now_and_then_is_made_again_later(api: Api) -> None:
    keeper = ServerObjects(api.client, [SERVICE])
    for _ in range(2):
        assert (await keeper.reconcile(API_SERVER)).again_s == 5
        assert api.client.find(SERVICES, "here", "kubernetes") is None
        assert (await keeper.reconcile(API_SERVER)).again_s is None
        assert api.client.find(SERVICES, "here", "kubernetes") is not None
        assert (await keeper.reconcile(API_SERVER)).again_s is None
        await api.client.delete(SERVICES, "here", "kubernetes")
