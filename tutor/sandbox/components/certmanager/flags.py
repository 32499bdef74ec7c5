"""The flags of a container, with the variables of its environment filled in.

Source: Kubernetes' expansion of `$(NAME)` in args; the downward API's fieldRef.
"""

import re
from collections.abc import Sequence

from tutor.sandbox.kinds import Object

_VARIABLE = re.compile(r"\$\(([A-Za-z_][A-Za-z0-9_]*)\)")
_METADATA = {"metadata.namespace": "namespace", "metadata.name": "name", "metadata.uid": "uid"}


class Flags:
    """Flags of the form `--name=value`."""

    def __init__(self, container: Object, pod: Object) -> None:
        variables = _environment(container, pod)
        given: Sequence[str] = container.get("args") or ()
        self._values: list[tuple[str, str]] = []
        for text in given:
            full = _VARIABLE.sub(lambda found: variables.get(found[1], found[0]), text)
            name, _, value = full.removeprefix("--").partition("=")
            self._values.append((name, value))

    def get(self, name: str, default: str = "") -> str:
        """The last value of a flag, or the default."""
        return next((value for key, value in reversed(self._values) if key == name), default)

    def all(self, name: str) -> list[str]:
        """Every value of a flag that may be repeated or separated by commas."""
        return [part for key, value in self._values if key == name for part in value.split(",")]


def _environment(container: Object, pod: Object) -> dict[str, str]:
    variables: dict[str, str] = {}
    for entry in container.get("env") or ():
        source: Object = entry.get("valueFrom") or {}
        reference: Object = source.get("fieldRef") or {}
        path: str = reference.get("fieldPath", "")
        if path in _METADATA:
            variables[entry["name"]] = pod["metadata"].get(_METADATA[path], "")
        elif "value" in entry:
            variables[entry["name"]] = entry["value"]
    return variables
