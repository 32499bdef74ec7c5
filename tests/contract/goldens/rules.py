"""What must differ between two servers is replaced by a name, on both sides: the only such place.

Everything that is not named here has to be the same, the order of members included.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from tests.contract.goldens.recordings import LAST_APPLIED

_RANDOM = "bcdfghjklmnpqrstvwxz2456789"
_SHOWS_DESCRIPTIONS = ("columnDefinitions", "openAPIV3Schema", "additionalPrinterColumns")

TEXTS: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(pattern, re.MULTILINE), replacement, reason)
    for pattern, replacement, reason in (
        (
            r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z| \+0000 UTC)?",
            "<time>",
            "the moment of the play",
        ),
        (
            r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d (?:GMT|UTC)",
            "<time>",
            "the moment of the play, as headers write it",
        ),
        (
            r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
            "<uid>",
            "made by chance",
        ),
        (
            r"eyJ[A-Za-z0-9_-]+\.eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+",
            "<jwt>",
            "signed with a key of this cluster",
        ),
        (r"LS0tLS1CRUdJTi[A-Za-z0-9+/=]+", "<pem>", "certificates are made for each cluster"),
        (
            r"-----BEGIN [A-Z ]+-----[^-]+-----END [A-Z ]+-----\n?",
            "<pem>",
            "certificates are made for each cluster",
        ),
        (r"(X509SHA256=)[0-9a-f]{64}", r"\1<hash>", "the fingerprint of such a certificate"),
        (
            r"\b[0-9A-F]{128}\b",
            "<hash>",
            "the hash of a document whose descriptions are ours",
        ),
        (
            r"(resource version: (?:\d+, current: )?|precondition: <uid>, .*)\d+(?: \(\d+\))?",
            r"\1<rv>",
            "another count of writes",
        ),
        (
            r'("?resourceVersion\\*":\\*"|resourceVersion: ")\d+',
            r"\1<rv>",
            "another count of writes",
        ),
        (r"\b10\.96\.\d+\.\d+\b", "<cluster ip>", "allocated by chance"),
        (rf"(?<=pod-template-hash=)[{_RANDOM}]{{6,10}}", "<hash>", "hashed from a pod template"),
        (
            rf"(?<=[a-z0-9])-[{_RANDOM}]{{6,10}}-[{_RANDOM}]{{5}}(?![\w-])",
            "-<hash>-<suffix>",
            "the names of a ReplicaSet's pods end by chance",
        ),
        (
            rf"(?<=[a-z0-9])-[{_RANDOM}]{{8,10}}(?=-?(?![\w-]))",
            "-<hash>",
            "hashed from a pod template, in Go's own notation of it",
        ),
        (rf"(?<=[a-z0-9])-[{_RANDOM}]{{5}}(?![\w-])", "-<suffix>", "generated names end by chance"),
        (r"\.[0-9a-f]{16}\b", ".<moment>", "the names of events end with their moment"),
        (r"\bapiserver-[a-z0-9]{26}\b", "apiserver-<name>", "named for the machine"),
        (r":3(?:[01]\d{3}|2[0-7]\d\d)/", ":<node port>/", "allocated by chance"),
        (r"\A(?:\d+[ydhms])+\Z", "<age>", "the moment of the play"),
        (r"\b(?:26443|6443)\b", "<port>", "the recorded server listened on a port of its own"),
    )
)
NUMBERS = {
    "resourceVersion": "<rv>",
    "nodePort": "<node port>",
    "healthCheckNodePort": "<node port>",
}
"""Members whose numbers are another count of writes, or allocated by chance."""
OPAQUE = {
    "continue": "<continue>",
    "storageVersionHash": "<hash>",
    "pod-template-hash": "<hash>",
    "controller-revision-hash": "<hash>",
    "goVersion": "<go>",
}
"""Members that mean something to the server alone, are hashed from Go's notation of an object, or
name the recorded server's own compiler."""

_SORTED = (
    "groups",
    "items",
    "managedFields",
    "nonResourceRules",
    "resourceRules",
    "resources",
    "rows",
)
"""Lists in the order of names that end by chance, of times within seconds, or of a Go map."""


def normal_text(text: str) -> str:
    """A text with everything replaced that must differ."""
    for pattern, replacement, _ in TEXTS:
        text = pattern.sub(replacement, text)
    return text


def normal(value: Any, *, described: bool = False) -> Any:
    """A JSON value with everything replaced that must differ.

    `described` says that members named `description` are sentences of a schema: ours are our own.
    """
    if isinstance(value, dict):
        members = cast("Mapping[str, Any]", value)
        return {
            normal_text(key): _member(key, item, described or key in _SHOWS_DESCRIPTIONS)
            for key, item in members.items()
            if not (described and key == "description" and isinstance(item, str))
        }
    if isinstance(value, list):
        items = [item for item in cast("Sequence[Any]", value) if not _patched(item)]
        return [normal(item, described=described) for item in items]
    if isinstance(value, str):
        return normal_text(value)
    return "<port>" if value in (26443, 6443) else value


def _member(key: str, value: Any, described: bool) -> Any:
    if value and key in OPAQUE:
        return OPAQUE[key]
    if value and key in NUMBERS and str(value).isdigit():
        return NUMBERS[key]
    if key in _SORTED and isinstance(value, list):
        return _sorted(cast("list[Any]", value))
    if key == LAST_APPLIED and isinstance(value, str):
        applied = normal(json.loads(value), described=False)
        return json.dumps(applied, separators=(",", ":"), ensure_ascii=False)
    return normal(value, described=described)


def without_zeros(value: Any) -> Any:
    """A JSON value without members that say nothing.

    Protobuf answers are compared so: it writes fields that have no value, which JSON leaves out.
    """
    if isinstance(value, dict):
        members = cast("Mapping[str, Any]", value)
        kept = {key: without_zeros(item) for key, item in members.items()}
        return {key: item for key, item in kept.items() if item or item is True}
    if isinstance(value, list):
        return [without_zeros(item) for item in cast("Sequence[Any]", value)]
    return value


def _patched(item: Any) -> bool:
    """What the patches in the recorded server's sources added, which no other server has."""
    if not isinstance(item, dict):
        return False
    members = cast("Mapping[str, Any]", item)
    event = members.get("object") or members
    source = members.get("configMap")
    if "/.well-known/*" in cast("Sequence[Any]", members.get("nonResourceURLs") or ()):
        return True
    return (isinstance(source, dict) and "openshift-service-ca.crt" in source.values()) or (
        isinstance(event, dict) and "KubeAPIReadyz" in event.values()
    )


def _sorted(entries: list[Any]) -> list[Any]:
    """Sorted by what is compared."""
    found = [normal(entry) for entry in entries if not _patched(entry)]
    return sorted(found, key=lambda entry: json.dumps(entry, sort_keys=True))
