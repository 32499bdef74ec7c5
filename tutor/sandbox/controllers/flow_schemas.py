"""The condition of flow schemas that says whether the level they name is there.

Source: apiserver's `pkg/util/flowcontrol` (apf_controller.go).
"""

from collections.abc import Hashable, Sequence

from tutor.sandbox.api.builtin.reading import part, text
from tutor.sandbox.api.deletion import timestamp
from tutor.sandbox.client import Client
from tutor.sandbox.component import DONE, Result, Watches
from tutor.sandbox.controllers.resources import condition
from tutor.sandbox.kinds import GroupResource, Object, name_of

_GROUP = "flowcontrol.apiserver.k8s.io"
SCHEMAS = GroupResource(_GROUP, "flowschemas")
LEVELS = GroupResource(_GROUP, "prioritylevelconfigurations")
_MANAGER = "api-priority-and-fairness-config-consumer-v1"
_TYPE = "Dangling"
_TOLD = ("status", "reason", "message")


class FlowSchemas:
    """Tells of schemas whether they dangle."""

    name = "flow-schemas"

    def __init__(self, client: Client) -> None:
        self._client = client.managed_by(_MANAGER)
        self.watches: Sequence[Watches] = (
            Watches(SCHEMAS, lambda schema: [name_of(schema)]),
            Watches(LEVELS, self._naming),
        )

    def _naming(self, level: Object) -> list[str]:
        """The schemas that name a level."""
        schemas = self._client.list(SCHEMAS)
        return [name_of(one) for one in schemas if _level_of(one) == name_of(level)]

    async def reconcile(self, key: Hashable) -> Result:
        """Look at one schema."""
        schema = self._client.find(SCHEMAS, "", str(key))
        if schema is None:
            return DONE
        level = _level_of(schema)
        wanted = dangling(level, exists=self._client.find(LEVELS, "", level) is not None)
        known = condition(schema, _TYPE) or {}
        if all(known.get(field) == wanted[field] for field in _TOLD):
            return DONE
        since = timestamp(self._client.now())
        config: Object = {
            "apiVersion": schema["apiVersion"],
            "kind": schema["kind"],
            "metadata": {"name": name_of(schema)},
            "status": {"conditions": [wanted | {"lastTransitionTime": since}]},
        }
        await self._client.apply(config, "status")
        return DONE


def dangling(level: str, *, exists: bool) -> Object:
    """The condition of a schema that names a level, without its time."""
    said = "and it exists" if exists else "but there is no such object"
    return {
        "type": _TYPE,
        "status": "False" if exists else "True",
        "reason": "Found" if exists else "NotFound",
        "message": (
            f'This FlowSchema references the PriorityLevelConfiguration object named "{level}"'
            f" {said}"
        ),
    }


def _level_of(schema: Object) -> str:
    return text(part(schema, "spec", "priorityLevelConfiguration"), "name")
