"""Log lines on stderr as the pinniped CLI writes them: time, caller, message, fields, no level.

Source: internal/plog of pinniped v0.25.0 (console encoding).
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping


def line(
    caller: str, message: str, fields: Mapping[str, object] | None = None, *, logger: str = ""
) -> None:
    """Write one line; `caller` is the file and line of the real program."""
    stamp = time.strftime("%a, %d %b %Y %H:%M:%S %Z")
    parts = [stamp, *([logger] if logger else []), caller, message]
    if fields:
        parts.append(json.dumps(fields, ensure_ascii=False))
    print("  ".join(parts), file=sys.stderr, flush=True)


def warning(text: str) -> None:
    """A server's `Warning` header, which reaches the log through klog and ends in an empty line."""
    line("rest/warnings.go:70", f"{text}\n")
