"""Groups of the Kubernetes project need its approval, or the word that they have none.

Source: apiextensions-apiserver (`pkg/apihelpers/helpers.go`).
"""

from typing import Literal, NamedTuple

from tutor.sandbox.api.builtin.reading import part, text
from tutor.sandbox.api.customresources.definition import spec_of
from tutor.sandbox.api.structural.url import parse_url
from tutor.sandbox.kinds import Object

ANNOTATION = "api-approved.kubernetes.io"
_PROTECTED = (".k8s.io", ".kubernetes.io")
_NEEDED = f'protected groups must have approval annotation "{ANNOTATION}"'
_SEE = "see https://github.com/kubernetes/enhancements/pull/1111"


class Approval(NamedTuple):
    """What the annotation tells, and the server's words for it."""

    state: Literal["missing", "invalid", "bypassed", "approved"]
    reason: str


def is_protected(crd: Object) -> bool:
    """Whether the definition's group is one of the project's."""
    return f".{text(spec_of(crd), 'group')}".endswith(_PROTECTED)


def annotated(crd: Object) -> str:
    """The annotation, empty when there is none."""
    return text(part(crd, "metadata", "annotations"), ANNOTATION)


def approval(crd: Object) -> Approval:
    """What the annotation tells."""
    told = annotated(crd)
    if not told:
        return Approval("missing", f"{_NEEDED}, {_SEE}")
    if told.startswith("unapproved"):
        return Approval("bypassed", f'not approved: "{told}"')
    if _is_url(told):
        return Approval("approved", f"approved in {told}")
    how = 'with either a URL or a reason starting with "unapproved"'
    return Approval("invalid", f"{_NEEDED} {how}, {_SEE}")


def _is_url(told: str) -> bool:
    try:
        url = parse_url(told)
    except ValueError:
        return False
    return bool(url.host and url.scheme)
