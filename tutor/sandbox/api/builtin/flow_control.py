"""FlowSchemas and PriorityLevelConfigurations.

Source: `apis/flowcontrol/validation/validation.go`, `apis/flowcontrol/v1/defaults.go`.
"""

from collections.abc import Callable, Sequence
from math import ceil, log2

from tutor.sandbox.api import formats, metadata
from tutor.sandbox.api.builtin import checks, mandatory_flow
from tutor.sandbox.api.builtin.behaviour import (
    Behaviour,
    Subpath,
    drop_status,
    first_generation,
    keep_all_metadata,
    keep_spec,
    keep_status,
)
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.reading import fill, fill_absent, indexed, items, part, text
from tutor.sandbox.api.builtin.workloads.template import count_changes
from tutor.sandbox.api.status import (
    FieldError,
    duplicate,
    forbidden_field,
    invalid,
    not_supported,
    required,
)
from tutor.sandbox.kinds import Object, name_of

_EXEMPT, _LIMITED, _ALL = "exempt", "Limited", "*"
_MAX_PRECEDENCE = 10_000
_MAX_QUEUES = 10_000_000
_HASH_BITS = 60
_READS, _WRITES = ("get", "list", "watch"), ("create", "delete", "deletecollection", "update")
_VERBS = sorted((*_READS, *_WRITES, "patch", "proxy"))
_NOT_NEGATIVE = "must be a non-negative integer"
_SUBJECTS = {"ServiceAccount": "serviceAccount", "User": "user", "Group": "group"}


def _default_schema(obj: Object) -> None:
    fill(part(obj, "spec"), matchingPrecedence=1_000)


def _default_level(obj: Object) -> None:
    spec = part(obj, "spec")
    if (exempt := spec.get(_EXEMPT)) is not None:
        fill_absent(exempt, nominalConcurrencyShares=0, lendablePercent=0)
    if (limited := spec.get("limited")) is not None:
        fill_absent(limited, nominalConcurrencyShares=30, lendablePercent=0)
        if (queuing := part(limited, "limitResponse").get("queuing")) is not None:
            fill(queuing, handSize=8, queues=64, queueLengthLimit=50)


def _prepare_create(obj: Object) -> None:
    drop_status(obj)
    first_generation(obj)


def _prepare_update(new: Object, old: Object) -> None:
    keep_status(new, old)
    count_changes(new, old)


def _schema(obj: Object) -> Errors:
    spec = part(obj, "spec")
    errors = metadata.built_in(obj, metadata.dns_subdomain, namespaced=False)
    errors += _precedence(spec.get("matchingPrecedence", 0), name_of(obj))
    method = spec.get("distinguisherMethod")
    if method is not None and text(method, "type") not in ("ByNamespace", "ByUser"):
        path = "spec.distinguisherMethod.type"
        shown = {"Type": text(method, "type")}  # Go prints its own names of fields.
        errors.append(not_supported(path, shown, ("ByNamespace", "ByUser")))
    path, level = "spec.priorityLevelConfiguration.name", part(spec, "priorityLevelConfiguration")
    if name := text(level, "name"):
        errors += checks.obey(formats.dns1123_subdomain, name, path)
    else:
        errors.append(required(path, "must reference a priority level"))
    for rule, at in indexed(spec, "rules", "spec"):
        errors += _rule(rule, at)
    return errors + mandatory_flow.schema(obj) + _conditions(obj)


def _precedence(value: int, name: str) -> Errors:
    path, errors = "spec.matchingPrecedence", Errors()
    if value <= 0:
        errors.append(invalid(path, value, "must be a positive value"))
    if value > _MAX_PRECEDENCE:
        errors.append(invalid(path, value, f"must not be greater than {_MAX_PRECEDENCE}"))
    if value == 1 and name != _EXEMPT:
        why = "only the schema named 'exempt' may have matchingPrecedence 1"
        errors.append(invalid(path, value, why))
    return errors


def _rule(rule: Object, path: str) -> Errors:
    errors = Errors()
    for subject, at in indexed(rule, "subjects", path):
        errors += _subject(subject, at)
    if not items(rule, "subjects"):
        errors.append(required(f"{path}.subjects", "subjects must contain at least one value"))
    if not items(rule, "resourceRules") and not items(rule, "nonResourceRules"):
        why = "at least one of resourceRules and nonResourceRules has to be non-empty"
        errors.append(required(path, why))
    for each, at in indexed(rule, "resourceRules", path):
        errors += _resources(each, at)
    for each, at in indexed(rule, "nonResourceRules", path):
        errors += _urls(each, at)
    return errors


def _subject(subject: Object, path: str) -> Errors:
    kind = text(subject, "kind")
    if kind not in _SUBJECTS:
        return [not_supported(f"{path}.kind", kind, sorted(_SUBJECTS))]
    own = _SUBJECTS[kind]
    found, at = subject.get(own), f"{path}.{own}"
    errors = Errors()
    if found is None:
        errors.append(required(at, f"{own} is required when subject kind is '{kind}'"))
    elif not text(found, "name"):
        errors.append(required(f"{at}.name"))
    elif kind == "ServiceAccount" and found["name"] != _ALL:
        errors += checks.obey(formats.dns1123_subdomain, found["name"], f"{at}.name")
    if kind == "ServiceAccount" and found is not None:
        if namespace := text(found, "namespace"):
            errors += checks.obey(formats.dns1123_label, namespace, f"{at}.namespace")
        else:
            why = "must specify namespace for service account"
            errors.append(required(f"{at}.namespace", why))
    for other, field in _SUBJECTS.items():
        if field != own and subject.get(field) is not None:
            why = f"{field} is forbidden when subject kind is not '{other}'"
            errors.append(forbidden_field(f"{path}.{field}", why))
    return errors


def _verbs(rule: Object, path: str) -> Errors:
    verbs, at = items(rule, "verbs"), f"{path}.verbs"
    if not verbs:
        return [required(at, "verbs must contain at least one value")]
    if _ALL in verbs:
        return _alone(verbs, at, "verbs")
    return [] if set(verbs) <= set(_VERBS) else [not_supported(at, verbs, _VERBS)]


def _alone(values: Sequence[str], path: str, what: str) -> Errors:
    if _ALL not in values or len(values) == 1:
        return []
    return [invalid(path, list(values), f"if '*' is present, must not specify other {what}")]


def _resources(rule: Object, path: str) -> Errors:
    errors = _verbs(rule, path)
    for field, one, many in (
        ("apiGroups", "api group", "api groups"),
        ("resources", "resource", "resources"),
    ):
        values, at = items(rule, field), f"{path}.{field}"
        if values:
            errors += _alone(values, at, many)
        else:
            errors.append(required(at, f"resource rules must supply at least one {one}"))
    namespaces, at = items(rule, "namespaces"), f"{path}.namespaces"
    if not namespaces and not rule.get("clusterScope"):
        why = "resource rules that are not cluster scoped must supply at least one namespace"
        errors.append(required(at, why))
    elif _ALL in namespaces:
        errors += _alone(namespaces, at, "namespaces")
    else:
        intro = "each member of this list must be '*' or a DNS-1123 label; "
        for index, name in enumerate(namespaces):
            found = formats.dns1123_label(name)
            errors += [invalid(f"{at}[{index}]", name, intro + why) for why in found]
    return errors


def _urls(rule: Object, path: str) -> Errors:
    errors = _verbs(rule, path)
    urls, at = items(rule, "nonResourceURLs"), f"{path}.nonResourceURLs"
    if not urls:
        errors.append(required(at, "nonResourceURLs must contain at least one value"))
    elif _ALL in urls:
        errors += _alone(urls, at, "non-resource URLs")
    else:
        for index, url in enumerate(urls):
            if why := _bad_url(url):
                errors.append(invalid(f"{at}[{index}]", url, why))
    return errors


def _bad_url(url: str) -> str:
    if not url:
        return "must not be empty"
    if not url.startswith("/"):
        return "must start with slash"
    if " " in url:
        return "must not contain white-space"
    if "//" in url:
        return "must not contain double slash"
    if "*" in url[:-1] or (url.endswith("*") and not url.endswith("/*")):
        return "wildcard can only do suffix matching"
    return ""


def _level(obj: Object) -> Errors:
    spec = part(obj, "spec")
    errors = metadata.built_in(obj, metadata.dns_subdomain, namespaced=False)
    kind = text(spec, "type")
    if (name_of(obj) == _EXEMPT) != (kind == "Exempt"):
        why = "must be 'Exempt' if and only if `name` is 'exempt'"
        errors.append(invalid("spec.type", kind, why))
    exempt, limited = spec.get(_EXEMPT), spec.get("limited")
    if kind == "Exempt":
        if limited is not None:
            why = "must be nil if the type is not Limited"
            errors.append(forbidden_field("spec.limited", why))
        if exempt is not None:
            errors += _concurrency(exempt, "spec.exempt") + _lendable(exempt, "spec.exempt")
    elif kind == _LIMITED:
        if exempt is not None:
            errors.append(forbidden_field("spec.exempt", "must be nil if the type is Limited"))
        if limited is None:
            errors.append(required("spec.limited", "must not be empty when type is Limited"))
        else:
            errors += _limited(limited)
    else:
        errors.append(not_supported("spec.type", kind, ("Exempt", _LIMITED)))
    return errors + mandatory_flow.level(obj) + _conditions(obj)


def _limited(limited: Object) -> Errors:
    path = "spec.limited"
    errors = _concurrency(limited, path)
    errors += _response(part(limited, "limitResponse"), f"{path}.limitResponse")
    errors += _lendable(limited, path)
    borrowed = limited.get("borrowingLimitPercent")
    if borrowed is not None and borrowed < 0:
        why = f"if specified, {_NOT_NEGATIVE}"
        errors.append(invalid(f"{path}.borrowingLimitPercent", borrowed, why))
    return errors


def _concurrency(level: Object, path: str) -> Errors:
    shares = level.get("nominalConcurrencyShares")
    if shares is None or shares >= 0:
        return []
    return [invalid(f"{path}.nominalConcurrencyShares", shares, _NOT_NEGATIVE)]


def _lendable(level: Object, path: str) -> Errors:
    percent = level.get("lendablePercent")
    return [] if percent is None else checks.in_range(percent, 0, 100, f"{path}.lendablePercent")


def _response(response: Object, path: str) -> Errors:
    kind, queuing, at = text(response, "type"), response.get("queuing"), f"{path}.queuing"
    if kind == "Reject":
        why = "must be nil if limited.limitResponse.type is not Limited"
        return [forbidden_field(at, why)] if queuing is not None else []
    if kind != "Queue":
        return [not_supported(f"{path}.type", kind, ("Queue", "Reject"))]
    if queuing is None:
        return [required(at, "must not be empty if limited.limitResponse.type is Limited")]
    return _queuing(queuing, at)


def _queuing(queuing: Object, path: str) -> Errors:
    length, queues, hand = (
        queuing.get(field, 0) for field in ("queueLengthLimit", "queues", "handSize")
    )
    errors = Errors()

    def judge(field: str, value: int, *rules: tuple[bool, Callable[[], str]]) -> None:
        broken = next((why for bad, why in rules if bad), None)
        if value <= 0:
            errors.append(invalid(f"{path}.{field}", value, "must be positive"))
        elif broken is not None:
            errors.append(invalid(f"{path}.{field}", value, broken()))

    judge("queueLengthLimit", length)
    judge(
        "queues", queues, (queues > _MAX_QUEUES, lambda: f"must not be greater than {_MAX_QUEUES}")
    )
    judge(
        "handSize",
        hand,
        (hand > queues, lambda: f"should not be greater than queues ({queues})"),
        (
            queues > 0 and ceil(log2(queues) * hand) > _HASH_BITS,
            lambda: (
                f"required entropy bits of deckSize {queues} and handSize {hand} should not be"
                f" greater than {_HASH_BITS}"
            ),
        ),
    )
    return errors


def _prepare_status(new: Object, old: Object) -> None:
    keep_spec(new, old)
    keep_all_metadata(new, old)


def _conditions(obj: Object) -> Errors:
    errors: list[FieldError] = []
    seen: set[str] = set()
    for condition, at in indexed(part(obj, "status"), "conditions", "status"):
        kind = text(condition, "type")
        errors += [duplicate(f"{at}.type", kind)] if kind in seen else []
        seen.add(kind)
        errors += [] if kind else [required(f"{at}.type")]
    return errors


def _behaviour(default: Callable[[Object], None], judge: Callable[[Object], Errors]) -> Behaviour:
    return Behaviour(
        default=default,
        prepare_create=_prepare_create,
        prepare_update=_prepare_update,
        validate=judge,
        validate_update=lambda new, old: metadata.built_in_update(new, old) + judge(new),
        subpaths={
            "status": Subpath(prepare=_prepare_status, validate=lambda new, _old: _conditions(new))
        },
    )


FLOW_SCHEMA = _behaviour(_default_schema, _schema)
PRIORITY_LEVEL_CONFIGURATION = _behaviour(_default_level, _level)
