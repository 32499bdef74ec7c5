"""The kube-cert-agent: it sleeps, and prints the files that its pod mounts when it is asked to.

Source: pinniped.md 1.4.3.
"""

import asyncio
import json
from collections.abc import Sequence

from tutor.sandbox.api.status import ApiError
from tutor.sandbox.component import Workload
from tutor.sandbox.components.concierge.encoding import encode_base64
from tutor.sandbox.components.concierge.signing.template import PRINT

_FILES = (("tls.crt", "CERT_PATH"), ("tls.key", "KEY_PATH"))


async def sleep(workload: Workload) -> None:
    """Run until the pod ends."""

    def run(command: Sequence[str]) -> str:
        if tuple(command) != PRINT:
            raise _exit(
                f'exec: "{command[0] if command else ""}": executable file not found in $PATH'
            )
        return printed(workload)

    workload.on_execute(run)
    workload.ready()
    await asyncio.Event().wait()


def printed(workload: Workload) -> str:
    """The cluster's signing certificate and key; raises ApiError when they cannot be read."""
    env = {item["name"]: item.get("value", "") for item in workload.container.get("env") or ()}
    found: dict[str, str] = {}
    for key, variable in _FILES:
        try:
            found[key] = encode_base64(workload.read_mounted(env.get(variable, "")))
        except FileNotFoundError:
            raise _exit("command terminated with exit code 1") from None
    return json.dumps(found, separators=(",", ":"))


def _exit(why: str) -> ApiError:
    return ApiError(500, "InternalError", why)
