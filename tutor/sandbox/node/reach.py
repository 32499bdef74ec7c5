"""What can be asked of a pod: its log, and what a simulated node has to say about the rest.

Source for the states before a container runs: kubelet's `GetContainerLogs` and pod/rest/log.go.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from tutor.sandbox.api.builtin.reading import items, part
from tutor.sandbox.api.request import Answer, Request, Response, Stream
from tutor.sandbox.api.routes import Target
from tutor.sandbox.api.status import ApiError, NotSimulated, bad_request
from tutor.sandbox.kinds import GroupResource, Object, name_of
from tutor.sandbox.node.instance import Instance
from tutor.sandbox.node.log_query import LogQuery, log_query
from tutor.sandbox.node.programs import Programs

_PODS = GroupResource("", "pods")
_TEXT = "text/plain"
_NO = "this is the tutor's sandbox, and its pods run no containers:"
_NO_CONTENT = 204
_OF_ONE = ("log", "exec", "attach")
"""What is asked of one container of a pod."""
_WHY = {
    "exec": "there is nothing to run a command in",
    "attach": "there is nothing to attach to",
    "portforward": "there is no port to forward to",
    "proxy": "there is nothing to proxy to",
    "log": "this container writes no log",
}


class PodAccess:
    """Answers requests on pods, nodes and services that a node would answer."""

    def __init__(self, programs: Callable[[], Programs | None]) -> None:
        self._programs = programs

    def check(self, request: Request, target: Target) -> None:
        """Raise ApiError (400, 422) for a query for a log that makes no sense."""
        if target.subresource == "log":
            log_query(request, target.name)

    async def reach(self, request: Request, target: Target, obj: Object) -> Answer:
        """Answer a request; raises ApiError for what is not there or not simulated."""
        if target.group_resource != _PODS:
            raise _not_simulated("proxy")
        query = request.query
        asked = log_query(request, name_of(obj)) if target.subresource == "log" else None
        container = _container(obj, query.get("container")) if target.subresource in _OF_ONE else {}
        if not obj["spec"].get("nodeName"):
            if asked is not None:
                return Response(status=_NO_CONTENT, content_type="")
            raise bad_request(f"pod {name_of(obj)} does not have a host assigned")
        if asked is None:
            raise _not_simulated(target.subresource)
        _check_state(obj, container)
        programs = self._programs()
        instance = programs.instance(obj, container["name"]) if programs else None
        if instance is None:
            raise _not_simulated("log")
        if asked.previous and instance.previous is None:
            where = f'container "{container["name"]}" in pod "{name_of(obj)}"'
            raise bad_request(f"previous terminated {where} not found")
        return _log(instance, asked)

    def execute(self, pod: Object, container: str, command: Sequence[str]) -> str:
        """What a command prints in a container; raises ApiError when nothing runs there."""
        programs = self._programs()
        instance = programs.instance(pod, container) if programs else None
        if instance is None or instance.executor is None:
            why = f"container not found ({container!r})"
            raise ApiError(500, "InternalError", f"Internal error occurred: {why}")
        return instance.executor(command)


def _not_simulated(what: str) -> ApiError:
    return NotSimulated(f"{_NO} {_WHY.get(what, 'there is nothing there')}")


def _container(pod: Object, wanted: str) -> Object:
    spec: Object = pod["spec"]
    kinds = ("initContainers", "containers", "ephemeralContainers")
    everything: list[Object] = [one for kind in kinds for one in items(spec, kind)]
    if wanted:
        found = next((c for c in everything if c["name"] == wanted), None)
        if found is None:
            raise bad_request(f"container {wanted} is not valid for pod {name_of(pod)}")
        return found
    if len(spec["containers"]) == 1:
        return spec["containers"][0]
    names = " ".join(one["name"] for one in everything)
    raise bad_request(
        f"a container name must be specified for pod {name_of(pod)}, choose one of: [{names}]"
    )


def _check_state(pod: Object, container: Object) -> None:
    statuses: list[Object] = [
        *items(pod, "status", "containerStatuses"),
        *items(pod, "status", "initContainerStatuses"),
        *items(pod, "status", "ephemeralContainerStatuses"),
    ]
    found = next((s for s in statuses if s["name"] == container["name"]), None)
    if found and part(found, "lastState").get("terminated"):
        return
    if found is None or "waiting" in part(found, "state"):
        waiting = part(found, "state", "waiting") if found else {}
        raise bad_request(
            f'container "{container["name"]}" in pod "{name_of(pod)}" is waiting to start:'
            f" {waiting.get('reason') or 'ContainerCreating'}"
        )


def _log(instance: Instance, asked: LogQuery) -> Answer:
    lines = asked.lines((instance.previous or []) if asked.previous else instance.lines)
    if asked.follow:
        return Stream(source=Following(instance, lines, asked.stamped), content_type=_TEXT)
    body = b"".join(_line(stamp, text, asked.stamped) for stamp, text in lines)
    return Response(status=200, body=asked.cut(body), content_type=_TEXT)


def _line(stamp: str, text: str, stamped: bool) -> bytes:
    return (f"{stamp} {text}\n" if stamped else f"{text}\n").encode()


class Following:
    """A log that is followed."""

    def __init__(self, instance: Instance, first: list[tuple[str, str]], stamped: bool) -> None:
        self._instance = instance
        self._first = first
        self._stamped = stamped
        self._wake: Callable[[], None] = _nobody
        instance.on_line.append(self._line)

    @property
    def ended(self) -> bool:
        """Whether the program has ended."""
        return self._instance.finished or self._instance.empty

    def take(self, now: datetime) -> list[bytes]:
        """The lines since the last call."""
        del now
        lines, self._first = self._first, []
        return [_line(stamp, text, self._stamped) for stamp, text in lines]

    def due(self) -> datetime | None:
        """Never."""
        return None

    def on_ready(self, wake: Callable[[], None]) -> None:
        """Call `wake` at each line."""
        self._wake = wake

    def close(self) -> None:
        """The reader has gone."""
        if self._line in self._instance.on_line:
            self._instance.on_line.remove(self._line)

    def _line(self) -> None:
        self._first.append(self._instance.lines[-1])
        self._wake()


def _nobody() -> None:
    """Nobody waits."""
