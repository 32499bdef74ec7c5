"""Requests on resources: one method for each verb.

Source: apiserver's endpoints/installer and handlers for statuses and orders of checks.
"""

from collections.abc import Callable
from datetime import timedelta

from tutor.sandbox.api import bodies, deletion, options, patching
from tutor.sandbox.api.builtin.checks import path_segment
from tutor.sandbox.api.component_statuses import COMPONENT_STATUSES, ComponentStatuses
from tutor.sandbox.api.listing import ListOptions, Page, page, too_large
from tutor.sandbox.api.negotiate import PROTOBUF, STREAM, YAML, Form, form_of, not_streamed
from tutor.sandbox.api.objects import Objects, Outcome, check_name, complain
from tutor.sandbox.api.pages import page_not_found
from tutor.sandbox.api.rbac import Attributes, Decision
from tutor.sandbox.api.registry import Registry, Served
from tutor.sandbox.api.render import Renderer, answer
from tutor.sandbox.api.request import Answer, Call, Request, Response, Stream, User
from tutor.sandbox.api.routes import Target
from tutor.sandbox.api.selectable import FieldSelector, parse_fields
from tutor.sandbox.api.selectors import parse_labels
from tutor.sandbox.api.status import (
    ApiError,
    bad_request,
    expired,
    forbidden,
    go_quote,
    method_not_allowed,
    no_such_resource,
    not_found,
    not_watched,
    unexplained,
)
from tutor.sandbox.api.subresources import Subresources
from tutor.sandbox.api.watch import Filter, Watch
from tutor.sandbox.kinds import GroupResource, Kind, Object, name_of, thaw
from tutor.sandbox.schema.decode import DecodeError, Parsed
from tutor.sandbox.store import Compacted

_CREATED, _OK = 201, 200
_DEFAULT_WATCH = timedelta(minutes=40)
_REVISION = "resourceVersion"
_ALWAYS_KNOWN = {"apiVersion", "kind", "metadata"}
_BINDINGS = GroupResource("", "bindings")

Decide = Callable[[User, Attributes], Decision]


class Resources:
    """Answers requests on what the registry serves."""

    def __init__(
        self,
        registry: Registry,
        objects: Objects,
        subresources: Subresources,
        decide: Decide,
        components: ComponentStatuses,
    ) -> None:
        self._registry = registry
        self._components = components
        self._decide = decide
        self._objects = objects
        self._store = objects.store
        self._subresources = subresources

    async def handle(self, request: Request, target: Target, user: User) -> Answer:
        """Answer a request; raises ApiError for what fails."""
        served = self._registry.find(target.group, target.version, target.resource)
        if not self._registry.builtin_group(target.group) and not _is_place(served, target):
            # Nobody but the definitions of custom resources knows the paths of their groups.
            return page_not_found()
        if served is None:
            raise no_such_resource()
        self._check_path(served, target)
        if wrong := path_segment(target.name):
            shown = go_quote(target.name)
            raise bad_request(f"Name parameter invalid: {shown}: {';'.join(wrong)}")
        if target.verb == "watch" and request.method != "GET":
            raise method_not_allowed()
        call = options.call_of(request, target, user)
        call.warn(filter(None, [served.strategy.deprecation]))
        try:
            made = await self._perform(request, target, served, call)
        except ApiError as error:
            error.headers = (*error.headers, *call.warning_headers())
            raise
        return self._with_warnings(made, call)

    async def _perform(
        self, request: Request, target: Target, served: Served, call: Call
    ) -> Answer:
        if target.subresource:
            special = await self._subresources.handle(request, target, served, call)
            if special is not None:
                return special
        if target.verb not in self._verbs:
            raise method_not_allowed()
        return await self._verbs[target.verb](self, request, target, served, call)

    def check_route(self, target: Target) -> None:
        """Raise ApiError (404) where there is nothing that any method is allowed on."""
        served = self._registry.find(target.group, target.version, target.resource)
        if served is None:
            raise no_such_resource()
        self._check_place(served, target)
        if target.subresource and served.kind.subresource(target.subresource) is None:
            raise no_such_resource()

    def _check_place(self, served: Served, target: Target) -> None:
        kind = served.kind
        is_namespace = kind.plural == "namespaces" and not kind.group
        named = is_namespace and target.name == target.namespace
        if target.namespace and not kind.namespaced and not named:
            raise no_such_resource()
        if target.verb == "proxy" or (target.verb == "watch" and target.subresource):
            raise no_such_resource()
        if target.name and kind.namespaced and not target.namespace:
            raise no_such_resource()
        if target.name and kind.verbs == ("create",):
            raise no_such_resource()
        if target.tail and target.subresource != "proxy":
            raise no_such_resource()

    def _check_path(self, served: Served, target: Target) -> None:
        self._check_place(served, target)
        kind = served.kind
        if target.subresource:
            _check_subresource(kind, target)
            return
        if target.verb not in kind.verbs and not _says_that_it_cannot_watch(kind, target):
            raise method_not_allowed()
        on_object = target.verb in ("get", "update", "patch", "delete")
        # `/watch/` before a path may watch one object: old, and not gone.
        if on_object != bool(target.name) and target.verb != "watch":
            raise method_not_allowed()
        in_one = target.verb in ("create", "deletecollection")
        if in_one and kind.namespaced and not target.namespace:
            raise method_not_allowed()

    async def _get(self, request: Request, target: Target, served: Served, _call: Call) -> Answer:
        form = self._form(request, served)
        try:
            wanted = options.revision(request.query.get(_REVISION))
        except ValueError as error:
            raise unexplained(str(error)) from None
        if wanted > self._store.revision:
            raise too_large(wanted, self._store.revision)
        if served.kind.group_resource == COMPONENT_STATUSES:
            outcome = self._components.get(target.name)
        else:
            outcome = self._objects.get(served, target.namespace, target.name)
        return self._answer(request, served, form, outcome)

    async def _list(self, request: Request, target: Target, served: Served, _call: Call) -> Answer:
        form = self._form(request, served, streams=True)
        renderer = self._renderer(request, served, form)
        found = self.page(request, target, served)
        return Response(status=_OK, body=renderer.page(found), content_type=renderer.media)

    def page(self, request: Request, target: Target, served: Served) -> Page:
        """The chunk of a collection that a request asks for."""
        query = request.query
        options.check_list(query)
        options.integer(query.get("timeoutSeconds"))
        if served.kind.group_resource == COMPONENT_STATUSES:
            found = self._components.matching(self._selector(request, served, target))
            return Page(items=found, revision=0)
        namespace, name = self._narrowed(request, served, target)
        wanted = ListOptions(
            namespace=namespace,
            name=name,
            limit=options.integer(query.get("limit")),
            token=query.get("continue"),
            revision=query.get(_REVISION),
            match=query.get("resourceVersionMatch"),
            matches=self._selector(request, served, target),
        )
        return page(self._store, served.kind.collection, wanted)

    async def _watch(self, request: Request, target: Target, served: Served, call: Call) -> Answer:
        query, kind = request.query, served.kind
        if "watch" not in kind.verbs:
            raise not_watched(kind.group_resource)
        options.check_watch(query)
        form = self._form(request, served, streams=True)
        if form.media == YAML:
            raise not_streamed()
        seconds = options.integer(query.get("timeoutSeconds"))
        lifetime = timedelta(seconds=seconds) if seconds else _DEFAULT_WATCH
        matches = self._selector(request, served, target)
        watch = Watch(
            kind=kind,
            only=Filter(namespace=self._namespace(served, target), matches=matches or _everything),
            render=self._renderer(request, served, form),
            started=call.now,
            deadline=call.now + lifetime,
            bookmarks=options.flag(query, "allowWatchBookmarks"),
        )
        self._start(watch, request, target, served)
        binary = form.media == PROTOBUF
        media = f"{PROTOBUF}{STREAM}" if binary else "application/json"
        return Stream(source=watch, content_type=media)

    def _start(self, watch: Watch, request: Request, target: Target, served: Served) -> None:
        query, kind = request.query, served.kind
        text = query.get(_REVISION)
        resource = kind.collection
        initial = options.flag(query, "sendInitialEvents")
        current = self._store.revision
        try:
            revision = options.revision(text)
        except ValueError as error:
            raise unexplained(str(error)) from None
        says = query.has("sendInitialEvents")
        wants_all = initial if says else not revision
        if wants_all:
            if revision > current:
                raise too_large(revision, current)
            namespace = self._namespace(served, target)
            selector = self._selector(request, served, target) or _everything
            existing = self._store.objects(resource, namespace)
            shown = ((o.object, o.data) for o in existing if selector(o.object))
            told = initial or not (says or query.get("resourceVersionMatch"))
            mark = told and options.flag(query, "allowWatchBookmarks")
            watch.begin(shown, current, mark=mark)
        else:
            revision = revision or current
            try:
                watch.replay(self._store.since(revision, resource), revision)
            except Compacted as error:
                watch.fail(expired(f"too old resource version: {revision} ({error.oldest + 1})"))
                return
        watch.follow(self._store.subscribe(resource, watch.see))

    def _read(self, request: Request, served: Served, call: Call) -> Parsed:
        try:
            return bodies.read_object(request, served.kind)
        except bodies.OtherVersion as error:
            # Its fields are judged before its version is: by the schema that it names.
            value, kind = error.parsed.value, served.kind
            group, _, version = error.parsed.api_version.rpartition("/")
            if (group, error.parsed.kind) == (kind.group, kind.kind):
                other = self._registry.find(group, version, kind.plural)
                if other is not None:
                    self._objects.decode(call, other, value)
                else:
                    unknown = sorted(value.keys() - _ALWAYS_KNOWN)
                    told = [f"unknown field {go_quote(name)}" for name in unknown]
                    complain(call, kind.kind, version, told)
            raise

    async def _create(self, request: Request, target: Target, served: Served, call: Call) -> Answer:
        form = self._form(request, served)
        parsed = self._read(request, served, call)
        with _Decoding(served):
            obj = self._objects.decode(call, served, parsed.value, _repeated(served, parsed))
        self._objects.place(served, obj, target.namespace)
        if self._subresources.reviews.answers(served):
            self._objects.note(call, served, obj)
        reviewed = self._subresources.reviews.review_of(call, served, target.namespace, obj)
        if reviewed is not None:
            return answer(reviewed, form=form, status=_CREATED)
        if served.kind.group_resource == _BINDINGS:
            return await self._subresources.bind(request, target.namespace, obj, call)
        outcome = await self._objects.create_decoded(call, served, target.namespace, obj)
        return self._answer(request, served, form, outcome)

    async def _update(self, request: Request, target: Target, served: Served, call: Call) -> Answer:
        form = self._form(request, served)
        parsed = self._read(request, served, call)
        with _Decoding(served):
            decoded = self._objects.decode(call, served, parsed.value, _repeated(served, parsed))
        self._objects.place(served, decoded, target.namespace)
        check_name(decoded, target.name)
        may_create = served.strategy.create_on_update and not target.subresource

        def create() -> Object:
            self._may_create(target, call)
            return thaw(decoded)

        outcome = await self._objects.update(
            call,
            served,
            target.namespace,
            target.name,
            lambda _old: thaw(decoded),
            create=create if may_create else None,
        )
        return self._answer(request, served, form, outcome)

    async def _patch(self, request: Request, target: Target, served: Served, call: Call) -> Answer:
        media = bodies.media_type(request)
        patching.check_media(media, served)
        form = self._form(request, served)
        if media == patching.APPLY:
            config = patching.config_of(call, request.body)
            place = (target.namespace, target.name)
            create = None if target.subresource else lambda: self._may_create(target, call)
            outcome = await self._objects.apply(call, served, *place, config, before_create=create)
            return self._answer(request, served, form, outcome)
        change = patching.change_of(self._objects, call, served, media, request.body)
        outcome = await self._objects.update(
            call, served, target.namespace, target.name, change, retry=True
        )
        return self._answer(request, served, form, outcome)

    def _may_create(self, target: Target, call: Call) -> None:
        """Refuse to make what an update or an apply did not find, without the right to create."""
        access = Attributes(
            verb="create",
            group=target.group,
            version=target.version,
            resource=target.resource,
            namespace=target.namespace,
            name=target.name,
        )
        decision = self._decide(call.user, access)
        if not decision.allowed:
            resource = GroupResource(target.group, target.resource)
            raise forbidden(resource, target.name, access.denial(call.user, decision.reason))

    async def _delete(self, request: Request, target: Target, served: Served, call: Call) -> Answer:
        form = self._form(request, served)
        wanted = deletion.requested(request)
        call.dry_run = wanted.dry_run
        call.warn(deletion.warnings_of(served.kind.group_resource, wanted))
        outcome = await self._objects.delete(call, served, target.namespace, target.name, wanted)
        if outcome.gone and not deletion.shows_last(served.kind.group_resource):
            status = _success(served, target.name, outcome.object["metadata"].get("uid", ""))
            return answer(status, form=form)
        return self._answer(request, served, form, outcome)

    async def _delete_collection(
        self, request: Request, target: Target, served: Served, call: Call
    ) -> Answer:
        form = self._form(request, served)
        wanted = deletion.requested(request)
        call.dry_run = wanted.dry_run
        call.warn(deletion.warnings_of(served.kind.group_resource, wanted))
        found = self.page(request, target, served)
        for stored in found.items:
            try:
                await self._objects.delete(
                    call, served, stored.key.namespace, stored.key.name, wanted
                )
            except ApiError as error:
                if error.reason != "NotFound":
                    raise
        renderer = self._renderer(request, served, form)
        return Response(status=_OK, body=renderer.page(found), content_type=renderer.media)

    def _namespace(self, served: Served, target: Target) -> str:
        return target.namespace if served.kind.namespaced else ""

    def _fields(self, request: Request, served: Served) -> FieldSelector | None:
        fields = request.query.get("fieldSelector")
        return parse_fields(fields, served.kind, served.strategy.selectable) if fields else None

    def _narrowed(self, request: Request, served: Served, target: Target) -> tuple[str, str]:
        """The namespace that is listed, and the name when a selector leaves but one object."""
        namespace = self._namespace(served, target)
        fields = self._fields(request, served)
        name = fields.exact("metadata.name") if fields else None
        if fields is None or not name or request.query.get("continue"):
            return namespace, ""
        if not served.kind.namespaced:
            return "", name
        single = namespace or fields.exact("metadata.namespace")
        return (single, name) if single else ("", "")

    def _selector(
        self, request: Request, served: Served, target: Target
    ) -> Callable[[Object], bool] | None:
        """What the query selects, and the name in the path of a watch; None for everything."""
        labels = request.query.get("labelSelector")
        wanted: list[Callable[[Object], bool]] = []
        if labels:
            wanted.append(parse_labels(labels))
        if selects := self._fields(request, served):
            wanted.append(lambda obj: selects(served.strategy.from_storage(obj)))
        if target.name:
            wanted.append(lambda obj: name_of(obj) == target.name)
        if len(wanted) < 2:
            return wanted[0] if wanted else None
        return lambda obj: all(matches(obj) for matches in wanted)

    def _form(self, request: Request, served: Served, *, streams: bool = False) -> Form:
        builtin = not served.kind.custom
        return form_of(request, binary=builtin, encodes=builtin, streams=streams)

    def _renderer(self, request: Request, served: Served, form: Form) -> Renderer:
        include = request.query.get("includeObject")
        return Renderer(served, form, include=include, now=request.received)

    def _answer(self, request: Request, served: Served, form: Form, outcome: Outcome) -> Response:
        renderer = self._renderer(request, served, form)
        status = _CREATED if outcome.created else _OK
        return Response(status=status, body=renderer.one(outcome), content_type=renderer.media)

    def _with_warnings(self, made: Answer, call: Call) -> Answer:
        if not call.warnings:
            return made
        headers = (*made.headers, *call.warning_headers())
        if isinstance(made, Stream):
            return Stream(
                source=made.source,
                status=made.status,
                content_type=made.content_type,
                headers=headers,
            )
        return Response(
            status=made.status, body=made.body, content_type=made.content_type, headers=headers
        )

    _verbs = {  # noqa: RUF012 - never changes
        "get": _get,
        "list": _list,
        "watch": _watch,
        "create": _create,
        "update": _update,
        "patch": _patch,
        "delete": _delete,
        "deletecollection": _delete_collection,
    }


def _is_place(served: Served | None, target: Target) -> bool:
    """Whether objects of the kind can be where the path says."""
    if served is None:
        return False
    if not served.kind.namespaced:
        return not target.namespace
    return bool(target.namespace) or (target.verb in ("list", "watch") and not target.name)


def _says_that_it_cannot_watch(kind: Kind, target: Target) -> bool:
    """Whether a watch is refused by the list that it was asked as, in words of its own."""
    if "list" not in kind.verbs:
        return False
    if target.path.split("/")[-2:-1] == ["watch"]:
        raise no_such_resource()
    return target.verb == "watch"


def _check_subresource(kind: Kind, target: Target) -> None:
    subresource = kind.subresource(target.subresource)
    if subresource is None:
        missing = not_found(kind.group_resource, target.name)
        raise missing if kind.custom else no_such_resource()
    if target.verb not in subresource.verbs:
        raise method_not_allowed()


def _repeated(served: Served, parsed: Parsed) -> tuple[str, ...]:
    """What the parser complains of; the decoder of built-in kinds finds JSON's repeats itself."""
    return parsed.duplicates if served.kind.custom else parsed.preface


def _everything(_obj: Object) -> bool:
    return True


def _success(served: Served, name: str, uid: str) -> Object:
    kind = served.kind
    details: Object = {"name": name}
    if kind.group:
        details["group"] = kind.group
    details["kind"] = kind.plural
    if uid:
        details["uid"] = uid
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": details,
    }


class _Decoding:
    """Turns a decoder's complaint about a whole body into the server's 400."""

    def __init__(self, served: Served) -> None:
        self._kind = served.kind

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, DecodeError):
            kind = self._kind
            raise bad_request(
                f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: '
                f"{error}"
            ) from None
