"""The status of admission policies: which generation was looked at.

Of types nothing is checked, so nothing is ever found.

Source: pkg/controller/validatingadmissionpolicystatus.
"""

from collections.abc import Hashable, Sequence

from tutor.sandbox.api.builtin.admission.validating_policy import POLICIES
from tutor.sandbox.api.builtin.reading import part
from tutor.sandbox.client import Client
from tutor.sandbox.component import DONE, Result, Watches
from tutor.sandbox.kinds import Object, name_of

_MANAGER = "validatingadmissionpolicy-status"


class AdmissionPolicies:
    """Writes the status of each new generation of a policy."""

    name = "validatingadmissionpolicy-status"

    def __init__(self, client: Client) -> None:
        self._client = client.managed_by(_MANAGER)
        self.watches: Sequence[Watches] = (Watches(POLICIES, _unseen),)

    async def reconcile(self, key: Hashable) -> Result:
        """Look at one policy."""
        policy = self._client.find(POLICIES, "", str(key))
        if policy is not None and _unseen(policy):
            config: Object = {
                "apiVersion": policy["apiVersion"],
                "kind": policy["kind"],
                "metadata": {"name": name_of(policy)},
                "status": {
                    "observedGeneration": policy["metadata"]["generation"],
                    "typeChecking": {},
                },
            }
            await self._client.apply(config, "status")
        return DONE


def _unseen(policy: Object) -> list[str]:
    seen = part(policy, "status").get("observedGeneration")
    return [] if seen == policy["metadata"].get("generation") else [name_of(policy)]
