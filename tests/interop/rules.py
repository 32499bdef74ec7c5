"""What may differ between a real program's doings and ours, and why. Everything else may not."""

import json
import re
from typing import Any, NamedTuple

Object = dict[str, Any]


class Rule(NamedTuple):
    """A pattern that is replaced before texts are compared."""

    reason: str
    pattern: re.Pattern[str]
    instead: str


def _rule(reason: str, pattern: str, instead: str) -> Rule:
    return Rule(reason, re.compile(pattern), instead)


RULES = (
    _rule("two runs are at two times", r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME"),
    _rule("two runs are at two times", r"\b\w{3}, \d\d \w{3} \d{4} [\d:]{8} [A-Z0-9+-]+", "TIME"),
    _rule("two runs are at two times", r"(?<=\s)\d+(?:h\d+m|m\d+s|[dhms])(?=\s|$)", "AGE"),
    _rule("two runs are two processes", r"(?<=\b[EWI]\d{4} )[\d:.]+ +\d+", "TIME PROCESS"),
    _rule("a program is where it is", r"(?<![\w/:])/\S+/pinniped\b(?![-.\w])", "PINNIPED"),
    _rule("each run counts its own writes", r"(?<=Resource Version:) +\d+", " REVISION"),
    _rule("uids are random", r"(?<![0-9a-f-])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "UID"),
    _rule("generated names are random", r"-[bcdfghjklmnpqrstvwxz2456789]{5}\b", "-RANDOM"),
    _rule(
        "keys and certificates are random",
        r"(?s)-----BEGIN [A-Z ]+-----.+?-----END [A-Z ]+-----",
        "PEM",
    ),
    _rule("keys and certificates are random", r"\b[A-Za-z0-9+/]{60,}={0,2}", "DATA"),
    _rule(
        "what is outside has an administrator's kubeconfig, a pod its service account",
        r"\bkubernetes-admin\b|\bsystem:serviceaccount:[a-z-]+:[a-z-]+",
        "WHO",
    ),
    _rule("columns are as wide as the longest name in them", r"(?<=\S)  +(?=\S)", "  "),
    _rule(
        "what is outside is named after the machine, a pod after itself",
        r"\"[\w.-]+(?:_UID|-external-cert-manager-controller)(?= became leader|\")",
        '"HOLDER',
    ),
)
_OF_A_RUN = ("creationTimestamp", "resourceVersion", "uid")
"""Of metadata: what every object has of its own."""
_REQUESTER = ("extra", "groups", "uid")
"""Of a CertificateRequest: more of who made it; the rule for names has the reason."""


def normal(text: str) -> str:
    """A text without what may differ."""
    for rule in RULES:
        text = rule.pattern.sub(rule.instead, text)
    return text


def without_owners(obj: Object) -> Object:
    """An object without its managed fields.

    Two controllers that start at once race for who writes a status first, and with that owns more
    of it.
    """
    metadata = {k: v for k, v in obj["metadata"].items() if k != "managedFields"}
    return obj | {"metadata": metadata}


def comparable(obj: Object) -> Object:
    """An object without what may differ."""
    found: Object = json.loads(json.dumps(obj))
    for name in _OF_A_RUN:
        found["metadata"].pop(name, None)
    if found["kind"] == "CertificateRequest":
        for name in _REQUESTER:
            found["spec"].pop(name, None)
    # Those of one second are in the order of their names, the others in that of their times.
    _sort(found["metadata"].get("managedFields"), "manager")
    # Those that two controllers write at once are in the order of who came first.
    _sort(found.get("status", {}).get("conditions"), "type")
    return json.loads(normal(json.dumps(found)))


def _sort(entries: list[Object] | None, by: str) -> None:
    if entries:
        entries.sort(key=lambda entry: entry[by])


def told(event: Object) -> tuple[str, ...]:
    """What an event tells, without how often and when."""
    about = event["involvedObject"]
    fields = (
        about["kind"],
        about.get("namespace", ""),
        about["name"],
        event["source"].get("component", ""),
        event["reportingComponent"],
        event["type"],
        event["reason"],
        event["message"],
    )
    return tuple(json.loads(normal(json.dumps(field))) for field in fields)
