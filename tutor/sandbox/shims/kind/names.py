"""Cluster names: which one is meant, and how lists of names are printed."""

from __future__ import annotations

import os
from collections.abc import Sequence

from tutor.sandbox.shims import gotext
from tutor.sandbox.shims.flags import Values

DEFAULT = "kind"


def chosen(flags: Values) -> str:
    """The value of `--name`; unless it is given, `$KIND_CLUSTER_NAME` stands for it."""
    named = os.environ.get("KIND_CLUSTER_NAME", "")
    return named if named and "name" not in flags.changed else flags.text("name")


def listed(names: Sequence[object]) -> str:
    """Names as Go prints a slice of strings with `%q`."""
    return f"[{' '.join(gotext.quote(str(name)) for name in names)}]"
