"""What a learner reads after the mistakes of the reference, in the lesson's own shell.

Source: pinniped.md 4.4, 6.6, 6.8 and 7.3; cert-manager.md 5; contour-and-kind.md 2.4 and 3.2.
"""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lessons.looking import PLACE
from tests.lessons.rehearsal import Rehearsal, go_back, rehearsing
from tests.lessons.roads import LESSONS, Roads

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

LESSON = next(each for each in LESSONS if each.id == "pinniped-external-certificate")
MISTAKES: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parent / "data" / "mistakes.yaml").read_text()
)
VARYING = (
    (re.compile(r"^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \w+  cmd/kubeconfig\.go:\d+  "), ""),
    (re.compile(r"\b10\.96\.\d+\.\d+\b"), "<cluster ip>"),
    (re.compile(r"(?<=executable )\S+/pinniped\b"), "<pinniped>"),
    (re.compile(r'(?<="remaining": ")\d+s'), "<time>"),
    (re.compile(r"(?<=   )(\d+[smh])+$"), "<age>"),
)


def told(output: str) -> list[str]:
    """The lines of an output, without what differs from one time to the next."""
    lines = output.splitlines()
    for pattern, name in VARYING:
        lines = [pattern.sub(name, line) for line in lines]
    return lines


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_when_made_by_hand_gives_the_texts_of_the_reference(
    name: str, roads: Roads
) -> None:
    road = roads.of(LESSON)
    moment = MISTAKES[name]["before"]
    go_back(road.root, road.moments[moment])

    async def play() -> None:
        async with rehearsing(LESSON, road.root) as rehearsal:
            await _until_served(rehearsal, moment)
            for typed in MISTAKES[name]["type"]:
                await _type(rehearsal, typed)

    asyncio.run(play())


async def _until_served(rehearsal: Rehearsal, moment: str) -> None:
    """Wait for the proxy, which has just been started again, where it was there before."""
    steps = [step.id for step in LESSON.steps_on(PLACE)]
    if steps.index(moment) > steps.index("point-the-name-home"):
        url = "https://impersonation-proxy-mtls.local/healthz"
        await rehearsal.type(f"until curl -sk {url}; do sleep 0.1; done")


async def _type(rehearsal: Rehearsal, typed: dict[str, Any]) -> None:
    record = await rehearsal.stage.shell.run(typed["run"])
    assert record is not None
    lines = told(record.output)
    missing = [line for line in typed.get("says", ()) if line not in lines]
    assert not missing, record.output
    assert record.exit_code == typed.get("exit", 0), record.output
