"""Subresources that are not just another way to write the object."""

from dataclasses import replace
from typing import Protocol

from tutor.sandbox.api import bodies, patching, tables
from tutor.sandbox.api.binding import bind, check_binding
from tutor.sandbox.api.builtin.reading import part
from tutor.sandbox.api.deletion import options_of
from tutor.sandbox.api.eviction import Evictions
from tutor.sandbox.api.negotiate import Form, form_of
from tutor.sandbox.api.objects import Objects, check_name
from tutor.sandbox.api.printers.printer import AGE
from tutor.sandbox.api.registry import Registry, Served
from tutor.sandbox.api.render import answer, include_of, shapeless
from tutor.sandbox.api.request import Answer, Call, Request
from tutor.sandbox.api.reviews import Reviews
from tutor.sandbox.api.routes import Target
from tutor.sandbox.api.scale import ScalePaths, apply_scale, has_replicas, scale_of
from tutor.sandbox.api.status import (
    bad_request,
    go_quote,
    internal_error,
    method_not_allowed,
    not_found,
)
from tutor.sandbox.api.strategies import BuiltinStrategy
from tutor.sandbox.api.token_requests import default_token_request
from tutor.sandbox.kinds import GroupResource, Kind, Object, name_of
from tutor.sandbox.schema.errors import DecodeError

_CREATED = 201
_NAMESPACES = GroupResource("", "namespaces")
_PODS = GroupResource("", "pods")
_WRITES_OBJECT = ("status", "finalize", "approval", "ephemeralcontainers", "resize")
_SCALE_COLUMNS: tuple[Object, ...] = (
    {
        "name": "Desired",
        "type": "integer",
        "description": "Replicas that are wanted.",
        "jsonPath": ".spec.replicas",
    },
    {
        "name": "Available",
        "type": "integer",
        "description": "Replicas that there are.",
        "jsonPath": ".status.replicas",
    },
    {
        "name": "Age",
        "type": "date",
        "description": AGE.description,
        "jsonPath": ".metadata.creationTimestamp",
    },
)
"""The columns of the scale of a custom kind."""
_SUCCESS: Object = {
    "kind": "Status",
    "apiVersion": "v1",
    "metadata": {},
    "status": "Success",
    "code": _CREATED,
}


class Nodes(Protocol):
    """What runs the pods: it answers for logs, commands and connections."""

    def check(self, request: Request, target: Target) -> None:
        """Raise ApiError for a query that makes no sense, whatever it is asked of."""
        ...

    async def reach(self, request: Request, target: Target, obj: Object) -> Answer:
        """Answer a request on a pod, node or service; raises ApiError for what is not there."""
        ...


class Subresources:
    """Answers requests below an object."""

    def __init__(
        self, registry: Registry, objects: Objects, reviews: Reviews, nodes: Nodes
    ) -> None:
        self._registry = registry
        self._objects = objects
        self._nodes = nodes
        self._evictions = Evictions(registry, objects)
        self.reviews = reviews

    async def handle(
        self, request: Request, target: Target, served: Served, call: Call
    ) -> Answer | None:
        """The answer, or None where the object itself is read or written through this path."""
        name = target.subresource
        if name in _WRITES_OBJECT:
            return None
        if name == "scale":
            return await self._scale(request, target, served, call)
        if name == "token":
            return self._token(request, target, served, call)
        if name == "binding":
            return await self._binding(request, target, served, call)
        if name == "eviction":
            return await self._eviction(request, target, served, call)
        if name == "log":
            # The text is nothing that is negotiated, and yet those who ask for it alone fail.
            form_of(request, encodes=True, besides="text/plain")
        self._nodes.check(request, target)
        obj = self._objects.get(served, target.namespace, target.name).object
        return await self._nodes.reach(request, target, obj)

    async def _scale(self, request: Request, target: Target, served: Served, call: Call) -> Answer:
        paths = served.strategy.scale_paths
        if paths is None:
            raise method_not_allowed()
        builtin = not served.kind.custom
        form = form_of(request, binary=builtin, encodes=builtin)
        if target.verb == "get":
            obj = self._objects.get(served, target.namespace, target.name).object
            if served.kind.custom and not has_replicas(obj, paths):
                path = go_quote("." + ".".join(paths.spec))
                raise internal_error(f"the spec replicas field {path} does not exist")
            return answer(_shown_scale(scale_of(obj, paths), served, request, form), form=form)
        place = (target.namespace, target.name)
        if target.verb == "patch" and bodies.media_type(request) == patching.APPLY:
            config = patching.config_of(call, request.body)
            outcome = await self._objects.apply(call, served, *place, config)
        else:
            change = self._scale_change(request, target, served, call, paths)
            outcome = await self._objects.update(
                call, served, *place, change, retry=target.verb == "patch"
            )
        scale = scale_of(outcome.object, paths)
        return answer(_shown_scale(scale, served, request, form), form=form)

    def _scale_change(
        self, request: Request, target: Target, served: Served, call: Call, paths: ScalePaths
    ) -> patching.Change:
        kind = _scale_kind(served)
        scales = Served(kind, BuiltinStrategy(kind))
        judged = not served.kind.custom
        if request.method == "PUT":
            given = bodies.read_object(request, kind).value
            try:
                scale = self._objects.decode(call, scales, given)
            except DecodeError as error:
                told = f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}'
                raise bad_request(f"{told}: {error}") from None
            check_name(scale, target.name)
            return lambda old: apply_scale(old, scale, paths, judged=judged)
        media = bodies.media_type(request)
        patching.check_media(media, served)
        change = patching.change_of(self._objects, call, scales, media, request.body)
        return lambda old: apply_scale(old, change(scale_of(old, paths)), paths, judged=judged)

    def _token(self, request: Request, target: Target, served: Served, call: Call) -> Answer:
        kind = _token_kind(served)
        form = form_of(request, encodes=True)
        body = bodies.read_typed(request, kind)
        self._check_namespace(target)
        asked = Served(kind, BuiltinStrategy(kind))
        tracked = self._objects.decode(call, asked, body)
        default_token_request(tracked)
        self._objects.note(call, asked, tracked)
        made = self.reviews.token_request(call, target.namespace, target.name, tracked)
        return answer(made, form=form, status=_CREATED)

    def _check_namespace(self, target: Target) -> None:
        """Refuse, before anything is looked up, to make something in a missing namespace."""
        served = self._registry.of_resource(_NAMESPACES)
        if served is not None:
            self._objects.get(served, "", target.namespace)

    async def _binding(
        self, request: Request, target: Target, served: Served, call: Call
    ) -> Answer:
        kind = _other_kind(served, group="", version="v1", name="Binding")
        binding = bodies.read_typed(request, kind)
        self._check_namespace(target)
        if name_of(binding) != target.name:
            raise bad_request("name in URL does not match name in Binding object")
        return await self._bind(request, served, target.namespace, binding, call)

    async def bind(self, request: Request, namespace: str, binding: Object, call: Call) -> Answer:
        """Answer a binding that was posted beside the pods instead of below its pod."""
        pods = self._registry.of_resource(_PODS)
        if pods is None:
            raise not_found(_PODS, name_of(binding))
        call.subresource = "binding"
        return await self._bind(request, pods, namespace, binding, call)

    async def _bind(
        self, request: Request, served: Served, namespace: str, binding: Object, call: Call
    ) -> Answer:
        check_binding(binding)
        await self._objects.update(
            call,
            served,
            namespace,
            name_of(binding),
            lambda pod: bind(pod, binding, call.now),
            retry=True,
        )
        return answer(_SUCCESS, form=form_of(request, encodes=True), status=_CREATED)

    async def _eviction(
        self, request: Request, target: Target, served: Served, call: Call
    ) -> Answer:
        kind = _other_kind(served, group="policy", version="v1", name="Eviction")
        eviction = bodies.read_eviction(request, kind)
        self._check_namespace(target)
        if name_of(eviction) != target.name:
            raise bad_request("name in URL does not match name in Eviction object")
        wanted = options_of(part(eviction, "deleteOptions"))
        call.dry_run = call.dry_run or wanted.dry_run
        pod = self._objects.get(served, target.namespace, target.name).object
        await self._evictions.evict(call, served, pod, wanted)
        return answer(_SUCCESS, form=form_of(request, encodes=True), status=_CREATED)


def _shown_scale(scale: Object, served: Served, request: Request, form: Form) -> Object:
    """A scale in the shape that the caller wants."""
    if form.shape == "object":
        return scale
    if form.shape == "partial-list":
        raise shapeless("v1.Scale" if served.kind.custom else "autoscaling.Scale", is_list=False)
    if form.shape != "table":
        return {
            "kind": "PartialObjectMetadata",
            "apiVersion": f"meta.k8s.io/{form.version}",
            "metadata": scale["metadata"],
        }
    kind = replace(_scale_kind(served), plural="scale", custom=served.kind.custom)
    return tables.table(
        kind,
        [scale],
        tables.columns(kind, _SCALE_COLUMNS),
        include=include_of(request.query.get("includeObject")),
        now=request.received,
        list_meta=scale["metadata"],
    )


def _other_kind(served: Served, *, group: str, version: str, name: str) -> Kind:
    return Kind(
        group=group,
        version=version,
        kind=name,
        plural=served.kind.plural,
        singular="",
        namespaced=True,
        verbs=("create",),
    )


def _scale_kind(served: Served) -> Kind:
    return _other_kind(served, group="autoscaling", version="v1", name="Scale")


def _token_kind(served: Served) -> Kind:
    return _other_kind(served, group="authentication.k8s.io", version="v1", name="TokenRequest")
