"""The groups by name, in the order in which they run."""

import subprocess
from collections.abc import Callable, Iterator

import aiohttp

from bench import demo, kubectl, scale, server, start, watching
from bench.figure import Figure
from bench.home import Broken

GROUPS: dict[str, Callable[[], Iterator[Figure]]] = {
    "start": start.measure,
    "demo": demo.measure,
    "server": server.measure,
    "watch": watching.measure,
    "kubectl": kubectl.measure,
    "scale": scale.measure,
}
FAILURES = (Broken, OSError, aiohttp.ClientError, subprocess.SubprocessError)
