"""Controllers of pods: deployments, replica sets, jobs and the like.

Source: kubernetes v1.36.2, pkg/printers/internalversion.
"""

from datetime import datetime
from typing import Any

from tutor.sandbox.api.printers.age import human, since
from tutor.sandbox.api.printers.field import (
    NONE,
    age,
    at,
    condition,
    container_cells,
    flag,
    is_deleting,
    is_true,
    items,
    labels,
    mapping,
    name,
    number,
    selector,
    text,
)
from tutor.sandbox.api.printers.printer import AGE, CONTAINERS, NAME, WIDE, Column, Printer
from tutor.sandbox.kinds import GroupResource, Object

_DESIRED = Column("Desired", "Number of pods that are wanted.", type="integer")
_CURRENT = Column("Current", "Number of pods that exist.", type="integer")
_READY = Column("Ready", "Number of pods that are ready.", type="integer")
_SELECTOR = Column("Selector", "Labels of the pods that belong to it.", priority=WIDE)


def _of_template(obj: Object) -> list[str]:
    return container_cells(items(obj, "spec", "template", "spec", "containers"))


def _deployment(obj: Object, now: datetime) -> list[Any]:
    found = selector(at(obj, "spec", "selector"))
    return [
        name(obj),
        f"{number(obj, 'status', 'readyReplicas')}/{number(obj, 'spec', 'replicas', default=1)}",
        number(obj, "status", "updatedReplicas"),
        number(obj, "status", "availableReplicas"),
        age(obj, now),
        *_of_template(obj),
        {NONE: "", "<error>": "<invalid>"}.get(found, found),
    ]


def _replicas(obj: Object, now: datetime) -> list[Any]:
    return [
        name(obj),
        number(obj, "spec", "replicas", default=1),
        number(obj, "status", "replicas"),
        number(obj, "status", "readyReplicas"),
        age(obj, now),
        *_of_template(obj),
    ]


def _replica_set(obj: Object, now: datetime) -> list[Any]:
    return [*_replicas(obj, now), selector(at(obj, "spec", "selector"))]


def _replication_controller(obj: Object, now: datetime) -> list[Any]:
    return [*_replicas(obj, now), labels(mapping(obj, "spec", "selector"))]


def _daemon_set(obj: Object, now: datetime) -> list[Any]:
    return [
        name(obj),
        number(obj, "status", "desiredNumberScheduled"),
        number(obj, "status", "currentNumberScheduled"),
        number(obj, "status", "numberReady"),
        number(obj, "status", "updatedNumberScheduled"),
        number(obj, "status", "numberAvailable"),
        labels(mapping(obj, "spec", "template", "spec", "nodeSelector")),
        age(obj, now),
        *_of_template(obj),
        selector(at(obj, "spec", "selector")),
    ]


def _stateful_set(obj: Object, now: datetime) -> list[Any]:
    ready = number(obj, "status", "readyReplicas")
    return [
        name(obj),
        f"{ready}/{number(obj, 'spec', 'replicas', default=1)}",
        age(obj, now),
        *_of_template(obj),
    ]


def _controller_revision(obj: Object, now: datetime) -> list[Any]:
    owner = next(
        (one for one in items(obj, "metadata", "ownerReferences") if flag(one, "controller")), None
    )
    controller = NONE
    if owner is not None:
        group, slash, _ = text(owner, "apiVersion").partition("/")
        kind = f"{text(owner, 'kind')}.{group}" if slash else text(owner, "kind")
        controller = f"{kind.lower()}/{text(owner, 'name')}"
    return [name(obj), controller, number(obj, "revision"), age(obj, now)]


def _pod_template(obj: Object, _: datetime) -> list[Any]:
    return [
        name(obj),
        *container_cells(items(obj, "template", "spec", "containers")),
        labels(mapping(obj, "template", "metadata", "labels")),
    ]


def _job(obj: Object, now: datetime) -> list[Any]:
    return [
        name(obj),
        _job_status(obj),
        _completions(obj),
        _job_duration(obj, now),
        age(obj, now),
        *_of_template(obj),
        selector(at(obj, "spec", "selector")),
    ]


def _job_status(obj: Object) -> str:
    found = items(obj, "status", "conditions")
    if is_true(condition(found, "Complete")):
        return "Complete"
    if is_true(condition(found, "Failed")):
        return "Failed"
    if is_deleting(obj):
        return "Terminating"
    states = ("Suspended", "FailureTarget", "SuccessCriteriaMet")
    return next((state for state in states if is_true(condition(found, state))), "Running")


def _completions(obj: Object) -> str:
    succeeded = number(obj, "status", "succeeded")
    wanted = at(obj, "spec", "completions")
    if wanted is not None:
        return f"{succeeded}/{wanted}"
    parallelism = number(obj, "spec", "parallelism")
    return f"{succeeded}/1 of {parallelism}" if parallelism > 1 else f"{succeeded}/1"


def _job_duration(obj: Object, now: datetime) -> str:
    begun, ended = at(obj, "status", "startTime"), at(obj, "status", "completionTime")
    if begun is None:
        return ""
    if ended is None:
        return since(begun, now)
    return human(datetime.fromisoformat(ended) - datetime.fromisoformat(begun))


def _cron_job(obj: Object, now: datetime) -> list[Any]:
    last = at(obj, "status", "lastScheduleTime")
    template = at(obj, "spec", "jobTemplate", "spec")
    return [
        name(obj),
        text(obj, "spec", "schedule"),
        text(obj, "spec", "timeZone", default=NONE),
        str(flag(obj, "spec", "suspend")),
        len(items(obj, "status", "active")),
        NONE if last is None else since(last, now),
        age(obj, now),
        *container_cells(items(template, "template", "spec", "containers")),
        selector(at(template, "selector")),
    ]


PRINTERS = {
    GroupResource("apps", "deployments"): Printer(
        (
            NAME,
            Column("Ready", "Ready pods out of those wanted."),
            Column("Up-to-date", "Number of pods made from the current template."),
            Column("Available", "Number of pods ready for long enough."),
            AGE,
            *CONTAINERS,
            _SELECTOR,
        ),
        _deployment,
    ),
    GroupResource("apps", "replicasets"): Printer(
        (NAME, _DESIRED, _CURRENT, _READY, AGE, *CONTAINERS, _SELECTOR), _replica_set
    ),
    GroupResource("", "replicationcontrollers"): Printer(
        (NAME, _DESIRED, _CURRENT, _READY, AGE, *CONTAINERS, _SELECTOR), _replication_controller
    ),
    GroupResource("apps", "daemonsets"): Printer(
        (
            NAME,
            Column("Desired", "Number of nodes that should run a pod.", type="integer"),
            Column("Current", "Number of nodes that run a pod.", type="integer"),
            Column("Ready", "Number of nodes whose pod is ready.", type="integer"),
            Column("Up-to-date", "Number of nodes with the current pod.", type="integer"),
            Column("Available", "Number of nodes whose pod is available.", type="integer"),
            Column("Node Selector", "Labels of the nodes that get a pod."),
            AGE,
            *CONTAINERS,
            _SELECTOR,
        ),
        _daemon_set,
    ),
    GroupResource("apps", "statefulsets"): Printer(
        (NAME, Column("Ready", "Ready pods out of those wanted."), AGE, *CONTAINERS),
        _stateful_set,
    ),
    GroupResource("apps", "controllerrevisions"): Printer(
        (
            NAME,
            Column("Controller", "Controller whose state this is."),
            Column("Revision", "Number of the revision."),
            AGE,
        ),
        _controller_revision,
    ),
    GroupResource("", "podtemplates"): Printer(
        (
            NAME,
            Column("Containers", "Container names of the template."),
            Column("Images", "Container images of the template."),
            Column("Pod Labels", "Labels that its pods get."),
        ),
        _pod_template,
    ),
    GroupResource("batch", "jobs"): Printer(
        (
            NAME,
            Column("Status", "How far the job is."),
            Column("Completions", "Successful pods out of those wanted."),
            Column("Duration", "Time from start to completion, or until now."),
            AGE,
            *CONTAINERS,
            _SELECTOR,
        ),
        _job,
    ),
    GroupResource("batch", "cronjobs"): Printer(
        (
            NAME,
            Column("Schedule", "When jobs are made, in cron's notation."),
            Column("Timezone", "Time zone of the schedule."),
            Column("Suspend", "Whether no further jobs are made.", type="boolean"),
            Column("Active", "Number of its jobs that are running.", type="integer"),
            Column("Last Schedule", "Time since the last job was made."),
            AGE,
            *CONTAINERS,
            _SELECTOR,
        ),
        _cron_job,
    ),
}
