"""Which behaviour each built-in kind has, and which kinds are on their way out."""

from collections.abc import Mapping

from tutor.sandbox.api.builtin import configuration, endpoints, event, lease, rbac, service
from tutor.sandbox.api.builtin.behaviour import Behaviour
from tutor.sandbox.api.builtin.namespace import NAMESPACE
from tutor.sandbox.api.builtin.pod.pods import POD, POD_TEMPLATE
from tutor.sandbox.api.builtin.storage_claim import PERSISTENT_VOLUME_CLAIM
from tutor.sandbox.api.builtin.workloads.daemon_set import DAEMON_SET
from tutor.sandbox.api.builtin.workloads.deployment import DEPLOYMENT
from tutor.sandbox.api.builtin.workloads.job import CRON_JOB, JOB
from tutor.sandbox.api.builtin.workloads.replicas import REPLICA_SET, REPLICATION_CONTROLLER
from tutor.sandbox.api.builtin.workloads.stateful_set import CONTROLLER_REVISION, STATEFUL_SET

_RBAC = "rbac.authorization.k8s.io"

BEHAVIOURS: Mapping[tuple[str, str], Behaviour] = {
    ("", "ConfigMap"): configuration.CONFIG_MAP,
    ("", "Endpoints"): endpoints.ENDPOINTS,
    ("", "Event"): event.CORE_EVENT,
    ("", "Namespace"): NAMESPACE,
    ("", "PersistentVolumeClaim"): PERSISTENT_VOLUME_CLAIM,
    ("", "Pod"): POD,
    ("", "PodTemplate"): POD_TEMPLATE,
    ("", "ReplicationController"): REPLICATION_CONTROLLER,
    ("", "Secret"): configuration.SECRET,
    ("", "Service"): service.SERVICE,
    ("", "ServiceAccount"): configuration.SERVICE_ACCOUNT,
    ("apps", "ControllerRevision"): CONTROLLER_REVISION,
    ("apps", "DaemonSet"): DAEMON_SET,
    ("apps", "Deployment"): DEPLOYMENT,
    ("apps", "ReplicaSet"): REPLICA_SET,
    ("apps", "StatefulSet"): STATEFUL_SET,
    ("batch", "CronJob"): CRON_JOB,
    ("batch", "Job"): JOB,
    ("coordination.k8s.io", "Lease"): lease.LEASE,
    ("events.k8s.io", "Event"): event.EVENT,
    (_RBAC, "ClusterRole"): rbac.CLUSTER_ROLE,
    (_RBAC, "ClusterRoleBinding"): rbac.CLUSTER_ROLE_BINDING,
    (_RBAC, "Role"): rbac.ROLE,
    (_RBAC, "RoleBinding"): rbac.ROLE_BINDING,
}
"""By group and kind."""

DEPRECATIONS: Mapping[tuple[str, str, str], str] = {
    ("", "v1", "ComponentStatus"): "v1 ComponentStatus is deprecated in v1.19+",
    ("", "v1", "Endpoints"): (
        "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
    ),
}
"""By group, version and kind: the warning of every request."""
