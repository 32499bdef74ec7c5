"""A short run of what `.ci/fuzz.py` does at length: hostile requests to a sandbox process."""

from pathlib import Path

import pytest

from tests.contract.fuzz.run import Fuzz, Plan
from tests.fakes.sandbox_process import order, sandbox_process

pytestmark = [pytest.mark.contract, pytest.mark.timeout(240)]

PLAN = Plan(
    requests=2_000,
    settled=200,
    idle=40,
    half_open=12,
    slow=3,
    full=1,
    rough=0.05,
    scale=40,
    seed=3,
)


async def test_fuzzed_sandbox_answers_without_faults_and_goes_on(tmp_path: Path) -> None:
    with sandbox_process(tmp_path / "home") as process:
        await process.start()
        made = await order(process.root, "up")
        summary = await Fuzz(made["kubeconfig"], process.pid, PLAN, tmp_path).run(print)
        process.kill()
        logged = process.log()
    assert summary.faults == []
    assert summary.asked == PLAN.requests
    assert summary.told == PLAN.idle
    assert {200, 201, 400, 401, 403, 404, 405, 409, 415, 422} <= set(summary.statuses)
    assert '"traceback"' not in logged
