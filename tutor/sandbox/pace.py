"""How long things take: the one table that overrides every duration of the references.

`watchable` is for a person who watches, `real` has the references' own times, `instant` is for
tests and for proving lessons. What belongs to a client (pinniped's retries, its credential cache)
is not here. All values are seconds.
"""

from dataclasses import dataclass
from typing import Literal

PaceName = Literal["watchable", "real", "instant"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Durations in seconds."""

    node_ready: float
    """From a new cluster to a node that is Ready."""
    schedule: float
    """From a pod to its node."""
    pod_running: float
    """From a scheduled pod to running containers: pull and start."""
    pod_ready: float
    """From running to Ready, for containers without a readiness probe worth waiting for."""
    init_container: float
    """One init container."""
    job: float
    """A job's container."""
    mount_retry: float
    """Between two looks for a volume that is not there."""
    restart: float
    """Before a container that failed again is started again; it doubles."""
    termination: float
    """From a deletion to the end of a pod."""
    contour_ready: float
    """Contour's readiness probe."""
    envoy_ready: float
    """Envoy's, after Contour serves it."""
    contour_batch: float
    """Contour gathers changes this long before it writes statuses."""
    concierge_ready: float
    """The Concierge's readiness probe."""
    agent_running: float
    """The kube-cert-agent, from its Deployment to the fetched key."""
    deny_cache: float
    """How long the impersonation proxy remembers a decision."""
    token_cache: float
    """How long it remembers a token."""
    opaque_resync: float
    """How long a Secret of another type goes unnoticed."""
    webhook_ready: float
    """cert-manager's webhook: readiness."""
    cainjector: float
    """From the webhook's CA to its place in the configurations."""
    issuer_retry: float
    """First retry of an issuer; it doubles."""
    certificate_retry: float
    """First retry of a certificate; it doubles."""
    issue: float
    """Each step of an issuance that a person may watch."""
    authenticator_tls: float
    """local-user-authenticator, from running to its TLS Secret."""
    webhook_retry: float
    """First retry of the Concierge's call to a webhook that answered with an internal error."""
    endpoints: float
    """From a Ready pod to its endpoint."""
    namespace: float
    """From the deletion of a namespace to that of its contents."""
    autoscaling: float
    """Between two looks at an autoscaler."""
    cluster_step: float
    """One line of progress of `kind create cluster`."""


WATCHABLE = Pace(
    node_ready=1.0,
    schedule=0.02,
    pod_running=0.3,
    pod_ready=0.7,
    init_container=0.2,
    job=0.3,
    mount_retry=0.3,
    restart=2.0,
    termination=0.3,
    contour_ready=2.0,
    envoy_ready=0.5,
    contour_batch=0.1,
    concierge_ready=2.0,
    agent_running=1.0,
    deny_cache=3.0,
    token_cache=3.0,
    opaque_resync=20.0,
    webhook_ready=1.5,
    cainjector=0.2,
    issuer_retry=1.0,
    certificate_retry=1.0,
    issue=0.1,
    authenticator_tls=0.5,
    webhook_retry=0.2,
    endpoints=0.0,
    namespace=0.0,
    autoscaling=15.0,
    cluster_step=0.12,
)
REAL = Pace(
    node_ready=15.0,
    schedule=0.05,
    pod_running=5.0,
    pod_ready=0.5,
    init_container=1.0,
    job=3.0,
    mount_retry=2.0,
    restart=10.0,
    termination=1.5,
    contour_ready=15.0,
    envoy_ready=4.0,
    contour_batch=0.1,
    concierge_ready=12.0,
    agent_running=10.0,
    deny_cache=10.0,
    token_cache=10.0,
    opaque_resync=180.0,
    webhook_ready=5.0,
    cainjector=1.0,
    issuer_retry=5.0,
    certificate_retry=1.0,
    issue=0.1,
    authenticator_tls=2.0,
    webhook_retry=0.5,
    endpoints=0.1,
    namespace=5.0,
    autoscaling=15.0,
    cluster_step=5.0,
)
INSTANT = Pace(
    node_ready=0.0,
    schedule=0.0,
    pod_running=0.0,
    pod_ready=0.0,
    init_container=0.0,
    job=0.0,
    mount_retry=0.02,
    restart=0.02,
    termination=0.0,
    contour_ready=0.0,
    envoy_ready=0.0,
    contour_batch=0.0,
    concierge_ready=0.0,
    agent_running=0.02,
    deny_cache=0.2,
    token_cache=0.2,
    opaque_resync=0.5,
    webhook_ready=0.0,
    cainjector=0.0,
    issuer_retry=0.1,
    certificate_retry=0.1,
    issue=0.0,
    authenticator_tls=0.0,
    webhook_retry=0.01,
    endpoints=0.0,
    namespace=0.0,
    autoscaling=0.1,
    cluster_step=0.0,
)
PACES: dict[PaceName, Pace] = {"watchable": WATCHABLE, "real": REAL, "instant": INSTANT}
