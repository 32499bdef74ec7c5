"""What the baseline level forbids. Source: pod-security-admission's `policy`."""

from collections.abc import Collection

from tutor.sandbox.api.builtin.admission.pod_security.findings import (
    Finding,
    containers_named,
    plural,
    quoted,
    security_contexts,
    setters,
)
from tutor.sandbox.api.builtin.pod.reading import containers
from tutor.sandbox.api.builtin.reading import items, part, text
from tutor.sandbox.api.status import go_quote
from tutor.sandbox.kinds import Object

_CAPABILITIES = (
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
)
SELINUX_TYPES = ("", "container_t", "container_init_t", "container_kvm_t")
SYSCTLS = (
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_unprivileged_port_start",
)
SYSCTLS_27 = (*SYSCTLS, "net.ipv4.ip_local_reserved_ports")
SYSCTLS_29 = (
    *SYSCTLS_27,
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
)
SYSCTLS_32 = (*SYSCTLS_29, "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem")
_CONFINING = ("RuntimeDefault", "Localhost")
_APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"
_SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/"


def app_armor(meta: Object, spec: Object) -> Finding | None:
    """AppArmor is on."""

    def bad(security: Object) -> str | None:
        profile = security.get("appArmorProfile")
        kind = text(profile or {}, "type")
        return None if profile is None or kind in _CONFINING else kind

    own = bad(part(spec, "securityContext"))
    named = {name: bad(security) for name, security in security_contexts(spec)}
    names = [name for name, value in named.items() if value is not None]
    values = sorted({value for value in (own, *named.values()) if value is not None})
    who = [setters(names, pod=own is not None)]
    annotations = sorted(
        f"{key}={go_quote(value)}"
        for key, value in part(meta, "annotations").items()
        if key.startswith(_APP_ARMOR)
        and value not in ("", "runtime/default")
        and not value.startswith("localhost/")
    )
    if annotations:
        values += annotations
        who.append(plural("annotation", annotations))
    if not values:
        return None
    together = " and ".join(filter(None, who))
    reason = plural("forbidden AppArmor profile", values)
    return Finding(reason, f"{together} must not set AppArmor profile type to {quoted(values)}")


def added(spec: Object, allowed: Collection[str]) -> tuple[list[str], list[str]]:
    """The containers that add more capabilities than these, and which."""
    names: list[str] = []
    found: set[str] = set()
    for name, security in security_contexts(spec):
        more = [one for one in items(security, "capabilities", "add") if one not in allowed]
        names += [name] if more else []
        found.update(more)
    return names, sorted(found)


def no_more_capabilities(names: Collection[str], found: Collection[str]) -> str:
    """What these containers must not add."""
    what = f"must not include {quoted(found)} in securityContext.capabilities.add"
    return f"{containers_named(names)} {what}"


def capabilities(_meta: Object, spec: Object) -> Finding | None:
    """Containers add only capabilities that are common anyway."""
    names, found = added(spec, _CAPABILITIES)
    detail = no_more_capabilities(names, found)
    return Finding("non-default capabilities", detail) if names else None


def host_namespaces(_meta: Object, spec: Object) -> Finding | None:
    """Pods stay out of the node's namespaces."""
    used = [f"{field}=true" for field in ("hostNetwork", "hostPID", "hostIPC") if spec.get(field)]
    return Finding("host namespaces", ", ".join(used)) if used else None


def host_paths(_meta: Object, spec: Object) -> Finding | None:
    """Pods do not mount the node's folders."""
    names = [text(one, "name") for one in items(spec, "volumes") if one.get("hostPath") is not None]
    return (
        Finding("hostPath volumes", f"{plural('volume', names)} {quoted(names)}") if names else None
    )


def host_ports(_meta: Object, spec: Object) -> Finding | None:
    """Containers do not take the node's ports."""
    used = {
        text(container, "name"): ports
        for container, _ in containers(spec)
        if (
            ports := {
                str(one["hostPort"]) for one in items(container, "ports") if one.get("hostPort")
            }
        )
    }
    if not used:
        return None
    ports = sorted(set[str]().union(*used.values()))
    verb = "uses" if len(used) == 1 else "use"
    return Finding(
        "hostPort",
        f"{containers_named(used)} {verb} {plural('hostPort', ports)} {', '.join(ports)}",
    )


def probe_hosts(_meta: Object, spec: Object) -> Finding | None:
    """Probes and hooks call the pod itself, no other host."""
    used: dict[str, set[str]] = {}
    for container, _ in containers(spec):
        handlers = [
            *(part(container, f"{kind}Probe") for kind in ("liveness", "readiness", "startup")),
            *(part(container, "lifecycle", moment) for moment in ("postStart", "preStop")),
        ]
        hosts = {
            text(part(handler, how), "host")
            for handler in handlers
            for how in ("httpGet", "tcpSocket")
        } - {""}
        if hosts:
            used.setdefault(text(container, "name"), set()).update(hosts)
    if not used:
        return None
    hosts = sorted(set[str]().union(*used.values()))
    verb = "uses" if len(used) == 1 else "use"
    what = f"{plural('probe or lifecycle host', hosts)} {quoted(hosts)}"
    return Finding("probe or lifecycle host", f"{containers_named(sorted(used))} {verb} {what}")


def privileged(_meta: Object, spec: Object) -> Finding | None:
    """Containers are not privileged."""
    bad = [name for name, security in security_contexts(spec) if security.get("privileged")]
    why = f"{containers_named(bad)} must not set securityContext.privileged=true"
    return Finding("privileged", why) if bad else None


def proc_mount(_meta: Object, spec: Object) -> Finding | None:
    """The kernel keeps its secrets in /proc."""
    bad = {
        name: security["procMount"]
        for name, security in security_contexts(spec)
        if security.get("procMount") not in (None, "Default")
    }
    what = f"must not set securityContext.procMount to {quoted(sorted(set(bad.values())))}"
    return Finding("procMount", f"{containers_named(bad)} {what}") if bad else None


def selinux(_meta: Object, spec: Object, *, types: Collection[str]) -> Finding | None:
    """SELinux labels are of these types, and say neither user nor role."""

    def bad(security: Object) -> bool:
        options = part(security, "seLinuxOptions")
        fixed = options.get("user") or options.get("role")
        return bool(fixed) or text(options, "type") not in types

    own = part(spec, "securityContext")
    contexts = list(security_contexts(spec))
    names = [name for name, security in contexts if bad(security)]
    who = setters(names, pod=bad(own))
    if not who:
        return None
    options = [part(one, "seLinuxOptions") for one in (own, *(found for _, found in contexts))]
    wrong = sorted({text(one, "type") for one in options} - set(types))
    what = [f"{plural('type', wrong)} {quoted(wrong)}"] if wrong else []
    what += [
        f"{field} may not be set"
        for field in ("user", "role")
        if any(one.get(field) for one in options)
    ]
    detail = f"{who} set forbidden securityContext.seLinuxOptions: {'; '.join(what)}"
    return Finding("seLinuxOptions", detail)


def seccomp_annotations(meta: Object, spec: Object) -> Finding | None:
    """The annotations that preceded the seccomp fields name a profile that confines."""
    annotations = part(meta, "annotations")
    keys = [_SECCOMP_POD, *(_SECCOMP_CONTAINER + name for name, _ in security_contexts(spec))]
    found = sorted(
        {
            f"{key}={go_quote(annotations[key])}"
            for key in keys
            if key in annotations
            and annotations[key] not in ("runtime/default", "docker/default")
            and not annotations[key].startswith("localhost/")
        }
    )
    detail = f"forbidden {plural('annotation', found)} {', '.join(found)}"
    return Finding("seccompProfile", detail) if found else None


def seccomp(_meta: Object, spec: Object, *, needed: bool) -> Finding | None:
    """Seccomp profiles confine. `needed`: each container must have one."""

    def profile(security: Object) -> str | None:
        given = security.get("seccompProfile")
        return None if given is None else text(given, "type")

    own = profile(part(spec, "securityContext"))
    named = [(name, profile(security)) for name, security in security_contexts(spec)]
    bad = [name for name, kind in named if kind is not None and kind not in _CONFINING]
    who = setters(bad, pod=own is not None and own not in _CONFINING)
    if who:
        given = {own, *(kind for _, kind in named)} - {None, *_CONFINING}
        kinds = quoted(sorted(kind for kind in given if kind is not None))
        what = f"must not set securityContext.seccompProfile.type to {kinds}"
        return Finding("seccompProfile", f"{who} {what}")
    open_ones = [name for name, kind in named if kind is None and own is None]
    if not needed or not open_ones:
        return None
    what = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
    return Finding("seccompProfile", f"pod or {containers_named(open_ones)} {what}")


def sysctls(_meta: Object, spec: Object, *, allowed: Collection[str]) -> Finding | None:
    """Pods set only these kernel parameters."""
    given = [text(one, "name") for one in items(spec, "securityContext", "sysctls")]
    found = [name for name in given if name not in allowed]
    return Finding("forbidden sysctls", ", ".join(found)) if found else None


def host_process(_meta: Object, spec: Object) -> Finding | None:
    """Windows containers do not run as processes of the node."""

    def bad(security: Object) -> bool:
        return bool(part(security, "windowsOptions").get("hostProcess"))

    names = [name for name, security in security_contexts(spec) if bad(security)]
    who = setters(names, pod=bad(part(spec, "securityContext")))
    why = f"{who} must not set securityContext.windowsOptions.hostProcess=true"
    return Finding("hostProcess", why) if who else None
