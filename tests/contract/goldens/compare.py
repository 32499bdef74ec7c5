"""Says how an answer differs from the recorded one: status, headers that matter, shape, values."""

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.contract.goldens.recordings import PROTOBUF, Case, Exchange, parsed
from tests.contract.goldens.rules import normal, normal_text, without_zeros

HEADERS = (
    "Accept-Ranges",
    "Audit-Id",
    "Cache-Control",
    "Content-Encoding",
    "Content-Type",
    "Etag",
    "Expires",
    "Last-Modified",
    "Location",
    "Retry-After",
    "Vary",
    "Warning",
    "X-Content-Type-Options",
    "X-Kubernetes-Pf-Flowschema-Uid",
    "X-Kubernetes-Pf-Prioritylevel-Uid",
)
"""Headers that matter; framing, dates and the protocol are the transport's."""
_COMPRESSED = "Content-Encoding"
_VARIES = "Vary"
_TYPE, _JSON = "Content-Type", "application/json"
_SHOWN = 16


def differences(
    case: Case, exchange: Exchange, status: int, headers: Mapping[str, list[str]], body: bytes
) -> list[str]:
    """Lines that say what differs; none when the answers are the same."""
    found: list[str] = []
    if status != exchange.status:
        found.append(f"status {status}, recorded {exchange.status}")
    found.extend(_headers(case, exchange, headers))
    if exchange.answer is not None and exchange.method != "HEAD":
        found.extend(_bodies(exchange.answer, body, _media(exchange), headers))
    return found


def _media(exchange: Exchange) -> str:
    return str(exchange.answer_headers.get("Content-Type", ""))


def _headers(case: Case, exchange: Exchange, ours: Mapping[str, list[str]]) -> Iterator[str]:
    for name in HEADERS:
        recorded = exchange.answer_headers.get(name)
        wanted = [recorded] if isinstance(recorded, str) else recorded or []
        if not wanted and not case.whole_headers and name != "Warning":
            continue
        if name == _COMPRESSED and not case.whole_headers:
            # The recorder asked for bodies as they are.
            continue
        if name == _VARIES and exchange.answer is None:
            # Large answers are compressed, and what was left out was large.
            continue
        found = ours.get(name, [])
        if name == _TYPE and wanted and wanted[0].startswith(PROTOBUF) and found == [_JSON]:
            # Every client that asks for protobuf takes JSON as well, and ours gives that.
            wanted = [_JSON]
        if [normal_text(text) for text in wanted] != [normal_text(text) for text in found]:
            yield f"{name}: {found}, recorded {wanted}"


def _bodies(
    recorded: bytes, ours: bytes, media: str, headers: Mapping[str, list[str]]
) -> Iterator[str]:
    wanted = parsed(recorded, media)
    found = parsed(ours, (headers.get("Content-Type") or [""])[0])
    if wanted is None or found is None:
        yield from _diff(_text(recorded), _text(ours))
        return
    if media.startswith(PROTOBUF):
        # Its fields come by their numbers.
        wanted, found = (without_zeros(value) for value in (wanted, found))
        yield from _diff(_shown(wanted, in_order=False), _shown(found, in_order=False))
        return
    yield from _diff(_shown(wanted), _shown(found))
    if _form(recorded) != _form(ours):
        yield f"form: {_form(ours)}, recorded {_form(recorded)}"


def _text(body: bytes) -> str:
    return normal_text(body.decode(errors="backslashreplace"))


def _shown(value: Any, *, in_order: bool = True) -> str:
    return json.dumps(normal(value), indent=1, ensure_ascii=False, sort_keys=not in_order)


def _form(body: bytes) -> str:
    """How JSON is laid out."""
    indented = "indented" if body.startswith((b"{\n", b"[\n")) else "compact"
    ended = "with" if body.endswith(b"\n") else "without"
    return f"{indented}, {ended} a last newline"


def _diff(wanted: str, found: str) -> Iterator[str]:
    if wanted == found:
        return
    lines = difflib.unified_diff(
        wanted.splitlines(), found.splitlines(), "recorded", "ours", lineterm="", n=0
    )
    shown = [line[:300] for line in list(lines)[2:] if not line.startswith("@@")]
    yield from shown[:_SHOWN]
    if len(shown) > _SHOWN:
        yield f"… {len(shown) - _SHOWN} more"
    if not shown:
        yield "the last newline"
