"""What an applier is told who wants fields to have other values than their owners.

Source: k8s.io/apimachinery (`util/managedfields/internal/conflict.go`).
"""

from collections.abc import Mapping

from tutor.sandbox.api.managed.entries import Owner
from tutor.sandbox.api.managed.fields import Fields, paths
from tutor.sandbox.api.status import ApiError
from tutor.sandbox.kinds import Object


def conflict(taken: Mapping[Owner, Fields]) -> ApiError:
    """409 that names each owner and field."""
    found = {owner: list(paths(taken[owner])) for owner in sorted(taken)}
    causes: list[Object] = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {owner}", "field": path}
        for owner, listed in found.items()
        for path in listed
    ]
    if len(causes) == 1:
        message = f"Apply failed with 1 conflict: {causes[0]['message']}: {causes[0]['field']}"
    else:
        lines: list[str] = []
        for owner, listed in found.items():
            lines += [f"conflicts with {owner}:", *(f"- {path}" for path in listed)]
        message = f"Apply failed with {len(causes)} conflicts: " + "\n".join(lines)
    return ApiError(409, "Conflict", message, details={"causes": causes})
