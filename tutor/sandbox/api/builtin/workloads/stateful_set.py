"""StatefulSets and the revisions that they and daemon sets keep.

Source: `apis/apps/validation/validation.go`, `registry/apps/statefulset/strategy.go`.
"""

from tutor.sandbox.api import formats, metadata
from tutor.sandbox.api.builtin import checks, go_struct
from tutor.sandbox.api.builtin.behaviour import (
    Behaviour,
    Subpath,
    first_generation,
    keep_spec,
    keep_status,
)
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.pod import annotations
from tutor.sandbox.api.builtin.pod.defaults import default_template
from tutor.sandbox.api.builtin.pod.spec import template_spec
from tutor.sandbox.api.builtin.reading import (
    drop,
    ensure,
    fill,
    fill_absent,
    indexed,
    items,
    keep,
    number,
    part,
    same,
    text,
)
from tutor.sandbox.api.builtin.storage.claim import claim_spec, default_claim, spec_warnings
from tutor.sandbox.api.builtin.workloads.template import (
    PATH,
    amount,
    count_changes,
    counts,
    has_selector,
    int_or_percent,
    is_readable,
    not_decremented,
    not_more,
    not_over_100_percent,
    runs_always,
    selects_template,
    template_warnings,
)
from tutor.sandbox.api.status import forbidden_field, invalid, required
from tutor.sandbox.kinds import Object, name_of

_CHANGEABLE = (
    "replicas",
    "template",
    "updateStrategy",
    "minReadySeconds",
    "ordinals",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
)
_COUNTS = (
    *("replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"),
    *("observedGeneration", "collisionCount"),
)
_LIMIT = "a negative value retains all historical revisions; a value >= 0 is recommended"


def _default(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    default_template(spec.setdefault("template", {}))
    fill(spec, podManagementPolicy="OrderedReady")
    fill_absent(spec, replicas=1, revisionHistoryLimit=10)
    for claim in items(spec, "volumeClaimTemplates"):
        fill(claim, apiVersion="v1", kind="PersistentVolumeClaim")
        default_claim(claim)
    strategy = spec.setdefault("updateStrategy", {})
    if not strategy.get("type"):
        strategy["type"] = "RollingUpdate"
        fill_absent(strategy, rollingUpdate={})
    rolling = strategy.get("rollingUpdate")
    if strategy["type"] == "RollingUpdate" and rolling is not None:
        fill_absent(rolling, partition=0)
    retention = ensure(spec, "persistentVolumeClaimRetentionPolicy")
    fill(retention, whenDeleted="Retain", whenScaled="Retain")


def _drop_gated(obj: Object) -> None:
    # More than one pod at a time is behind a gate that is off.
    drop(part(obj, "spec", "updateStrategy", "rollingUpdate"), "maxUnavailable")


def _prepare_create(obj: Object) -> None:
    obj["status"] = {"replicas": 0, "availableReplicas": 0}
    first_generation(obj)
    _drop_gated(obj)


def _prepare_update(new: Object, old: Object) -> None:
    keep_status(new, old)
    if part(old, "spec", "updateStrategy", "rollingUpdate").get("maxUnavailable") is None:
        _drop_gated(new)
    count_changes(new, old)


def _spec(spec: Object, *, is_new: bool) -> Errors:
    errors: Errors = []
    management = text(spec, "podManagementPolicy")
    if management not in ("OrderedReady", "Parallel"):
        why = "must be 'OrderedReady' or 'Parallel'"
        errors.append(invalid("spec.podManagementPolicy", management, why))
    errors += _strategy(part(spec, "updateStrategy"))
    retention = part(spec, "persistentVolumeClaimRetentionPolicy")
    for field in ("whenDeleted", "whenScaled"):
        path = f"spec.persistentVolumeClaimRetentionPolicy.{field}"
        errors += checks.one_of(text(retention, field), ("Retain", "Delete"), path)
    if is_new:
        for claim, path in indexed(spec, "volumeClaimTemplates", "spec"):
            errors += claim_spec(part(claim, "spec"), f"{path}.spec")
    for field in ("replicas", "minReadySeconds"):
        errors += checks.non_negative(spec.get(field), f"spec.{field}")
    errors += checks.non_negative(part(spec, "ordinals").get("start"), "spec.ordinals.start")
    if is_new and (service := text(spec, "serviceName")):
        errors += checks.obey(formats.dns1123_label, service, "spec.serviceName")
    errors += has_selector(spec, "statefulset")
    if is_readable(spec.get("selector")):
        errors += _template(spec)
    else:
        errors.append(invalid("spec.selector", spec["selector"], ""))
    return errors + runs_always(spec, "StatefulSet")


def _strategy(strategy: Object) -> Errors:
    kind, rolling, path = text(strategy, "type"), strategy.get("rollingUpdate"), "updateStrategy"
    if kind not in ("RollingUpdate", "OnDelete"):
        shown = go_struct.render("StatefulSetUpdateStrategy", strategy)
        return [invalid(f"spec.{path}", shown, "must be 'RollingUpdate' or 'OnDelete'")]
    at = f"spec.{path}.rollingUpdate"
    if rolling is None:
        return []
    if kind == "OnDelete":
        shown = go_struct.render("RollingUpdateStatefulSetStrategy", rolling)
        return [invalid(at, shown, "only allowed for updateStrategy 'RollingUpdate'")]
    errors = checks.non_negative(rolling.get("partition"), f"{at}.partition")
    if (most := rolling.get("maxUnavailable")) is not None:
        errors += int_or_percent(most, f"{at}.maxUnavailable")
        if amount(most) == 0:
            errors.append(invalid(f"{at}.maxUnavailable", most, "cannot be 0"))
        errors += not_over_100_percent(most, f"{at}.maxUnavailable")
    return errors


def _template(spec: Object) -> Errors:
    errors = selects_template(spec)
    template = _with_claims(spec)
    meta, pod = part(template, "metadata"), part(template, "spec")
    errors += template_spec(template, PATH)
    errors += checks.labels(meta.get("labels"), f"{PATH}.labels")
    errors += metadata.annotations(part(meta, "annotations"), f"{PATH}.annotations")
    return errors + annotations.specific(meta, pod, f"{PATH}.annotations")


def _with_claims(spec: Object) -> Object:
    """The template as its pods will have it: with the set's own claims among the volumes."""
    template = part(spec, "template")
    pod = {k: v for k, v in part(template, "spec").items() if k not in ("subdomain", "hostname")}
    claims: dict[str, Object] = {
        name_of(claim): {
            "name": name_of(claim),
            "persistentVolumeClaim": {"claimName": name_of(claim)},
        }
        for claim in items(spec, "volumeClaimTemplates")
    }
    others = [volume for volume in items(pod, "volumes") if text(volume, "name") not in claims]
    return template | {"spec": pod | {"volumes": [*claims.values(), *others]}}


def _validate(obj: Object) -> Errors:
    errors = metadata.built_in(obj, metadata.dns_label)
    return errors + _spec(part(obj, "spec"), is_new=True)


def _validate_update(new: Object, old: Object) -> Errors:
    errors = metadata.built_in_update(new, old) + _spec(part(new, "spec"), is_new=False)
    rest = dict(part(new, "spec"))
    keep(rest, part(old, "spec"), *_CHANGEABLE)
    if not same(rest, part(old, "spec")):
        why = (
            "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
            "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
            "'minReadySeconds' are forbidden"
        )
        errors.append(forbidden_field("spec", why))
    return errors


def _warnings(obj: Object, old: Object | None) -> list[str]:
    said = template_warnings(obj, old)
    for claim, path in indexed(part(obj, "spec"), "volumeClaimTemplates", "spec"):
        at = path if old is None else f"{path}.Spec"
        said += spec_warnings(part(claim, "spec"), at)
    if number(part(obj, "spec"), "revisionHistoryLimit") < 0:
        said.append(f"spec.revisionHistoryLimit: {_LIMIT}")
    return said


def _validate_status(new: Object, old: Object) -> Errors:
    status = part(new, "status")
    errors = counts(status, *_COUNTS)
    for field in _COUNTS[1:5]:
        errors += not_more(status, field, "replicas", "status.replicas")
    errors += not_more(status, "availableReplicas", "readyReplicas", "status.readyReplicas")
    return errors + metadata.built_in_update(new, old) + not_decremented(new, old)


STATEFUL_SET = Behaviour(
    default=_default,
    prepare_create=_prepare_create,
    prepare_update=_prepare_update,
    validate=_validate,
    validate_update=_validate_update,
    warnings=_warnings,
    subpaths={"status": Subpath(prepare=keep_spec, validate=_validate_status)},
)


def _revision(obj: Object) -> Errors:
    errors = metadata.built_in(obj, metadata.dns_subdomain)
    return errors + checks.non_negative(obj.get("revision"), "revision")


def _validate_revision(obj: Object) -> Errors:
    errors, data = _revision(obj), obj.get("data")
    if data is None:
        errors.append(required("data", "data is mandatory"))
    elif not isinstance(data, dict):
        errors.append(required("data", "data must be a valid JSON object"))
    return errors


def _validate_revision_update(new: Object, old: Object) -> Errors:
    errors = metadata.built_in_update(new, old) + _revision(new)
    return errors + checks.immutable(new.get("data"), old.get("data"), "data")


CONTROLLER_REVISION = Behaviour(
    validate=_validate_revision, validate_update=_validate_revision_update
)
