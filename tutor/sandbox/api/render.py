"""Objects, lists and events as bytes, in the form the caller wants.

Built-in objects show kind and apiVersion first and leave them out of list items; custom objects are
maps with sorted keys and keep theirs. Stored encodings are reused wherever the form is plain JSON.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import yaml

from tutor.sandbox.api import tables
from tutor.sandbox.api.bodies import package_of
from tutor.sandbox.api.listing import Page
from tutor.sandbox.api.negotiate import PROTOBUF, Form
from tutor.sandbox.api.objects import Outcome
from tutor.sandbox.api.registry import Served
from tutor.sandbox.api.request import Headers, Response
from tutor.sandbox.api.status import ApiError, bad_request, go_quote
from tutor.sandbox.api.watch import line
from tutor.sandbox.kinds import Kind, Object
from tutor.sandbox.schema import protobuf_encode
from tutor.sandbox.schema.encode import as_bytes, encode
from tutor.sandbox.store import Stored

_INCLUDES: tuple[tables.Include, ...] = ("None", "Metadata", "Object")
_PLAIN = Form()
_ESCAPES = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}
"""What Go's writer leaves in no text, lest a browser take it for markup."""
_TEXT_TAG, _SIGN_TAG = "tag:yaml.org,2002:str", "tag:yaml.org,2002:yaml"
_OLD_BOOLEANS = ("y", "Y", "n", "N")


class _Yaml(yaml.SafeDumper):
    """YAML as Go's writer has it: texts that must be quoted have double quotes."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the library's argument
        """What is named twice is written twice."""
        return True

    def represent_text(self, text: str) -> yaml.ScalarNode:
        """A text, plain where that reads back as the same text."""
        tag: str = self.resolve(yaml.ScalarNode, text, (True, False))  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - untyped
        ambiguous = tag not in (_TEXT_TAG, _SIGN_TAG) or text in _OLD_BOOLEANS
        style = "|" if "\n" in text else '"' if ambiguous else None
        return self.represent_scalar(_TEXT_TAG, text, style)  # pyright: ignore[reportUnknownMemberType] - untyped


_Yaml.add_representer(str, _Yaml.represent_text)


def document(value: Any, form: Form = _PLAIN) -> bytes:
    """Any JSON value as a body."""
    if form.media == PROTOBUF:
        return _binary(value)
    if form.media == "application/yaml":
        return yaml.dump(value, Dumper=_Yaml, allow_unicode=True).encode()
    if form.pretty:
        indented = json.dumps(value, indent=2, ensure_ascii=False)
        return as_bytes(indented.translate(_ESCAPES))
    return encode(value) + b"\n"


def _binary(value: Object) -> bytes:
    """An object of a built-in kind as protobuf; forms are only asked for where there is one."""
    group, _, version = value.get("apiVersion", "").rpartition("/")
    body = protobuf_encode.encode(group, version, value["kind"], value)
    if body is None:
        raise LookupError(value["kind"])
    return body


def answer(
    value: Any,
    *,
    form: Form = _PLAIN,
    status: int = 200,
    headers: Headers = (),
) -> Response:
    """A JSON value as a response."""
    body = document(value, form)
    return Response(status=status, body=body, content_type=form.media, headers=headers)


def shapeless(name: str, *, is_list: bool) -> ApiError:
    """406 for the metadata of one object where there is a list, and the other way round.

    `name` is the object's type in the real server.
    """
    given, wanted = (
        (f"a list (*{name}List)", "PartialObjectMetadata")
        if is_list
        else (f"not a list (*{name})", "PartialObjectMetadataList")
    )
    message = f"you requested {wanted}, but the requested object is {given}"
    return ApiError(406, "NotAcceptable", message)


def _type_name(kind: Kind) -> str:
    return "unstructured.Unstructured" if kind.custom else f"{package_of(kind.group)}.{kind.kind}"


def include_of(text: str) -> tables.Include:
    """What the rows of a table carry; raises ApiError for what there is not."""
    found: tables.Include | None = next(
        (known for known in _INCLUDES if known == (text or "Metadata")), None
    )
    if found is None:
        why = "must be 'Metadata', 'Object', 'None', or empty"
        told = f"includeObject: Invalid value: {go_quote(text)}: {why}"
        raise bad_request(f"Unable to convert to Table as requested: {told}")
    return found


class Renderer:
    """Renders one request's answer; making it raises ApiError for an unknown `include`."""

    def __init__(self, served: Served, form: Form, *, include: str, now: datetime) -> None:
        self._served = served
        self._form = form
        self._include: tables.Include = include_of(include) if form.shape == "table" else "Metadata"
        self._now = now
        self._headed = False

    @property
    def media(self) -> str:
        """The Content-Type."""
        return self._form.media

    def one(self, outcome: Outcome) -> bytes:
        """One object."""
        if self._form.shape == "table":
            meta = {"resourceVersion": outcome.object["metadata"].get("resourceVersion", "")}
            return document(self._table([outcome.object], meta), self._form)
        if self._form.shape == "partial-list":
            raise shapeless(_type_name(self._served.kind), is_list=False)
        if self._form.shape == "partial":
            return document(self._partial(outcome.object), self._form)
        if self._form.pretty or self._form.media != "application/json":
            return document(json.loads(outcome.data), self._form)
        return outcome.data + b"\n"

    def page(self, page: Page) -> bytes:
        """A list."""
        kind = self._served.kind
        if self._form.shape == "table":
            objects = [self._object(stored) for stored in page.items]
            return document(self._table(objects, page.meta()), self._form)
        if self._form.shape == "partial":
            raise shapeless(_type_name(self._served.kind), is_list=True)
        if self._form.shape == "partial-list":
            items = [self._partial(stored.object) for stored in page.items]
            partial = {
                "kind": "PartialObjectMetadataList",
                "apiVersion": f"meta.k8s.io/{self._form.version}",
                "metadata": page.meta(),
                "items": items or None,
            }
            return document(partial, self._form)
        if self._form.media == PROTOBUF:
            return self._binary_list(kind, page)
        body = self._list(kind, page)
        if self._form.pretty or self._form.media != "application/json":
            return document(json.loads(body), self._form)
        return body

    def event(self, change: str, obj: Object, data: bytes) -> bytes:
        """One line of a watch."""
        if self._form.shape == "table":
            meta = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
            shown = self._convert(obj)
            table = self._table([shown], meta, with_columns=not self._headed)
            self._headed = True
            return line(change, encode(table))
        is_partial = self._form.shape in ("partial", "partial-list")
        read = self._partial(obj) if is_partial else self._convert(obj)
        if self._form.media == PROTOBUF:
            return protobuf_encode.watch_event(change, _binary(read))
        if is_partial:
            return line(change, encode(read))
        if not data or read is not obj:
            data = self._served.strategy.encode(read)
        return line(change, data)

    def bookmark(self, kind: Kind, revision: int, annotations: dict[str, str]) -> bytes:
        """A line that only carries a revision."""
        meta: Object = {"resourceVersion": str(revision)}
        if annotations:
            meta["annotations"] = annotations
        obj: Object = {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": meta}
        if kind.custom:
            meta = dict(sorted(meta.items()))
            obj = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": meta}
        if self._form.shape == "table":
            # The row of an object of which nothing but the metadata is known.
            listed = {"resourceVersion": str(revision)}
            obj = self._table([obj], listed, with_columns=not self._headed)
            self._headed = True
        if self._form.shape in ("partial", "partial-list"):
            obj = self._partial(obj)
        if self._form.media == PROTOBUF:
            return protobuf_encode.watch_event("BOOKMARK", _binary(obj))
        return line("BOOKMARK", encode(obj))

    def error(self, status: Object) -> bytes:
        """The last line of a watch that fails."""
        if self._form.media == PROTOBUF:
            return protobuf_encode.watch_event("ERROR", _binary(status))
        return line("ERROR", encode(status))

    def _binary_list(self, kind: Kind, page: Page) -> bytes:
        objects = [self._object(stored) for stored in page.items]
        content: Object = {"metadata": page.meta(), "items": objects}
        name = kind.list_kind or f"{kind.kind}List"
        body = protobuf_encode.encode_list(kind.group, kind.version, kind.kind, name, content)
        if body is None:
            raise LookupError(kind.kind)
        return body

    def _list(self, kind: Kind, page: Page) -> bytes:
        name = kind.list_kind or f"{kind.kind}List"
        items = b",".join(self._items(kind, page.items))
        if kind.custom:
            meta = {"continue": ""} | page.meta()
            return b'{"apiVersion":%s,"items":[%s],"kind":%s,"metadata":%s}\n' % (
                encode(kind.api_version),
                items,
                encode(name),
                encode(dict(sorted(meta.items()))),
            )
        return b'{"kind":%s,"apiVersion":%s,"metadata":%s,"items":[%s]}\n' % (
            encode(name),
            encode(kind.api_version),
            encode(page.meta()),
            items,
        )

    def _items(self, kind: Kind, stored: Sequence[Stored]) -> Iterable[bytes]:
        """Items as a list shows them: built-in ones without their kind."""
        strategy = self._served.strategy
        if strategy.is_storage and not kind.custom:
            encoded = [each.data for each in stored]
        else:
            read = ((each, strategy.from_storage(each.object)) for each in stored)
            encoded = [
                each.data if obj is each.object else strategy.encode(obj) for each, obj in read
            ]
        if kind.custom:
            return encoded
        head = b'{"kind":"%s","apiVersion":"%s",' % (
            kind.kind.encode(),
            kind.api_version.encode(),
        )
        size = len(head)
        return [b"{" + each[size:] if each.startswith(head) else each for each in encoded]

    def _object(self, stored: Stored) -> Object:
        return self._convert(stored.object)

    def _convert(self, obj: Object) -> Object:
        return self._served.strategy.from_storage(obj)

    def _table(
        self, objects: Sequence[Object], meta: Object, *, with_columns: bool = True
    ) -> Object:
        return tables.table(
            self._served.kind,
            objects,
            self._served.strategy.columns(),
            include=self._include,
            now=self._now,
            list_meta=meta,
            with_columns=with_columns,
            version=self._form.version,
        )

    def _partial(self, obj: Object) -> Object:
        return {
            "kind": "PartialObjectMetadata",
            "apiVersion": f"meta.k8s.io/{self._form.version}",
            "metadata": tables.shown_metadata(self._served.kind, obj),
        }
