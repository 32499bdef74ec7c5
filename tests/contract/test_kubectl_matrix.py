"""The whole lesson with kubectl 1.28 to 1.37, as a learner's own: `make matrix` brings them."""

import json
import os
import shlex
import time
from pathlib import Path

import pytest

from tests.e2e.commands import user_at

VERSIONS = ("1.28", "1.30", "1.32", "1.34", "1.36", "1.37")
VARIABLE = "KUBECTLS"
MEANT_TO_FAIL = "get pods -A --kubeconfig pinniped-kubeconfig.yaml"


def recording(kubectl: Path, folder: Path) -> Path:
    """A `kubectl` in a folder of its own that runs another and writes down how each run ended."""
    calls = folder / "calls"
    calls.touch()
    program = folder / "kubectl"
    program.write_text(
        f'#!/bin/sh\n{shlex.quote(str(kubectl))} "$@"\nended=$?\n'
        f'echo "$ended $*" >> {shlex.quote(str(calls))}\nexit $ended\n'
    )
    program.chmod(0o755)
    return calls


@pytest.mark.contract
@pytest.mark.timeout(240)
@pytest.mark.parametrize("version", VERSIONS)
def test_lesson_with_kubectl_of_another_version_plays_to_its_end(
    version: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if not (folder := os.environ.get(VARIABLE)):
        pytest.skip(f"no folder of kubectls: run `make matrix`, or set {VARIABLE}")
    kubectl = Path(folder).absolute() / version / "kubectl"
    if not kubectl.exists():
        pytest.skip(f"no {kubectl}: `make matrix` fetches it")
    (own := tmp_path / "own").mkdir()
    calls = recording(kubectl, own)
    path = os.pathsep.join([str(own), os.environ["PATH"]])
    with user_at(tmp_path / "home", PATH=path, TUTOR_KUBECTL="own") as user:
        began = time.monotonic()
        ran = user.tutor("demo", "--json", "--pace", "instant")
        took_s = time.monotonic() - began
    *steps, total = [json.loads(line) for line in ran.out.splitlines()]
    with capsys.disabled():
        print(f"\nkubectl {version}: {total['passed']} of {total['steps']} steps, {took_s:.1f} s")
    assert ran.exit == 0, steps[-1]["screen"] + ran.err
    ends = [line.split(" ", 1) for line in calls.read_text().splitlines()]
    assert len(ends) > total["steps"] // 2, "the lesson was played with another kubectl"
    assert [words for code, words in ends if code != "0"] == [MEANT_TO_FAIL]
