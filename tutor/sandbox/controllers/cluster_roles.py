"""Cluster roles that gather the rules of others.

Source: pkg/controller/clusterroleaggregation.
"""

from collections.abc import Hashable, Sequence

from tutor.sandbox.api.builtin.reading import items
from tutor.sandbox.api.rbac import CLUSTER_ROLES
from tutor.sandbox.api.selectors import label_selector
from tutor.sandbox.client import Client
from tutor.sandbox.component import DONE, Result, Watches
from tutor.sandbox.kinds import Object, name_of

_MANAGER = "clusterrole-aggregation-controller"


class ClusterRoleAggregation:
    """Fills the rules of roles that have an `aggregationRule`."""

    name = "clusterrole-aggregation"

    def __init__(self, client: Client) -> None:
        self._client = client.managed_by(_MANAGER)
        self.watches: Sequence[Watches] = (Watches(CLUSTER_ROLES, self._gathering),)

    def _gathering(self, _changed: Object) -> list[str]:
        """Whatever changed, every role that gathers may be concerned."""
        roles = self._client.list(CLUSTER_ROLES)
        return [name_of(role) for role in roles if role.get("aggregationRule") is not None]

    async def reconcile(self, key: Hashable) -> Result:
        """Gather the rules of one role."""
        role = self._client.find(CLUSTER_ROLES, "", str(key))
        if role is None or role.get("aggregationRule") is None:
            return DONE
        rules = gathered(role, self._client.list(CLUSTER_ROLES))
        if rules != items(role, "rules"):
            config: Object = {
                "apiVersion": role["apiVersion"],
                "kind": role["kind"],
                "metadata": {"name": name_of(role)},
            }
            await self._client.apply(config | ({"rules": rules} if rules else {}))
        return DONE


def gathered(role: Object, others: Sequence[Object]) -> list[Object]:
    """The rules of all roles that the selectors of `role` name, each rule once."""
    rules: list[Object] = []
    for selector in items(role, "aggregationRule", "clusterRoleSelectors"):
        selects = label_selector(selector)
        for other in sorted(filter(selects, others), key=name_of):
            if name_of(other) != name_of(role):
                rules += [rule for rule in items(other, "rules") if rule not in rules]
    return rules
