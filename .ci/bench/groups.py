"""The groups by name, in the order in which they run."""

import subprocess
from collections.abc import Callable, Iterator

import aiohttp

from bench import app, demo, facts, kubectl, scale, server, start, terminal, watching
from bench.figure import Figure
from bench.home import Broken

GROUPS: dict[str, Callable[[], Iterator[Figure]]] = {
    "start": start.measure,
    "demo": demo.measure,
    "server": server.measure,
    "watch": watching.measure,
    "kubectl": kubectl.measure,
    "scale": scale.measure,
    "facts": facts.measure,
    "terminal": terminal.measure,
    "app": app.measure,
}
FAILURES = (Broken, OSError, TimeoutError, aiohttp.ClientError, subprocess.SubprocessError)
