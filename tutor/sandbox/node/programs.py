"""Which program runs for which container, and the instances that are running."""

import asyncio
from collections.abc import Callable, Iterable, Mapping

from tutor.sandbox.component import Program, program_of
from tutor.sandbox.controllers.podstatus import Crash
from tutor.sandbox.kinds import Object
from tutor.sandbox.node.instance import Instance, Surroundings

Changed = Callable[[Iterable[tuple[str, str]]], None]
"""(namespace, name) of each pod whose containers changed."""
OwnerOf = Callable[[Object], str]
"""A pod to the uid of its workload, or its own."""


class Programs:
    """The running programs of a node. Everything happens in `group`, which the node owns."""

    def __init__(
        self,
        programs: Mapping[str, Program],
        surroundings: Surroundings,
        owner_of: OwnerOf,
        group: asyncio.TaskGroup,
    ) -> None:
        self._programs = programs
        self._around = surroundings
        self._owner_of = owner_of
        self._group = group
        self._instances: dict[tuple[str, str], Instance] = {}
        self._members: dict[str, list[tuple[str, str]]] = {}
        self.changed: Changed = _nobody

    def has(self, container: Object) -> bool:
        """Whether a component has a program for the container."""
        return program_of(container) in self._programs

    def start(self, pod: Object, container: Object) -> None:
        """The container runs in the pod from now on. Call it again when the pod changed."""
        program = self._programs.get(program_of(container))
        if program is None:
            return
        key = (self._owner_of(pod), container["name"])
        instance = self._instances.get(key)
        if instance is None:
            instance = Instance(program, container, self._around, self._tell)
            self._instances[key] = instance
        keys = self._members.setdefault(pod["metadata"]["uid"], [])
        if key not in keys:
            keys.append(key)
        instance.join(pod, self._group)

    def stop(self, uid: str) -> None:
        """The pod with this uid is gone."""
        for key in self._members.pop(uid, ()):
            instance = self._instances[key]
            instance.leave(uid, self._group)
            if instance.empty:
                del self._instances[key]

    def instance(self, pod: Object, container: str) -> Instance | None:
        """The instance behind a container of a pod, None when nothing runs there."""
        keys = self._members.get(pod["metadata"]["uid"], ())
        return next((self._instances[key] for key in keys if key[1] == container), None)

    def is_ready(self, pod: Object, container: Object) -> bool:
        """Whether the container passes its probe; containers without a program always do."""
        instance = self.instance(pod, container["name"])
        return instance.is_ready if instance else not self.has(container)

    def has_completed(self, pod: Object, container: Object) -> bool:
        """Whether the container's program has come to its end."""
        instance = self.instance(pod, container["name"])
        return instance.finished if instance else False

    def crash(self, pod: Object, container: Object) -> Crash | None:
        """How the container's program failed last, None when it never did."""
        instance = self.instance(pod, container["name"])
        return instance.crash if instance else None

    def _tell(self, pods: Iterable[Object]) -> None:
        self.changed([(pod["metadata"]["namespace"], pod["metadata"]["name"]) for pod in pods])


def _nobody(places: Iterable[tuple[str, str]]) -> None:
    del places
