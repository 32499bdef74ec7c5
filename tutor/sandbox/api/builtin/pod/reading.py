"""Going over the containers of a pod spec."""

from collections.abc import Iterator
from typing import Any

from tutor.sandbox.api.builtin.reading import indexed
from tutor.sandbox.kinds import Object

CONTAINER_LISTS = ("initContainers", "containers", "ephemeralContainers")
"""In the order in which the server visits them."""


def containers(spec: Object, path: str = "spec") -> Iterator[tuple[Any, str]]:
    """Every container with its path: init, regular, ephemeral."""
    for field in CONTAINER_LISTS:
        yield from indexed(spec, field, path)


def is_sidecar(container: Object) -> bool:
    """Whether an init container keeps running."""
    return container.get("restartPolicy") == "Always"
