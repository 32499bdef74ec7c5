"""The health of a control plane's components, which is asked for and not stored.

Source: kubernetes' registry/core/componentstatus, and the ports that a server asks at.
"""

from collections.abc import Callable

from tutor.sandbox.api.objects import Outcome
from tutor.sandbox.api.status import not_found
from tutor.sandbox.kinds import GroupResource, Key, Object
from tutor.sandbox.schema.encode import encode
from tutor.sandbox.store import Stored

COMPONENT_STATUSES = GroupResource("", "componentstatuses")
_SINGULAR = GroupResource("", "componentstatus")
_PORTS = {"controller-manager": 10257, "scheduler": 10259}
_STORE = "etcd-0"


class ComponentStatuses:
    """The components of one control plane. `whole` says whether there is more than the server."""

    def __init__(self, *, whole: bool) -> None:
        failures = {} if whole else {name: _refused(port) for name, port in _PORTS.items()}
        self._found = [_status(name, failures.get(name, "")) for name in (*_PORTS, _STORE)]

    def get(self, name: str) -> Outcome:
        """One component; raises ApiError (404) for one that there is not."""
        found = next((obj for obj in self._found if obj["metadata"]["name"] == name), None)
        if found is None:
            raise not_found(_SINGULAR, name)
        return Outcome(found, encode(found))

    def matching(self, matches: Callable[[Object], bool] | None) -> list[Stored]:
        """The components that a selector leaves."""
        return [
            Stored(Key(*COMPONENT_STATUSES, "", obj["metadata"]["name"]), obj, 0, encode(obj))
            for obj in self._found
            if matches is None or matches(obj)
        ]


def _refused(port: int) -> str:
    address = f"127.0.0.1:{port}"
    return f'Get "https://{address}/healthz": dial tcp {address}: connect: connection refused'


def _status(name: str, failure: str) -> Object:
    condition = {
        "type": "Healthy",
        "status": "False" if failure else "True",
        "message": failure or "ok",
    }
    return {
        "kind": "ComponentStatus",
        "apiVersion": "v1",
        "metadata": {"name": name},
        "conditions": [condition],
    }
