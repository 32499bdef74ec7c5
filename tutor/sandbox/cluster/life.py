"""What goes on in a running cluster: its controllers, its node and what runs on it."""

import asyncio
from collections.abc import Iterator, Sequence
from functools import partial

from tutor.sandbox.api.identity import service_account_user
from tutor.sandbox.api.request import User
from tutor.sandbox.client import Client
from tutor.sandbox.cluster.apis import ApiServices
from tutor.sandbox.cluster.kindnode import KindNode
from tutor.sandbox.cluster.parts import APISERVER, Parts
from tutor.sandbox.cluster.settings import NODE_ADDRESS
from tutor.sandbox.cluster.standard import standard_objects
from tutor.sandbox.component import Backoff, ClusterFacts, Reconciler
from tutor.sandbox.controllers.admission_policies import AdmissionPolicies
from tutor.sandbox.controllers.autoscaling.controller import HorizontalPodAutoscalers
from tutor.sandbox.controllers.bootstrap_tokens import BootstrapSigner, TokenCleaner
from tutor.sandbox.controllers.cluster_roles import ClusterRoleAggregation
from tutor.sandbox.controllers.cronjobs import CronJobs
from tutor.sandbox.controllers.daemonsets import DaemonSets
from tutor.sandbox.controllers.deployments import Deployments
from tutor.sandbox.controllers.disruptions import Disruptions
from tutor.sandbox.controllers.endpoint_mirroring import EndpointMirroring
from tutor.sandbox.controllers.endpoints import Endpoints
from tutor.sandbox.controllers.flow_schemas import FlowSchemas
from tutor.sandbox.controllers.garbage import GarbageCollector
from tutor.sandbox.controllers.generated_claims import DeviceClaims, EphemeralVolumes
from tutor.sandbox.controllers.jobs import Jobs
from tutor.sandbox.controllers.kubelet import Kubelet
from tutor.sandbox.controllers.namespaces import Accounts, Namespaces
from tutor.sandbox.controllers.node_lifecycle import NodeLifecycle, TaintEviction
from tutor.sandbox.controllers.nodes import NodeLifetimes
from tutor.sandbox.controllers.pod_garbage import PodGarbage
from tutor.sandbox.controllers.quotas import Quotas
from tutor.sandbox.controllers.replicasets import CONTROLLERS, ReplicaSets
from tutor.sandbox.controllers.request_cleaning import RequestCleaning
from tutor.sandbox.controllers.requests import Requests
from tutor.sandbox.controllers.resources import (
    PERSISTENT_VOLUME_CLAIMS,
    REPLICA_SETS,
    SERVICE_ACCOUNTS,
    owner_of,
)
from tutor.sandbox.controllers.runtime import Runtime
from tutor.sandbox.controllers.scheduler import Scheduler
from tutor.sandbox.controllers.server_objects import ServerObjects
from tutor.sandbox.controllers.service_addresses import ServiceAddresses
from tutor.sandbox.controllers.service_ranges import ServiceRanges
from tutor.sandbox.controllers.signing import CertificateRequests
from tutor.sandbox.controllers.statefulsets import StatefulSets
from tutor.sandbox.controllers.static_pods import StaticPods
from tutor.sandbox.controllers.tokens import TokenSecrets
from tutor.sandbox.controllers.volumes import ATTRIBUTES, VOLUMES, Protections, VolumeBinder
from tutor.sandbox.kinds import Key, Object, namespace_of
from tutor.sandbox.node.instance import Surroundings
from tutor.sandbox.node.mounts import Mounts
from tutor.sandbox.node.programs import Programs
from tutor.sandbox.store import Event

_POD_NETWORK = "10.244.0"
_MANAGER = "kube-controller-manager"


class Life:
    """Runs a cluster's controllers and its node until cancelled."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._settings = parts.settings
        self._facts = ClusterFacts(
            name=self._settings.name,
            node=self._settings.node,
            pace=self._settings.pace,
            authority=parts.keys.ca,
            ca_bundle=parts.keys.ca.pem,
            now=parts.machine.now,
        )

    async def run(self, started: asyncio.Event) -> None:
        """Run everything; `started` is set when controllers are up."""
        async with asyncio.TaskGroup() as group:
            for reconciler, client in self._control_plane():
                group.create_task(Runtime(reconciler, client).run(), name=reconciler.name)
            self._start_garbage_collector(group)
            self._start_quotas(group)
            self._start_autoscaling(group)
            if self._settings.node:
                self._start_node(group)
            started.set()

    def _as_controller(self, account: str) -> Client:
        return self._parts.client(service_account_user("kube-system", account), _MANAGER)

    def _requests(self, account: str) -> Requests:
        user = service_account_user("kube-system", account)
        respond = partial(self._parts.front.handle_as, user)
        return Requests(respond, self._parts.machine.now, _MANAGER)

    def _as_server(self) -> Client:
        return self._parts.client(APISERVER, "kube-apiserver")

    def _control_plane(self) -> Sequence[tuple[Reconciler, Client]]:
        parts, facts = self._parts, self._facts
        as_server = self._as_server()
        as_manager = as_server.managed_by(_MANAGER)
        deployments = self._as_controller("deployment-controller")
        replica_sets = self._as_controller("replicaset-controller")
        replication = self._as_controller("replication-controller")
        daemons = self._as_controller("daemon-set-controller")
        stateful = self._as_controller("statefulset-controller")
        jobs = self._as_controller("job-controller")
        cron = self._as_controller("cronjob-controller")
        disruptions = self._as_controller("disruption-controller")
        certificates = self._as_controller("certificate-controller")
        roles = self._as_controller("clusterrole-aggregation-controller")
        policies = self._as_controller("validatingadmissionpolicy-status-controller")
        binder = self._as_controller("persistent-volume-binder")
        claims = self._as_controller("pvc-protection-controller")
        volumes = self._as_controller("pv-protection-controller")
        attributes = self._as_controller("volumeattributesclass-protection-controller")
        ranges = self._as_controller("service-cidrs-controller")
        pods = self._as_controller("pod-garbage-collector")
        ephemeral = self._as_controller("ephemeral-volume-controller")
        devices = self._as_controller("resource-claim-controller")
        found: list[tuple[Reconciler, Client]] = [
            (parts.definitions, as_server),
            (NodeLifetimes(as_manager), as_manager),
            (Accounts(as_manager, facts), as_manager),
            (Namespaces(as_manager, parts.namespaced, facts.pace.namespace), as_manager),
            (TokenSecrets(as_manager, facts, parts.tokens.issue_legacy), as_manager),
            (Deployments(deployments), deployments),
            (ReplicaSets(replica_sets), replica_sets),
            (ReplicaSets(replication, CONTROLLERS), replication),
            (DaemonSets(daemons), daemons),
            (StatefulSets(stateful), stateful),
            (Jobs(jobs), jobs),
            (CronJobs(cron), cron),
            (Disruptions(disruptions, parts, self._requests("disruption-controller")), as_manager),
            (CertificateRequests(certificates, facts), certificates),
            (RequestCleaning(certificates), certificates),
            (PodGarbage(pods), pods),
            (VolumeBinder(binder), binder),
            (Protections(claims, PERSISTENT_VOLUME_CLAIMS), claims),
            (Protections(volumes, VOLUMES), volumes),
            (Protections(attributes, ATTRIBUTES), attributes),
            (EphemeralVolumes(ephemeral), as_manager),
            (DeviceClaims(devices, parts), as_manager),
            (Endpoints(as_manager), as_manager),
            (EndpointMirroring(as_manager), as_manager),
            (ServiceAddresses(as_server), as_server),
            (ServiceRanges(ranges), ranges),
            (ClusterRoleAggregation(roles), roles),
            (AdmissionPolicies(policies), policies),
            (FlowSchemas(as_server), as_server),
            (ServerObjects(as_server, self._standard()), as_server),
            (ApiServices(as_server, parts.outbound, parts.discovery), as_server),
        ]
        if self._settings.node:
            # The control plane that bare clusters are compared with does not look after nodes.
            found.append((NodeLifecycle(as_manager), as_manager))
            found.append((TaintEviction(as_manager), as_manager))
            # kubeadm turns these on, which are off otherwise.
            signer, cleaner = map(self._as_controller, ("bootstrap-signer", "token-cleaner"))
            found.append((BootstrapSigner(signer), signer))
            found.append((TokenCleaner(cleaner), cleaner))
        return found

    def _standard(self) -> Iterator[Object]:
        return standard_objects(self._settings, self._parts.keys, self._facts.now())

    def _start_garbage_collector(self, group: asyncio.TaskGroup) -> None:
        client = self._as_server().managed_by(_MANAGER)
        parts = self._parts
        collector = GarbageCollector(client, parts.collections, parts.kind_of)
        runtime = Runtime(collector, client)

        def see(event: Event) -> None:
            gone = event.change == "DELETED"
            stored = event.stored
            runtime.wake(collector.see(stored.key, None if gone else stored.object))
            if gone:
                runtime.wake(collector.orphaned(stored.object["metadata"]["uid"]))

        for resource in parts.collections():
            for obj in client.list(resource):
                meta = obj["metadata"]
                key = Key(*resource, meta.get("namespace", ""), meta["name"])
                runtime.wake(collector.see(key, obj))
        parts.store.subscribe(None, see)
        group.create_task(runtime.run(), name=collector.name)

    def _start_quotas(self, group: asyncio.TaskGroup) -> None:
        client = self._as_controller("resourcequota-controller")
        quotas = Quotas(client, self._parts)
        runtime = Runtime(quotas, client)
        runtime.wake(quotas.all())
        self._parts.store.subscribe(None, lambda event: runtime.wake(quotas.see(event)))
        group.create_task(runtime.run(), name=quotas.name)

    def _start_autoscaling(self, group: asyncio.TaskGroup) -> None:
        account = "horizontal-pod-autoscaler"
        client = self._as_controller(account)
        period_s = self._facts.pace.autoscaling
        autoscalers = HorizontalPodAutoscalers(client, self._requests(account), period_s)
        runtime = Runtime(autoscalers, client, Backoff(first_s=period_s, most_s=period_s))
        group.create_task(runtime.run(), name=autoscalers.name)

    def _start_node(self, group: asyncio.TaskGroup) -> None:
        parts, facts = self._parts, self._facts
        mounts = Mounts(parts.find, self._host_files())
        around = Surroundings(
            network=parts.network,
            backends=parts.outbound,
            mounts=mounts,
            pace=facts.pace,
            now=parts.machine.now,
            client_for=self._client_of,
            api_server=lambda: ("kubernetes.default.svc", 443, parts.keys.ca.pem),
            publish=self._settings.publish,
        )
        programs = {
            name: program
            for component in self._settings.components.values()
            for name, program in component.programs.items()
        }
        parts.programs = Programs(programs, around, self._workload_of, group)
        kubelet_user = User(
            name=f"system:node:{facts.node}",
            groups=("system:nodes", "system:masters", "system:authenticated"),
        )
        node_client = parts.client(kubelet_user, "kubelet")
        scheduler_user = User(
            name="system:kube-scheduler", groups=("system:masters", "system:authenticated")
        )
        scheduler_client = parts.client(scheduler_user, "kube-scheduler")
        kubelet = Runtime(
            Kubelet(node_client, facts, parts.programs, mounts.missing, NODE_ADDRESS, _POD_NETWORK),
            node_client,
        )
        parts.programs.changed = kubelet.wake
        scheduler = Runtime(Scheduler(scheduler_client, facts), scheduler_client)
        group.create_task(kubelet.run(), name="kubelet")
        group.create_task(scheduler.run(), name="scheduler")
        node = KindNode(self._as_server(), parts.keys, self._settings.name, self._settings.node)
        group.create_task(node.make_ready(facts.pace.node_ready), name="node")
        static_pods = Runtime(StaticPods(node_client, node.static_pods), node_client)
        group.create_task(static_pods.run(), name="static pods")

    def _client_of(self, pod: Object) -> Client:
        account = pod["spec"].get("serviceAccountName") or "default"
        namespace = namespace_of(pod)
        found = self._parts.find(SERVICE_ACCOUNTS, namespace, account)
        uid = found["metadata"]["uid"] if found else ""
        user = service_account_user(namespace, account, uid)
        extra = {
            "authentication.kubernetes.io/pod-name": (pod["metadata"]["name"],),
            "authentication.kubernetes.io/pod-uid": (pod["metadata"]["uid"],),
        }
        user = User(name=user.name, groups=user.groups, uid=user.uid, extra=extra)
        return self._parts.client(user, account)

    def _workload_of(self, pod: Object) -> str:
        owner = owner_of(pod)
        if owner is None:
            return pod["metadata"]["uid"]
        if owner["kind"] == "ReplicaSet":
            found = self._parts.find(REPLICA_SETS, namespace_of(pod), owner["name"])
            above = owner_of(found) if found else None
            return above["uid"] if above else owner["uid"]
        return owner["uid"]

    def _host_files(self) -> dict[str, str]:
        folder = self._settings.folder / "pki"
        return {
            "/etc/kubernetes/pki/ca.crt": (folder / "ca.crt").read_text(),
            "/etc/kubernetes/pki/ca.key": (folder / "ca.key").read_text(),
        }
