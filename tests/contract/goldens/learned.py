"""Translates what the recorded server made up, in later requests, to what ours made up instead."""

import base64
import json
import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any, cast

_UID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{20,}(?:\.[A-Za-z0-9_-]+)*")
_ETAG = re.compile(r'(?<=")[0-9A-F]{100,}(?=")')
_HASHED = re.compile(r"(/openapi/v3/[^?\s\"]+)\?hash=([0-9A-F]{100,})")
_VERSION = re.compile(r'(resourceVersion(?:=|": ?"|", ?"value": ?"))(\d+)')
_CONTINUE = re.compile(r"(?<=continue=)[A-Za-z0-9_-]+")
_EVENT = re.compile(r"[a-z0-9.-]+\.[0-9a-f]{16}")
_RANDOM = re.compile(r"[a-z0-9.-]+-[bcdfghjklmnpqrstvwxz2456789]{5}")
_KEPT = 1
"""The resource versions up to here are not the server's: 0 is any, 1 is long gone."""


class Learned:
    """What is known so far about the two servers' names for the same things."""

    def __init__(self) -> None:
        self._same: dict[str, str] = {}
        self._hashes: dict[str, str] = {}
        self._versions: dict[int, int] = {}

    def learn(self, recorded: Any, ours: Any) -> None:
        """Take a recorded answer and ours to the same request, both as JSON values."""
        if isinstance(recorded, dict) and isinstance(ours, dict):
            left, right = cast("Mapping[str, Any]", recorded), cast("Mapping[str, Any]", ours)
            for key, item in left.items():
                if key in right:
                    self._learn_member(key, item, right[key])
        elif isinstance(recorded, list) and isinstance(ours, list):
            left, right = cast("Sequence[Any]", recorded), cast("Sequence[Any]", ours)
            for one, other in zip(left, right, strict=False):
                self.learn(one, other)

    def learn_etag(self, recorded: str, ours: str) -> None:
        """Take the entity tags of two answers to the same request."""
        self._hashes[recorded.strip('"')] = ours.strip('"')

    def _learn_member(self, key: str, recorded: Any, ours: Any) -> None:
        if not isinstance(recorded, str) or not isinstance(ours, str):
            self.learn(recorded, ours)
        elif not recorded:
            return  # no name: it stands for nothing, least of all where a path is empty
        elif key == "resourceVersion":
            if recorded.isdigit() and ours.isdigit():
                known = self._versions.get(int(recorded), 0)
                self._versions[int(recorded)] = max(known, int(ours))
        elif key == "serverRelativeURL":
            found = _HASHED.fullmatch(recorded), _HASHED.fullmatch(ours)
            if found[0] and found[1]:
                self._hashes[found[0][2]] = found[1][2]
        elif key in ("uid", "continue", "token") or (
            key == "name" and (_RANDOM.fullmatch(recorded) or _EVENT.fullmatch(recorded))
        ):
            self._same[recorded] = ours

    def translated(self, text: str) -> str:
        """A recorded request's path, header or body with our server's names."""
        text = _CONTINUE.sub(self._continued, text)
        text = _TOKEN.sub(self._known, text)
        text = _UID.sub(self._known, text)
        text = _ETAG.sub(lambda m: self._hashes.get(m[0], m[0]), text)
        text = _HASHED.sub(lambda m: f"{m[1]}?hash={self._hashes.get(m[2], m[2])}", text)
        return _VERSION.sub(lambda m: m[1] + self._version(int(m[2])), text)

    def translated_path(self, path: str) -> str:
        """A recorded path with our server's names, also where a name in it was made up."""
        place, mark, query = self.translated(path).partition("?")
        parts = [self._same.get(part, part) for part in place.split("/")]
        return "/".join(parts) + mark + query

    def _known(self, match: re.Match[str]) -> str:
        return self._same.get(match[0], match[0])

    def _continued(self, match: re.Match[str]) -> str:
        """A token that no answer here has shown: it names a resource version, too."""
        if match[0] in self._same:
            return self._same[match[0]]
        padded = match[0] + "=" * (-len(match[0]) % 4)
        try:
            token: dict[str, Any] = json.loads(base64.urlsafe_b64decode(padded))
        except ValueError:
            return match[0]
        token["rv"] = int(self._version(token["rv"]))
        text = json.dumps(token, separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def _version(self, recorded: int) -> str:
        known = sorted(self._versions)
        if recorded <= _KEPT or not known or recorded > known[-1] * 10:
            return str(recorded)
        at = bisect_right(known, recorded)
        return str(self._versions[known[at - 1]] if at else recorded)
