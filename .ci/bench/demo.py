"""The whole lesson, played by itself: what it takes beyond what its commands take."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from bench.figure import Figure
from bench.home import PROGRAMS, Broken, Home, home


@dataclass(frozen=True, slots=True)
class _Run:
    total: dict[str, float]
    finished_mb: float


def measure() -> Iterator[Figure]:
    """The figures of this group."""
    watchable, instant = _play("watchable"), _play("instant")
    total = watchable.total
    delays_s = max(total["waited_s"] - instant.total["waited_s"], 0.0)
    accounted_s = total["commands_s"] + total["settle_s"] + delays_s
    yield Figure(name="demo, whole lesson", value=total["took_s"], unit="s", bar=75)
    yield Figure(name="demo, in its commands", value=total["commands_s"], unit="s")
    yield Figure(name="demo, settle times", value=total["settle_s"], unit="s")
    yield Figure(name="demo, delays of the pace", value=delays_s, unit="s")
    yield Figure(
        name="demo, everything else", value=total["took_s"] - accounted_s, unit="s", bar=20
    )
    yield Figure(name="demo at pace instant", value=instant.total["took_s"], unit="s")
    yield Figure(
        name="sandbox with the finished lesson, resident",
        value=watchable.finished_mb,
        unit="MB",
        bar=120,
    )


def _play(pace: str) -> _Run:
    with home() as place:
        command = [PROGRAMS / "tutor", "demo", "--headless", "--json", "--pace", pace]
        played = subprocess.Popen(
            command,
            env=place.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            return _follow(played, place)
        finally:
            played.terminate()
            played.wait()


def _follow(played: "subprocess.Popen[str]", place: Home) -> _Run:
    steps: list[dict[str, Any]] = []
    resident: list[float] = []
    for line in played.stdout or ():
        step: dict[str, Any] = json.loads(line)
        if "number" not in step:
            if step["passed"] != step["steps"]:
                raise Broken(f"the demo did not pass {steps[-1]['id']}: {steps[-1]['problem']}")
            # The last step cleans up: the lesson's cluster is complete one step before.
            return _Run(step, resident[-2])
        steps.append(step)
        resident.append(_resident(place.root / "demo" / "sandbox" / "pid"))
    raise Broken(f"the demo ended: {played.stderr.read() if played.stderr else ''}")


def _resident(pid_file: Path) -> float:
    """Memory of the sandbox; nothing before it runs."""
    try:
        return psutil.Process(int(pid_file.read_text())).memory_info().rss / 1e6
    except (OSError, ValueError, psutil.NoSuchProcess):
        return 0.0
