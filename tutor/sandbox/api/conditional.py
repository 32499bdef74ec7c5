"""Whole documents for those who know them already, or want a part: conditions and ranges.

Source: RFC 9110, sections 13 and 14, in the way of Go's `http.ServeContent`.
"""

import re
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from tutor.sandbox.api.request import Headers, Request, Response

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_ACCEPT_RANGES = ("Accept-Ranges", "bytes")


def conditional(request: Request, whole: Response, modified: datetime) -> Response:
    """What is answered of a document. `whole` has its headers but for ranges."""
    etag = _value(whole.headers, "Etag")
    match = request.header("if-match")
    if match and not _names(match, etag):
        return replace(whole, status=412, body=b"")
    unless = _moment(request.header("if-unmodified-since"))
    if not match and unless and modified > unless:
        return replace(whole, status=412, body=b"")
    known = request.header("if-none-match")
    since = _moment(request.header("if-modified-since"))
    if _names(known, etag) if known else since is not None and modified <= since:
        kept = [
            (name, value)
            for name, value in whole.headers
            if name != "Content-Encoding" and not (etag and name == "Last-Modified")
        ]
        return replace(whole, status=304, body=b"", content_type="", headers=kept)
    answered = replace(whole, headers=(*whole.headers, _ACCEPT_RANGES))
    wanted = _RANGE.fullmatch(request.header("range"))
    if wanted is None or wanted[0] == "bytes=-" or _value(whole.headers, "Content-Encoding"):
        return answered
    return _part(answered, wanted[1], wanted[2])


def _part(whole: Response, first: str, last: str) -> Response:
    size = len(whole.body)
    start = int(first) if first else max(size - int(last), 0)
    end = min(int(last) + 1, size) if first and last else size
    if start >= size or start >= end:
        return replace(
            whole,
            status=416,
            body=b"invalid range: failed to overlap\n",
            content_type="text/plain; charset=utf-8",
            headers=(("Content-Range", f"bytes */{size}"), ("X-Content-Type-Options", "nosniff")),
        )
    told = ("Content-Range", f"bytes {start}-{end - 1}/{size}")
    return replace(whole, status=206, body=whole.body[start:end], headers=(*whole.headers, told))


def _names(header: str, etag: str) -> bool:
    """Whether a list of tags has one; weakness does not count."""
    tags = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return "*" in tags or bool(etag and etag in tags)


def _moment(header: str) -> datetime | None:
    try:
        return parsedate_to_datetime(header).astimezone(UTC) if header else None
    except ValueError:
        return None


def _value(headers: Headers, name: str) -> str:
    return next((value for key, value in headers if key == name), "")
