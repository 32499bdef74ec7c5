"""Command lines of `pinniped get kubeconfig`, and its log."""

import re

from shim_world import Outcome

HOST = "impersonation-proxy-mtls.local"
POST = (
    "get",
    "kubeconfig",
    "--kubeconfig=admin.yaml",
    "--static-token=pinny:password123",
    "--concierge-authenticator-type=webhook",
    "--concierge-authenticator-name=local-user-authenticator",
    "--concierge-mode=ImpersonationProxy",
)
PLAIN = ("get", "kubeconfig", "--kubeconfig=admin.yaml", "--static-token=pinny:password123")
STAMP = r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d \S+"


def logged(outcome: Outcome) -> list[str]:
    """The log without its times, which must be there."""
    lines: list[str] = []
    for line in outcome.err.splitlines():
        found = re.fullmatch(rf"{STAMP}  cmd/kubeconfig\.go:(.*)", line)
        lines.append(found.group(1) if found else line)
    return lines
