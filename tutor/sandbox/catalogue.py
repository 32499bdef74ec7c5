"""The products that a cluster of the sandbox can run."""

from tutor.sandbox.component import Component


def components() -> dict[str, Component]:
    """Every component, by name."""
    return {}
