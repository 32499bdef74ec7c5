import asyncio
from datetime import UTC, datetime

from tutor.sandbox.process.trace import Trace

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def trace() -> Trace:
    return Trace(lambda: NOW)


def test_trace_remembers_the_last_hops_with_their_time() -> None:
    kept = trace()
    for number in range(600):
        kept.publish("api", {"number": number})
    last = kept.last()
    assert len(last) == 500
    assert last[-1] == {"time": "2026-01-02T03:04:05.000+00:00", "kind": "api", "number": 599}


async def test_trace_tells_followers_new_hops_alone() -> None:
    kept = trace()
    kept.publish("api", {"number": 1})
    heard: list[int] = []

    async def follow() -> None:
        async for hop in kept.follow():
            heard.append(hop["number"])
            if len(heard) == 2:
                return

    async with asyncio.TaskGroup() as group:
        group.create_task(follow())
        await asyncio.sleep(0)
        kept.publish("api", {"number": 2})
        kept.publish("api", {"number": 3})
    assert heard == [2, 3]


def test_trace_counts_what_is_not_simulated() -> None:
    kept = trace()
    for what in ("exec", "attach", "exec"):
        kept.publish("not-simulated", {"what": what})
    kept.publish("api", {"what": "exec"})
    assert kept.not_simulated == {"exec": 2, "attach": 1}


def test_trace_counts_a_flood_of_different_answers_together() -> None:
    kept = trace()
    for number in range(150):
        kept.publish("not-simulated", {"what": f"image {number}"})
    assert len(kept.not_simulated) == 101
    assert kept.not_simulated["something else"] == 50
