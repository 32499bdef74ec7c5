"""The rules of the levels, by version of Kubernetes. Source: pod-security-admission's `policy`."""

from dataclasses import dataclass
from functools import partial

from tutor.sandbox.api.builtin.admission.pod_security import baseline, restricted
from tutor.sandbox.api.builtin.admission.pod_security.findings import Finding, Judge
from tutor.sandbox.api.builtin.admission.pod_security.policy import Rules
from tutor.sandbox.api.builtin.reading import part
from tutor.sandbox.kinds import Object


@dataclass(frozen=True, slots=True)
class Check:
    """A rule and its versions: from which minor version on which form of it holds."""

    name: str
    versions: tuple[tuple[int, Judge], ...]
    restricted: bool = False
    replaces: str = ""
    """The baseline check that a restricted one makes superfluous."""

    def at(self, minor: int | None) -> Judge | None:
        """The form that holds in a version; None when the rule is younger."""
        holding = [judge for since, judge in self.versions if minor is None or since <= minor]
        return holding[-1] if holding else None


def evaluate(rules: Rules, meta: Object, spec: Object) -> list[Finding]:
    """Everything that a level forbids of a pod, in the order in which the server tells it."""
    if rules.level == "privileged":
        return []
    wanted = [check for check in CHECKS if rules.level == "restricted" or not check.restricted]
    holding = [(check, judge) for check in wanted if (judge := check.at(rules.minor))]
    replaced = {check.replaces for check, _ in holding}
    found = [judge(meta, spec) for check, judge in holding if check.name not in replaced]
    return [finding for finding in found if finding]


def _on_linux(judge: Judge) -> Judge:
    def judged(meta: Object, spec: Object) -> Finding | None:
        return None if part(spec, "os").get("name") == "windows" else judge(meta, spec)

    return judged


def _with_host_users(judge: Judge) -> Judge:
    def judged(meta: Object, spec: Object) -> Finding | None:
        return None if spec.get("hostUsers") is False else judge(meta, spec)

    return judged


CHECKS = (
    Check("appArmorProfile", ((0, baseline.app_armor),)),
    Check("capabilities_baseline", ((0, baseline.capabilities),)),
    Check("hostNamespaces", ((0, baseline.host_namespaces),)),
    Check("hostPathVolumes", ((0, baseline.host_paths),)),
    Check("hostPorts", ((0, baseline.host_ports),)),
    Check("hostProbesAndHostLifecycle", ((34, baseline.probe_hosts),)),
    Check("privileged", ((0, baseline.privileged),)),
    Check("procMount", ((0, baseline.proc_mount), (35, _with_host_users(baseline.proc_mount)))),
    Check(
        "seLinuxOptions",
        (
            (0, partial(baseline.selinux, types=baseline.SELINUX_TYPES)),
            (31, partial(baseline.selinux, types=(*baseline.SELINUX_TYPES, "container_engine_t"))),
        ),
    ),
    Check(
        "seccompProfile_baseline",
        ((0, baseline.seccomp_annotations), (19, partial(baseline.seccomp, needed=False))),
    ),
    Check(
        "sysctls",
        (
            (0, partial(baseline.sysctls, allowed=baseline.SYSCTLS)),
            (27, partial(baseline.sysctls, allowed=baseline.SYSCTLS_27)),
            (29, partial(baseline.sysctls, allowed=baseline.SYSCTLS_29)),
            (32, partial(baseline.sysctls, allowed=baseline.SYSCTLS_32)),
        ),
    ),
    Check("windowsHostProcess", ((0, baseline.host_process),)),
    Check(
        "allowPrivilegeEscalation",
        ((8, restricted.escalation), (25, _on_linux(restricted.escalation))),
        restricted=True,
    ),
    Check(
        "capabilities_restricted",
        ((22, restricted.few_capabilities), (25, _on_linux(restricted.few_capabilities))),
        restricted=True,
        replaces="capabilities_baseline",
    ),
    Check(
        "procMount_restricted", ((35, baseline.proc_mount),), restricted=True, replaces="procMount"
    ),
    Check(
        "restrictedVolumes",
        ((0, restricted.volume_types),),
        restricted=True,
        replaces="hostPathVolumes",
    ),
    Check(
        "runAsNonRoot",
        ((0, restricted.non_root), (35, _with_host_users(restricted.non_root))),
        restricted=True,
    ),
    Check(
        "runAsUser",
        ((23, restricted.not_user_zero), (35, _with_host_users(restricted.not_user_zero))),
        restricted=True,
    ),
    Check(
        "seccompProfile_restricted",
        (
            (19, partial(baseline.seccomp, needed=True)),
            (25, _on_linux(partial(baseline.seccomp, needed=True))),
        ),
        restricted=True,
        replaces="seccompProfile_baseline",
    ),
)
"""In the order in which the server goes through them."""
