"""Field selectors: what `fieldSelector` may name for each kind, and what it then selects.

Grammar and complaints: Kubernetes' apimachinery (`pkg/fields`); the fields of each kind: the
`AddFieldLabelConversionFunc` calls in `pkg/apis` and the registries' selectable fields.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tutor.sandbox.api.status import bad_request, go_quote
from tutor.sandbox.api.values import is_list, is_map
from tutor.sandbox.kinds import Kind, Object

Read = Callable[[Object], str]

_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]|\['([^']*)'\]")


def _at(obj: Object, steps: Sequence[str | int]) -> Any:
    value: Any = obj
    for step in steps:
        if isinstance(step, int):
            value = value[step] if is_list(value) and step < len(value) else None
        else:
            value = value.get(step) if is_map(value) else None
    return value


def path(json_path: str, absent: str = "") -> Read:
    """Read the text at a simple JSON path such as `.spec.color` or `.spec.ports[0].name`."""
    steps: list[str | int] = [
        int(index) if index else name or key for name, index, key in _STEP.findall(json_path)
    ]

    def read(obj: Object) -> str:
        value = _at(obj, steps)
        if value is None or value == "":
            return absent
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value)

    return read


def _first(*reads: Read) -> Read:
    return lambda obj: next((text for read in reads if (text := read(obj))), "")


def _nothing(_: Object) -> str:
    return ""


_META = {"metadata.name": path("metadata.name"), "metadata.namespace": path("metadata.namespace")}
_NAME = {"metadata.name": path("metadata.name")}
_INVOLVED = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
# An event is stored once and served by two groups, under other names in each.
_REPORTING = _first(path("reportingComponent"), path("reportingController"))
_EVENT = _META | {"reason": path("reason"), "type": path("type")}


def _regarding(name: str) -> Read:
    return _first(path(f"involvedObject.{name}"), path(f"regarding.{name}"))


_FIELDS: dict[tuple[str, str], Mapping[str, Read]] = {
    ("", "Pod"): _META
    | {
        name: path(name)
        for name in (
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "status.phase",
            "status.nominatedNodeName",
        )
    }
    | {
        "spec.host": path("spec.nodeName"),
        "spec.hostNetwork": path("spec.hostNetwork", "false"),
        "status.podIP": _first(path("status.podIPs[0].ip"), path("status.podIP")),
        # Accepted, but never set: the real server has no value for it either.
        "status.podIPs": _nothing,
    },
    ("", "Node"): _NAME | {"spec.unschedulable": path("spec.unschedulable", "false")},
    ("", "ReplicationController"): _META | {"status.replicas": path("status.replicas", "0")},
    ("", "Namespace"): _NAME | {"status.phase": path("status.phase")},
    ("", "Secret"): _META | {"type": path("type")},
    ("", "Service"): _META
    | {"spec.clusterIP": path("spec.clusterIP"), "spec.type": path("spec.type")},
    ("", "Event"): _EVENT
    | {f"involvedObject.{name}": _regarding(name) for name in _INVOLVED}
    | {
        "reportingComponent": _REPORTING,
        "source": _first(path("source.component"), path("deprecatedSource.component"), _REPORTING),
    },
    ("events.k8s.io", "Event"): _EVENT
    | {f"regarding.{name}": _regarding(name) for name in _INVOLVED}
    | {"reportingController": _REPORTING},
    ("batch", "Job"): _META | {"status.successful": path("status.succeeded", "0")},
    ("certificates.k8s.io", "CertificateSigningRequest"): _NAME
    | {"spec.signerName": path("spec.signerName")},
    ("resource.k8s.io", "ResourceSlice"): _NAME
    | {"spec.nodeName": path("spec.nodeName"), "spec.driver": path("spec.driver")},
}


class Term(NamedTuple):
    """One comparison of one field."""

    field: str
    equal: bool
    value: str
    read: Read


@dataclass(frozen=True, slots=True)
class FieldSelector:
    """Comparisons that must all hold; without any it selects everything."""

    terms: tuple[Term, ...] = ()

    def __call__(self, obj: Object) -> bool:
        """Whether the object is selected."""
        return all((term.read(obj) == term.value) is term.equal for term in self.terms)

    def exact(self, field: str) -> str | None:
        """The one value that the selector wants of this field, or None when it wants none."""
        return next((t.value for t in self.terms if t.equal and t.field == field), None)


def _supported(kind: Kind, selectable: Sequence[str]) -> Mapping[str, Read]:
    if not kind.custom:
        return _FIELDS.get((kind.group, kind.kind), _META)
    base = _META if kind.namespaced else _NAME
    return base | {name.removeprefix("."): path(name) for name in selectable}


def _unsupported(kind: Kind, field: str) -> str:
    if kind.custom:
        return f"field label not supported: {field}"
    if (kind.group, kind.kind) == ("batch", "Job"):
        return f"field label {go_quote(field)} not supported for Job"
    if (kind.group, kind.kind) == ("resource.k8s.io", "ResourceSlice"):
        return f"field label not supported for {kind.api_version}, Kind=ResourceSlice: {field}"
    if (kind.group, kind.kind) in _FIELDS:
        return f"field label not supported: {field}"
    known = '"metadata.name", "metadata.namespace"'
    return f"{go_quote(field)} is not a known field selector: only {known}"


def _unescaped(text: str) -> str:
    out: list[str] = []
    chars = iter(text)
    for char in chars:
        if char == "\\":
            escaped = next(chars, "")
            if not escaped or escaped not in "\\,=":
                raise bad_request(f"invalid field selector: invalid escape sequence: \\{escaped}")
            out.append(escaped)
        elif char in ",=":
            # The real server prints the character's number here.
            raise bad_request(f"invalid field selector: unescaped character in value: {ord(char)}")
        else:
            out.append(char)
    return "".join(out)


def parse_fields(text: str, kind: Kind, selectable: Sequence[str] = ()) -> FieldSelector:
    """Read the text of a `fieldSelector` parameter for objects of one kind.

    Args:
        text: the parameter.
        kind: whose objects are selected.
        selectable: the JSON paths of a custom kind's `selectableFields`.

    Raises:
        ApiError: 400 with the server's complaint.
    """
    supported = _supported(kind, selectable)
    terms: list[Term] = []
    for part in sorted(re.findall(r"(?:\\.|[^,\\]|\\$)+", text, re.DOTALL)):
        split = re.match(r"(.*?)(!=|==|=)(.*)", part, re.DOTALL)
        if split is None:
            raise bad_request(f"invalid selector: '{text}'; can't understand '{part}'")
        field, operator, value = split.groups()
        terms.append(Term(field, operator != "!=", _unescaped(value), _nothing))
    return FieldSelector(tuple(_known(term, kind, supported) for term in terms))


def _known(term: Term, kind: Kind, supported: Mapping[str, Read]) -> Term:
    read = supported.get(term.field)
    if read is None:
        raise bad_request(_unsupported(kind, term.field))
    return term._replace(read=read)
