"""Answers below `/openapi`: version 3 document by document, version 2 as a whole.

Source: k8s.io/kube-openapi, pkg/handler and pkg/handler3 (headers, redirects, media types).
"""

import gzip
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from tutor.sandbox.api.conditional import conditional
from tutor.sandbox.api.negotiate import accepts
from tutor.sandbox.api.render import document
from tutor.sandbox.api.request import Request, Response

_TEXT = "text/plain; charset=utf-8"
_JSON = "application/json"
_V2_PROTOBUFS, _V3_PROTOBUFS = (
    (
        f"application/com.github.proto-openapi.spec.{version}.v1.0+protobuf",
        f"application/com.github.proto-openapi.spec.{version}@v1.0+protobuf",
    )
    for version in ("v2", "v3")
)
"""Both spellings are taken, and the first one is given. Those who ask for version 3 get JSON."""
_FAILED = 412
_YEAR = timedelta(days=365)
_LEVEL = 1
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


class OpenApi(Protocol):
    """The OpenAPI documents of what is served now."""

    def index(self) -> Mapping[str, str]:
        """Path (`api/v1`, `apis/apps/v1`) to the hash of its document."""
        ...

    def v3(self, path: str) -> tuple[bytes, str] | None:
        """A v3 document and its hash; None when there is none at the path."""
        ...

    def v2(self) -> bytes:
        """The v2 document in protobuf form."""
        ...

    def v2_json(self) -> bytes:
        """The v2 document as JSON."""
        ...


class OpenApiAnswers:
    """Serves the documents, with the moment when each was first seen."""

    def __init__(self, openapi: OpenApi) -> None:
        self._openapi = openapi
        self._since: dict[str, datetime] = {}
        self._index_known = ("", datetime.min.replace(tzinfo=UTC))

    def answer(self, request: Request, rest: Sequence[str]) -> Response | None:
        """The answer for what follows `/openapi`; None where there is nothing."""
        below = request.path.endswith("/")
        if list(rest) == ["v2"]:
            return None if below else self._v2(request)
        if not rest or rest[0] != "v3":
            return None
        if below:
            return Response(status=404, content_type="")
        path = "/".join(rest[1:])
        return self._document(request, path) if path else self._index(request)

    def _index(self, request: Request) -> Response:
        paths = {
            path: {"serverRelativeURL": f"/openapi/v3/{path}?hash={digest}"}
            for path, digest in self._openapi.index().items()
        }
        body = document({"paths": paths}).rstrip()
        digest = hashlib.sha512(body).hexdigest()
        whole = Response(status=200, body=body, content_type=_TEXT)
        made = self._served(request, whole, self._index_since(digest, request.received))
        # Its type is guessed when it is written, and not before.
        return replace(made, content_type="") if made.status == _FAILED else made

    def _document(self, request: Request, path: str) -> Response:
        found = self._openapi.v3(path)
        if found is None:
            return Response(status=404, content_type="")
        body, digest = found
        if not _chosen(request, (_JSON, *_V3_PROTOBUFS)):
            return Response(status=406, headers=[("Vary", "Accept")], content_type="")
        asked = request.query.get("hash")
        if asked and asked != digest:
            location = ("Location", f"/openapi/v3/{path}?hash={digest}")
            moved = (location, ("Etag", f'"{digest}"'), ("Vary", "Accept"))
            return Response(status=301, headers=moved, content_type=_JSON)
        headers = [("Vary", "Accept")]
        if asked:
            expires = _http_date(request.received + _YEAR, "UTC")
            headers += [("Cache-Control", "public, immutable"), ("Expires", expires)]
        return self._cacheable(request, body, digest, _JSON, headers)

    def _v2(self, request: Request) -> Response:
        chosen = _chosen(request, (_JSON, *_V2_PROTOBUFS))
        headers = [("Vary", "Accept-Encoding"), ("Vary", "Accept")]
        if not chosen:
            return Response(status=406, headers=headers, content_type="")
        binary = chosen != _JSON
        body = self._openapi.v2() if binary else self._openapi.v2_json()
        media = _V2_PROTOBUFS[0] if binary else _JSON
        digest = hashlib.sha512(self._openapi.v2()).hexdigest().upper()
        if "gzip" in request.header("accept-encoding"):
            body = gzip.compress(body, _LEVEL, mtime=0)
            headers.append(("Content-Encoding", "gzip"))
        return self._cacheable(request, body, digest, media, headers)

    def _cacheable(
        self,
        request: Request,
        body: bytes,
        digest: str,
        media: str,
        headers: list[tuple[str, str]],
    ) -> Response:
        every = [("Etag", f'"{digest}"'), *headers]
        whole = Response(status=200, body=body, headers=every, content_type=media)
        since = self._since.setdefault(digest, request.received.replace(microsecond=0))
        return self._served(request, whole, since)

    def _index_since(self, digest: str, now: datetime) -> datetime:
        """When the index became what it is: always later than what it was before.

        It has no tag, so the second is all by which a client sees that its copy is old.
        """
        known, since = self._index_known
        if digest != known:
            since = max(now.replace(microsecond=0), since + timedelta(seconds=1))
            self._index_known = digest, since
        return since

    def _served(self, request: Request, whole: Response, since: datetime) -> Response:
        modified = ("Last-Modified", _http_date(since, "GMT"))
        return conditional(request, replace(whole, headers=(*whole.headers, modified)), since)


def _chosen(request: Request, forms: Sequence[str]) -> str:
    """The first of the forms that the caller accepts best; empty when there is none."""
    for media, _ in accepts(request.header("accept") or "*/*"):
        kind, _, below = media.partition("/")
        for form in forms:
            if media in (form, "*/*") or (below == "*" and form.startswith(f"{kind}/")):
                return form
    return ""


def _http_date(moment: datetime, zone: str) -> str:
    day, month = _DAYS[moment.weekday()], _MONTHS[moment.month - 1]
    return f"{day}, {moment:%d} {month} {moment:%Y %H:%M:%S} {zone}"
