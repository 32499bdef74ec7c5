"""What CSI drivers are, what they do on nodes, how much they hold, and what they attach.

Source: `apis/storage/validation/validation.go`, `registry/storage`.
"""

from tutor.sandbox.api import formats, metadata
from tutor.sandbox.api.builtin import checks, go_struct
from tutor.sandbox.api.builtin.behaviour import (
    Behaviour,
    Subpath,
    keep_metadata,
    keep_spec,
    keep_status,
)
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.pod.network_volumes import driver_name
from tutor.sandbox.api.builtin.pod.warnings import NODE_LABELS
from tutor.sandbox.api.builtin.reading import (
    INT32_MAX,
    drop,
    fill_absent,
    indexed,
    items,
    part,
    same,
    text,
)
from tutor.sandbox.api.builtin.workloads.template import count_changes
from tutor.sandbox.api.status import (
    duplicate,
    forbidden_field,
    invalid,
    not_supported,
    required,
    too_long,
)
from tutor.sandbox.kinds import Object

_GROUP_POLICIES = ("File", "None", "ReadWriteOnceWithFSType")
_LIFE_CYCLES = ("Persistent", "Ephemeral")
_TEN_MINUTES = 600
_MAX_SECONDS = 2**32
_MAX_METADATA, _MAX_MESSAGE, _MAX_NODE_ID = 256 * 1024, 1024, 256


def _default_driver(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    fill_absent(
        spec,
        attachRequired=True,
        podInfoOnMount=False,
        storageCapacity=False,
        fsGroupPolicy="ReadWriteOnceWithFSType",
        requiresRepublish=False,
        seLinuxMount=False,
    )
    if not spec.get("volumeLifecycleModes"):
        spec["volumeLifecycleModes"] = ["Persistent"]


def _prepare_driver(obj: Object) -> None:
    drop(part(obj, "spec"), "preventPodSchedulingIfMissing")


def _prepare_driver_update(new: Object, old: Object) -> None:
    if part(old, "spec").get("preventPodSchedulingIfMissing") is None:
        _prepare_driver(new)
    count_changes(new, old)


def _driver_spec(spec: Object) -> Errors:
    errors = checks.one_of(spec.get("fsGroupPolicy"), _GROUP_POLICIES, "spec.fsGroupPolicy")
    errors += _token_requests(spec)
    path = "spec.volumeLifecycleModes"
    for mode in items(spec, "volumeLifecycleModes"):
        if mode not in _LIFE_CYCLES:
            errors.append(not_supported(path, mode, _LIFE_CYCLES))
    period = spec.get("nodeAllocatableUpdatePeriodSeconds")
    if period is not None and period < 10:
        why = "must be greater than or equal to 10 seconds"
        errors.append(invalid("spec.nodeAllocatableUpdatePeriodSeconds", period, why))
    secret = spec.get("serviceAccountTokenInSecrets")
    if secret is not None and not items(spec, "tokenRequests"):
        why = "serviceAccountTokenInSecrets is set but no tokenRequests are specified"
        errors.append(invalid("spec.serviceAccountTokenInSecrets", secret, why))
    return errors


def _token_requests(spec: Object) -> Errors:
    errors: Errors = []
    seen: set[str] = set()
    for request, path in indexed(spec, "tokenRequests", "spec"):
        audience, seconds = text(request, "audience"), request.get("expirationSeconds")
        if audience in seen:
            errors.append(duplicate(f"{path}.audience", audience))
            continue
        seen.add(audience)
        if seconds is not None:
            errors += token_lifetime(seconds, f"{path}.expirationSeconds")
    return errors


def token_lifetime(seconds: int, path: str) -> Errors:
    """How long a token may be good."""
    if seconds < _TEN_MINUTES:
        return [invalid(path, seconds, "may not specify a duration less than 10 minutes")]
    if seconds > _MAX_SECONDS:
        return [invalid(path, seconds, "may not specify a duration larger than 2^32 seconds")]
    return []


def _validate_driver(obj: Object) -> Errors:
    errors = metadata.built_in(obj, metadata.dns_subdomain, namespaced=False)
    return errors + _driver_spec(part(obj, "spec"))


def _validate_driver_update(new: Object, old: Object) -> Errors:
    spec, before = part(new, "spec"), part(old, "spec")
    errors = metadata.built_in_update(new, old) + _driver_spec(spec)
    named = {"attachRequired": "attachedRequired", "volumeLifecycleModes": "volumeLifecycleModes"}
    for field, shown in named.items():
        errors += checks.immutable(spec.get(field), before.get(field), f"spec.{shown}")
    return errors


def _driver_warnings(obj: Object, old: Object | None) -> list[str]:
    spec = part(obj, "spec")
    requests = items(spec, "tokenRequests")
    unchanged = old is not None and same(requests, items(old, "spec", "tokenRequests"))
    if not requests or unchanged or spec.get("serviceAccountTokenInSecrets") is not None:
        return []
    why = "if supported by this CSI driver, set to true to prevent possible logging of tokens"
    return [f"spec.serviceAccountTokenInSecrets is unset; {why} in volume attributes"]


CSI_DRIVER = Behaviour(
    default=_default_driver,
    prepare_create=_prepare_driver,
    prepare_update=_prepare_driver_update,
    validate=_validate_driver,
    validate_update=_validate_driver_update,
    warnings=_driver_warnings,
    unconditional_update=False,
)


def _validate_node(obj: Object) -> Errors:
    errors = metadata.built_in(obj, metadata.dns_subdomain, namespaced=False)
    seen: set[str] = set()
    for driver, path in indexed(part(obj, "spec"), "drivers", "spec"):
        name, node = text(driver, "name"), text(driver, "nodeID")
        errors += driver_name(name, f"{path}.name")
        if not node:
            errors.append(required(f"{path}.nodeID"))
        if len(node) > _MAX_NODE_ID:
            why = f"must be {_MAX_NODE_ID} characters or less"
            errors.append(invalid(f"{path}.nodeID", node, why))
        count = part(driver, "allocatable").get("count")
        errors += checks.non_negative(count, f"{path}.allocatable.count")
        errors += [duplicate(f"{path}.name", name)] if name in seen else []
        seen.add(name)
        errors += _topology_keys(driver, path)
    return errors


def _topology_keys(driver: Object, path: str) -> Errors:
    errors: Errors = []
    keys = items(driver, "topologyKeys")
    for index, key in enumerate(keys):
        if not key:
            errors.append(required(path))
        if key in keys[:index]:
            errors.append(duplicate(path, key))
        errors += checks.obey(formats.label_key, key, path)
    return errors


def _validate_node_update(new: Object, old: Object) -> Errors:
    errors = _validate_node(new)
    for before in items(old, "spec", "drivers"):
        for driver in items(new, "spec", "drivers"):
            if text(driver, "name") != text(before, "name"):
                continue
            fixed, was = ({**one, "allocatable": None} for one in (driver, before))
            if not same(fixed, was):
                shown = go_struct.render("CSINodeDriver", fixed)
                errors.append(invalid("spec.drivers", shown, checks.IMMUTABLE))
    return errors


CSI_NODE = Behaviour(
    validate=_validate_node, validate_update=_validate_node_update, unconditional_update=False
)


def _judge_capacity(obj: Object, old: Object | None) -> Errors:
    errors = metadata.built_in(obj, metadata.dns_subdomain)
    before = (old or {}).get("nodeTopology")
    lax = bool(checks.label_selector(before, "nodeTopology"))
    selector = obj.get("nodeTopology")
    errors += checks.label_selector(selector, "nodeTopology", any_value=lax)
    errors += checks.obey(
        formats.dns1123_subdomain, text(obj, "storageClassName"), "storageClassName"
    )
    if (capacity := obj.get("capacity")) is not None:
        errors += checks.non_negative_quantity(capacity, "capacity")
    return errors


def _validate_capacity(obj: Object) -> Errors:
    return _judge_capacity(obj, None)


def _validate_capacity_update(new: Object, old: Object) -> Errors:
    errors = _judge_capacity(new, old) + metadata.built_in_update(new, old)
    for field in ("nodeTopology", "storageClassName"):
        errors += checks.immutable(new.get(field), old.get(field), field)
    return errors


def _capacity_warnings(obj: Object, _old: Object | None) -> list[str]:
    selector, path = part(obj, "nodeTopology"), "nodeTopology"
    said: list[str] = []
    for expression, at in indexed(selector, "matchExpressions", path):
        key = text(expression, "key")
        if key in NODE_LABELS:
            said.append(f"{at}.key: {key} is {NODE_LABELS[key]}")
    return said + [
        f"{path}.matchLabels.{key}: {NODE_LABELS[key]}"
        for key in part(selector, "matchLabels")
        if key in NODE_LABELS
    ]


CSI_STORAGE_CAPACITY = Behaviour(
    validate=_validate_capacity,
    validate_update=_validate_capacity_update,
    warnings=_capacity_warnings,
    unconditional_update=False,
)


def _validate_attachment(obj: Object) -> Errors:
    errors = metadata.built_in(obj, metadata.dns_subdomain, namespaced=False)
    spec = part(obj, "spec")
    errors += driver_name(text(spec, "attacher"), "spec.attacher") + _source(part(spec, "source"))
    errors += checks.obey(formats.dns1123_subdomain, text(spec, "nodeName"), "spec.nodeName")
    errors += _attachment_status(part(obj, "status"))
    name = part(spec, "source").get("persistentVolumeName")
    if name is not None:
        errors += checks.obey(formats.dns1123_subdomain, name, "spec.source.persistentVolumeName")
    return errors


def _source(source: Object) -> Errors:
    path = "spec.source"
    inline, name = source.get("inlineVolumeSpec"), source.get("persistentVolumeName")
    why = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
    if inline is None and name is None:
        return [required(path, why)]
    if inline is not None and name is not None:
        return [forbidden_field(path, why)]
    if name == "":
        return [
            required(f"{path}.persistentVolumeName", "must specify non empty persistentVolumeName")
        ]
    return []


def _attachment_status(status: Object) -> Errors:
    errors: Errors = []
    told = part(status, "attachmentMetadata")
    if sum(len(one.encode()) for pair in told.items() for one in pair) > _MAX_METADATA:
        errors.append(too_long("status.attachmentMetadata", _MAX_METADATA))
    for field in ("attachError", "detachError"):
        failure, path = part(status, field), f"status.{field}"
        if len(text(failure, "message").encode()) > _MAX_MESSAGE:
            errors.append(too_long(f"{path}.message", _MAX_METADATA))
        code = failure.get("errorCode")
        if code is not None and code < 0:
            errors.append(invalid(f"{path}.errorCode", code, checks.between(0, INT32_MAX)))
    return errors


def _validate_attachment_update(new: Object, old: Object) -> Errors:
    errors = _validate_attachment(new)
    spec, before = part(new, "spec"), part(old, "spec")
    if not same(spec, before):
        shown = go_struct.render("VolumeAttachmentSpec", spec)
        errors.append(invalid("spec", shown, checks.IMMUTABLE))
    return errors


def _prepare_attachment_status(new: Object, old: Object) -> None:
    keep_spec(new, old)
    keep_metadata(new, old)


def _prepare_attachment(obj: Object) -> None:
    obj["status"] = {"attached": False}


VOLUME_ATTACHMENT = Behaviour(
    prepare_create=_prepare_attachment,
    prepare_update=keep_status,
    validate=_validate_attachment,
    validate_update=_validate_attachment_update,
    subpaths={
        "status": Subpath(prepare=_prepare_attachment_status, validate=_validate_attachment_update)
    },
    unconditional_update=False,
)
