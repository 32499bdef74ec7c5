"""What of a container's log is asked for.

Source: Kubernetes' `ValidatePodLogOptions`, kubelet's log reader for the order of the cuts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tutor.sandbox.api.options import flag, integer
from tutor.sandbox.api.request import Request
from tutor.sandbox.api.status import (
    FieldError,
    bad_request,
    forbidden_field,
    invalid,
    invalid_object,
)

LogLine = tuple[str, str]
"""Time (RFC 3339 with nanoseconds) and text."""
_SECOND = len("2006-01-02T15:04:05")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """The options of one request for a log; None where one is not given."""

    follow: bool
    previous: bool
    stamped: bool
    tail: int | None
    limit_bytes: int | None
    since: datetime | None

    def lines(self, lines: Sequence[LogLine]) -> list[LogLine]:
        """The lines to begin with."""
        chosen = list(lines)
        if self.since is not None:
            earliest = self.since.strftime("%Y-%m-%dT%H:%M:%S")
            chosen = [one for one in chosen if one[0][:_SECOND] >= earliest]
        if self.tail is not None:
            chosen = chosen[len(chosen) - min(self.tail, len(chosen)) :]
        return chosen

    def cut(self, body: bytes) -> bytes:
        """At most as many bytes as are wanted."""
        return body if self.limit_bytes is None else body[: self.limit_bytes]


def log_query(request: Request, pod: str) -> LogQuery:
    """The query of a request.

    Raises:
        ApiError: 400 for what is no number or no time, 422 for numbers out of range.
    """
    query = request.query

    def number(name: str) -> int | None:
        return integer(query.get(name)) if query.get(name) else None

    tail, limit, seconds = number("tailLines"), number("limitBytes"), number("sinceSeconds")
    since = _time(query.get("sinceTime"))
    errors: list[FieldError] = []
    if query.get("stream"):
        errors.append(forbidden_field("stream", "may not be specified"))
    if tail is not None and tail < 0:
        errors.append(invalid("tailLines", tail, "must be greater than or equal to 0"))
    if limit is not None and limit < 1:
        errors.append(invalid("limitBytes", limit, "must be greater than 0"))
    if seconds is not None and since is not None:
        why = "at most one of `sinceTime` or `sinceSeconds` may be specified"
        errors.append(forbidden_field("", why))
    elif seconds is not None and seconds < 1:
        errors.append(invalid("sinceSeconds", seconds, "must be greater than 0"))
    if errors:
        raise invalid_object("", "PodLogOptions", pod, errors)
    if seconds is not None:
        since = request.received - timedelta(seconds=seconds)
    return LogQuery(
        follow=flag(query, "follow"),
        previous=flag(query, "previous"),
        stamped=flag(query, "timestamps"),
        tail=tail,
        limit_bytes=limit,
        since=since,
    )


def _time(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        why = (
            f'parsing time "{text}" as "2006-01-02T15:04:05Z07:00": cannot parse "{text}" as "2006"'
        )
        raise bad_request(why) from None
