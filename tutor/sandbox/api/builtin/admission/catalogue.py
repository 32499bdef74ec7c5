"""The plugins of a server, in the order in which they act.

Source: Kubernetes' `pkg/kubeapiserver/options/plugins.go`.
"""

from collections.abc import Callable

from tutor.sandbox.api.builtin.admission.certificates import (
    CertificateApproval,
    CertificateSigning,
    CertificateSubjectRestriction,
    Decide,
)
from tutor.sandbox.api.builtin.admission.ingress_class import DefaultIngressClass
from tutor.sandbox.api.builtin.admission.limit_ranger import LimitRanger
from tutor.sandbox.api.builtin.admission.mutating_policy import MutatingPolicies
from tutor.sandbox.api.builtin.admission.namespace_lifecycle import NamespaceLifecycle
from tutor.sandbox.api.builtin.admission.node_taint import TaintNodesByCondition
from tutor.sandbox.api.builtin.admission.plugin import Plugin, World
from tutor.sandbox.api.builtin.admission.pod_resize import PodResizeValidator
from tutor.sandbox.api.builtin.admission.pod_security.enforcement import PodSecurity
from tutor.sandbox.api.builtin.admission.policy_targets import ResourceOf, Targets
from tutor.sandbox.api.builtin.admission.priority import Priority
from tutor.sandbox.api.builtin.admission.runtime_class import RuntimeClass
from tutor.sandbox.api.builtin.admission.service_account import ServiceAccount
from tutor.sandbox.api.builtin.admission.stamps import Stamps
from tutor.sandbox.api.builtin.admission.storage import (
    DefaultStorageClass,
    PersistentVolumeClaimResize,
    StorageObjectInUseProtection,
)
from tutor.sandbox.api.builtin.admission.toleration_seconds import DefaultTolerationSeconds
from tutor.sandbox.api.builtin.admission.validating_policy import ValidatingPolicies


def default_plugins(
    world: World, suffix: Callable[[int], str], decide: Decide, resource_of: ResourceOf
) -> tuple[Plugin, ...]:
    """The plugins that act before the webhooks; ResourceQuota acts after them.

    `suffix` makes the random end of a generated name, `decide` is the authorizer, `resource_of`
    finds the collection of a kind.
    """
    targets = Targets(world, resource_of)
    own = (
        NamespaceLifecycle(world),
        LimitRanger(world),
        ServiceAccount(world, suffix),
        TaintNodesByCondition(),
        PodSecurity(world),
        Priority(world),
        DefaultTolerationSeconds(),
        DefaultStorageClass(world),
        StorageObjectInUseProtection(),
        PersistentVolumeClaimResize(world),
        RuntimeClass(world),
        CertificateApproval(decide),
        CertificateSigning(decide),
        CertificateSubjectRestriction(),
        DefaultIngressClass(world),
        PodResizeValidator(world),
        Stamps(),
    )
    return (*own, MutatingPolicies(world, targets, own), ValidatingPolicies(world, targets))
