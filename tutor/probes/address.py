"""Addresses in lessons, in which variables of the learner's shell may stand."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from tutor.probes.base import Blind, Peer

_PORTS = {"https": 443, "http": 80}


def peer_of(url: str) -> Peer:
    """The server of an http or https address."""
    parts = urlsplit(url)
    netloc = parts.netloc.rpartition("@")[2]
    # A variable, as in https://$TUTOR_INGRESS/, brings its port along.
    has_port = netloc.startswith("$") or ":" in netloc.rpartition("]")[2]
    return Peer(netloc if has_port else f"{netloc}:{_PORTS.get(parts.scheme, 0)}")


_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


def expand(text: str, environment: Mapping[str, str]) -> str | Blind:
    """Fill in `$NAME` and `${NAME}` from the learner's shell."""
    for match in _VARIABLE.finditer(text):
        name = match[1] or match[2]
        if name not in environment:
            return Blind(f"${name} is not set in the shell's environment")
    return _VARIABLE.sub(lambda match: environment[match[1] or match[2]], text)
