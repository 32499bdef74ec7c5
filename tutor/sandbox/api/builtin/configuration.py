"""ConfigMaps, Secrets and ServiceAccounts. Source: `apis/core/validation/validation.go`."""

import base64
from collections.abc import Callable

from tutor.sandbox.api import gojson, metadata
from tutor.sandbox.api.builtin import checks, tls_pair
from tutor.sandbox.api.builtin.behaviour import Behaviour
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.reading import drop, fill, items, keep, part, text
from tutor.sandbox.api.status import forbidden_field, invalid, required, too_long
from tutor.sandbox.kinds import Object, annotations_of

MAX_BYTES = 1024 * 1024
SERVICE_ACCOUNT_NAME = "kubernetes.io/service-account.name"
ENFORCE_MOUNTABLE_SECRETS = "kubernetes.io/enforce-mountable-secrets"
_FROZEN = "field is immutable when `immutable` is set"


def _size(encoded: str | None) -> int:
    # A null is a value without bytes.
    return len(encoded) * 3 // 4 - encoded.count("=") if encoded else 0


def _keys(found: Object, path: str) -> Errors:
    return [
        error
        for key in sorted(found)
        for error in checks.obey(checks.config_key, key, f"{path}[{key}]")
    ]


def _frozen(new: Object, old: Object, *fields: str) -> Errors:
    errors: Errors = []
    if not old.get("immutable"):
        return errors
    if not new.get("immutable"):
        errors.append(forbidden_field("immutable", _FROZEN))
    for field in fields:
        if part(new, field) != part(old, field):
            errors.append(forbidden_field(field, _FROZEN))
    return errors


def _validate_config_map(obj: Object) -> Errors:
    errors = metadata.built_in(obj, metadata.dns_subdomain)
    data, binary = part(obj, "data"), part(obj, "binaryData")
    for key in sorted(data):
        path = f"data[{key}]"
        errors += checks.obey(checks.config_key, key, path)
        if key in binary:
            errors.append(invalid(path, key, "duplicate of key present in binaryData"))
    errors += _keys(binary, "binaryData")
    size = sum(len(value.encode()) for value in data.values())
    if size + sum(map(_size, binary.values())) > MAX_BYTES:
        # The real server names no field here; this is how its empty path prints.
        errors.append(too_long("[]", MAX_BYTES))
    return errors


def _validate_config_map_update(new: Object, old: Object) -> Errors:
    errors = metadata.built_in_update(new, old)
    return errors + _frozen(new, old, "data", "binaryData") + _validate_config_map(new)


def _default_secret(obj: Object) -> None:
    fill(obj, type="Opaque")
    if written := obj.get("stringData"):
        encoded = {key: base64.b64encode(v.encode()).decode() for key, v in written.items()}
        obj["data"] = part(obj, "data") | encoded
    drop(obj, "stringData")


def _prepare_secret_update(new: Object, old: Object) -> None:
    if not new.get("type"):
        keep(new, old, "type")


def _has_service_account(obj: Object) -> Errors:
    if annotations_of(obj).get(SERVICE_ACCOUNT_NAME):
        return []
    return [required(f"metadata.annotations[{SERVICE_ACCOUNT_NAME}]")]


def _has_json(key: str) -> Callable[[Object], Errors]:
    path = f"data[{key}]"

    def check(obj: Object) -> Errors:
        data = part(obj, "data")
        if key not in data:
            return [required(path)]
        complaint = _not_an_object(base64.b64decode(data[key] or ""))
        return [invalid(path, "<secret contents redacted>", complaint)] if complaint else []

    return check


def _not_an_object(raw: bytes) -> str:
    """Go's complaint about text that is no JSON object (or null), empty when it is one."""
    try:
        value = gojson.decode(raw).value
    except gojson.JsonError as error:
        return str(error)
    if value is None or isinstance(value, dict):
        return ""
    names = {bool: "bool", str: "string", list: "array"}
    name = next((name for kind, name in names.items() if isinstance(value, kind)), "number")
    return f"json: cannot unmarshal {name} into Go value of type map[string]interface {{}}"


def _has_basic_auth(obj: Object) -> Errors:
    data = part(obj, "data")
    if "username" in data or "password" in data:
        return []
    return [required("data[username]"), required("data[password]")]


def _has_ssh_key(obj: Object) -> Errors:
    return [] if part(obj, "data").get("ssh-privatekey") else [required("data[ssh-privatekey]")]


def _has_tls_pair(obj: Object) -> Errors:
    data = part(obj, "data")
    return [required(f"data[{key}]") for key in ("tls.crt", "tls.key") if key not in data]


_CONTENTS: dict[str, Callable[[Object], Errors]] = {
    "kubernetes.io/service-account-token": _has_service_account,
    "kubernetes.io/dockercfg": _has_json(".dockercfg"),
    "kubernetes.io/dockerconfigjson": _has_json(".dockerconfigjson"),
    "kubernetes.io/basic-auth": _has_basic_auth,
    "kubernetes.io/ssh-auth": _has_ssh_key,
    "kubernetes.io/tls": _has_tls_pair,
}


def _validate_secret(obj: Object) -> Errors:
    errors = metadata.built_in(obj, metadata.dns_subdomain)
    data = part(obj, "data")
    errors += _keys(data, "data")
    if sum(map(_size, data.values())) > MAX_BYTES:
        errors.append(too_long("data", MAX_BYTES))
    if contents := _CONTENTS.get(text(obj, "type")):
        errors += contents(obj)
    return errors


def _validate_secret_update(new: Object, old: Object) -> Errors:
    errors = metadata.built_in_update(new, old)
    errors += checks.immutable(text(new, "type"), text(old, "type"), "type")
    return errors + _frozen(new, old, "data") + _validate_secret(new)


def _secret_warnings(obj: Object, _old: Object | None) -> list[str]:
    if text(obj, "type") != "kubernetes.io/tls":
        return []
    data = part(obj, "data")
    pair = (base64.b64decode(data.get(key) or "") for key in ("tls.crt", "tls.key"))
    mismatch = tls_pair.mismatch(*pair)
    return [mismatch] if mismatch else []


def _clean_references(obj: Object) -> None:
    if "secrets" in obj:
        obj["secrets"] = [
            {"name": secret["name"]} if secret.get("name") else {}
            for secret in items(obj, "secrets")
        ]


def _clean_changed_references(new: Object, _old: Object) -> None:
    _clean_references(new)


def _validate_service_account(obj: Object) -> Errors:
    return metadata.built_in(obj, metadata.dns_subdomain)


def _validate_service_account_update(new: Object, old: Object) -> Errors:
    errors = metadata.built_in_update(new, old)
    return errors + _validate_service_account(new)


def _service_account_warnings(obj: Object, old: Object | None) -> list[str]:
    if ENFORCE_MOUNTABLE_SECRETS not in annotations_of(obj):
        return []
    if old is not None and ENFORCE_MOUNTABLE_SECRETS in annotations_of(old):
        return []
    why = "deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets"
    return [f"metadata.annotations[{ENFORCE_MOUNTABLE_SECRETS}]: {why}"]


CONFIG_MAP = Behaviour(validate=_validate_config_map, validate_update=_validate_config_map_update)
SECRET = Behaviour(
    default=_default_secret,
    prepare_update=_prepare_secret_update,
    validate=_validate_secret,
    validate_update=_validate_secret_update,
    warnings=_secret_warnings,
)
SERVICE_ACCOUNT = Behaviour(
    prepare_create=_clean_references,
    prepare_update=_clean_changed_references,
    validate=_validate_service_account,
    validate_update=_validate_service_account_update,
    warnings=_service_account_warnings,
)
