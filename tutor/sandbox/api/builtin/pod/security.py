"""Security contexts of pods and containers. Source: `apis/core/validation/validation.go`."""

import re

from tutor.sandbox.api.builtin import checks, go_struct
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.pod import windows
from tutor.sandbox.api.builtin.pod.capabilities import privileged_allowed
from tutor.sandbox.api.builtin.pod.paths import descending
from tutor.sandbox.api.builtin.reading import indexed, items, part, text
from tutor.sandbox.api.status import (
    duplicate,
    forbidden_field,
    invalid,
    not_supported,
    required,
    too_long,
)
from tutor.sandbox.kinds import Object

_PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")
_SYSCTL_SEGMENT = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_SYSCTL = rf"({_SYSCTL_SEGMENT}[\./])*{_SYSCTL_SEGMENT}"
_LONGEST_PATH = 4095
_IPC = tuple(
    f"kernel.{name}"
    for name in (
        "sem",
        *("shmall", "shmmax", "shmmni", "shm_rmid_forced", "shm"),
        *("msgmax", "msgmnb", "msgmni", "msg"),
    )
)


def _seccomp(profile: Object | None, path: str) -> Errors:
    if profile is None:
        return []
    kind, local = text(profile, "type"), profile.get("localhostProfile")
    errors: Errors = []
    if not kind:
        why = "type is required when seccompProfile is set"
        errors.append(required(f"{path}.type", why))
    else:
        errors += checks.one_of(kind, _PROFILES, f"{path}.type")
    at = f"{path}.localhostProfile"
    if kind == "Localhost":
        if local is None:
            return [*errors, required(at, "must be set when seccomp type is Localhost")]
        return errors + descending(local, at)
    if local is not None:
        shown = {"Type": kind, "LocalhostProfile": local}
        errors.append(invalid(at, shown, "can only be set when seccomp type is Localhost"))
    return errors


def _app_armor(profile: Object | None, path: str) -> Errors:
    if profile is None:
        return []
    kind, local = text(profile, "type"), profile.get("localhostProfile")
    at = f"{path}.localhostProfile"
    if kind == "Localhost":
        return _app_armor_local(local, at)
    if not kind:
        return [required(f"{path}.type", "type is required when appArmorProfile is set")]
    if kind not in _PROFILES:
        return [not_supported(f"{path}.type", kind, _PROFILES)]
    if local is not None:
        return [invalid(at, local, "can only be set when AppArmor type is Localhost")]
    return []


def _app_armor_local(local: str | None, path: str) -> Errors:
    missing = "must be set when AppArmor type is Localhost"
    if local is None:
        return [required(path, missing)]
    errors: Errors = []
    if local != local.strip():
        errors.append(invalid(path, local, "must not be padded with whitespace"))
    elif not local:
        errors.append(required(path, missing))
    if len(local.encode()) > _LONGEST_PATH:
        errors.append(too_long(path, _LONGEST_PATH))
    return errors


def container_context(context: Object | None, path: str, *, host_users: bool) -> Errors:
    """`securityContext` of a container."""
    if context is None:
        return []
    errors: Errors = []
    if context.get("privileged") and not privileged_allowed():
        errors.append(forbidden_field(f"{path}.privileged", "disallowed by cluster policy"))
    for field in ("runAsUser", "runAsGroup"):
        if (value := context.get(field)) is not None:
            errors += checks.user_id(value, f"{path}.{field}")
    if (mount := context.get("procMount")) is not None:
        errors += checks.one_of(mount, ("Default", "Unmasked"), f"{path}.procMount")
        if host_users and mount == "Unmasked":
            why = "`hostUsers` must be false to use `Unmasked`"
            errors.append(invalid(f"{path}.procMount", mount, why))
    errors += _seccomp(context.get("seccompProfile"), f"{path}.seccompProfile")
    if context.get("allowPrivilegeEscalation") is False:
        errors += _no_escalation(context, path)
    errors += windows.options(context, path)
    return errors + _app_armor(context.get("appArmorProfile"), f"{path}.appArmorProfile")


def _no_escalation(context: Object, path: str) -> Errors:
    shown = go_struct.render("SecurityContext", context)
    errors: Errors = []
    if context.get("privileged"):
        why = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
        errors.append(invalid(path, shown, why))
    for capability in items(context, "capabilities", "add"):
        if capability == "CAP_SYS_ADMIN":
            why = (
                "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` "
                "CAP_SYS_ADMIN"
            )
            errors.append(invalid(path, shown, why))
    return errors


def pod_context(spec: Object, path: str) -> Errors:
    """`securityContext` of a pod."""
    context = part(spec, "securityContext")
    errors: Errors = []
    for field in ("fsGroup", "runAsUser", "runAsGroup"):
        if (value := context.get(field)) is not None:
            errors += checks.user_id(value, f"{path}.{field}")
    for group, at in indexed(context, "supplementalGroups", path):
        errors += checks.user_id(group, at)
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        why = "ShareProcessNamespace and HostPID cannot both be enabled"
        errors.append(invalid(f"{path}.shareProcessNamespace", True, why))
    errors += _sysctls(spec, path)
    errors += _choice(context, "fsGroupChangePolicy", ("Always", "OnRootMismatch"), path)
    errors += _seccomp(context.get("seccompProfile"), f"{path}.seccompProfile")
    errors += windows.options(context, path)
    errors += _app_armor(context.get("appArmorProfile"), f"{path}.appArmorProfile")
    errors += _choice(context, "supplementalGroupsPolicy", ("Merge", "Strict"), path)
    return errors + _choice(context, "seLinuxChangePolicy", ("MountOption", "Recursive"), path)


def _choice(context: Object, field: str, supported: tuple[str, ...], path: str) -> Errors:
    value = context.get(field)
    return [] if value is None else checks.one_of(value, supported, f"{path}.{field}")


def _sysctls(spec: Object, path: str) -> Errors:
    errors: Errors = []
    names: set[str] = set()
    for sysctl, at in indexed(part(spec, "securityContext"), "sysctls", path):
        name, here = text(sysctl, "name"), f"{at}.name"
        if not name:
            errors.append(required(here))
        elif len(name) > 253 or not re.fullmatch(_SYSCTL, name):
            why = f"must have at most 253 characters and match regex ^{_SYSCTL}$"
            errors.append(invalid(here, name, why))
        elif name in names:
            errors.append(duplicate(here, name))
        errors += _host_sysctl(spec, name, here)
        names.add(name)
    return errors


def _host_sysctl(spec: Object, name: str, path: str) -> Errors:
    plain = name.replace("/", ".")
    if spec.get("hostNetwork") and plain.startswith("net."):
        return [invalid(path, name, "may not be specified when 'hostNetwork' is true")]
    ipc = plain in _IPC or plain.startswith("fs.mqueue.")
    if spec.get("hostIPC") and ipc:
        return [invalid(path, name, "may not be specified when 'hostIPC' is true")]
    return []


def host_users(spec: Object, path: str) -> Errors:
    """A pod with users of its own does not share the host's namespaces."""
    if spec.get("hostUsers") is not False:
        return []
    named = {"hostNetwork": "hostNetwork", "hostPID": "HostPID", "hostIPC": "HostIPC"}
    return [
        forbidden_field(f"{path}.{shown}", "when `hostUsers` is false")
        for field, shown in named.items()
        if spec.get(field)
    ]
