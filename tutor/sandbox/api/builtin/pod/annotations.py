"""Annotations with a meaning for pods. Source: `apis/core/validation/validation.go`."""

import json
import re
from typing import Any

from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.pod.paths import descending
from tutor.sandbox.api.builtin.pod.reading import containers
from tutor.sandbox.api.builtin.pod.scheduling import tolerations
from tutor.sandbox.api.builtin.reading import INT32_MAX, part, text
from tutor.sandbox.api.status import forbidden_field, invalid
from tutor.sandbox.kinds import Object, annotations_of

MIRROR = "kubernetes.io/config.mirror"
APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"
SECCOMP = "seccomp.security.alpha.kubernetes.io/pod"
SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/"
_TOLERATIONS = "scheduler.alpha.kubernetes.io/tolerations"
_DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"


def specific(meta: Object, spec: Object, path: str) -> Errors:
    """What pods' own annotations say."""
    found = part(meta, "annotations")
    errors: Errors = []
    if MIRROR in found and not spec.get("nodeName"):
        why = "must set spec.nodeName if mirror pod annotation is set"
        errors.append(invalid(f"{path}[{MIRROR}]", found[MIRROR], why))
    if written := found.get(_TOLERATIONS):
        errors += _tolerations(written, path)
    cost = found.get(_DELETION_COST)
    if cost is not None and not _is_int32(cost):
        errors.append(invalid(f"{path}[{_DELETION_COST}]", cost, "must be a 32bit integer"))
    if SECCOMP in found:
        errors += _seccomp(found[SECCOMP], f"{path}.{SECCOMP}")
    for key in sorted(found):
        if key.startswith(SECCOMP_CONTAINER):
            errors += _seccomp(found[key], f"{path}.{key}")
    return errors + _app_armor(found, spec, path)


def _tolerations(written: str, path: str) -> Errors:
    try:
        listed: Any = json.loads(written)
    except json.JSONDecodeError:
        why = "invalid character in literal (expecting a JSON list of tolerations)"
        return [invalid(path, _TOLERATIONS, why)]
    return tolerations(listed, f"{path}.{_TOLERATIONS}")


def _is_int32(written: str) -> bool:
    whole = re.fullmatch(r"-?\d+", written)
    padded = written.startswith("0") and written != "0"
    return bool(whole) and not padded and -INT32_MAX - 1 <= int(written) <= INT32_MAX


def _seccomp(profile: str, path: str) -> Errors:
    if profile in ("runtime/default", "docker/default", "unconfined"):
        return []
    if profile.startswith("localhost/"):
        return descending(profile.removeprefix("localhost/"), path)
    return [invalid(path, profile, "must be a valid seccomp profile")]


def _app_armor(found: Object, spec: Object, path: str) -> Errors:
    errors: Errors = []
    names = {text(container, "name") for container, _ in containers(spec)}
    for key in sorted(found):
        if not key.startswith(APP_ARMOR):
            continue
        name, profile = key.removeprefix(APP_ARMOR), found[key]
        if name not in names:
            errors.append(invalid(f"{path}[{key}]", name, "container not found"))
        known = profile in ("", "runtime/default", "unconfined")
        if not known and not profile.startswith("localhost/"):
            why = f'invalid AppArmor profile name: "{profile}"'
            errors.append(invalid(f"{path}[{key}]", profile, why))
    return errors


def agree(meta: Object, spec: Object, path: str) -> Errors:
    """Where an annotation and a field name a profile, they name the same."""
    found = part(meta, "annotations")
    context = part(spec, "securityContext")
    errors: Errors = []
    if SECCOMP in found and (profile := context.get("seccompProfile")) is not None:
        at = f"{path}.securityContext.seccompProfile"
        errors += _differ(found[SECCOMP], profile, at, "seccomp")
    for container, at in containers(spec, path):
        profile = part(container, "securityContext").get("seccompProfile")
        annotation = found.get(SECCOMP_CONTAINER + text(container, "name"))
        if profile is not None and annotation is not None:
            there = f"{at}.securityContext.seccompProfile"
            errors += _differ(annotation, profile, there, "seccomp")
    if part(spec, "os").get("name") == "windows":
        return errors
    for container, at in containers(spec, path):
        own = part(container, "securityContext").get("appArmorProfile")
        profile = context.get("appArmorProfile") if own is None else own
        annotation = found.get(APP_ARMOR + text(container, "name"))
        if profile is not None and annotation is not None:
            there = f"{at}.securityContext.appArmorProfile"
            errors += _differ(annotation, profile, there, "apparmor")
    return errors


def _differ(annotation: str, profile: Object, path: str, what: str) -> Errors:
    kind = text(profile, "type")
    default = ("runtime/default", "docker/default") if what == "seccomp" else ("runtime/default",)
    known = {"Unconfined": ("unconfined",), "RuntimeDefault": default}
    if kind == "Localhost" and annotation.startswith("localhost/"):
        if annotation == f"localhost/{text(profile, 'localhostProfile')}":
            return []
        why = f"{what} profile in annotation and field must match"
        return [forbidden_field(f"{path}.localhostProfile", why)]
    if kind != "Localhost" and (kind not in known or annotation in known[kind]):
        return []
    why = f"{what} type in annotation and field must match"
    return [forbidden_field(f"{path}.type", why)]


def changes(new: Object, old: Object, path: str) -> Errors:
    """What annotations of a pod cannot do once it is there."""
    found, before = annotations_of(new), annotations_of(old)
    errors: Errors = []
    for key in sorted(before):
        if found.get(key) == before[key]:
            continue
        if key.startswith(APP_ARMOR):
            why = "may not remove or update AppArmor annotations"
            errors.append(forbidden_field(f"{path}[{key}]", why))
        if key == MIRROR:
            why = "may not remove or update mirror pod annotation"
            errors.append(forbidden_field(f"{path}[{key}]", why))
    for key in sorted(found.keys() - before.keys()):
        if key.startswith(APP_ARMOR):
            errors.append(forbidden_field(f"{path}[{key}]", "may not add AppArmor annotations"))
        if key == MIRROR:
            errors.append(forbidden_field(f"{path}[{key}]", "may not add mirror pod annotation"))
    return errors + specific(part(new, "metadata"), part(new, "spec"), path)
