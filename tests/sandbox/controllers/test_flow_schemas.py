"""Flow schemas that name a level, and what is said when there is none."""

from tests.fakes.cluster import Api, obj
from tutor.sandbox.controllers.flow_schemas import FlowSchemas
from tutor.sandbox.kinds import Object

GROUP = "flowcontrol.apiserver.k8s.io/v1"
SCHEMAS = f"/apis/{GROUP}/flowschemas"
LEVELS = f"/apis/{GROUP}/prioritylevelconfigurations"


async def said(api: Api) -> Object:
    (condition,) = (await api.get(f"{SCHEMAS}/f")).body["status"]["conditions"]
    return condition


async def test_schema_dangles_until_its_level_is_there(api: Api) -> None:
    controller = FlowSchemas(api.client)
    spec = {"priorityLevelConfiguration": {"name": "mine"}}
    await api.make(SCHEMAS, obj("FlowSchema", "f", version=GROUP, spec=spec))
    await controller.reconcile("f")
    told = await said(api)
    assert (told["type"], told["status"], told["reason"]) == ("Dangling", "True", "NotFound")
    assert told["message"].endswith('named "mine" but there is no such object')
    limits = {"type": "Limited", "limited": {"limitResponse": {"type": "Reject"}}}
    level = obj("PriorityLevelConfiguration", "mine", version=GROUP, spec=limits)
    made = await api.make(LEVELS, level)
    assert controller.watches[1].keys(made) == ["f"]
    await controller.reconcile("f")
    told = await said(api)
    assert (told["status"], told["reason"]) == ("False", "Found")
    before = (await api.get(f"{SCHEMAS}/f")).version
    await controller.reconcile("f")
    assert (await api.get(f"{SCHEMAS}/f")).version == before
    await controller.reconcile("missing")
