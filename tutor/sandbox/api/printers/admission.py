"""Admission configurations, and the APIs that are served besides the built-in ones.

CRDs have no columns of their own. Source: kubernetes v1.36.2, pkg/printers/internalversion, and
kube-aggregator v0.36.2, pkg/registry/apiservice.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from tutor.sandbox.api.printers.field import (
    UNSET,
    age,
    at,
    condition,
    is_true,
    items,
    mapping,
    name,
    text,
)
from tutor.sandbox.api.printers.printer import AGE, NAME, Column, Printer
from tutor.sandbox.kinds import GroupResource, Object

_GROUP = "admissionregistration.k8s.io"


def _webhooks(obj: Object, now: datetime) -> list[Any]:
    return [name(obj), len(items(obj, "webhooks")), age(obj, now)]


def _policy(rules: str) -> Callable[[Object, datetime], list[Any]]:
    def cells(obj: Object, now: datetime) -> list[Any]:
        param = at(obj, "spec", "paramKind")
        kind = UNSET if param is None else f"{text(param, 'apiVersion')}/{text(param, 'kind')}"
        return [name(obj), len(items(obj, "spec", rules)), kind, age(obj, now)]

    return cells


def _policy_binding(obj: Object, now: datetime) -> list[Any]:
    return [name(obj), text(obj, "spec", "policyName"), _param(obj), age(obj, now)]


def _param(obj: Object) -> str:
    reference = at(obj, "spec", "paramRef")
    if named := text(reference, "name"):
        return f"{text(reference, 'namespace') or '*'}/{named}"
    selector = at(reference, "selector")
    return UNSET if selector is None else _go_selector(selector)


def _go_selector(selector: Object) -> str:
    """Print a LabelSelector as its Go type prints itself."""
    matched = "".join(f"{k}: {v}," for k, v in sorted(mapping(selector, "matchLabels").items()))
    terms = "".join(
        f"LabelSelectorRequirement{{Key:{text(one, 'key')},Operator:{text(one, 'operator')},"
        f"Values:[{' '.join(items(one, 'values'))}],}},"
        for one in items(selector, "matchExpressions")
    )
    return (
        f"&LabelSelector{{MatchLabels:map[string]string{{{matched}}},"
        f"MatchExpressions:[]LabelSelectorRequirement{{{terms}}},}}"
    )


def _api_service(obj: Object, now: datetime) -> list[Any]:
    service = at(obj, "spec", "service")
    return [
        name(obj),
        "Local" if service is None else f"{text(service, 'namespace')}/{text(service, 'name')}",
        _availability(obj),
        age(obj, now),
    ]


def _availability(obj: Object) -> str:
    found = condition(items(obj, "status", "conditions"), "Available")
    status, reason = text(found, "status", default="Unknown"), text(found, "reason")
    return f"{status} ({reason})" if reason and not is_true(found) else status


_WEBHOOKS = Printer(
    (NAME, Column("Webhooks", "Number of webhooks.", type="integer"), AGE), _webhooks
)
_BINDINGS = Printer(
    (
        NAME,
        Column("PolicyName", "Policy that is put to use."),
        Column("ParamRef", "Parameters it is used with."),
        AGE,
    ),
    _policy_binding,
)
_PARAM_KIND = Column("ParamKind", "Kind of the policy's parameters.")

PRINTERS = {
    GroupResource(_GROUP, "mutatingwebhookconfigurations"): _WEBHOOKS,
    GroupResource(_GROUP, "validatingwebhookconfigurations"): _WEBHOOKS,
    GroupResource(_GROUP, "validatingadmissionpolicies"): Printer(
        (NAME, Column("Validations", "Number of rules.", type="integer"), _PARAM_KIND, AGE),
        _policy("validations"),
    ),
    GroupResource(_GROUP, "mutatingadmissionpolicies"): Printer(
        (NAME, Column("Mutations", "Number of changes.", type="integer"), _PARAM_KIND, AGE),
        _policy("mutations"),
    ),
    GroupResource(_GROUP, "validatingadmissionpolicybindings"): _BINDINGS,
    GroupResource(_GROUP, "mutatingadmissionpolicybindings"): _BINDINGS,
    GroupResource("apiregistration.k8s.io", "apiservices"): Printer(
        (
            NAME,
            Column("Service", "Service that answers; Local is this server."),
            Column("Available", "Whether it answers, or why not."),
            AGE,
        ),
        _api_service,
    ),
}
