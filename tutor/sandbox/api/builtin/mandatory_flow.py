"""The flow schemas and priority levels that every cluster has, and that nobody may change.

Source: `apis/flowcontrol/internalbootstrap/default-internal.go`, `apis/flowcontrol/validation`.
"""

from tutor.sandbox.api.builtin import go_struct
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.reading import part
from tutor.sandbox.api.status import invalid
from tutor.sandbox.kinds import Object, name_of

_ALL = ["*"]


def _everything(level: str, precedence: int, *groups: str) -> Object:
    resources: Object = {
        "verbs": _ALL,
        "apiGroups": _ALL,
        "resources": _ALL,
        "clusterScope": True,
        "namespaces": _ALL,
    }
    rule: Object = {
        "subjects": [{"kind": "Group", "group": {"name": group}} for group in groups],
        "resourceRules": [resources],
        "nonResourceRules": [{"verbs": _ALL, "nonResourceURLs": _ALL}],
    }
    return {
        "priorityLevelConfiguration": {"name": level},
        "matchingPrecedence": precedence,
        "rules": [rule],
    }


_SCHEMAS: dict[str, Object] = {
    "exempt": _everything("exempt", 1, "system:masters"),
    "catch-all": {
        **_everything("catch-all", 10_000, "system:unauthenticated", "system:authenticated"),
        "distinguisherMethod": {"type": "ByUser"},
    },
}
_LEVELS: dict[str, Object] = {
    "exempt": {"type": "Exempt"},
    "catch-all": {
        "type": "Limited",
        "limited": {
            "nominalConcurrencyShares": 5,
            "limitResponse": {"type": "Reject"},
            "lendablePercent": 0,
        },
    },
}


def schema(obj: Object) -> Errors:
    """A flow schema of a fixed name has a fixed spec."""
    fixed, spec = _SCHEMAS.get(name_of(obj)), part(obj, "spec")
    if fixed is None or fixed == spec:
        return []
    return _changed("FlowSchemaSpec", obj, "")


def level(obj: Object) -> Errors:
    """A priority level of a fixed name has a fixed spec, but for what the exempt one may say."""
    fixed, spec = _LEVELS.get(name_of(obj)), part(obj, "spec")
    if fixed is None:
        return []
    exempt = fixed["type"] == "Exempt"
    judged = {name: value for name, value in spec.items() if name != "exempt"} if exempt else spec
    if judged == fixed:
        return []
    besides = " except the 'spec.exempt' field" if exempt else ""
    return _changed("PriorityLevelConfigurationSpec", obj, besides)


def _changed(structure: str, obj: Object, besides: str) -> Errors:
    shown = go_struct.render(structure, part(obj, "spec"))
    why = f"spec of '{name_of(obj)}'{besides} must equal the fixed value"
    return [invalid("spec", shown, why)]
