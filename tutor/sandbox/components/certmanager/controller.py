"""The controller's program: its lease, its controllers, their back-offs.

Source: cert-manager v1.12.3, pkg/controller; cert-manager.md 1.3, 1.4 and 3.1.
"""

import asyncio

from tutor.sandbox.component import Backoff, Workload
from tutor.sandbox.components.certmanager.conditions import Setter
from tutor.sandbox.components.certmanager.controllers.base import Around, Controller
from tutor.sandbox.components.certmanager.controllers.issuers import ClusterIssuers, Issuers
from tutor.sandbox.components.certmanager.controllers.issuing import Issuing
from tutor.sandbox.components.certmanager.controllers.keys import KeyManager
from tutor.sandbox.components.certmanager.controllers.requests import (
    RequestManager,
    RevisionManager,
)
from tutor.sandbox.components.certmanager.controllers.signers import Approver, Audience, Signer
from tutor.sandbox.components.certmanager.controllers.trigger import Readiness, Trigger
from tutor.sandbox.components.certmanager.flags import Flags
from tutor.sandbox.components.certmanager.issuer_state import TYPES
from tutor.sandbox.components.certmanager.klog import Klog
from tutor.sandbox.components.certmanager.lease import Leader
from tutor.sandbox.kinds import name_of

_LEASE, _ELECTION = "cert-manager-controller", "cert-manager-leader-election"
_COMMIT = "9479c8157dd876e2fc828850b429a4b4f734c871"
_MOST_CERTIFICATE, _MOST_ISSUER = 30, 60
"""The longest back-offs, in first ones: 1 s to 30 s, and 5 s to 5 minutes."""


def certificate_controllers(around: Around) -> list[Controller]:
    """What takes Certificates through their lives."""
    return [
        Readiness(around),
        Trigger(around),
        KeyManager(around),
        RequestManager(around),
        Issuing(around),
        RevisionManager(around),
    ]


def issuer_controllers(around: Around) -> list[Controller]:
    """What keeps issuers, and what they sign."""
    audience = Audience()
    signers = [Signer(around, kind, audience) for kind in TYPES]
    return [
        Issuers(around),
        ClusterIssuers(around),
        Approver(around, audience),
        *signers,
    ]


async def controller(workload: Workload) -> None:
    """Run the controllers until cancelled."""
    flags, pace, client = Flags(workload.container, workload.pod), workload.pace, workload.client
    klog = Klog(workload.log, client.now).named("cert-manager")
    main = klog.named("controller")
    pairs = {"git-commit": _COMMIT, "version": "v1.12.3"}
    main.info("start.go:75", "starting controller", pairs)
    around = Around(
        client=client,
        klog=klog,
        pace=pace,
        setter=Setter(klog, client.now),
        cluster_namespace=flags.get("cluster-resource-namespace", "kube-system"),
        not_simulated=lambda what: workload.tell("not-simulated", what=what),
    )
    leader = Leader(
        client.managed_by(_ELECTION),
        klog,
        (flags.get("leader-election-namespace", "kube-system"), _LEASE),
        f"{name_of(workload.pod)}-external-{_LEASE}",
        _ELECTION,
    )
    workload.ready()
    await leader.acquire()
    first, then = certificate_controllers(around), issuer_controllers(around)
    for one in sorted([*first, *then], key=lambda found: found.name):
        main.info("controller.go:220", "starting controller", {"controller": one.name})
    async with asyncio.TaskGroup() as group:
        group.create_task(leader.keep(), name="cert-manager lease")
        slow = Backoff(pace.issuer_retry, pace.issuer_retry * _MOST_ISSUER)
        group.create_task(workload.reconcile(then, slow), name="cert-manager issuers")
        quick = Backoff(pace.certificate_retry, pace.certificate_retry * _MOST_CERTIFICATE)
        group.create_task(workload.reconcile(first, quick), name="cert-manager certificates")
