"""How asking a cluster fails."""


class Refused(Exception):
    """The server answered, and not with what was asked for."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Unreachable(Exception):
    """Nobody answered. The text says why."""


class Unusable(Exception):
    """The kubeconfig names no cluster. The text says why."""
