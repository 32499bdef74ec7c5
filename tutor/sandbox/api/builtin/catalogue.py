"""Which behaviour each built-in kind has, and which kinds are on their way out."""

from collections.abc import Mapping

from tutor.sandbox.api.builtin import configuration, event, flow_control, lease, rbac
from tutor.sandbox.api.builtin.api_service import API_SERVICE
from tutor.sandbox.api.builtin.behaviour import Behaviour
from tutor.sandbox.api.builtin.certificate_request import CERTIFICATE_SIGNING_REQUEST
from tutor.sandbox.api.builtin.classes import PRIORITY_CLASS, RUNTIME_CLASS
from tutor.sandbox.api.builtin.devices.claims import (
    DEVICE_CLASS,
    RESOURCE_CLAIM,
    RESOURCE_CLAIM_TEMPLATE,
)
from tutor.sandbox.api.builtin.devices.slices import RESOURCE_SLICE
from tutor.sandbox.api.builtin.disruption_budget import POD_DISRUPTION_BUDGET
from tutor.sandbox.api.builtin.limits import LIMIT_RANGE, RESOURCE_QUOTA
from tutor.sandbox.api.builtin.namespace import NAMESPACE
from tutor.sandbox.api.builtin.network import endpoints, service
from tutor.sandbox.api.builtin.network.endpoint_slice import ENDPOINT_SLICE
from tutor.sandbox.api.builtin.network.ingress import INGRESS, INGRESS_CLASS
from tutor.sandbox.api.builtin.network.network_policy import NETWORK_POLICY
from tutor.sandbox.api.builtin.network.service_ranges import IP_ADDRESS, SERVICE_CIDR
from tutor.sandbox.api.builtin.node import NODE
from tutor.sandbox.api.builtin.pod.pods import POD, POD_TEMPLATE
from tutor.sandbox.api.builtin.registration import mutating_policies, policies, webhooks
from tutor.sandbox.api.builtin.storage import classes, drivers
from tutor.sandbox.api.builtin.storage.claim import PERSISTENT_VOLUME_CLAIM
from tutor.sandbox.api.builtin.storage.volume import PERSISTENT_VOLUME
from tutor.sandbox.api.builtin.workloads.autoscaler import HORIZONTAL_POD_AUTOSCALER
from tutor.sandbox.api.builtin.workloads.daemon_set import DAEMON_SET
from tutor.sandbox.api.builtin.workloads.deployment import DEPLOYMENT
from tutor.sandbox.api.builtin.workloads.job import CRON_JOB, JOB
from tutor.sandbox.api.builtin.workloads.replicas import REPLICA_SET, REPLICATION_CONTROLLER
from tutor.sandbox.api.builtin.workloads.stateful_set import CONTROLLER_REVISION, STATEFUL_SET
from tutor.sandbox.api.customresources.behaviour import CUSTOM_RESOURCE_DEFINITION

_ADMISSION = "admissionregistration.k8s.io"
_FLOW = "flowcontrol.apiserver.k8s.io"
_NETWORKING = "networking.k8s.io"
_RBAC = "rbac.authorization.k8s.io"
_RESOURCE = "resource.k8s.io"
_STORAGE = "storage.k8s.io"

BEHAVIOURS: Mapping[tuple[str, str], Behaviour] = {
    ("", "ConfigMap"): configuration.CONFIG_MAP,
    ("", "Endpoints"): endpoints.ENDPOINTS,
    ("", "Event"): event.CORE_EVENT,
    ("", "LimitRange"): LIMIT_RANGE,
    ("", "Namespace"): NAMESPACE,
    ("", "Node"): NODE,
    ("", "PersistentVolume"): PERSISTENT_VOLUME,
    ("", "PersistentVolumeClaim"): PERSISTENT_VOLUME_CLAIM,
    ("", "Pod"): POD,
    ("", "PodTemplate"): POD_TEMPLATE,
    ("", "ReplicationController"): REPLICATION_CONTROLLER,
    ("", "ResourceQuota"): RESOURCE_QUOTA,
    ("", "Secret"): configuration.SECRET,
    ("", "Service"): service.SERVICE,
    ("", "ServiceAccount"): configuration.SERVICE_ACCOUNT,
    (_ADMISSION, "MutatingAdmissionPolicy"): mutating_policies.MUTATING_ADMISSION_POLICY,
    (_ADMISSION, "MutatingAdmissionPolicyBinding"): (
        mutating_policies.MUTATING_ADMISSION_POLICY_BINDING
    ),
    (_ADMISSION, "MutatingWebhookConfiguration"): webhooks.MUTATING_WEBHOOK_CONFIGURATION,
    (_ADMISSION, "ValidatingAdmissionPolicy"): policies.VALIDATING_ADMISSION_POLICY,
    (_ADMISSION, "ValidatingAdmissionPolicyBinding"): policies.VALIDATING_ADMISSION_POLICY_BINDING,
    (_ADMISSION, "ValidatingWebhookConfiguration"): webhooks.VALIDATING_WEBHOOK_CONFIGURATION,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): CUSTOM_RESOURCE_DEFINITION,
    ("apiregistration.k8s.io", "APIService"): API_SERVICE,
    ("apps", "ControllerRevision"): CONTROLLER_REVISION,
    ("apps", "DaemonSet"): DAEMON_SET,
    ("apps", "Deployment"): DEPLOYMENT,
    ("apps", "ReplicaSet"): REPLICA_SET,
    ("apps", "StatefulSet"): STATEFUL_SET,
    ("autoscaling", "HorizontalPodAutoscaler"): HORIZONTAL_POD_AUTOSCALER,
    ("batch", "CronJob"): CRON_JOB,
    ("batch", "Job"): JOB,
    ("certificates.k8s.io", "CertificateSigningRequest"): CERTIFICATE_SIGNING_REQUEST,
    ("coordination.k8s.io", "Lease"): lease.LEASE,
    ("discovery.k8s.io", "EndpointSlice"): ENDPOINT_SLICE,
    ("events.k8s.io", "Event"): event.EVENT,
    (_FLOW, "FlowSchema"): flow_control.FLOW_SCHEMA,
    (_FLOW, "PriorityLevelConfiguration"): flow_control.PRIORITY_LEVEL_CONFIGURATION,
    (_NETWORKING, "Ingress"): INGRESS,
    (_NETWORKING, "IngressClass"): INGRESS_CLASS,
    (_NETWORKING, "IPAddress"): IP_ADDRESS,
    (_NETWORKING, "NetworkPolicy"): NETWORK_POLICY,
    (_NETWORKING, "ServiceCIDR"): SERVICE_CIDR,
    ("node.k8s.io", "RuntimeClass"): RUNTIME_CLASS,
    ("policy", "PodDisruptionBudget"): POD_DISRUPTION_BUDGET,
    (_RBAC, "ClusterRole"): rbac.CLUSTER_ROLE,
    (_RBAC, "ClusterRoleBinding"): rbac.CLUSTER_ROLE_BINDING,
    (_RBAC, "Role"): rbac.ROLE,
    (_RBAC, "RoleBinding"): rbac.ROLE_BINDING,
    (_RESOURCE, "DeviceClass"): DEVICE_CLASS,
    (_RESOURCE, "ResourceClaim"): RESOURCE_CLAIM,
    (_RESOURCE, "ResourceClaimTemplate"): RESOURCE_CLAIM_TEMPLATE,
    (_RESOURCE, "ResourceSlice"): RESOURCE_SLICE,
    ("scheduling.k8s.io", "PriorityClass"): PRIORITY_CLASS,
    (_STORAGE, "CSIDriver"): drivers.CSI_DRIVER,
    (_STORAGE, "CSINode"): drivers.CSI_NODE,
    (_STORAGE, "CSIStorageCapacity"): drivers.CSI_STORAGE_CAPACITY,
    (_STORAGE, "StorageClass"): classes.STORAGE_CLASS,
    (_STORAGE, "VolumeAttachment"): drivers.VOLUME_ATTACHMENT,
    (_STORAGE, "VolumeAttributesClass"): classes.VOLUME_ATTRIBUTES_CLASS,
}
"""By group and kind."""

DEPRECATIONS: Mapping[tuple[str, str, str], str] = {
    ("", "v1", "ComponentStatus"): "v1 ComponentStatus is deprecated in v1.19+",
    ("", "v1", "Endpoints"): (
        "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
    ),
}
"""By group, version and kind: the warning of every request."""
