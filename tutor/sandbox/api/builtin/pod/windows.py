"""What the security contexts of pods may say on Windows, and what on Linux.

Source: `apis/core/validation/validation.go`.
"""

import re

from tutor.sandbox.api import formats
from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.builtin.pod.capabilities import privileged_allowed
from tutor.sandbox.api.builtin.pod.reading import containers
from tutor.sandbox.api.builtin.reading import part
from tutor.sandbox.api.status import forbidden_field, invalid
from tutor.sandbox.kinds import Object

_SPEC_KIB = 64
_LONGEST_DOMAIN, _LONGEST_USER = 255, 104
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NETBIOS = re.compile(r"""[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}""")
_DNS_LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_DNS = re.compile(rf"{_DNS_LABEL}(?:\.{_DNS_LABEL})*")
_NOT_IN_USER = re.compile(r"""["/\\:;|=,+*?<>@\[\]]""")
_ONLY_DOTS = re.compile(r"[. ]+")
# Which fields of a Windows pod are named, in the order of the messages: those of the spec that are
# there (or set), among those of its security context.
_OF_POD = (
    "securityContext.appArmorProfile",
    "securityContext.seLinuxOptions",
    "hostUsers",
    "hostPID",
    "hostIPC",
    "securityContext.seccompProfile",
    "securityContext.fsGroup",
    "securityContext.fsGroupChangePolicy",
    "securityContext.sysctls",
    "shareProcessNamespace",
    "securityContext.runAsUser",
    "securityContext.runAsGroup",
    "securityContext.supplementalGroups",
    "securityContext.supplementalGroupsPolicy",
    "securityContext.seLinuxChangePolicy",
)
_SWITCHES = ("hostPID", "hostIPC")
_OF_CONTAINER = (
    "appArmorProfile",
    "seLinuxOptions",
    "seccompProfile",
    "capabilities",
    "readOnlyRootFilesystem",
    "privileged",
    "allowPrivilegeEscalation",
    "procMount",
    "runAsUser",
    "runAsGroup",
)


def options(context: Object, path: str) -> Errors:
    """`windowsOptions` of a security context at `path`."""
    found, at = part(context, "windowsOptions"), f"{path}.windowsOptions"
    errors: Errors = []
    if (name := found.get("gmsaCredentialSpecName")) is not None:
        why = formats.dns1123_subdomain(name)
        errors += [invalid(f"{at}.gmsaCredentialSpecName", name, each) for each in why]
    if (spec := found.get("gmsaCredentialSpec")) is not None:
        if not spec:
            why = "gmsaCredentialSpec cannot be an empty string"
            errors.append(invalid(f"{at}.gmsaCredentialSpec", spec, why))
        elif len(spec.encode()) > _SPEC_KIB * 1024:
            why = f"gmsaCredentialSpec size must be under {_SPEC_KIB} KiB"
            errors.append(invalid(f"{at}.gmsaCredentialSpec", spec, why))
    if (name := found.get("runAsUserName")) is not None:
        errors += [invalid(f"{at}.runAsUserName", name, why) for why in _user_name(name)]
    return errors


def _user_name(name: str) -> list[str]:
    if not name:
        return ["runAsUserName cannot be an empty string"]
    if _CONTROL.search(name):
        return ["runAsUserName cannot contain control characters"]
    if name.count("\\") > 1:
        return ["runAsUserName cannot contain more than one backslash"]
    domain, backslash, user = name.rpartition("\\")
    found: list[str] = []
    if len(domain.encode()) > _LONGEST_DOMAIN:
        found.append(f"Domain length must be under {_LONGEST_DOMAIN + 1} characters")
    if backslash and not (_NETBIOS.fullmatch(domain) or _DNS.fullmatch(domain)):
        found.append("Domain doesn't match the NetBios nor the DNS format")
    if not user:
        found.append("User cannot be empty")
    elif len(user.encode()) > _LONGEST_USER:
        found.append(f"User length must not be longer than {_LONGEST_USER} characters")
    if _ONLY_DOTS.fullmatch(user):
        found.append("User cannot contain only periods or spaces")
    if _NOT_IN_USER.search(user):
        found.append('User cannot contain the following characters: "/\\:;|=,+*?<>@[]')
    return [f"runAsUserName's {why}" for why in found]


def host_process(spec: Object, path: str) -> Errors:
    """Containers that are processes of their host are so together, and in its network."""
    errors: Errors = []
    whole = part(spec, "securityContext", "windowsOptions").get("hostProcess")
    hosts: list[bool] = []
    for container, at in containers(spec, path):
        own = part(container, "securityContext", "windowsOptions").get("hostProcess")
        if None not in (whole, own) and whole != own:
            was = str(whole).lower()
            why = f"pod hostProcess value must be identical if both are specified, was {was}"
            errors.append(invalid(f"{at}.securityContext.windowsOptions.hostProcess", own, why))
        hosts.append(bool(whole if own is None else own))
    if not any(hosts):
        return errors
    if not all(hosts):
        why = (
            "If pod contains any hostProcess containers then all containers must be HostProcess"
            " containers"
        )
        errors.append(invalid(path, "", why))
    if not spec.get("hostNetwork"):
        why = "hostNetwork must be true if pod contains any hostProcess containers"
        errors.append(invalid(f"{path}.hostNetwork", False, why))
    if not privileged_allowed():
        why = "hostProcess containers are disallowed by cluster policy"
        errors.append(forbidden_field(path, why))
    return errors


def of_system(spec: Object, path: str) -> Errors:
    """What the operating system that a pod names has no use for."""
    if part(spec, "os").get("name") == "linux":
        return _linux(spec, path)
    why = "cannot be set for a windows pod"
    errors = [forbidden_field(f"{path}.{field}", why) for field in _OF_POD if _is_set(spec, field)]
    for container, at in containers(spec, path):
        context = part(container, "securityContext")
        errors += [
            forbidden_field(f"{at}.securityContext.{field}", why)
            for field in _OF_CONTAINER
            if context.get(field) is not None
        ]
    return errors


def _is_set(spec: Object, field: str) -> bool:
    above, _, name = field.rpartition(".")
    value = part(spec, above).get(name) if above else spec.get(name)
    return bool(value) if name in _SWITCHES else value is not None


def _linux(spec: Object, path: str) -> Errors:
    why = "windows options cannot be set for a linux pod"
    found = [(spec, path), *containers(spec, path)]
    return [
        forbidden_field(f"{at}.securityContext.windowsOptions", why)
        for each, at in found
        if part(each, "securityContext").get("windowsOptions") is not None
    ]
