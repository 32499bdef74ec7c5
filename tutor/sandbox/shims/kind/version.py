"""Which kind this is."""

from __future__ import annotations

import os
import sys

VERSION = "0.20.0"


def display() -> str:
    """What `kind version` prints."""
    machine = os.uname().machine
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)
    system = "darwin" if sys.platform == "darwin" else "linux"
    return f"kind v{VERSION} go1.20.4 {system}/{machine}"
