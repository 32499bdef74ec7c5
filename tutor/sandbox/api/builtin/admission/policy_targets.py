"""What policies for admission have in common: which writes they are about, and their parameters.

Source: apiserver's `admission/plugin/policy/generic` and `policy/matching`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tutor.sandbox.api.builtin.admission.plugin import NAMESPACES, World
from tutor.sandbox.api.builtin.reading import items, part, text
from tutor.sandbox.api.builtin.registration.evaluation import Activation, namespace_object
from tutor.sandbox.api.selectors import label_selector
from tutor.sandbox.api.webhooks import Write, request_of, rule_matches
from tutor.sandbox.kinds import GroupResource, Object, labels_of

ResourceOf = Callable[[str, str], tuple[GroupResource, bool] | None]
"""(apiVersion, kind) -> its collection and whether that is in namespaces, None when not served."""


class Misconfigured(ValueError):
    """A policy or binding that cannot be carried out; the text is the server's."""


@dataclass(frozen=True, slots=True)
class Targets:
    """Finds what a policy is about among the objects that are stored."""

    world: World
    resource_of: ResourceOf

    def matches(self, match: Object, write: Write) -> bool:
        """Whether a policy, or a binding, is about the write."""
        if not label_selector(part(match, "namespaceSelector")).matches(self._labels(write)):
            return False
        by_object = label_selector(part(match, "objectSelector"))
        if not any(by_object(obj) for obj in (write.new, write.old) if obj is not None):
            return False
        if _any_rule(items(match, "excludeResourceRules"), write):
            return False
        rules = items(match, "resourceRules")
        return not rules or _any_rule(rules, write)

    def _labels(self, write: Write) -> dict[str, str]:
        if write.served.kind.group_resource == NAMESPACES:
            return labels_of(write.new or write.old or {})
        if not write.namespace:
            return {}
        return labels_of(self.world.find(NAMESPACES, "", write.namespace) or {})

    def params(self, policy: Object, binding: Object, write: Write) -> Iterable[Object | None]:
        """What the policy is evaluated with, once for each; raises Misconfigured."""
        kind, ref = part(policy, "spec").get("paramKind"), part(binding, "spec").get("paramRef")
        if kind is None or ref is None:
            return [None]
        found = self.resource_of(kind["apiVersion"], kind["kind"])
        if found is None:
            shown = f"&ParamKind{{APIVersion:{kind['apiVersion']},Kind:{kind['kind']},}}"
            raise Misconfigured(f"paramKind kind `{shown}` not known")
        resource, namespaced = found
        namespace = text(ref, "namespace")
        if namespaced:
            namespace = namespace or write.namespace
            if not namespace:
                raise Misconfigured(
                    "cannot use namespaced paramRef in policy binding that matches cluster-scoped"
                    " resources"
                )
        elif namespace:
            raise Misconfigured(
                "paramRef.namespace must not be provided for a cluster-scoped `paramKind`"
            )
        params = self._named(resource, namespace, ref)
        if not params and ref.get("parameterNotFoundAction", "Deny") == "Deny":
            raise Misconfigured(
                "no params found for policy binding with `Deny` parameterNotFoundAction"
            )
        return params

    def _named(self, resource: GroupResource, namespace: str, ref: Object) -> list[Object]:
        if name := text(ref, "name"):
            found = self.world.find(resource, namespace, name)
            return [] if found is None else [found]
        selects = label_selector(part(ref, "selector"))
        return [obj for obj in self.world.objects_of(resource, namespace) if selects(obj)]

    def activation(self, spec: Object, param: Object | None, write: Write) -> Activation:
        """What the expressions of a policy may look at."""
        is_namespace = write.served.kind.group_resource == NAMESPACES
        namespace = None
        if write.namespace and not is_namespace:
            namespace = self.world.find(NAMESPACES, "", write.namespace)
        values: dict[str, Any] = {
            "object": write.new,
            "oldObject": write.old,
            "request": request_of(write),
            "namespaceObject": namespace_object(namespace),
        }
        if spec.get("paramKind") is not None:
            values["params"] = param
        return Activation(values, items(spec, "variables"))


def _any_rule(rules: Iterable[Object], write: Write) -> bool:
    return any(
        rule_matches(rule, write)
        and (not rule.get("resourceNames") or write.name in rule["resourceNames"])
        for rule in rules
    )
